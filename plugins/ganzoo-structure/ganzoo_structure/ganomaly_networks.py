"""The networks of GANomaly (Akcay, Atapour-Abarghouei & Breckon 2018, Fig. 2): encoder, decoder, encoder again."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

import torch
from torch import Tensor, nn

from ganzoo_core.nn import Discriminator, doublings, initialise
from ganzoo_structure.detector import Detector


class G(Detector):
    """x -> G_E -> z -> G_D -> x' -> E -> z': of a picture like those of the training, z' is near z."""

    def __init__(self, shape: tuple[int, int, int], width: int, z_dim: int) -> None:
        super().__init__(shape)
        self.G_E = encoder(shape, width, z_dim)
        self.G_D = decoder(shape, width, z_dim)
        self.E = encoder(shape, width, z_dim)
        self.apply(initialise)

    def forward(self, x: Tensor) -> Tensor:  # [N, C, H, W] -> [N, C, H, W]
        made: Tensor = self.G_D(self.G_E(x))
        return made

    def codes(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """x', z and z'.  [N, C, H, W], [N, z_dim, 1, 1] twice"""
        z = self.G_E(x)
        made = self.G_D(z)
        return made, z, self.E(made)

    @torch.no_grad()
    def score(self, x: Tensor) -> Tensor:
        """A(x), the distance of the two codes: the mean of their squared differences, as the authors' code has it."""
        _, z, z_again = self.codes(x)
        apart: Tensor = (z - z_again).square().flatten(1).mean(1)
        return apart


class D(Discriminator):
    """DCGAN's discriminator; `features` is f of the paper."""

    def __init__(self, shape: tuple[int, int, int], width: int) -> None:
        super().__init__()
        self.main = encoder(shape, width, 1)
        self.apply(initialise)

    def forward(self, x: Tensor) -> Tensor:  # [N, C, H, W] -> [N]
        score: Tensor = self.main(x)
        return score.flatten()

    def features(self, x: Tensor) -> Tensor:
        """What the last layer judges.  [N, f, 4, 4]"""
        made: Tensor = self.main[:-1](x)
        return made


def stages(shape: tuple[int, int, int], width: int) -> list[int]:
    """Channels from the picture's side down to 4x4."""
    return [width * 2**i for i in range(doublings(shape[1], least=8, most=256))]


def encoder(shape: tuple[int, int, int], width: int, out: int) -> nn.Sequential:
    """4x4 kernels, each halves the side, down to 4x4 and then 1x1; all but the first are normalised."""
    layers: list[nn.Module] = [nn.Conv2d(shape[0], width, 4, 2, 1, bias=False), nn.LeakyReLU(0.2)]
    widths = stages(shape, width)
    for f, f_next in pairwise(widths):
        layers += [nn.Conv2d(f, f_next, 4, 2, 1, bias=False), nn.BatchNorm2d(f_next), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers, nn.Conv2d(widths[-1], out, 4, 1, 0, bias=False))


def decoder(shape: tuple[int, int, int], width: int, z_dim: int) -> nn.Sequential:
    """The way back, with ReLU, and tanh at its end."""
    widths = stages(shape, width)[::-1]
    layers: list[nn.Module] = [nn.ConvTranspose2d(z_dim, widths[0], 4, 1, 0, bias=False)]
    for f, f_next in zip(widths, [*widths[1:], shape[0]], strict=True):
        layers += [nn.BatchNorm2d(f), nn.ReLU(), nn.ConvTranspose2d(f, f_next, 4, 2, 1, bias=False)]
    return nn.Sequential(*layers, nn.Tanh())


def networks(
    *,
    image_size: Annotated[int, "side of the square image: a power of 2 from 8"] = 32,
    channels: Annotated[int, "1 gray, 3 colour"] = 3,
    width: Annotated[int, "channels next to the picture; they double towards 4x4"] = 64,
    z_dim: Annotated[int, "length of the code"] = 100,
) -> dict[str, nn.Module]:
    """The generator G and the discriminator D."""
    shape = (channels, image_size, image_size)
    return {"G": G(shape, width, z_dim), "D": D(shape, width)}
