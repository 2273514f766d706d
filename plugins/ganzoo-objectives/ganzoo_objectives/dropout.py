"""DCGAN's pair with dropout in D: what it says of one picture twice differs (Wei et al. 2018, Sec. 3)."""

from __future__ import annotations

from typing import Annotated

import ganzoo_dcgan.networks as dcgan
from torch import nn


class D(dcgan.D):
    """DCGAN's without batch norm; units of every hidden layer are dropped."""

    def __init__(self, image_size: int, channels: int, width: int, drop: float) -> None:
        super().__init__(image_size, channels, width, "none")
        layers = list(self.main)
        self.main = nn.Sequential(*(part for layer in layers for part in dropped(layer, drop)))


def dropped(layer: nn.Module, drop: float) -> list[nn.Module]:
    """A rectifier with dropout behind it; another layer as it is."""
    return [layer, nn.Dropout(drop)] if isinstance(layer, nn.LeakyReLU) else [layer]


def networks(
    *,
    image_size: Annotated[int, "side of the square image: 16, 32, 64 or 128"] = 64,
    channels: Annotated[int, "1 gray, 3 colour"] = 3,
    width: Annotated[int, "f, the channels of the stage next to the image; they double at each stage towards 4x4"] = 64,
    z_dim: Annotated[int, "length of the latent z ~ N(0, 1)"] = 100,
    drop: Annotated[float, "share of D's units that are dropped"] = 0.5,
) -> dict[str, nn.Module]:
    """The generator G and the discriminator D."""
    return {"G": dcgan.G(image_size, channels, width, z_dim), "D": D(image_size, channels, width, drop)}
