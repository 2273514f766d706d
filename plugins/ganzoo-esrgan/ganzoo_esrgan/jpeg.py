"""What JPEG does to a picture, without its coding: colours at half the side, cosines of 8x8 squares, rounded coarsely.

ITU-T T.81 with the tables of its Annex K, scaled by the quality as the Independent JPEG Group does.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate, pad

LUMA = torch.tensor([
    [16, 11, 10, 16, 24, 40, 51, 61], [12, 12, 14, 19, 26, 58, 60, 55],
    [14, 13, 16, 24, 40, 57, 69, 56], [14, 17, 22, 29, 51, 87, 80, 62],
    [18, 22, 37, 56, 68, 109, 103, 77], [24, 35, 55, 64, 81, 104, 113, 92],
    [49, 64, 78, 87, 103, 121, 120, 101], [72, 92, 95, 98, 112, 100, 103, 99],
], dtype=torch.float32, device="cpu")  # fmt: skip
CHROMA = torch.tensor([
    [17, 18, 24, 47, 99, 99, 99, 99], [18, 21, 26, 66, 99, 99, 99, 99],
    [24, 26, 56, 99, 99, 99, 99, 99], [47, 66, 99, 99, 99, 99, 99, 99],
    *[[99] * 8] * 4,
], dtype=torch.float32, device="cpu")  # fmt: skip
TO_YCC = torch.tensor([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]], device="cpu")
TO_RGB = TO_YCC.inverse()
COSINES = torch.tensor([
    [math.cos((2 * x + 1) * u * math.pi / 16) / (2 if u else 2 * math.sqrt(2)) for x in range(8)] for u in range(8)
], device="cpu")  # fmt: skip


def compressed(x: Tensor, quality: float) -> Tensor:
    """Pictures [N, 1 or 3, H, W] in [0, 1] as they are after JPEG of `quality` [1, 100]."""
    height, width = x.shape[-2:]
    wide = pad(x * 255, (0, -width % 16, 0, -height % 16), mode="replicate")
    if x.shape[1] == 1:
        made = coarse(wide - 128, table(LUMA, quality)) + 128
    else:
        ycc = torch.einsum("ij,njhw->nihw", TO_YCC.to(x), wide)
        luma = coarse(ycc[:, :1] - 128, table(LUMA, quality)) + 128
        colour = coarse(avg_pool2d(ycc[:, 1:], 2), table(CHROMA, quality))
        colour = interpolate(colour, scale_factor=2.0, mode="bilinear", align_corners=False)
        made = torch.einsum("ij,njhw->nihw", TO_RGB.to(x), torch.cat([luma, colour], 1))
    return made[..., :height, :width].clamp(0, 255) / 255


def table(base: Tensor, quality: float) -> Tensor:
    """A quantisation table [8, 8] of the quality."""
    factor = 5000 / quality if quality < 50 else 200 - 2 * quality
    return ((base * factor + 50) / 100).floor().clamp(1, 255)


def coarse(x: Tensor, steps: Tensor) -> Tensor:
    """Planes [N, C, H, W], H and W multiples of 8, each cosine of a square rounded to a multiple of its step."""
    n, c, h, w = x.shape
    squares = x.reshape(n, c, h // 8, 8, w // 8, 8).transpose(3, 4)  # [N, C, H / 8, W / 8, 8, 8]
    C, q = COSINES.to(x), steps.to(x)
    waves = torch.round(C @ squares @ C.T / q) * q
    return (C.T @ waves @ C).transpose(3, 4).reshape(n, c, h, w)
