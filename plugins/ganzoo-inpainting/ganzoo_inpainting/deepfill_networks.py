"""The networks of DeepFill v2 (Yu et al. 2019, Sec. 3): gated convolutions, coarse then fine, and judges of patches."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Annotated, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import elu, interpolate, leaky_relu, relu

from ganzoo_core.nn import Discriminator, apply_spectral_norm
from ganzoo_inpainting.attention import ContextualAttention
from ganzoo_inpainting.filler import Filler, check, joined

SLOPE = 0.2
DILATIONS = (2, 4, 8, 16)
GAIN = 2.0  # of first weights: gates that are half open would let nothing through twenty layers


class Gated(nn.Module):
    """phi(W_f * h) . sigmoid(W_g * h) (Eq. 2): how much of a feature goes on is learnt, place by place.

    One convolution makes both, W_f's maps first.
    """

    def __init__(
        self,
        f: int,
        f_next: int,
        kernel: int = 3,
        stride: int = 1,
        dilation: int = 1,
        act: Literal["elu", "relu"] = "elu",
    ) -> None:
        super().__init__()
        self.conv = nn.Conv2d(f, 2 * f_next, kernel, stride, dilation * (kernel // 2), dilation)
        nn.init.normal_(self.conv.weight, std=GAIN / math.sqrt(f * kernel**2))
        self.act = elu if act == "elu" else relu

    def forward(self, h: Tensor) -> Tensor:
        feature, gate = self.conv(h).chunk(2, 1)
        return self.act(feature) * gate.sigmoid()


class Up(Gated):
    """The same at twice the side."""

    def forward(self, h: Tensor) -> Tensor:
        return super().forward(interpolate(h, scale_factor=2.0))


def dilated(f: int) -> list[nn.Module]:
    return [Gated(f, f, dilation=dilation) for dilation in DILATIONS]


def decoder(f: int, channels: int) -> list[nn.Module]:
    """Maps 4 f at a quarter of the side to a picture."""
    up = [Up(4 * f, 2 * f), Gated(2 * f, 2 * f), Up(2 * f, f), Gated(f, f // 2)]
    return [*up, nn.Conv2d(f // 2, channels, 3, 1, 1), nn.Tanh()]


class G(Filler):
    """Coarse: a picture, ones and the mask to a picture. Fine: that in the hole, by two encoders, one attending."""

    def __init__(self, image_size: int, channels: int, width: int) -> None:
        super().__init__(image_size, channels)
        f = width // 2  # of what goes on: half of what convolutions make are gates
        self.coarse = nn.Sequential(
            Gated(channels + 2, f, 5), Gated(f, 2 * f, stride=2), Gated(2 * f, 2 * f), Gated(2 * f, 4 * f, stride=2),
            Gated(4 * f, 4 * f), Gated(4 * f, 4 * f), *dilated(4 * f), Gated(4 * f, 4 * f), Gated(4 * f, 4 * f),
            *decoder(f, channels),
        )  # fmt: skip
        self.plain = nn.Sequential(
            Gated(channels, f, 5), Gated(f, f, stride=2), Gated(f, 2 * f), Gated(2 * f, 2 * f, stride=2),
            Gated(2 * f, 4 * f), Gated(4 * f, 4 * f), *dilated(4 * f),
        )  # fmt: skip
        self.attending = nn.Sequential(
            Gated(channels, f, 5), Gated(f, f, stride=2), Gated(f, 2 * f), Gated(2 * f, 4 * f, stride=2),
            Gated(4 * f, 4 * f), Gated(4 * f, 4 * f, act="relu"),
        )  # fmt: skip
        self.attention = ContextualAttention()
        self.attended = nn.Sequential(Gated(4 * f, 4 * f), Gated(4 * f, 4 * f))
        self.fine = nn.Sequential(Gated(8 * f, 4 * f), Gated(4 * f, 4 * f), *decoder(f, channels))

    def drawn(self, x: Tensor, mask: Tensor) -> Tensor:
        return self.both(x, mask)[1]

    def both(self, x: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """What is drawn coarsely, and finely.  [N, C, S, S] each"""
        empty = joined(torch.zeros_like(x), x, mask)
        coarse = self.coarse(torch.cat([empty, torch.ones_like(mask), mask], 1))
        first = joined(coarse, x, mask)
        matched = self.attended(self.attention(self.attending(first), mask[:, :, ::4, ::4]))
        return coarse, self.fine(torch.cat([self.plain(first), matched], 1))


class D(Discriminator):
    """SN-PatchGAN: scores of overlapping parts [N, 4 f, h, w], each map another judge of them (Sec. 3.3)."""

    def __init__(self, channels: int, width: int, halvings: int) -> None:
        super().__init__()
        widths = [channels + 1, *(width * min(2**i, 4) for i in range(halvings))]
        self.layers = nn.ModuleList(nn.Conv2d(f, g, 5, 2, 2) for f, g in pairwise(widths))
        apply_spectral_norm(self.layers, nn.Conv2d)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        h = torch.cat([x, mask], 1)
        for layer in self.layers:
            h = leaky_relu(layer(h), SLOPE)
        return h


def networks(
    *,
    image_size: Annotated[int, "side of the square pictures: a multiple of 8"] = 256,
    channels: Annotated[int, "1 gray, 3 colour"] = 3,
    width: Annotated[int, "what G's convolutions next to the picture make, half of them gates: a multiple of 4"] = 48,
    d_width: Annotated[int, "channels of D next to the picture"] = 64,
    halvings: Annotated[int, "how often D halves the side"] = 6,
) -> dict[str, nn.Module]:
    """The coarse and the fine generator as one, G(x, mask), and D(x, mask)."""
    check(image_size, 16, 8, [channels, width // 4, d_width, halvings])
    return {"G": G(image_size, channels, width), "D": D(channels, d_width, halvings)}
