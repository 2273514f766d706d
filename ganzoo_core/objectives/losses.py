"""Adversarial losses: pairs of pure functions of scores.

A score is unnormalised and higher means more real: D(x) of a paper that ends in a sigmoid is sigmoid(score).
Scores may have any shape; every loss is a mean over all of them, computed in float32 or better, whatever the
precision of the networks. `d` returns the two halves as named terms; both are minimised.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from torch import Tensor, float32, promote_types
from torch.nn.functional import relu, softplus

Terms = dict[str, Tensor]  # named scalars: those with a gradient are summed and minimised, the others reported


class Adversarial(NamedTuple):
    """The two sides of one adversarial game."""

    d: Callable[[Tensor, Tensor], Terms]  # (scores of real, scores of fake)
    g: Callable[[Tensor, Tensor | None], Tensor]  # (scores of fake, and of real where it is relative to them)
    relative: bool = False  # then the objective scores the real batch for g too


def to_float32(score: Tensor) -> Tensor:
    """`score` in float32, or in float64 where it is that already."""
    return score.to(promote_types(score.dtype, float32))


def minimax_d(real: Tensor, fake: Tensor) -> Terms:
    """-E log D(x) - E log(1 - D(G(z))), Goodfellow et al. 2014, Eq. 1."""
    return {
        "real": softplus(-to_float32(real)).mean(),  # -log sigmoid(s)
        "fake": softplus(to_float32(fake)).mean(),  # -log(1 - sigmoid(s))
    }


def minimax_g(fake: Tensor, real: Tensor | None = None) -> Tensor:
    """E log(1 - D(G(z))), Goodfellow et al. 2014, Eq. 1 and Alg. 1."""
    return -softplus(to_float32(fake)).mean()


def nonsaturating_g(fake: Tensor, real: Tensor | None = None) -> Tensor:
    """-E log D(G(z)), Goodfellow et al. 2014, Sec. 3."""
    return softplus(-to_float32(fake)).mean()


def least_squares_d(real: Tensor, fake: Tensor) -> Terms:
    """1/2 E (D(x) - 1)^2 + 1/2 E D(G(z))^2, Mao et al. 2017, Eq. 9 (a = 0, b = 1)."""
    return {"real": (to_float32(real) - 1).square().mean() / 2, "fake": to_float32(fake).square().mean() / 2}


def least_squares_g(fake: Tensor, real: Tensor | None = None) -> Tensor:
    """1/2 E (D(G(z)) - 1)^2, Mao et al. 2017, Eq. 9 (c = 1)."""
    return (to_float32(fake) - 1).square().mean() / 2


def wasserstein_d(real: Tensor, fake: Tensor) -> Terms:
    """-E f(x) + E f(G(z)), Arjovsky et al. 2017, Eq. 2."""
    return {"real": -to_float32(real).mean(), "fake": to_float32(fake).mean()}


def wasserstein_g(fake: Tensor, real: Tensor | None = None) -> Tensor:
    """-E f(G(z)), Arjovsky et al. 2017, Alg. 1, line 10."""
    return -to_float32(fake).mean()


def hinge_d(real: Tensor, fake: Tensor) -> Terms:
    """E max(0, 1 - D(x)) + E max(0, 1 + D(G(z))), Lim & Ye 2017; Miyato et al. 2018, Eq. 16."""
    return {"real": relu(1 - to_float32(real)).mean(), "fake": relu(1 + to_float32(fake)).mean()}


minimax = Adversarial(minimax_d, minimax_g)
nonsaturating = Adversarial(minimax_d, nonsaturating_g)
least_squares = Adversarial(least_squares_d, least_squares_g)
wasserstein = Adversarial(wasserstein_d, wasserstein_g)
hinge = Adversarial(hinge_d, wasserstein_g)  # Miyato et al. 2018, Eq. 17
