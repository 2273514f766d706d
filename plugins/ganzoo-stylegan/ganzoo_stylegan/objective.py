"""The game of StyleGAN: ProGAN's growing, the logistic loss with R1 on real pictures, and mixed styles."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Annotated

import torch
from torch import Tensor, nn

from ganzoo_core.nn import Growing, sample_deterministic, upsample
from ganzoo_core.objectives import Batch, GrowingObjective, Player, Step, Terms, adam, nonsaturating, r1
from ganzoo_stylegan import networks
from ganzoo_stylegan.networks import FIRST
from ganzoo_stylegan.styles import Styled, fresh, mixed

BATCHES = (512, 256, 128, 64, 32)  # at 4, 8 ... px, over the eight devices of the authors
RATES = (1e-3, 1e-3, 1e-3, 1e-3, 1e-3, 1.5e-3, 2e-3, 3e-3)


class StyleGAN(GrowingObjective):
    """A Style-Based Generator Architecture for GANs (Karras et al. 2018, arXiv:1812.04948), App. C."""

    batchwise = True
    G: Styled
    D: networks.D
    rgb: nn.ModuleList
    gamma: Annotated[float, "weight of R1"] = 10.0
    mixing: Annotated[float, "share of pictures made of two w"] = 0.9
    lrs: Annotated[tuple[float, ...], "Adam's, from 4 px on; the last is that of all further resolutions"] = RATES
    batches = BATCHES
    images: Annotated[int, "real images at the last resolution: 25 M in all"] = 16_600_000

    @property
    def depths(self) -> range:
        return range(FIRST, FIRST + len(self.rgb) + 1)

    def growing(self) -> Sequence[Growing]:
        return [self.D]

    def steps(self, depth: int) -> Sequence[Step]:
        lr = self.lrs[min(depth, len(self.lrs) - 1)]
        D = Player("D", [self.D], adam(lr, 0.0, 0.99))
        G = Player("G", [self.G, self.rgb], adam(lr, 0.0, 0.99))
        return [Step(D, self.d_loss), Step(G, self.g_loss)]

    def d_loss(self, batch: Batch) -> Terms:
        """softplus(D(G(z))) + softplus(-D(x)) + gamma / 2 E ||grad D(x)||^2 (Mescheder et al. 2018, Eq. 9)."""
        x = self.faded(batch["x"])
        fake = self.shown(self.styles(len(x)))
        return nonsaturating.d(self.D(x), self.D(fake)) | {"r1": self.gamma / 2 * r1(self.D, x)}

    def g_loss(self, batch: Batch) -> Terms:
        """softplus(-D(G(z)))."""
        return {"adv": nonsaturating.g(self.D(self.shown(self.styles(len(batch["x"])))), None)}

    def styles(self, n: int) -> Tensor:
        """Some of one w, most of two: Sec. 3.1.  [n, layers, w]"""
        return mixed(self.G, self.G.prior(n), self.mixing, 2 * (self.D.grown()[0] + 1))

    def shown(self, w: Tensor) -> Tensor:
        """The picture at the resolution that is reached: alpha of it, 1 - alpha of the one below."""
        depth, alpha = self.D.grown()
        maps = list(islice(self.G.synthesis.maps(w, fresh), depth + 1))
        x: Tensor = self.rgb_at(depth)(maps[-1])
        if alpha < 1:
            x = torch.lerp(upsample(self.rgb_at(depth - 1)(maps[-2])), x, alpha)
        return x

    def rgb_at(self, depth: int) -> nn.Module:
        """Coarser pictures have toRGB layers of their own, which the finished G does not need."""
        return self.G.synthesis.to_rgb if depth == self.depths[-1] else self.rgb[depth - FIRST]  # type: ignore[return-value]

    @torch.no_grad()
    def sample(self, batch: Batch) -> dict[str, Tensor]:
        """What is published; before it has grown, the pictures that there are, of the weights as they stand."""
        n = len(batch["x"])
        if self.D.grown() == (self.depths[-1], 1.0):
            return super().sample(batch)
        made = sample_deterministic(self.G, lambda z: self.shown(self.G.everywhere(self.G.mapping(z))), n, 0, {})
        return {"G": made.clamp(-1, 1)}
