"""PixelDA's networks as the community's code has them (Erik Linder-Norén's PyTorch-GAN)."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor, nn

from ganzoo_adapt.networks import T, check_sizes, halving
from ganzoo_core.nn import Discriminator, Generator, Image, Images, Latent


class Block(nn.Module):
    """h + two 3x3 convolutions of it, with batch norm."""

    def __init__(self, f: int) -> None:
        super().__init__()
        first = [nn.Conv2d(f, f, 3, 1, 1), nn.BatchNorm2d(f), nn.ReLU()]
        self.main = nn.Sequential(*first, nn.Conv2d(f, f, 3, 1, 1), nn.BatchNorm2d(f))

    def forward(self, h: Tensor) -> Tensor:
        return h + self.main(h)


class G(Generator):
    """A picture of the source, and noise as further channels of it -> the same as if it were of the target."""

    def __init__(self, image_size: int, channels: int, width: int, blocks: int, z_dim: int) -> None:
        super().__init__()
        shape = (channels, image_size, image_size)
        self.inputs, self.output = {"a": Image(shape), "z": Latent((z_dim,), (-1.0, 1.0))}, Images(shape)
        self.noise = nn.Linear(z_dim, channels * image_size**2)
        first = [nn.Conv2d(2 * channels, width, 3, 1, 1), nn.ReLU()]
        last = [nn.Conv2d(width, channels, 3, 1, 1), nn.Tanh()]
        self.main = nn.Sequential(*first, *(Block(width) for _ in range(blocks)), *last)

    def forward(self, a: Tensor, z: Tensor) -> Tensor:  # [N, C, S, S], [N, z_dim] -> [N, C, S, S]
        x: Tensor = self.main(torch.cat([a, self.noise(z).view_as(a)], 1))
        return x


class D(Discriminator):
    """Scores [N, 1, h, w] of patches."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        self.main = nn.Sequential(*halving(channels, width), nn.Conv2d(8 * width, 1, 3, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.main(x)


def networks(
    *,
    image_size: Annotated[int, "side of the square pictures, from 17 on"] = 32,
    channels: Annotated[int, "of both domains: 1 gray, 3 colour"] = 3,
    classes: Annotated[int, "how many labels the source has"] = 10,
    width: Annotated[int, "channels of G"] = 64,
    blocks: Annotated[int, "residual blocks of G"] = 6,
    z_dim: Annotated[int, "length of the noise z ~ U(-1, 1)"] = 10,
    d_width: Annotated[int, "channels of D next to the picture"] = 64,
    t_width: Annotated[int, "channels of T and S next to the picture"] = 64,
) -> dict[str, nn.Module]:
    """G: a -> b, D, which judges pictures of b, the classifier T, and S, its twin that sees the source alone."""
    check_sizes(image_size, channels, classes, width, z_dim, d_width, t_width)
    nets: dict[str, nn.Module] = {"G": G(image_size, channels, width, blocks, z_dim), "D": D(channels, d_width)}
    return nets | {name: T(image_size, channels, t_width, classes) for name in ("T", "S")}
