"""The networks of GLCIC (Iizuka et al. 2017, Sec. 3): a completion network with dilations, a judge of two sights."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

import torch
from torch import Tensor, nn

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator
from ganzoo_inpainting.filler import Filler, check

DILATIONS = (2, 4, 8, 16)
BOTTOM = 4  # px of what each branch of D ends in: 512 maps at the published size


def normed(conv: nn.Module, f: int) -> list[nn.Module]:
    return [conv, nn.ReLU(), nn.BatchNorm2d(f)]


def conv(f: int, f_next: int, kernel: int = 3, stride: int = 1, dilation: int = 1) -> list[nn.Module]:
    reach = dilation * (kernel // 2)
    return normed(nn.Conv2d(f, f_next, kernel, stride, reach, dilation), f_next)


def up(f: int, f_next: int) -> list[nn.Module]:
    return normed(nn.ConvTranspose2d(f, f_next, 4, 2, 1), f_next)


class G(Filler):
    """The completion network C(x, M): pixels in [0, 1], the data's mean colour in the hole, the mask beside it."""

    fill: Tensor

    def __init__(self, image_size: int, channels: int, width: int) -> None:
        super().__init__(image_size, channels)
        self.register_buffer("fill", torch.full((channels,), 0.5))  # what the game finds in the data
        f = width
        self.main = nn.Sequential(
            *conv(channels + 1, f, 5),
            *conv(f, 2 * f, stride=2), *conv(2 * f, 2 * f),
            *conv(2 * f, 4 * f, stride=2), *conv(4 * f, 4 * f), *conv(4 * f, 4 * f),
            *(layer for dilation in DILATIONS for layer in conv(4 * f, 4 * f, dilation=dilation)),
            *conv(4 * f, 4 * f), *conv(4 * f, 4 * f),
            *up(4 * f, 2 * f), *conv(2 * f, 2 * f),
            *up(2 * f, f), *conv(f, f // 2),
            nn.Conv2d(f // 2, channels, 3, 1, 1), nn.Sigmoid(),
        )  # fmt: skip

    def drawn(self, x: Tensor, mask: Tensor) -> Tensor:
        seen = torch.where(mask > 0.5, self.fill.view(1, -1, 1, 1), (x + 1) / 2)
        y: Tensor = 2 * self.main(torch.cat([seen, mask], 1)) - 1
        return y


class Branch(nn.Sequential):
    """5x5 convolutions that halve the side down to 4, and 1,024 numbers of it."""

    def __init__(self, side: int, channels: int, width: int, units: int) -> None:
        depth = (side // BOTTOM).bit_length() - 1
        widths = [channels, *(width * min(2**i, 8) for i in range(depth))]
        layers = [layer for f, g in pairwise(widths) for layer in conv(f, g, 5, 2)]
        super().__init__(*layers, nn.Flatten(), nn.Linear(widths[-1] * BOTTOM**2, units), nn.ReLU())


class D(Discriminator):
    """One score [N] of a picture and of a part of it: the whole must be plausible, and the filled hole sharp."""

    def __init__(self, image_size: int, local: int, channels: int, width: int, units: int) -> None:
        super().__init__()
        self.side = local
        self.near = Branch(local, channels, width, units)
        self.far = Branch(image_size, channels, width, units)
        self.last = nn.Linear(2 * units, 1)

    def forward(self, x: Tensor, part: Tensor) -> Tensor:  # [N, C, S, S], [N, C, L, L] -> [N]
        score: Tensor = self.last(torch.cat([self.near(part), self.far(x)], 1)).flatten()
        return score


def networks(
    *,
    image_size: Annotated[int, "side of the square pictures: a power of 2"] = 256,
    channels: Annotated[int, "1 gray, 3 colour"] = 3,
    width: Annotated[int, "channels of G next to the picture"] = 64,
    local: Annotated[int, "side of the part around the hole that D sees as well: a power of 2"] = 128,
    d_width: Annotated[int, "channels of D next to the picture"] = 64,
    units: Annotated[int, "numbers in which each branch of D ends"] = 1024,
) -> dict[str, nn.Module]:
    """The completion network G(x, mask) and D(x, part)."""
    check(image_size, 2 * BOTTOM, 4, [channels, width // 2, d_width, units])
    if any(side & (side - 1) for side in (image_size, local)) or not BOTTOM < local <= image_size:
        what = f"image_size {image_size}, local {local}: no powers of 2, or local not between {BOTTOM} and image_size"
        raise GanzooError(what, "Choose others.")
    return {"G": G(image_size, channels, width), "D": D(image_size, local, channels, d_width, units)}
