"""The game of OT-GAN: the minibatch energy distance, whose parts are costs of transport between batches."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product
from typing import Annotated

import torch
from torch import Tensor
from torch.nn.functional import normalize

from ganzoo_core.objectives import Batch, Optim, Phase, Step, Terms, adam
from ganzoo_moments.embedding import EmbeddingGame


class OTGAN(EmbeddingGame):
    """Improving GANs Using Optimal Transport (Salimans, Zhang, Radford & Metaxas 2018, arXiv:1803.05573).

    g = -d = W(X, Y) + W(X, Y') + W(X', Y) + W(X', Y') - 2 W(X, X') - 2 W(Y, Y'),

    X and X' the two halves of a batch of pictures, Y and Y' of samples; W is the cost of transport in Sinkhorn's
    approximation, where moving h(x) to h(y) costs 1 - cos(h(x), h(y)). The plan is held fixed under the gradient.
    G moves more often than D, which else would run away with the cost.
    """

    eps: Annotated[float, "weight of the plan's entropy: low is exact, and slow to find"] = 0.01
    rounds: Annotated[int, "of Sinkhorn's algorithm"] = 50
    n_gen: Annotated[int, "updates of G for each of the critic"] = 3
    lr: Annotated[float, "Adam's step for both players"] = 3e-4
    b1: Annotated[float, "Adam's beta_1"] = 0.5
    b2: Annotated[float, "Adam's beta_2"] = 0.999

    def optim(self, player: str) -> Optim:
        return adam(self.lr, self.b1, self.b2)

    def phases(self) -> Sequence[Phase]:
        (main,) = super().phases()
        d_step, g_step = main.steps
        steps = [Step(g_step.player, self.g_loss, repeat=self.n_gen), d_step]
        return [Phase("main", steps, self.images)]

    def d_loss(self, batch: Batch) -> Terms:
        return {name: -distance for name, distance in self.g_loss(batch).items()}

    def g_loss(self, batch: Batch) -> Terms:
        x = batch["x"]
        a, b = (normalize(self.h(y), dim=1) for y in (x, self.fake(len(x))))
        return {"energy": minibatch_energy(a, b, self.eps, self.rounds)}


def minibatch_energy(a: Tensor, b: Tensor, eps: float, rounds: int) -> Tensor:
    """The minibatch energy distance of unit vectors [N, F]; of an odd number the last is left out, and of one nothing
    is known: 0."""
    X, X2 = halves(a)
    Y, Y2 = halves(b)

    def w(p: Tensor, q: Tensor) -> Tensor:
        return transport(1 - p @ q.T, eps, rounds)

    return sum((w(p, q) for p, q in product((X, X2), (Y, Y2))), -2 * w(X, X2) - 2 * w(Y, Y2))


def halves(h: Tensor) -> tuple[Tensor, Tensor]:
    n = len(h) // 2
    return h[:n], h[n : 2 * n]


def transport(cost: Tensor, eps: float, rounds: int) -> Tensor:
    """sum of plan * cost for the plan that Sinkhorn's algorithm finds; the slope is that at this plan.  [n, m] -> []"""
    return (sinkhorn(cost.detach(), eps, rounds) * cost).sum()


def sinkhorn(cost: Tensor, eps: float, rounds: int) -> Tensor:
    """The plan with sums 1/n and 1/m that is least of plan . cost - eps entropy(plan).  [n, m] -> [n, m]

    In logarithms, so that a low eps does not underflow.
    """
    n, m = cost.shape
    log_k, v = -cost / eps, cost.new_zeros(m)
    u = cost.new_zeros(n)
    for _ in range(rounds):
        u = -math.log(max(n, 1)) - torch.logsumexp(log_k + v, 1)
        v = -math.log(max(m, 1)) - torch.logsumexp(log_k + u[:, None], 0)
    return (log_k + u[:, None] + v).exp()
