"""Penalties beyond the core's, without their coefficients, and the field of charges: pure functions."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.linalg import vector_norm

from ganzoo_core.objectives import Critic, gradient_norm, input_gradient, interpolate, r1, r2, to_float32


def js_regularizer(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    """E_p (1 - D(x))^2 ||grad s(x)||^2 + E_q D(x)^2 ||grad s(x)||^2, D = sigmoid(s) (Roth et al. 2017).

    Slopes count where D is unsure or wrong.
    """
    on_real = (torch.sigmoid(-critic(real)) * gradient_norm(critic, real)).square()
    on_fake = (torch.sigmoid(critic(fake)) * gradient_norm(critic, fake)).square()
    return on_real.mean() + on_fake.mean()


def sobolev_energy(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    """E_mu ||grad f||^2 for mu = (p + q) / 2 (Mroueh et al. 2017, Alg. 1)."""
    return (r1(critic, real) + r2(critic, fake)) / 2


def banach_penalty(critic: Critic, real: Tensor, fake: Tensor, gamma: Tensor, q: float) -> Tensor:
    """E (||grad f(x^)||_q / gamma - 1)^2 at random interpolates, q the dual exponent (Adler & Lunz 2018)."""
    gradient = input_gradient(critic, interpolate(real, fake)).flatten(1)
    norms: Tensor = vector_norm(gradient, ord=q, dim=1)
    return (norms / gamma - 1).square().mean()


def divergence_penalty(critic: Critic, real: Tensor, fake: Tensor, p: float) -> Tensor:
    """E ||grad f(x^)||^p at random interpolates (Wu et al. 2018)."""
    return gradient_norm(critic, interpolate(real, fake)).pow(p).mean()


def potential(at: Tensor, real: Tensor, fake: Tensor, d: float, eps: float) -> Tensor:
    """The field at points `at` of positive charges at real and negative ones at fake samples.  [N]

    1/n sum k(a, x_i) - 1/n sum k(a, G(z_i)) with Plummer's kernel
    k(a, b) = (||a - b||^2 + eps^2)^(-d/2) (Unterthiner et al. 2017).
    """
    at, real, fake = at.flatten(1), real.flatten(1), fake.flatten(1)
    return plummer(at, real, d, eps).mean(1) - plummer(at, fake, d, eps).mean(1)


def plummer(a: Tensor, b: Tensor, d: float, eps: float) -> Tensor:
    """k(a_i, b_j).  [N, M]"""
    squares = torch.cdist(a.float(), b.float(), compute_mode="donot_use_mm_for_euclid_dist").square()
    return (squares + eps**2).pow(-d / 2)


def steepest(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    """max ||grad f(x^)|| over random interpolates (Zhou et al. 2019)."""
    return gradient_norm(critic, interpolate(real, fake)).max()


def normalised(critic: Critic, x: Tensor) -> Tensor:
    """f(x) / (||grad f(x)|| + |f(x)|), differentiable in x and the weights (Wu et al. 2021).  [N]"""
    x = x if x.requires_grad else x.detach().requires_grad_()
    scores = to_float32(critic(x))
    gradient: Tensor = torch.autograd.grad(scores.sum(), x, create_graph=True)[0]
    return scores / (vector_norm(to_float32(gradient).flatten(1), dim=1) + scores.abs())


# Binarized representation entropy (Cao et al. 2018): of units' soft signs in a batch, [N, d].


def soft_signs(h: Tensor) -> Tensor:
    """h / (|h| + eps), eps a thousandth of the mean |h|.  [N, d]"""
    h = to_float32(h).flatten(1)
    return h / (h.abs() + 1e-3 * h.abs().mean().detach() + 1e-12)


def marginal(s: Tensor) -> Tensor:
    """R_ME = 1/d sum_i (E s_i)^2: 0 where each unit is on for half of the batch."""
    return s.mean(0).square().mean()


def alike(s: Tensor) -> Tensor:
    """R_AC, the mean of |s_j . s_k| / d over pairs j != k: 0 where no two samples share a pattern or its inverse."""
    n, d = s.shape
    pairs = (s @ s.T).abs() * (1 - torch.eye(n, device=s.device, dtype=s.dtype))
    return pairs.sum() / (n * (n - 1) * d)
