"""The game of StyleGAN: ProGAN's growing, the logistic loss with R1 on real pictures, and mixed styles."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import islice

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from ganzoo_core.blocks import upsample
from ganzoo_core.losses import Terms, nonsaturating
from ganzoo_core.networks import sample_exactly
from ganzoo_core.objective import Batch, Objective, Phase, Player, Step, adam
from ganzoo_core.penalties import r1
from ganzoo_stylegan.networks import FIRST, D
from ganzoo_stylegan.styles import Styled, fresh, mixed

BATCHES = (512, 256, 128, 64, 32)  # at 4, 8 ... px, over the eight devices of the authors
RATES = (1e-3, 1e-3, 1e-3, 1e-3, 1e-3, 1.5e-3, 2e-3, 3e-3)


class StyleGAN(Objective):
    """A Style-Based Generator Architecture for GANs (Karras et al. 2018, arXiv:1812.04948), App. C."""

    def __init__(
        self,
        G: Styled,
        D: D,
        rgb: nn.ModuleList,
        *,
        gamma: float = 10.0,  # weight of R1
        mixing: float = 0.9,  # share of pictures made of two w
        lrs: tuple[float, ...] = RATES,  # Adam's, from 4 px on; the last is that of all further resolutions
        batches: tuple[int, ...] = BATCHES,  # sizes of batches, likewise
        fade_images: int = 600_000,  # for fading in a resolution; at the first there is nothing to fade
        settle_images: int = 600_000,  # for each resolution after that
        images: int = 16_600_000,  # the same at the last one: 25 M in all
    ) -> None:
        super().__init__()
        self.G, self.D, self.rgb, self.gamma, self.mixing = G, D, rgb, gamma, mixing
        self.lrs, self.batches, self.depths = lrs, batches, range(FIRST, FIRST + len(rgb) + 1)
        self.fade_images, self.settle_images, self.images = fade_images, settle_images, images

    def phases(self) -> Sequence[Phase]:
        return [phase for depth in self.depths for phase in self.resolution(depth)]

    def resolution(self, depth: int) -> list[Phase]:
        """Fading in and settling at one depth, with players of their own."""
        lr = self.lrs[min(depth, len(self.lrs) - 1)]
        D = Player("D", [self.D], adam(lr, 0.0, 0.99))
        G = Player("G", [self.G, self.rgb], adam(lr, 0.0, 0.99))
        steps = [Step(D, self.d_loss), Step(G, self.g_loss)]
        side = 4 * 2**depth
        data = {"image_size": side, "batch_size": self.batches[min(depth, len(self.batches) - 1)]}
        length = self.images if depth == self.depths[-1] else self.settle_images
        settle = Phase(f"{side}px", steps, length, data, partial(self.grow, depth, 1.0))
        if depth == FIRST:
            return [settle]
        fade = Phase(f"{side}px fading in", steps, self.fade_images, data, partial(self.grow, depth, 0.0), self.fade)
        return [fade, settle]

    def grow(self, depth: int, alpha: float) -> None:
        self.D.depth.fill_(depth)
        self.D.alpha.fill_(alpha)

    def fade(self, u: float) -> None:
        """alpha goes from 0 to 1 on a straight line."""
        self.D.alpha.fill_(u)

    def d_loss(self, batch: Batch) -> Terms:
        """softplus(D(G(z))) + softplus(-D(x)) + gamma / 2 E ||grad D(x)||^2 (Mescheder et al. 2018, Eq. 9)."""
        x = self.seen(batch["x"])
        fake = self.shown(self.styles(len(x)))
        return nonsaturating.d(self.D(x), self.D(fake)) | {"r1": self.gamma / 2 * r1(self.D, x)}

    def g_loss(self, batch: Batch) -> Terms:
        """softplus(-D(G(z)))."""
        return {"adv": nonsaturating.g(self.D(self.shown(self.styles(len(batch["x"])))), None)}

    def styles(self, n: int) -> Tensor:
        """Some of one w, most of two: Sec. 3.1.  [n, layers, w]"""
        return mixed(self.G, self.G.prior(n), self.mixing, 2 * (int(self.D.depth) + 1))

    def shown(self, w: Tensor) -> Tensor:
        """The picture at the resolution that is reached: alpha of it, 1 - alpha of the one below."""
        depth, alpha = int(self.D.depth), float(self.D.alpha)
        maps = list(islice(self.G.synthesis.maps(w, fresh), depth + 1))
        x: Tensor = self.rgb_at(depth)(maps[-1])
        if alpha < 1:
            x = torch.lerp(upsample(self.rgb_at(depth - 1)(maps[-2])), x, alpha)
        return x

    def rgb_at(self, depth: int) -> nn.Module:
        """Coarser pictures have toRGB layers of their own, which the finished G does not need."""
        return self.G.synthesis.to_rgb if depth == self.depths[-1] else self.rgb[depth - FIRST]  # type: ignore[return-value]

    def seen(self, x: Tensor) -> Tensor:
        """Real images fade in likewise: the detail that G cannot make yet is not shown."""
        alpha = float(self.D.alpha)
        return x if alpha == 1 else torch.lerp(upsample(avg_pool2d(x, 2)), x, alpha)

    @torch.no_grad()
    def sample(self, batch: Batch) -> dict[str, Tensor]:
        """What is published; before it has grown, the pictures that there are, of the weights as they stand."""
        n = len(batch["x"])
        if int(self.D.depth) == self.depths[-1] and float(self.D.alpha) == 1:
            return super().sample(batch)
        made = sample_exactly(self.G, lambda z: self.shown(self.G.everywhere(self.G.mapping(z))), n, 0, {})
        return {"G": made.clamp(-1, 1)}
