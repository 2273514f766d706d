"""The game of DeepFill v2: pixels twice, and a hinge on every place of every map of D."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from torch.nn.functional import l1_loss

from ganzoo_core.objectives import Batch, Phase, Player, Step, Terms, adam, hinge
from ganzoo_inpainting import deepfill_networks as networks
from ganzoo_inpainting.filler import Filling, joined


class DeepFill(Filling):
    """Free-Form Image Inpainting with Gated Convolution (Yu et al. 2019, arXiv:1806.03589).

    min_G l1 (E |x - coarse| + E |x - fine|) - E D(filled, M); D by the hinge (Sec. 3.3).
    """

    G: networks.G
    D: networks.D

    l1: Annotated[float, "weight of the pixels, of the coarse and of the fine picture"] = 1.0
    lr: Annotated[float, "Adam's step for both players"] = 1e-4
    images: Annotated[int, "length in pictures: a million batches of 16"] = 16_000_000

    def phases(self) -> Sequence[Phase]:
        D, G = (Player(name, [net], adam(self.lr, 0.5)) for name, net in (("D", self.D), ("G", self.G)))
        return [Phase("main", [Step(D, self.d_loss), Step(G, self.g_loss)], self.images)]

    def g_loss(self, batch: Batch) -> Terms:
        """E |x - coarse| + E |x - fine| - E D(filled, M)."""
        x, mask = batch["x"], batch["mask"]
        coarse, fine = self.G.both(x, mask)
        return {
            "coarse": self.l1 * l1_loss(coarse.float(), x),
            "fine": self.l1 * l1_loss(fine.float(), x),
            "adv": hinge.g(self.D(joined(fine, x, mask), mask), None),
        }

    def d_loss(self, batch: Batch) -> Terms:
        """E max(0, 1 - D(x, M)) + E max(0, 1 + D(filled, M))."""
        x, mask = batch["x"], batch["mask"]
        return hinge.d(self.D(x, mask), self.D(self.G(x, mask), mask))
