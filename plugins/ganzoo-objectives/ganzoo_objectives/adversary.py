"""Two kinds of game that several papers play: with one coefficient of their own, and under a constraint."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated

import torch
from torch import Tensor

from ganzoo_core.objectives import Batch, Terms, TwoPlayerAdam, to_float32, wasserstein


class Weighted(TwoPlayerAdam):
    """With one coefficient of its own."""

    lam: Annotated[float, "the paper's lambda, gamma, k, tau or rho: weight of a penalty, or scale of the loss"] = 10.0


class Lagrangian(Weighted):
    """max_D min_m E r - E s + m (1 - Omega) - rho/2 (1 - Omega)^2: a distance under the constraint Omega(D) = 1.

    rho is our `lam`, m the multiplier (the papers' lambda), which descends at the rate rho after each update of D.
    """

    batchwise = True
    loss = wasserstein
    lam: Annotated[float, "rho: weight of the squared violation, and rate of the multiplier"] = 1e-6
    multiplier: Tensor  # m
    violation: Tensor  # Omega - 1 of the last batch

    def __post_init__(self) -> None:
        super().__post_init__()
        self.register_buffer("multiplier", torch.zeros(()))
        self.register_buffer("violation", torch.zeros(()))

    @abstractmethod
    def omega(self, x: Tensor, fake: Tensor, r: Tensor, s: Tensor) -> Tensor:
        """What must be 1."""

    def d_loss(self, batch: Batch) -> Terms:
        x = batch["x"]
        fake = self.fake(len(x))
        r, s = to_float32(self.D(x)), to_float32(self.D(fake))
        omega = self.omega(x, fake, r, s)
        self.violation.copy_(omega.detach() - 1)
        cost = self.multiplier * (omega - 1) + self.lam / 2 * (omega - 1).square()
        return self.loss.d(r, s) | {"constraint": cost, "omega": omega.detach()}

    def project(self) -> None:
        """m <- m - rho (1 - Omega)."""
        self.multiplier.add_(self.violation, alpha=self.lam)
