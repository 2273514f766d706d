"""The game of DCGAN: that of Goodfellow et al. 2014, played by convolutional networks with Adam."""

from __future__ import annotations

from typing import Annotated

from ganzoo_core.objectives import Optim, adam, nonsaturating
from ganzoo_dcgan.tricks import Tricks


class DCGAN(Tricks):
    """Unsupervised Representation Learning with Deep Convolutional GANs (Radford et al. 2015, arXiv:1511.06434).

    d = -E log D(x) - E log(1 - D(G(z))), Goodfellow et al. 2014, Eq. 1;  g = -E log D(G(z)), its Sec. 3, on fresh z

    x is an image, z a latent, D(x) the score whose sigmoid is the paper's probability that x is real. D sees real and
    fake images in separate batches, each with batch statistics of its own. All that tricks.py adds is off.
    """

    loss = nonsaturating
    lr: Annotated[float, "Adam's step for both players (Sec. 4: 1e-3 was too high)"] = 2e-4
    b1: Annotated[float, "Adam's momentum (Sec. 4: at 0.9 training oscillated)"] = 0.5
    images: Annotated[int, "length in real images: five epochs of LSUN's bedrooms (Fig. 3)"] = 15_000_000

    def optim(self, player: str) -> Optim:
        return adam(self.d_lr or self.lr if player == "D" else self.lr, self.b1)
