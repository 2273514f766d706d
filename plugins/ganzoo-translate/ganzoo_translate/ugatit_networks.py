"""The networks of U-GAT-IT (Kim et al. 2020, App. A), 256 px light and full, as the authors' code has them."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

import torch
from ganzoo_pix2pix.networks import InstanceNorm
from torch import Tensor, nn

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator, Generator, Image, Images
from ganzoo_translate.layers import CAM, SLOPE, AdaptedBlock, OwnLIN, mirrored

HALVINGS = 2  # of G


class Block(nn.Module):
    """h + two 3x3 convolutions of it, with instance norm."""

    def __init__(self, f: int) -> None:
        super().__init__()
        self.main = nn.Sequential(*normed(mirrored(f, f, 3), f), mirrored(f, f, 3), InstanceNorm(f))

    def forward(self, h: Tensor) -> Tensor:
        return h + self.main(h)


def normed(conv: nn.Module, f: int) -> list[nn.Module]:
    return [conv, InstanceNorm(f), nn.ReLU(inplace=True)]


class Translator(Generator):
    """Down to a map, which is attended to; gamma and beta of what was attended to adapt the blocks behind it; up."""

    def __init__(self, key: str, image_size: int, channels: int, width: int, blocks: int, light: bool) -> None:
        super().__init__()
        side = None if light else image_size
        self.inputs = {key: Image((channels, side, side), multiple=2**HALVINGS)}
        self.output, self.light = Images((channels, side, side)), light
        f = width * 2**HALVINGS
        down = normed(mirrored(channels, width, 7), width)
        for g in (width, 2 * width):
            down += normed(mirrored(g, 2 * g, 3, 2), 2 * g)
        self.down = nn.Sequential(*down, *(Block(f) for _ in range(blocks)))
        self.cam = CAM(f, judge=False)
        seen = f if light else f * (image_size // 2**HALVINGS) ** 2
        self.mlp = nn.Sequential(
            nn.Linear(seen, f, bias=False), nn.ReLU(), nn.Linear(f, f, bias=False), nn.ReLU(),
        )  # fmt: skip
        self.gamma, self.beta = (nn.Linear(f, f, bias=False) for _ in range(2))
        self.adapted = nn.ModuleList(AdaptedBlock(f) for _ in range(blocks))
        up: list[nn.Module] = []
        for g in (f, f // 2):
            up += [nn.Upsample(scale_factor=2), mirrored(g, g // 2, 3), OwnLIN(g // 2), nn.ReLU()]
        self.up = nn.Sequential(*up, mirrored(width, channels, 7), nn.Tanh())

    def forward(self, x: Tensor) -> Tensor:  # [N, C, H, W] -> [N, C, H, W]
        return self.with_logits(x)[0]

    def with_logits(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """What is made of x, and how sure the attention is that x is of the domain that it is made of, [N, 2]."""
        h, logits = self.cam(self.down(x))
        code = self.mlp(h.mean((2, 3)) if self.light else h.flatten(1))
        gamma, beta = self.gamma(code), self.beta(code)
        for block in self.adapted:
            h = block(h, gamma, beta)
        return self.up(h), logits

    @torch.no_grad()
    def attention(self, x: Tensor) -> Tensor:
        """Where it looks, the sum of the map that goes on.  [N, C, H, W] -> [N, H / 4, W / 4]"""
        return self.cam(self.down(x))[0].sum(1)


class Judge(Discriminator):
    """Scores of patches [N, 1, h, w]; its features are two logits of the whole picture, those of its attention.

    `depth` counts its convolutions in front of the attention and the last: 7 see nearly all of 256 px, 5 see 70.
    """

    def __init__(self, channels: int, width: int, depth: int) -> None:
        super().__init__()
        widths = [width * 2**i for i in range(depth - 1)]
        layers: list[nn.Module] = []
        for i, (f, f_next) in enumerate(pairwise([channels, *widths])):
            layers += [judging(f, f_next, 1 if i == depth - 2 else 2), nn.LeakyReLU(SLOPE)]
        self.down = nn.Sequential(*layers)
        self.cam = CAM(widths[-1], judge=True)
        self.last = judging(widths[-1], 1, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.score_and_features(x)[0]

    def features(self, x: Tensor) -> Tensor:
        return self.score_and_features(x)[1]

    def score_and_features(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Both in one pass."""
        h, logits = self.cam(self.down(x))
        return self.last(h), logits


def judging(f: int, f_next: int, stride: int, *, bias: bool = True) -> nn.Module:
    conv = nn.Conv2d(f, f_next, 4, stride, 1, padding_mode="reflect", bias=bias)
    return nn.utils.parametrizations.spectral_norm(conv)


def networks(
    *,
    image_size: Annotated[int, "side of the square pictures that it is trained on: a multiple of 4"] = 256,
    channels: Annotated[int, "of both domains: 1 gray, 3 colour"] = 3,
    width: Annotated[int, "channels of G and F next to the picture; the blocks have four times as many"] = 64,
    blocks: Annotated[int, "residual blocks before the attention of G and F, and as many behind it"] = 4,
    light: Annotated[bool, "whether gamma and beta follow from means of the map, or from all of it"] = True,
    d_width: Annotated[int, "channels of discriminators next to the picture"] = 64,
    wide: Annotated[int, "depth of D_GX and D_GY, which see nearly the whole picture"] = 7,
    near: Annotated[int, "depth of D_LX and D_LY, which see parts"] = 5,
) -> dict[str, nn.Module]:
    """The translators G: a -> b and F: b -> a; D_GX and D_LX judge pictures of a, D_GY and D_LY those of b."""
    if min(image_size, channels, width, blocks, d_width) < 1 or image_size % 2**HALVINGS:
        raise GanzooError(
            f"image_size {image_size}: not a multiple of {2**HALVINGS}, or a size below 1", "Choose another."
        )
    if min(wide, near) < 2 or image_size < 2 ** (max(wide, near) - 2) * 4:
        what = f"wide {wide}, near {near}: below 2, or too deep for {image_size} px"
        raise GanzooError(what, "Halve depth - 2 times and leave 4 px.")
    nets: dict[str, nn.Module] = {
        key: Translator(of, image_size, channels, width, blocks, light) for key, of in (("G", "a"), ("F", "b"))
    }
    depths = {"D_GX": wide, "D_GY": wide, "D_LX": near, "D_LY": near}
    return nets | {key: Judge(channels, d_width, depth) for key, depth in depths.items()}
