"""The game of SPADE: pix2pixHD's, with a hinge, and judges that move faster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
from torch import Tensor

from ganzoo_core.objectives import Batch, Phase, Player, Step, Terms, adam, halfway_to_zero, hinge
from ganzoo_pix2pixhd.objective import FromMaps


class SPADE(FromMaps):
    """Semantic Image Synthesis with Spatially-Adaptive Normalization (Park et al. 2019, arXiv:1903.07291).

    min_G mean_k -E D_k(s, G(s)) + 10 L_FM + 10 L_VGG, D_k by the hinge; s is `map`, x the picture b.
    """

    g_lr: Annotated[float, "Adam's step for G; from half the course on it falls to 0"] = 1e-4
    d_lr: Annotated[float, "Adam's step for D, likewise"] = 4e-4
    images: Annotated[int, "length in pictures: 200 epochs of 2,975 streets"] = 595_000

    def phases(self) -> Sequence[Phase]:
        G, D = (
            Player(name, [net], adam(lr, 0.0, 0.9), {"lr": halfway_to_zero})
            for name, net, lr in (("G", self.G, self.g_lr), ("D", self.D, self.d_lr))
        )
        return [Phase("main", [Step(G, self.g_loss), Step(D, self.d_loss)], self.images)]

    def g_loss(self, batch: Batch) -> Terms:
        """-E D_k(s, G(s)), the mean over k, + 10 L_FM + 10 L_VGG."""
        map, b = batch["map"], batch["b"]
        fake = self.G(map)
        found = self.layers(fake, map)
        return {"adv": mean([hinge.g(maps[-1], None) for maps in found])} | self.likeness(found, map, b, fake)

    def d_loss(self, batch: Batch) -> Terms:
        """E max(0, 1 - D_k(s, x)) + E max(0, 1 + D_k(s, G(s))), the mean over k."""
        map, b = batch["map"], batch["b"]
        both = zip(self.layers(b, map), self.layers(self.G(map), map), strict=True)
        each = [hinge.d(real[-1], fake[-1]) for real, fake in both]
        return {name: mean([terms[name] for terms in each]) for name in ("real", "fake")}


def mean(terms: Sequence[Tensor]) -> Tensor:
    return torch.stack(list(terms)).mean()
