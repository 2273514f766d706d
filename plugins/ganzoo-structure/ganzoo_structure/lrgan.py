"""The game of LR-GAN: that of DCGAN; what is new is how G draws."""

from __future__ import annotations

from typing import Annotated

from ganzoo_core.objectives import TwoPlayerAdam, nonsaturating
from ganzoo_structure import lrgan_networks as networks


class LRGAN(TwoPlayerAdam):
    """LR-GAN: Layered Recursive Generative Adversarial Networks for Image Generation (Yang et al. 2017).

    arXiv:1703.01560. d = -E log D(x) - E log(1 - D(G(z))), g = -E log D(G(z)); nobody says what is ground or figure.
    """

    G: networks.G
    loss = nonsaturating
    images: Annotated[int, "length in real images"] = 5_000_000
