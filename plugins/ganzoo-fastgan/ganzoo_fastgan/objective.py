"""The game of FastGAN: hinge, with a discriminator that must be able to draw the real pictures that it has seen."""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from torch import Tensor

from ganzoo_core.objectives import Batch, Terms, TwoPlayerAdam, hinge, recoloured, translated
from ganzoo_fastgan import networks
from ganzoo_fastgan.networks import quarters
from ganzoo_fastgan.reconstruction import DISTANCES


class FastGAN(TwoPlayerAdam):
    """Towards Faster and Stabilized GAN Training for Few-shot Image Synthesis (Liu et al. 2021, arXiv:2101.04775).

    d = E max(0, 1 - D(x)) + E max(0, 1 + D(G(z))) + L_recons,  g = -E D(G(z))
    """

    G: networks.G
    D: networks.D
    loss = hinge
    reconstruction: Annotated[
        Literal["lite0", "l1"], "how D's drawings are compared: through a network that pip installs, or pixel by pixel"
    ] = "lite0"
    images: Annotated[int, "length in real images: 50,000 updates at batches of 8"] = 400_000

    def __post_init__(self) -> None:
        super().__post_init__()
        self.distance = DISTANCES[self.reconstruction]()

    def d_loss(self, batch: Batch) -> Terms:
        """The hinge loss, and L_recons = E f(drawn from D's maps, what D saw), of real pictures alone."""
        x = augmented(batch["x"])
        small = self.G.shrunk(x)
        quarter = torch.randint(4, (len(x),), device=x.device)
        real, drawn = self.D.judged(x, small, quarter)
        seen = (small, resized(quarters(x, quarter), small), small)
        recons = {name: self.distance(a, b) for name, a, b in zip(("whole", "part", "small"), drawn, seen, strict=True)}
        return hinge.d(real, self.D(*self.shown(len(x)))) | recons

    def g_loss(self, batch: Batch) -> Terms:
        """-E D(G(z))."""
        return {"adv": hinge.g(self.D(*self.shown(len(batch["x"]))), None)}

    def shown(self, n: int) -> tuple[Tensor, Tensor]:
        """n fresh pictures and their small ones, augmented, each by itself."""
        large, small = self.G.both(self.G.prior(n))
        return augmented(large), augmented(small)


def augmented(x: Tensor) -> Tensor:
    """DiffAugment's colour and translation (Zhao et al. 2020), real and made pictures alike."""
    return translated(recoloured(x))


def resized(x: Tensor, like: Tensor) -> Tensor:
    """As large as the others, by means of squares.  [N, C, H, W]"""
    return torch.nn.functional.adaptive_avg_pool2d(x, like.shape[-1])
