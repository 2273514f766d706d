"""The game of HiFiC: few bits, near the picture, and D, who sees y, cannot tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
from ganzoo_fastgan.reconstruction import Perceptual
from torch import Tensor

from ganzoo_compress.mentzer.networks import HiFiC as Network
from ganzoo_core.nn import Discriminator
from ganzoo_core.objectives import Batch, Objective, Phase, Player, Step, Terms, adam, nonsaturating

LEVELS = 127.5  # of pixels in [-1, 1], 255 levels


class HiFiC(Objective):
    """High-Fidelity Generative Image Compression (Mentzer et al. 2020, arXiv:2006.09965).

    L_EGP = E lambda' r(y) + d(x, x') - beta log D(x', y) (Eq. 6), d = k_M MSE + k_P d_P;
    L_D = E -log(1 - D(x', y)) - log D(x, y) (Eq. 7)
    """

    G: Network
    D: Discriminator
    target: Annotated[float, "r_t, bits per pixel: .14, .30 and .45 were published"] = 0.14
    above: Annotated[float, "lambda^(a), the price of a bit per pixel where there are more: 2, 1 and 1/2"] = 2.0
    below: Annotated[float, "lambda^(b), its price where there are fewer"] = 2**-4
    k_m: Annotated[float, "weight of the mean squared error, pixels in 255 levels"] = 0.075 * 2**-5
    k_p: Annotated[float, "weight of the perceptual distance, through a network that pip installs; 0: none"] = 1.0
    beta: Annotated[float, "weight of the GAN loss"] = 0.15
    lr: Annotated[float, "Adam's step for both players; a tenth of it in the second half of a phase"] = 1e-4
    start_images: Annotated[int, "length without D: a million steps of 8"] = 8_000_000
    images: Annotated[int, "length with D; 0: there is none"] = 8_000_000

    def __post_init__(self) -> None:
        super().__post_init__()
        self.distance = Perceptual()

    def phases(self) -> Sequence[Phase]:
        D, G = (
            Player(name, [net], adam(self.lr, 0.9), {"lr": a_tenth}) for name, net in (("D", self.D), ("G", self.G))
        )
        alone = Phase("distortion", [Step(G, self.rate_distortion)], self.start_images)
        judged = Phase("gan", [Step(D, self.d_loss), Step(G, self.g_loss)], self.images)
        return [phase for phase in (alone, judged) if phase.images]

    def rate_distortion(self, batch: Batch) -> Terms:
        """lambda' r(y) + d(x, x')."""
        y = self.G.E(batch["x"])
        return self.terms(batch["x"], y, self.G.G(self.G.P.rounded(y)))

    def g_loss(self, batch: Batch) -> Terms:
        """Eq. 6; y is a condition of D's, and moves nothing there."""
        y = self.G.E(batch["x"])
        code = self.G.P.rounded(y)
        made = self.G.G(code)
        adv = self.beta * nonsaturating.g(self.D(made, code.detach()), None)
        return self.terms(batch["x"], y, made) | {"adv": adv}

    def d_loss(self, batch: Batch) -> Terms:
        """Eq. 7."""
        x = batch["x"]
        code = self.G.P.rounded(self.G.E(x))
        return nonsaturating.d(self.D(x, code), self.D(self.G.G(code), code))

    def terms(self, x: Tensor, y: Tensor, made: Tensor) -> Terms:
        """The price of bits, and d(x, x'); `bpp`, what a file will have, to look at."""
        pixels = x[0, 0].numel()
        rate = self.G.P.bits(y).mean() / pixels
        written = self.G.P.bits_rounded(y).mean() / pixels
        terms = {
            "rate": self.price(written) * rate,
            "mse": self.k_m * LEVELS**2 * (made.float() - x).square().mean(),
            "bpp": written,
        }
        return terms | {"percep": self.k_p * self.distance(made, x)} if self.k_p else terms

    def price(self, bpp: Tensor) -> Tensor:
        """lambda': lambda^(a) where r(y) > r_t, else lambda^(b) (Sec. 3.3)."""
        return torch.where(bpp > self.target, self.above, self.below)


def a_tenth(u: float) -> float:
    return 1.0 if u < 0.5 else 0.1
