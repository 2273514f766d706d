"""The Laplacian pyramid (Burt & Adelson 1983; Denton et al. 2015, Sec. 2.2), with the filters of the authors' code.

They resize with torch7's bilinear `image.scale`: halving a side is the mean of 2x2 pixels; doubling it is linear
interpolation with the corners of both pictures in the same place.
"""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate


def down(x: Tensor) -> Tensor:
    """d: [N, C, 2h, 2w] -> [N, C, h, w]."""
    return avg_pool2d(x, 2)


def up(x: Tensor) -> Tensor:
    """u: [N, C, h, w] -> [N, C, 2h, 2w]."""
    return interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=True)


def at_level(x: Tensor, side: int) -> Tensor:
    """The picture in the size of a level: d again and again."""
    while x.shape[-1] > side:
        x = down(x)
    return x
