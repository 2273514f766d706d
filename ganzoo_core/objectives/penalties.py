"""Penalties on a critic's slope, and projections of its weights: pure functions without their coefficients.

A critic maps [N, ...] to one score or several per sample; the slope is that of their sum. Penalties are differentiable
themselves, so a step that uses one needs double backward.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import relu
from torch.nn.modules.batchnorm import _BatchNorm

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn.device import computing_in
from ganzoo_core.objectives.losses import to_float32

Critic = Callable[[Tensor], Tensor]


def score_and_gradient(critic: Critic, x: Tensor) -> tuple[Tensor, Tensor]:
    """critic(x), and d critic(x) / d x, of the shape of x: both differentiable in the critic's weights."""
    x = x.detach().requires_grad_()
    scores = critic(x)
    gradient: Tensor = torch.autograd.grad(to_float32(scores).sum(), x, create_graph=True)[0]
    return scores, to_float32(gradient)


def input_gradient(critic: Critic, x: Tensor) -> Tensor:
    """d critic(x) / d x, of the shape of x, itself differentiable in the critic's weights."""
    return score_and_gradient(critic, x)[1]


def gradient_norm(critic: Critic, x: Tensor) -> Tensor:
    """||d critic / d x||_2 per sample.  [N]"""
    norms: Tensor = torch.linalg.vector_norm(input_gradient(critic, x).flatten(1), dim=1)
    return norms


def interpolate(real: Tensor, fake: Tensor) -> Tensor:
    """A point drawn uniformly on the line between each pair (Gulrajani et al. 2017, Alg. 1, lines 4 and 6)."""
    eps = torch.rand(len(real), *[1] * (real.ndim - 1), device=real.device, dtype=real.dtype)
    return eps * real + (1 - eps) * fake


def gradient_penalty(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    """E (||grad D(x^)||_2 - 1)^2 at random interpolates x^ (Gulrajani et al. 2017, Eq. 3)."""
    return (gradient_norm(critic, interpolate(real, fake)) - 1).square().mean()


def one_sided_gradient_penalty(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    """E max(0, ||grad D(x^)||_2 - 1)^2 at random interpolates (Petzka et al. 2018, Eq. 8)."""
    return relu(gradient_norm(critic, interpolate(real, fake)) - 1).square().mean()


def r1(critic: Critic, real: Tensor) -> Tensor:
    """E ||grad D(x)||^2 at the data: Mescheder et al. 2018, Eq. 9, without its gamma / 2."""
    return score_and_r1(critic, real)[1]


def score_and_r1(critic: Critic, real: Tensor) -> tuple[Tensor, Tensor]:
    """critic(x) and `r1` there, in one pass: for games that pay for slopes in every step."""
    scores, gradient = score_and_gradient(critic, real)
    return scores, gradient.flatten(1).square().sum(1).mean()


def r2(critic: Critic, fake: Tensor) -> Tensor:
    """E ||grad D(G(z))||^2 at the samples: Mescheder et al. 2018, Eq. 10, without its gamma / 2."""
    return r1(critic, fake)


def dragan_penalty(critic: Critic, real: Tensor) -> Tensor:
    """E (||grad D(x + delta)||_2 - 1)^2 around the data (Kodali et al. 2017, Eq. 1, k = 1).

    The noise is that of the authors' code, where the paper's Alg. 1 leaves it open: delta = a/2 std(x) u with
    u ~ U[0, 1] per pixel and a ~ U[0, 1] per sample.
    """
    noisy = real + 0.5 * real.std() * torch.rand_like(real)
    return (gradient_norm(critic, interpolate(noisy, real)) - 1).square().mean()


def require_no_batch_norm(D: nn.Module) -> None:
    """Refuse a critic whose score of one sample depends on the others: a penalty on its slope there means nothing.

    Gulrajani et al. 2017, Sec. 4, "No critic batch normalization". Errors: GanzooError.
    """
    if any(isinstance(layer, _BatchNorm) for layer in D.modules()):
        raise GanzooError("a critic with batch norm under a gradient penalty", "Build it without: -c norm=none.")


@torch.no_grad()
def clip_weights(net: nn.Module, c: float) -> None:
    """Project every weight onto [-c, c] (Arjovsky et al. 2017, Alg. 1, line 7)."""
    for w in net.parameters():
        w.clamp_(-c, c)


@torch.no_grad()
def clip_rows(net: nn.Module, norm: float) -> None:
    """Shrink each unit's incoming weights to an l2 norm of at most `norm` (Srivastava et al. 2014, App. A.1)."""
    for layer in net.modules():
        if isinstance(layer, nn.Linear):
            layer.weight.copy_(torch.renorm(layer.weight, p=2, dim=0, maxnorm=norm))


def off_diagonal(W: Tensor) -> Tensor:
    """||W W^T o (1 - I)||_F^2 as ||W^T W||_F^2 - sum_i ||w_i||^4, by whichever Gram matrix is smaller.

    A layer of 24,576 filters of 20 weights would otherwise need 2.4 GB.
    """
    with computing_in(torch.float32, W.device):  # differences of large numbers
        gram = W.T @ W if W.shape[0] > W.shape[1] else W @ W.T
        return gram.square().sum() - W.square().sum(1).square().sum()
