"""The game of GLCIC, in three phases: G completes by squares alone, D learns to tell, and then they play."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated, ClassVar

import torch
from torch import Tensor
from torch.optim import Adadelta

from ganzoo_core.objectives import Batch, Phase, Player, Step, Terms, nonsaturating
from ganzoo_inpainting import glcic_networks as networks
from ganzoo_inpainting.filler import Filling, joined


class GLCIC(Filling):
    """Globally and Locally Consistent Image Completion (Iizuka, Simo-Serra, Ishikawa 2017).

    C is G, M_c the mask. L = ||M_c (C(x, M_c) - x)||^2; min_C max_D E L + alpha (log D(x, M_d) + log(1 - D(C, M_c))).
    """

    G: networks.G
    D: networks.D

    alpha: Annotated[float, "weight of D's verdict"] = 4e-4
    lr: Annotated[float, "Adadelta's factor for both players"] = 1.0
    images_c: Annotated[int, "T_C: pictures on which G completes alone, 90,000 batches of 96"] = 8_640_000
    images_d: Annotated[int, "T_D: pictures on which D begins, 10,000 batches"] = 960_000
    images: Annotated[int, "length of the game, 400,000 batches"] = 38_400_000

    prepare_on: ClassVar[int] = 256

    def prepare(self, batch: Batch) -> None:
        """The mean colour of the data, in [0, 1]: what G sees in place of a hole."""
        with torch.no_grad():
            self.G.fill.copy_((batch["x"].mean((0, 2, 3)) + 1) / 2)

    def phases(self) -> Sequence[Phase]:
        optim = partial(Adadelta, lr=self.lr)
        G, D = Player("G", [self.G], optim), Player("D", [self.D], optim)
        return [
            Phase("complete", [Step(G, self.c_loss)], self.images_c),
            Phase("judge", [Step(D, self.d_loss)], self.images_d),
            Phase("main", [Step(D, self.d_loss), Step(G, self.g_loss)], self.images),
        ]

    def c_loss(self, batch: Batch) -> Terms:
        """||M_c (C(x, M_c) - x)||^2 (Eq. 2), the mean over the pixels of holes, in [0, 1]."""
        return {"rec": squares(self.G.drawn(batch["x"], batch["mask"]), batch["x"], batch["mask"])}

    def g_loss(self, batch: Batch) -> Terms:
        """The same - alpha log D(C(x, M_c)) (Eq. 4; the log of 1 - D is not used, as is usual)."""
        x, mask = batch["x"], batch["mask"]
        drawn = self.G.drawn(x, mask)
        fake = joined(drawn, x, mask)
        verdict = nonsaturating.g(self.D(fake, part(fake, *middle(mask), self.D.side)), None)
        return {"rec": squares(drawn, x, mask), "adv": self.alpha * verdict}

    def d_loss(self, batch: Batch) -> Terms:
        """- log D(x, M_d) - log(1 - D(C(x, M_c), M_c)) (Eq. 3): of real pictures any part is looked at."""
        x, mask = batch["x"], batch["mask"]
        fake = self.G(x, mask)
        row, column = torch.rand(2, len(x), device=x.device) * x.shape[-1]
        real = self.D(x, part(x, row, column, self.D.side))
        return nonsaturating.d(real, self.D(fake, part(fake, *middle(mask), self.D.side)))


def squares(drawn: Tensor, x: Tensor, mask: Tensor) -> Tensor:
    """Squared differences of pixels in [0, 1], the mean over all holes' pixels.  [N, C, H, W] both, [N, 1, H, W]"""
    each = mask * (drawn.float() / 2 - x / 2).square()
    return each.sum() / (mask.sum() * x.shape[1]).clamp(min=1)


def middle(mask: Tensor) -> tuple[Tensor, Tensor]:
    """Row and column of the middle of each hole, the mean of its pixels.  [N, 1, H, W] -> [N], [N]"""
    total = mask.sum((1, 2, 3)).clamp(min=1)
    rows, columns = (torch.arange(side, device=mask.device) + 0.5 for side in mask.shape[2:])
    return (mask.sum((1, 3)) * rows).sum(1) / total, (mask.sum((1, 2)) * columns).sum(1) / total


def part(x: Tensor, row: Tensor, column: Tensor, side: int) -> Tensor:
    """The square around each picture's row and column, moved to where it lies inside.  [N, C, side, side]"""
    places = []
    for at, size in ((row, x.shape[2]), (column, x.shape[3])):
        first = (at - side / 2).round().long().clamp(0, size - side)
        places.append(first[:, None] + torch.arange(side, device=x.device))  # [N, side]
    n = torch.arange(len(x), device=x.device)[:, None, None]
    return x.movedim(1, 3)[n, places[0][:, :, None], places[1][:, None]].movedim(3, 1)
