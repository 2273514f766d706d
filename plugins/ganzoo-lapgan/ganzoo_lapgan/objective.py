"""A game of its own on every level of a Laplacian pyramid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, Literal

import torch
from torch import Tensor

from ganzoo_core.nn import DrawFrom, evaluation_mode, stream
from ganzoo_core.objectives import (
    Batch,
    Objective,
    Optim,
    Phase,
    Player,
    Schedule,
    Step,
    Terms,
    adam,
    exponential,
    linear,
    nonsaturating,
    saturating,
    sgd,
)
from ganzoo_lapgan import networks
from ganzoo_lapgan.pyramid import at_level, down, up

EPOCH = 50_000  # images of CIFAR-10, in which the paper counts its schedules


class LAPGAN(Objective):
    """Deep Generative Image Models using a Laplacian Pyramid of Adversarial Networks (Denton et al. 2015,
    arXiv:1506.05751).

    h_k, l_k: the band-pass and the low-pass of level k; real pictures have h_k = I_k - l_k, fakes G_k(z_k, l_k), on
    the l_k of a real picture (Sec. 2.3). D_k sees the sum of both: I_k, or a picture with its details replaced. No
    level knows of the others: phases could be played in any order.
    """

    G: networks.G
    D: networks.D
    rule: Annotated[Literal["momentum", "adam"], "of learning: the published one; Adam, its step falling to 0"] = (
        "momentum"
    )
    lr: Annotated[float, "the first step of both"] = 0.02
    lengths: Annotated[tuple[int, ...], "of each level in real images; the last is that of all further ones"] = (
        18_750_000,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        self.needs = frozenset({"x", "label"} if "label" in self.G.inputs else {"x"})
        self.sides = [int(self.G.output.shape[1] or 0) >> k for k in reversed(range(len(self.G.nets)))]

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
        x, y = self.level(k, batch)
        return nonsaturating.d(self.D(x, k, *y), self.D(self.fake(k, x, *y), k, *y))

    def g_loss(self, k: int, batch: Batch) -> Terms:
        """-E log D_k(G_k(z_k, l_k), l_k), in the form that has a gradient when D wins."""
        x, y = self.level(k, batch)
        return {"adv": nonsaturating.g(self.D(self.fake(k, x, *y), k, *y), None)}

    def level(self, k: int, batch: Batch) -> tuple[Tensor, list[Tensor]]:
        """I_k, the real pictures in the size of level k, and their labels where there are classes."""
        return at_level(batch["x"], self.sides[k]), [batch["label"]] if "label" in self.needs else []

    def fake(self, k: int, x: Tensor, *y: Tensor) -> Tensor:
        """h~_k + l_k: G_k's band-pass on the low-pass of real pictures; at the coarsest level, a picture of its own."""
        z = self.G.noise(k, len(x))
        if k == 0:
            return self.G.nets[0](z, *y)
        low = up(down(x))
        return low + self.G.nets[k](z, low, *y)

    @torch.no_grad()
    def sample(self, batch: Batch) -> dict[str, Tensor]:
        """Samples from the coarsest level up; and what each finer level makes of the low-pass of real pictures."""
        shown = super().sample(batch)
        with DrawFrom(lambda device: stream(device, 0, "levels")), evaluation_mode(self.G):
            for k, side in enumerate(self.sides[1:], 1):
                x, y = self.level(k, batch)
                shown[f"{side}px"] = self.fake(k, x, *y).clamp(-1, 1)
        return shown
