"""The game of SegAN: C wants a picture cut out by S's mask to look unlike the one cut out by the true mask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
from torch import Tensor

from ganzoo_core.nn import Discriminator, Generator
from ganzoo_core.objectives import Batch, Objective, Phase, Player, Schedule, Step, Terms, adam, clip_weights

PREVIEW = 16  # pictures in the progress sheet


class SegAN(Objective):
    """SegAN (Xue, Xu, Zhang, Long & Huang 2018, arXiv:1706.01805).

        min_S max_C  E l_mae(f_C(x * S(x)), f_C(x * y)),   l_mae(f, f') = 1/L sum_i mean |f_i - f'_i|     (Eqs. 1, 2)

    x is the picture, y its true mask, * the product pixel by pixel, f_i what C sees at level i of L. C's weights stay
    in a box, or the distance would have no bound. Beside it S minimises 1 - Dice, as the authors' code does; with
    `adv` 0 that is all S hears, and it is the same network without an adversary.
    """

    S: Generator
    C: Discriminator
    adv: Annotated[float, "weight of the critic's distance for S; 0: the same network without the adversary"] = 1.0
    overlap: Annotated[float, "weight of 1 - Dice for S"] = 1.0
    clip: Annotated[float, "bound on every weight of C"] = 0.05
    lr: Annotated[float, "Adam's step for both players"] = 2e-4
    halvings: Annotated[int, "how often that step is halved over the run, at equal distances"] = 5
    images: Annotated[int, "length in pictures"] = 5_000_000

    needs = frozenset({"photo", "region"})
    exported = ("S",)

    def phases(self) -> Sequence[Phase]:
        falling = {"lr": halved(self.halvings)}
        C = Player("C", [self.C], adam(self.lr), falling, project=lambda: clip_weights(self.C, self.clip))
        S = Player("S", [self.S], adam(self.lr), falling)
        return [Phase("main", [Step(C, self.c_loss), Step(S, self.s_loss)], self.images)]

    def c_loss(self, batch: Batch) -> Terms:
        """Minus the distance of Eq. 2: C wants it large."""
        x, y = batch["photo"], batch["region"]
        return {"mae": -self.mae(x, self.S(x), y)}

    def s_loss(self, batch: Batch) -> Terms:
        x, y = batch["photo"], batch["region"]
        s = self.S(x)
        return {"mae": self.adv * self.mae(x, s, y), "dice": self.overlap * (1 - dice(s.float(), y))}

    def mae(self, x: Tensor, s: Tensor, y: Tensor) -> Tensor:
        """l_mae(f_C(x * s), f_C(x * y)), Eq. 2: how unlike what two masks [N, 1, H, W] cut out of x is, to C."""
        return (self.C(x * s).float() - self.C(x * y).float()).abs().sum(1).mean()

    @torch.no_grad()
    def sample(self, batch: Batch) -> dict[str, Tensor]:
        """Pictures, what S makes of them, and their true masks."""
        x, y, S = batch["photo"][:PREVIEW], batch["region"][:PREVIEW], self.exported_networks()["S"]
        assert isinstance(S, Generator)
        return {"photo": x, "S": S.sample(len(x), seed=0, photo=x), "region": y}


def dice(s: Tensor, y: Tensor) -> Tensor:
    """2 |s y| / (|s| + |y|) of masks [N, 1, H, W] in [0, 1], of each picture, averaged; 1 where both are empty."""
    both, together = (s * y).flatten(1).sum(1), (s + y).flatten(1).sum(1)
    return ((2 * both + 1) / (together + 1)).mean()


def halved(times: int) -> Schedule:
    """1, then a half, a quarter ...: `times` halvings at equal distances."""
    return lambda u: 0.5 ** min(times, int(u * (times + 1)))
