"""The segmentor and the critic of SegAN (Xue et al. 2018, Sec. 2 and Fig. 1), the widths as in the authors' code."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator, Generator, Image, initialise
from ganzoo_masks.kinds import Masks


class Level(NamedTuple):
    """One halving of the side on the way down, and the doubling that undoes it; widths in units of f."""

    down: int  # kernel of the convolution that halves
    f: int  # channels below
    up: int  # kernel, once the side is doubled
    f_up: int  # channels above


LEVELS = (
    Level(7, 1, 11, 1), Level(5, 2, 9, 1), Level(5, 4, 9, 2), Level(5, 8, 7, 4), Level(5, 8, 7, 8), Level(4, 16, 3, 8),
    Level(3, 32, 3, 16),
)  # fmt: skip
CRITIC = ((7, 1), (5, 2), (4, 4), (4, 8), (4, 8), (3, 8))  # kernel, channels in units of f
GLOBAL = 5  # so many outer levels have residual blocks, and global convolutions on the way up
CODE = 8  # channels of the code at the bottom, in units of f


def normed(conv: nn.Module, f: int, act: nn.Module) -> nn.Sequential:
    """A convolution, batch norm, a nonlinearity."""
    return nn.Sequential(conv, nn.BatchNorm2d(f), act)


def leaky() -> nn.Module:
    return nn.LeakyReLU(0.2)


class Residual(nn.Module):
    """1x1 to twice the channels, 3x3, 1x1 back; what comes in is added."""

    def __init__(self, f: int) -> None:
        super().__init__()
        self.first = normed(nn.Conv2d(f, 2 * f, 1, bias=False), 2 * f, leaky())
        self.second = normed(nn.Conv2d(2 * f, 2 * f, 3, padding=1, bias=False), 2 * f, leaky())
        self.third = normed(nn.Conv2d(2 * f, f, 1, bias=False), f, nn.Identity())
        self.act = leaky()

    def forward(self, h: Tensor) -> Tensor:
        return self.act(h + self.third(self.second(self.first(h))))


class GlobalConv(nn.Module):
    """k x 1 then 1 x k, and 1 x k then k x 1, added (Peng et al. 2017): sees k x k with 2 k weights."""

    def __init__(self, f_in: int, f: int, k: int) -> None:
        super().__init__()
        tall, wide = ((k, 1), (k // 2, 0)), ((1, k), (0, k // 2))
        self.left = nn.Sequential(*(nn.Conv2d(n, f, s, padding=p) for n, (s, p) in ((f_in, tall), (f, wide))))
        self.right = nn.Sequential(*(nn.Conv2d(n, f, s, padding=p) for n, (s, p) in ((f_in, wide), (f, tall))))

    def forward(self, h: Tensor) -> Tensor:
        return self.left(h) + self.right(h)


class Segmentor(Generator):
    """S: a picture down to a code and up again, beside what it was at each size on the way down (Fig. 1, left).

    Sides are multiples of 2 ** depth.
    """

    def __init__(self, channels: int, f: int, depth: int) -> None:
        super().__init__()
        self.inputs = {"photo": Image((channels, None, None), multiple=2**depth)}
        self.output = Masks((1, None, None))
        levels = LEVELS[:depth]
        widths = [channels, *(level.f * f for level in levels)]
        self.down = nn.ModuleList(
            down(i, f_in, f_out, level.down)
            for i, ((f_in, f_out), level) in enumerate(zip(pairwise(widths), levels, strict=True))
        )
        bottom, code = widths[-1], CODE * f
        self.code = nn.Sequential(
            *normed(nn.Conv2d(bottom, code, 1, bias=False), code, leaky()),
            *normed(nn.ConvTranspose2d(code, bottom, 1, bias=False), bottom, nn.ReLU()),
        )
        self.up = nn.ModuleList(
            up(i, 2 * level.f * f, level.f_up * f, level.up) for i, level in reversed([*enumerate(levels)])
        )
        self.last = nn.Conv2d(f, 1, 5, padding=2, bias=False)

    def forward(self, photo: Tensor) -> Tensor:  # [N, C, H, W] -> [N, 1, H, W] in [0, 1]
        h, skips = photo, list[Tensor]()
        for layer in self.down:
            h = layer(h)
            skips.append(h)
        h = self.code(h)
        for layer, skip in zip(self.up, reversed(skips), strict=True):
            h = layer(interpolate(torch.cat([skip, h], 1), scale_factor=2.0, mode="bilinear"))
        return self.last(h).sigmoid()


def down(i: int, f_in: int, f: int, k: int) -> nn.Sequential:
    """Level i of the encoder: half the side, and what follows at that size. The first has no norm."""
    conv = nn.Conv2d(f_in, f, k, 2, (k - 1) // 2, bias=False)
    halve = nn.Sequential(conv, leaky()) if i == 0 else normed(conv, f, leaky())
    if i < GLOBAL:
        return nn.Sequential(halve, Residual(f))
    return nn.Sequential(halve, *([point(f, leaky())] if i == GLOBAL else []))


def up(i: int, f_in: int, f: int, k: int) -> nn.Sequential:
    """Level i of the decoder, once the side is doubled: global convolutions outside, plain ones at the small sizes."""
    if i < GLOBAL:
        return nn.Sequential(normed(GlobalConv(f_in, f, k), f, nn.ReLU()), Residual(f))
    plain = normed(nn.Conv2d(f_in, f, k, padding=k // 2, bias=False), f, nn.ReLU())
    return nn.Sequential(plain, Residual(f) if i == GLOBAL else point(f, nn.ReLU()))


def point(f: int, act: nn.Module) -> nn.Sequential:
    return normed(nn.Conv2d(f, f, 1, bias=False), f, act)


class Critic(Discriminator):
    """C: a masked picture's features of all levels side by side, f_C of Eq. 2, the pixels first.

    Each level is divided by L times the number of its features, so that the sum of absolute differences of two
    pictures is Eq. 2: the mean over L levels of their mean absolute error.
    """

    def __init__(self, channels: int, f: int, depth: int) -> None:
        super().__init__()
        kernels, widths = zip(*CRITIC[:depth], strict=True)
        sides = [channels, *(n * f for n in widths)]
        self.levels = nn.ModuleList(
            halving(i, f_in, f_out, k)
            for i, ((f_in, f_out), k) in enumerate(zip(pairwise(sides), kernels, strict=True))
        )

    def forward(self, x: Tensor) -> Tensor:  # [N, C, H, W] -> [N, F]
        h, seen = x, [x]
        for level in self.levels:
            h = level(h)
            seen.append(h)
        return torch.cat([h.flatten(1) / (len(seen) * h[0].numel()) for h in seen], 1)


def halving(i: int, f_in: int, f: int, k: int) -> nn.Sequential:
    conv = nn.Conv2d(f_in, f, k, 2, (k - 1) // 2, bias=False)
    return nn.Sequential(conv, leaky()) if i == 0 else normed(conv, f, leaky())


def networks(
    *,
    image_size: Annotated[int, "side of the square pictures that it is trained on: a multiple of 2 ** depth"] = 128,
    channels: Annotated[int, "of the pictures: 1 gray, 3 colour"] = 3,
    width: Annotated[int, "f, the channels of S next to the picture"] = 64,
    c_width: Annotated[int, "f, the channels of C next to the picture"] = 64,
    depth: Annotated[int, "how often S halves the side: 7 for 128 px, as published; C stops at 6"] = 7,
) -> dict[str, nn.Module]:
    """The segmentor S(x) and the critic C of masked pictures."""
    if not 1 <= depth <= len(LEVELS):
        raise GanzooError(f"depth {depth}: not in 1..{len(LEVELS)}", "7 suits 128 px, 4 suits 64 px.")
    if min(image_size, channels, width, c_width) < 1 or image_size % 2**depth:
        what = f"image_size {image_size}: not a multiple of {2**depth}, which S halves {depth} times"
        raise GanzooError(what, "Choose another image_size, or a smaller depth.")
    nets = {"S": Segmentor(channels, width, depth), "C": Critic(channels, c_width, min(depth, len(CRITIC)))}
    return {name: net.apply(initialise) for name, net in nets.items()}
