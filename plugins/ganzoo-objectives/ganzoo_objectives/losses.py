"""Adversarial losses beyond the core's: pairs of pure functions of scores, higher = more real, as in the core.

Written r for the scores of real and s for those of fake samples; p is the density of the data, q that of G's samples.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor
from torch.nn.functional import relu, softplus

from ganzoo_core.objectives import Adversarial, Terms, minimax_d, to_float32, wasserstein_g

Divergence = Literal["kl", "reverse_kl", "pearson", "hellinger", "jensen_shannon"]


# f-GAN (Nowozin et al. 2016): d = -E g_f(r) + E f*(g_f(s)), Eq. 6; g = -E g_f(s), Sec. 3.2; activations g_f and
# conjugates f* of Tab. 2. At the best D, -d is the divergence D_f(p || q).


def kl_d(real: Tensor, fake: Tensor) -> Terms:
    """-E r + E exp(s - 1): f(u) = u log u."""
    return {"real": -to_float32(real).mean(), "fake": (to_float32(fake) - 1).exp().mean()}


def reverse_kl_d(real: Tensor, fake: Tensor) -> Terms:
    """E exp(-r) + E (s - 1): f(u) = -log u."""
    return {"real": (-to_float32(real)).exp().mean(), "fake": (to_float32(fake) - 1).mean()}


def reverse_kl_g(fake: Tensor, real: Tensor | None = None) -> Tensor:
    """E exp(-s)."""
    return (-to_float32(fake)).exp().mean()


def pearson_d(real: Tensor, fake: Tensor) -> Terms:
    """-E r + E (s^2 / 4 + s): f(u) = (u - 1)^2."""
    s = to_float32(fake)
    return {"real": -to_float32(real).mean(), "fake": (s.square() / 4 + s).mean()}


def hellinger_d(real: Tensor, fake: Tensor) -> Terms:
    """-E (1 - exp(-r)) + E (exp(s) - 1): f(u) = (sqrt u - 1)^2."""
    return {"real": torch.expm1(-to_float32(real)).mean(), "fake": torch.expm1(to_float32(fake)).mean()}


def hellinger_g(fake: Tensor, real: Tensor | None = None) -> Tensor:
    """-E (1 - exp(-s))."""
    return torch.expm1(-to_float32(fake)).mean()


def jensen_shannon_d(real: Tensor, fake: Tensor) -> Terms:
    """-E log(2 sigmoid(r)) - E log(2 - 2 sigmoid(s)): f(u) = -(u + 1) log((1 + u) / 2) + u log u."""
    return {
        "real": softplus(-to_float32(real)).mean() - math.log(2),
        "fake": softplus(to_float32(fake)).mean() - math.log(2),
    }


def jensen_shannon_g(fake: Tensor, real: Tensor | None = None) -> Tensor:
    """-E log(2 sigmoid(s))."""
    return softplus(-to_float32(fake)).mean() - math.log(2)


f_divergences: dict[Divergence, Adversarial] = {
    "kl": Adversarial(kl_d, wasserstein_g),
    "reverse_kl": Adversarial(reverse_kl_d, reverse_kl_g),
    "pearson": Adversarial(pearson_d, wasserstein_g),
    "hellinger": Adversarial(hellinger_d, hellinger_g),
    "jensen_shannon": Adversarial(jensen_shannon_d, jensen_shannon_g),
}


# Boundary-seeking GAN (Hjelm et al. 2017)


def boundary_g(fake: Tensor, real: Tensor | None = None) -> Tensor:
    """1/2 E (log D(G(z)) - log(1 - D(G(z))))^2 = 1/2 E s^2: G seeks the boundary D = 1/2."""
    return to_float32(fake).square().mean() / 2


boundary_seeking = Adversarial(minimax_d, boundary_g)


# Softmax GAN (Lin 2017): all scores of both batches are one softmax; the paper's energy mu is -score.


def softmax_d(real: Tensor, fake: Tensor) -> Terms:
    """-1/|B+| sum_{B+} r + log Z, Z = sum over both batches of e^score: all the mass on the real ones, evenly."""
    r, s = to_float32(real).flatten(), to_float32(fake).flatten()
    return {"real": -r.mean(), "log_z": torch.cat([r, s]).logsumexp(0)}


def softmax_g(fake: Tensor, real: Tensor | None = None) -> Tensor:
    """-1/|B| sum_B score + log Z, B both batches: the mass evenly on all."""
    assert real is not None
    scores = torch.cat([to_float32(real).flatten(), to_float32(fake).flatten()])
    return scores.logsumexp(0) - scores.mean()


softmax = Adversarial(softmax_d, softmax_g, relative=True)


# The relativistic discriminators (Jolicoeur-Martineau 2018): G's side is D's with the parts of real and fake exchanged.


def rsgan_d(real: Tensor, fake: Tensor) -> Terms:
    """-E log sigmoid(r - s) over pairs."""
    return {"pair": softplus(to_float32(fake) - to_float32(real)).mean()}


def ragan_d(real: Tensor, fake: Tensor) -> Terms:
    """-E log sigmoid(r - E s) - E log(1 - sigmoid(s - E r))."""
    r, s = to_float32(real), to_float32(fake)
    return {"real": softplus(s.mean() - r).mean(), "fake": softplus(s - r.mean()).mean()}


def ralsgan_d(real: Tensor, fake: Tensor) -> Terms:
    """E (r - E s - 1)^2 + E (s - E r + 1)^2."""
    r, s = to_float32(real), to_float32(fake)
    return {"real": (r - s.mean() - 1).square().mean(), "fake": (s - r.mean() + 1).square().mean()}


def rahinge_d(real: Tensor, fake: Tensor) -> Terms:
    """E max(0, 1 - (r - E s)) + E max(0, 1 + (s - E r))."""
    r, s = to_float32(real), to_float32(fake)
    return {"real": relu(1 - (r - s.mean())).mean(), "fake": relu(1 + (s - r.mean())).mean()}


def exchanged(d: Callable[[Tensor, Tensor], Terms]) -> Adversarial:
    """The pair whose G descends D's loss with real and fake exchanged."""

    def g(fake: Tensor, real: Tensor | None = None) -> Tensor:
        assert real is not None
        return torch.stack([*d(fake, real).values()]).sum()

    return Adversarial(d, g, relative=True)


rsgan, ragan, ralsgan, rahinge = map(exchanged, (rsgan_d, ragan_d, ralsgan_d, rahinge_d))
