"""FastGAN's networks (Liu et al. 2021): G with skip-layer excitation, D that is an encoder, too.

`Pyramid` is all of G but for how its last map becomes a picture; Projected GANs have it, too.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import pairwise
from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator, Generator, Images, Latent, apply_spectral_norm, doublings, initialise

SLOPE = 0.2
SMALLEST, LARGEST = 32, 1024  # px
SMALL = 128  # px: the smaller picture that G makes and D judges; half the side where that is less
TRUNK = 256  # px: finer maps lie behind the head, in the order of the published tensors
GATED = range(64, 513)  # px: maps that those of a sixteenth of the side gate


class Noise(nn.Module):
    """Noise at every place, the same in all channels, of a strength that is learnt and begins at 0."""

    def __init__(self) -> None:
        super().__init__()
        self.strength = nn.Parameter(torch.zeros(1))

    def forward(self, h: Tensor) -> Tensor:
        noise = torch.randn(h.shape[0], 1, *h.shape[2:], device=h.device, dtype=h.dtype)
        return h + self.strength * noise


class Excitation(nn.Module):
    """Skip-layer excitation: y = F(x_low, W) x_high, channel by channel.

    A map is seen as 4x4, becomes one number in (0, 1) for each channel of another, and scales it.
    """

    def __init__(self, f: int, f_gated: int) -> None:
        super().__init__()
        self.gate = nn.Sequential(
            nn.AdaptiveAvgPool2d(4),
            nn.Conv2d(f, f_gated, 4, bias=False),
            nn.SiLU(),
            nn.Conv2d(f_gated, f_gated, 1, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, low: Tensor, high: Tensor) -> Tensor:
        gated: Tensor = high * self.gate(low)
        return gated


def convolved(f: int, f_next: int, noisy: bool) -> list[nn.Module]:
    """3x3, noise where it is wanted, batch norm, a gated linear unit."""
    conv = nn.Conv2d(f, 2 * f_next, 3, padding=1, bias=False)
    return [conv, *([Noise()] if noisy else []), nn.BatchNorm2d(2 * f_next), nn.GLU(1)]


def up(f: int, f_next: int, twice: bool = False) -> nn.Sequential:
    """Twice the side and one convolution; or two, both with noise."""
    second = convolved(f_next, f_next, noisy=True) if twice else []
    return nn.Sequential(nn.Upsample(scale_factor=2), *convolved(f, f_next, noisy=twice), *second)


class Pyramid(Generator):
    """z -> a map of 4x4 -> 8x8 -> ... -> the side of the picture, coarse maps gating fine ones; and a head.

    Maps have at most 16 `width` channels (4x4), half of them at twice the side, and so on; 32x32 and 64x64 are alike.
    At the sides in `twice` there are two convolutions.
    """

    def __init__(
        self, image_size: int, channels: int, z_dim: int, width: int, twice: Collection[int], bias: bool
    ) -> None:
        super().__init__()
        self.inputs, self.output = {"z": Latent((z_dim,))}, Images((channels, image_size, image_size))
        self.sides = sides_of(image_size)
        f = {side: g_channels(width, side) for side in (4, *self.sides)}
        self.first = nn.Sequential(
            nn.ConvTranspose2d(z_dim, 2 * f[4], 4, bias=False), nn.BatchNorm2d(2 * f[4]), nn.GLU(1)
        )
        self.grow([side for side in self.sides if side <= TRUNK], f, twice)
        self.head = nn.Conv2d(f[image_size], channels, 3, padding=1, bias=bias)
        for side in self.sides:
            if side > TRUNK:
                self.grow([side], f, twice)

    def grow(self, sides: Sequence[int], f: dict[int, int], twice: Collection[int]) -> None:
        """Blocks up to these sides, then what gates their maps."""
        for side in sides:
            self.add_module(f"up{side}", up(f[side // 2], f[side], side in twice))
        for side in sides:
            if side in GATED:
                self.add_module(f"gate{side}", Excitation(f[side // 16], f[side]))

    def maps(self, z: Tensor) -> dict[int, Tensor]:
        """The map of each side.  [N, z] -> [N, f, s, s]"""
        maps: dict[int, Tensor] = {4: self.first(z[:, :, None, None])}
        for side in self.sides:
            h = self.get_submodule(f"up{side}")(maps[side // 2])
            maps[side] = self.get_submodule(f"gate{side}")(maps[side // 16], h) if side in GATED else h
        return maps


class G(Pyramid):
    """Two pictures: one from the last map, a smaller one from that of its side, which teaches the coarse layers."""

    def __init__(self, image_size: int, channels: int, z_dim: int, width: int) -> None:
        super().__init__(image_size, channels, z_dim, width, twice=sides_of(image_size)[::2], bias=False)
        self.small = small_side(image_size)
        self.small_head = nn.Conv2d(g_channels(width, self.small), channels, 1, bias=False)

    def forward(self, z: Tensor) -> Tensor:  # [N, z] -> [N, C, H, W]
        return torch.tanh(self.head(self.maps(z)[self.sides[-1]]))

    def both(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """The picture, and the small one.  [N, C, H, W], [N, C, s, s]"""
        maps = self.maps(z)
        return torch.tanh(self.head(maps[self.sides[-1]])), torch.tanh(self.small_head(maps[self.small]))

    def shrunk(self, x: Tensor) -> Tensor:
        """A picture of the data as small as the small ones."""
        return avg_pool2d(x, x.shape[-1] // self.small)


class Down(nn.Module):
    """Half the side, two ways, of which the mean is taken: two convolutions; and the mean of 2x2, then one 1x1."""

    def __init__(self, f: int, f_next: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            *halving(f, f_next), nn.Conv2d(f_next, f_next, 3, padding=1, bias=False), *normed(f_next)
        )
        self.direct = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(f, f_next, 1, bias=False), *normed(f_next))

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = (self.main(x) + self.direct(x)) / 2
        return out


def normed(f: int) -> list[nn.Module]:
    return [nn.BatchNorm2d(f), nn.LeakyReLU(SLOPE)]


def halving(f: int, f_next: int) -> list[nn.Module]:
    """Half the side, 4x4 with stride 2."""
    return [nn.Conv2d(f, f_next, 4, 2, 1, bias=False), *normed(f_next)]


def entry(f: int, f_next: int, halves: bool) -> list[nn.Module]:
    """What sees the picture: no batch norm."""
    conv = nn.Conv2d(f, f_next, 4, 2, 1, bias=False) if halves else nn.Conv2d(f, f_next, 3, padding=1, bias=False)
    return [conv, nn.LeakyReLU(SLOPE)]


class Decoder(nn.Sequential):
    """8x8 -> 16x16 -> ... -> a picture: simple, so that what is missing in it D has not seen."""

    def __init__(self, f: int, width: int, side: int, channels: int) -> None:
        sides = sides_of(side)[1:]
        widths = [f, *(d_channels(width, s) // 2 for s in sides)]
        ups = [up(a, b) for a, b in pairwise(widths)]
        super().__init__(*ups, nn.Conv2d(widths[-1], channels, 3, padding=1, bias=False), nn.Tanh())


class D(Discriminator):
    """The picture and the small one, each down to 8x8 by layers of its own, and scores of their places.

    Three decoders draw what these maps have kept: the picture, a quarter of it, the small picture.
    """

    def __init__(self, image_size: int, channels: int, width: int) -> None:
        super().__init__()
        small = small_side(image_size)
        self.sides = [side for side in reversed(sides_of(min(image_size, TRUNK))) if side >= 8]
        f = {side: d_channels(width, side) for side in (16, *sides_of(image_size))}
        self.stem = nn.Sequential(*stem(image_size, channels, f))
        for side in self.sides[1:]:
            self.add_module(f"down{side}", Down(f[2 * side], f[side]))
        for side in self.gated():
            self.add_module(f"gate{side}", Excitation(f[8 * side], f[side]))
        self.score = nn.Sequential(
            nn.Conv2d(f[8], 2 * f[8], 1, bias=False), *normed(2 * f[8]), nn.Conv2d(2 * f[8], 1, 4, bias=False)
        )
        halves = [d_channels(width, side) // 2 for side in reversed(sides_of(small // 2)) if side >= 8]
        layers = [layer for a, b in pairwise(halves) for layer in halving(a, b)]
        self.small = nn.Sequential(*entry(channels, halves[0], halves=True), *layers)
        self.small_score = nn.Conv2d(halves[-1], 1, 4, bias=False)
        self.whole_decoder = Decoder(f[8], width, small, channels)
        self.part_decoder = Decoder(f[16], width, small, channels)
        self.small_decoder = Decoder(halves[-1], width, small, channels)

    def gated(self) -> list[int]:
        """Sides of maps that those of eight times the side gate."""
        return [side for side in self.sides if 8 * side in self.sides]

    def forward(self, x: Tensor, small: Tensor) -> Tensor:  # [N, C, H, W], [N, C, s, s] -> [N, 50]
        return self.scores(self.maps(x), self.small(small))

    def judged(self, x: Tensor, small: Tensor, quarter: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor, Tensor]]:
        """The scores, and what it has seen: all of x, that quarter of x (0 to 3, for each), all of small.

        [N, 50], [N, C, s, s] each
        """
        maps, low = self.maps(x), self.small(small)
        drawn = (
            self.whole_decoder(maps[8]),
            self.part_decoder(quarters(maps[16], quarter)),
            self.small_decoder(low),
        )
        return self.scores(maps, low), drawn

    def maps(self, x: Tensor) -> dict[int, Tensor]:
        """The map of each side down to 8.  [N, f, s, s]"""
        maps: dict[int, Tensor] = {self.sides[0]: self.stem(x)}
        for side in self.sides[1:]:
            h = self.get_submodule(f"down{side}")(maps[2 * side])
            maps[side] = self.get_submodule(f"gate{side}")(maps[8 * side], h) if 8 * side in maps else h
        return maps

    def scores(self, maps: dict[int, Tensor], low: Tensor) -> Tensor:
        return torch.cat([self.score(maps[8]).flatten(1), self.small_score(low).flatten(1)], 1)


def stem(image_size: int, channels: int, f: dict[int, int]) -> list[nn.Module]:
    """The first layers, down to TRUNK pixels where the picture is larger."""
    if image_size <= TRUNK:
        return entry(channels, f[image_size], halves=False)
    layers = entry(channels, f[image_size // 2], halves=True)
    return layers if image_size // 2 == TRUNK else [*layers, *halving(f[image_size // 2], f[TRUNK])]


def quarters(x: Tensor, which: Tensor) -> Tensor:
    """A quarter of each picture or map: 0 and 1 are above, 1 and 3 on the right.  [N, C, H / 2, W / 2]"""
    n, c, height, width = x.shape
    parts = x.reshape(n, c, 2, height // 2, 2, width // 2).permute(0, 2, 4, 1, 3, 5)
    return parts.flatten(1, 2)[torch.arange(n, device=x.device), which]


def g_channels(width: int, side: int) -> int:
    """16 width at 4 pixels, then half as many at every step, but for the step from 32 to 64."""
    return max(1, 64 * width // side if side < 64 else 128 * width // side)


def d_channels(width: int, side: int) -> int:
    """8 width at 8 pixels, half as many at twice the side."""
    return max(2, 64 * width // side)


def sides_of(image_size: int) -> list[int]:
    """8, 16 ... image_size."""
    return [8 * 2**i for i in range(doublings(image_size))]


def small_side(image_size: int) -> int:
    return min(SMALL, image_size // 2)


def check_side(image_size: int) -> None:
    """Errors: GanzooError for a side that these networks do not have."""
    doublings(image_size)
    if not SMALLEST <= image_size <= LARGEST:
        raise GanzooError(f"image_size {image_size}: not in {SMALLEST}..{LARGEST}", "Choose 32, 64, 128 ... 1024.")


def networks(
    *,
    image_size: Annotated[int, "side of the square image: 32, 64 ... 1024"] = 256,
    channels: Annotated[int, "1 gray, 3 colour"] = 3,
    z_dim: Annotated[int, "length of the latent z ~ N(0, 1)"] = 256,
    width: Annotated[int, "G's maps of 4x4 have 16 times as many channels"] = 64,
    d_width: Annotated[int, "D's maps of 8x8 have 8 times as many channels"] = 64,
) -> dict[str, nn.Module]:
    """The generator G and the discriminator D."""
    check_side(image_size)
    nets = {"G": G(image_size, channels, z_dim, width), "D": D(image_size, channels, d_width)}
    return {name: normalised(net) for name, net in nets.items()}


def normalised(net: nn.Module) -> nn.Module:
    """First weights from N(0, 0.02), and the spectral norm of every convolution."""
    net.apply(initialise)
    apply_spectral_norm(net, nn.Conv2d, nn.ConvTranspose2d)
    return net
