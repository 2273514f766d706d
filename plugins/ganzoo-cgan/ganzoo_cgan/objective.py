"""The game of Goodfellow et al., with a label in both players' hands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from ganzoo_core.objectives import (
    Batch,
    Optim,
    Schedule,
    Terms,
    TwoPlayer,
    adam,
    exponential,
    nonsaturating,
    saturating,
    sgd,
)


class CGAN(TwoPlayer):
    """Conditional Generative Adversarial Nets (Mirza & Osindero 2014, arXiv:1411.1784).

    min_G max_D E_x log D(x|y) + E_z log(1 - D(G(z|y))): Eq. 2. y is the label of a real image, for G too.
    """

    needs = frozenset({"x", "label"})

    rule: Annotated[Literal["momentum", "adam"], "of learning: the published one, or Adam with b1 = 0.5"] = "momentum"
    lr: Annotated[float, "the first step of both"] = 0.1
    images: Annotated[int, "length in real images: 500 epochs of MNIST's first 50,000"] = 25_000_000

    def optim(self, player: str) -> Optim:
        return adam(self.lr) if self.rule == "adam" else sgd(self.lr, 0.5)

    def schedules(self, player: str) -> Mapping[str, Schedule]:
        """Sec. 4.1: the rate is divided by 1.00004 at each update, down to 1e-6; momentum climbs from 0.5 to 0.7."""
        if self.rule == "adam":
            return {}
        lr = exponential(1.00004 ** -(self.images / 100), floor=1e-6 / self.lr)
        return {"lr": lr, "momentum": saturating(0.7 / 0.5, at=1.0)}

    def d_loss(self, batch: Batch) -> Terms:
        """-E log D(x|y) - E log(1 - D(G(z|y))): Eq. 2, D's side."""
        x, y = batch["x"], batch["label"]
        return nonsaturating.d(self.D(x, y), self.D(self.fake(len(y), y), y))

    def g_loss(self, batch: Batch) -> Terms:
        """-E log D(G(z|y)), in the form that has a gradient when D wins."""
        y = batch["label"]
        return {"adv": nonsaturating.g(self.D(self.fake(len(y), y), y), None)}
