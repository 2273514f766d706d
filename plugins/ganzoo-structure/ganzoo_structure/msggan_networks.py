"""The networks of MSG-GAN (Karnewar & Wang 2020): ProGAN's, and at every scale a picture goes from G straight to D."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, conv_transpose2d, leaky_relu

from ganzoo_core.nn import (
    SQRT2,
    Discriminator,
    EqualizedConv2d,
    Generator,
    Images,
    Latent,
    doublings,
    minibatch_std,
    pixel_norm,
    sample_deterministic,
    upsample,
)

SLOPE = 0.2
FULL = 4  # scales, the smallest ones, that have all channels


class Enlarge(EqualizedConv2d):
    """z as 4x4; its constant counts the channels alone, as the authors' code has it.  [N, f] -> [N, f, 4, 4]"""

    def __init__(self, f: int) -> None:
        super().__init__(f, f, 4, gain=4 * SQRT2)

    def forward(self, z: Tensor) -> Tensor:
        return conv_transpose2d(z[:, :, None, None], *self.scaled())


class GBlock(nn.Module):
    """Twice the side, two convolutions, each normalised at every pixel."""

    def __init__(self, f: int, f_next: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = EqualizedConv2d(f, f_next, 3), EqualizedConv2d(f_next, f_next, 3)

    def forward(self, h: Tensor) -> Tensor:
        h = pixel_norm(leaky_relu(self.conv1(upsample(h)), SLOPE))
        return pixel_norm(leaky_relu(self.conv2(h), SLOPE))


class GFirst(nn.Module):
    """z as 4x4, and a convolution."""

    def __init__(self, f: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = Enlarge(f), EqualizedConv2d(f, f, 3)

    def forward(self, z: Tensor) -> Tensor:
        return pixel_norm(leaky_relu(self.conv2(leaky_relu(self.conv1(z), SLOPE)), SLOPE))


class G(Generator):
    """z -> 4x4 -> 8x8 -> ...; a 1x1 convolution makes a picture of each."""

    def __init__(self, widths: Sequence[int], channels: int) -> None:
        super().__init__()
        side = 4 * 2 ** (len(widths) - 1)
        self.inputs, self.output = {"z": Latent((widths[0],))}, Images((channels, side, side))
        self.blocks = nn.ModuleList([GFirst(widths[0]), *(GBlock(f, g) for f, g in pairwise(widths))])
        self.to_rgb = nn.ModuleList(EqualizedConv2d(f, channels, 1) for f in widths)

    def forward(self, z: Tensor) -> Tensor:  # [N, z] -> [N, C, H, W]
        return self.pyramid(z)[-1]

    def pyramid(self, z: Tensor) -> list[Tensor]:
        """The pictures of all scales, 4x4 first."""
        made, h = list[Tensor](), z
        for block, to_rgb in zip(self.blocks, self.to_rgb, strict=True):
            h = block(h)
            made.append(to_rgb(h))
        return made

    def sample(self, n: int, *, seed: int, **inputs: object) -> Tensor:
        """n pictures [n, C, H, W], cut to [-1, 1] (nothing bounds what G makes): the same ones every time."""
        return sample_deterministic(self, lambda z: self(z).clamp(-1, 1), n, seed, inputs)


class DBlock(nn.Module):
    """Two convolutions, half the side."""

    def __init__(self, f: int, f_next: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = EqualizedConv2d(f, f, 3), EqualizedConv2d(f, f_next, 3)

    def forward(self, h: Tensor) -> Tensor:
        return avg_pool2d(leaky_relu(self.conv2(leaky_relu(self.conv1(h), SLOPE)), SLOPE), 2)


class D(Discriminator):
    """From the largest picture down; each smaller one joins, as features of half the channels, where its side comes."""

    def __init__(self, widths: Sequence[int], channels: int) -> None:
        super().__init__()
        halves = [f // 2 for f in widths[:-1]]
        self.from_rgb = nn.ModuleList(EqualizedConv2d(channels, f, 1) for f in [*halves[1:], widths[-1], halves[0]])
        self.blocks = nn.ModuleList(DBlock(f, half) for f, half in zip(widths[1:], halves, strict=True))
        self.conv1 = EqualizedConv2d(widths[0] + 1, widths[0], 3)
        self.conv2 = EqualizedConv2d(widths[0], widths[0], 4, padding=0)
        self.score = EqualizedConv2d(widths[0], 1, 1)

    def forward(self, x: Tensor) -> Tensor:  # [N, C, H, W] -> [N]
        """Of a picture and its smaller copies."""
        return self.judge(smaller(x, len(self.blocks)))

    def judge(self, pyramid: Sequence[Tensor]) -> Tensor:
        """Of the pictures of all scales, 4x4 first.  [N]"""
        *lower, largest = pyramid
        h = self.blocks[-1](self.from_rgb[-2](largest))
        for i in reversed(range(1, len(lower))):
            h = self.blocks[i - 1](torch.cat([self.from_rgb[i - 1](lower[i]), h], 1))
        h = torch.cat([self.from_rgb[-1](lower[0]), h], 1)
        h = leaky_relu(self.conv1(minibatch_std(h, len(h))), SLOPE)
        score: Tensor = self.score(leaky_relu(self.conv2(h), SLOPE))
        return score.flatten()


def smaller(x: Tensor, times: int) -> list[Tensor]:
    """x halved again and again, by means of four pixels; the smallest first."""
    made = [x]
    for _ in range(times):
        made.append(avg_pool2d(made[-1], 2))
    return made[::-1]


def networks(
    *,
    image_size: Annotated[int, "side of the square image: a power of 2, from 8"] = 64,
    channels: Annotated[int, "1 gray, 3 colour"] = 3,
    z_dim: Annotated[int, "length of the latent z ~ N(0, 1), and channels of the four smallest scales"] = 512,
) -> dict[str, nn.Module]:
    """The generator G and the discriminator D."""
    scales = doublings(image_size) + 1
    widths = [z_dim // 2 ** max(0, i + 1 - FULL) for i in range(scales)]  # at 4, 8, 16 ... px
    return {"G": G(widths, channels), "D": D(widths, channels)}
