"""A game of its own on every level of a Laplacian pyramid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Literal

import torch
from torch import Tensor

from ganzoo_core.losses import Terms, nonsaturating
from ganzoo_core.networks import evaluating, forked
from ganzoo_core.objective import Batch, Objective, Optim, Phase, Player, Step, adam, sgd
from ganzoo_core.schedules import Schedule, exponential, linear, saturating
from ganzoo_lapgan.networks import D, G
from ganzoo_lapgan.pyramid import at_level, split

EPOCH = 50_000  # images of CIFAR-10, in which the paper counts its schedules


class LAPGAN(Objective):
    """Deep Generative Image Models using a Laplacian Pyramid of Adversarial Networks (Denton et al. 2015,
    arXiv:1506.05751).

    h_k, l_k: the band-pass and the low-pass of level k; real pictures have h_k = I_k - l_k, fakes G_k(z_k, l_k), on
    the l_k of a real picture (Sec. 2.3). No level knows of the others: phases could be played in any order.
    """

    def __init__(
        self,
        G: G,
        D: D,
        *,
        rule: Literal["momentum", "adam"] = "momentum",  # of learning: the published one; Adam, its step falling to 0
        lr: float = 0.02,  # the first step of both
        lengths: tuple[int, ...] = (18_750_000,),  # of each level in real images; the last is that of all further ones
    ) -> None:
        super().__init__()
        self.G, self.D = G, D
        self.rule, self.lr, self.lengths = rule, lr, lengths
        self.needs = frozenset({"x", "label"} if "label" in G.inputs else {"x"})  # type: ignore[misc]
        self.sides = [int(G.output.shape[1] or 0) >> k for k in reversed(range(len(G.nets)))]

    def phases(self) -> Sequence[Phase]:
        return [self.phase(k, side) for k, side in enumerate(self.sides)]

    def phase(self, k: int, side: int) -> Phase:
        length = self.lengths[min(k, len(self.lengths) - 1)]
        optim, schedules = self.learning(length)
        D = Player("D", [self.D.nets[k]], optim, schedules)
        G = Player("G", [self.G.nets[k]], optim, schedules)
        steps = [Step(D, partial(self.d_loss, k)), Step(G, partial(self.g_loss, k))]
        return Phase(f"{side}px", steps, length)

    def learning(self, length: int) -> tuple[Optim, Mapping[str, Schedule]]:
        """App. A: the rate is divided by 1 + 4e-4 every epoch, momentum climbs by 0.0008 from 0.5 to 0.8."""
        if self.rule == "adam":
            return adam(self.lr), {"lr": linear(1, 0)}
        epochs = length / EPOCH
        momentum = saturating(0.8 / 0.5, at=max(0.3 / 0.0008 / epochs, 1e-9))
        return sgd(self.lr, 0.5), {"lr": exponential((1 + 4e-4) ** -epochs), "momentum": momentum}

    def d_loss(self, k: int, batch: Batch) -> Terms:
        """-E log D_k(h_k, l_k) - E log(1 - D_k(G_k(z_k, l_k), l_k)): Eqs. 1 and 3, D's side."""
        real, given = self.level(k, batch)
        fake = self.G.nets[k](self.G.noise(k, len(real)), *given)
        return nonsaturating.d(self.D.nets[k](real, *given), self.D.nets[k](fake, *given))

    def g_loss(self, k: int, batch: Batch) -> Terms:
        """-E log D_k(G_k(z_k, l_k), l_k), in the form that has a gradient when D wins."""
        real, given = self.level(k, batch)
        fake = self.G.nets[k](self.G.noise(k, len(real)), *given)
        return {"adv": nonsaturating.g(self.D.nets[k](fake, *given), None)}

    def level(self, k: int, batch: Batch) -> tuple[Tensor, list[Tensor]]:
        """What is real on level k, and what both players are given there: l_k (but on the coarsest), the label."""
        x, labels = at_level(batch["x"], self.sides[k]), [batch["label"]] if "label" in self.needs else []
        if k == 0:
            return x, labels
        h, low = split(x)
        return h, [low, *labels]

    @torch.no_grad()
    def sample(self, batch: Batch) -> dict[str, Tensor]:
        """Samples from the coarsest level up; and of real pictures, what each finer level makes of their low-pass."""
        shown = super().sample(batch)
        G = self.shipped()["G"]
        with forked(), evaluating(G):
            torch.manual_seed(0)
            for k, side in enumerate(self.sides[1:], 1):
                _, given = self.level(k, batch)
                h = G.nets[k](self.G.noise(k, len(given[0])), *given)
                shown[f"{side}px"] = (given[0] + h).clamp(-1, 1)
        return shown
