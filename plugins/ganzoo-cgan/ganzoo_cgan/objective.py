"""The game of Goodfellow et al., with a label in both players' hands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from torch import Tensor

from ganzoo_core.losses import Terms, nonsaturating
from ganzoo_core.networks import Discriminator, Generator
from ganzoo_core.objective import Batch, Objective, Optim, Phase, Player, Step, adam, sgd
from ganzoo_core.schedules import Schedule, exponential, saturating


class CGAN(Objective):
    """Conditional Generative Adversarial Nets (Mirza & Osindero 2014, arXiv:1411.1784).

    min_G max_D E_x log D(x|y) + E_z log(1 - D(G(z|y))): Eq. 2. y is the label of a real image, for G too.
    """

    needs = frozenset({"x", "label"})

    def __init__(
        self,
        G: Generator,
        D: Discriminator,
        *,
        rule: Literal["momentum", "adam"] = "momentum",  # of learning: the published one, or Adam with b1 = 0.5
        lr: float = 0.1,  # the first step of both
        images: int = 25_000_000,  # length in real images: 500 epochs of MNIST's first 50,000
    ) -> None:
        super().__init__()
        self.G, self.D = G, D
        self.rule, self.lr, self.images = rule, lr, images

    def phases(self) -> Sequence[Phase]:
        optim, schedules = self.learning()
        D, G = (Player(name, [net], optim, schedules) for name, net in (("D", self.D), ("G", self.G)))
        return [Phase("main", [Step(D, self.d_loss), Step(G, self.g_loss)], self.images)]

    def learning(self) -> tuple[Optim, Mapping[str, Schedule]]:
        """Sec. 4.1: the rate is divided by 1.00004 at each update, down to 1e-6; momentum climbs from 0.5 to 0.7."""
        if self.rule == "adam":
            return adam(self.lr), {}
        lr = exponential(1.00004 ** -(self.images / 100), floor=1e-6 / self.lr)
        return sgd(self.lr, 0.5), {"lr": lr, "momentum": saturating(0.7 / 0.5, at=1.0)}

    def fake(self, y: Tensor) -> Tensor:
        """G(z|y)."""
        return self.G(self.G.prior(len(y)), y)

    def d_loss(self, batch: Batch) -> Terms:
        """-E log D(x|y) - E log(1 - D(G(z|y))): Eq. 2, D's side."""
        x, y = batch["x"], batch["label"]
        return nonsaturating.d(self.D(x, y), self.D(self.fake(y), y))

    def g_loss(self, batch: Batch) -> Terms:
        """-E log D(G(z|y)), in the form that has a gradient when D wins."""
        y = batch["label"]
        return {"adv": nonsaturating.g(self.D(self.fake(y), y), None)}
