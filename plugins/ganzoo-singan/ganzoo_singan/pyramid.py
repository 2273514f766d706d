"""How many scales a picture has, how large it is at each, and how it gets from one to another."""

from __future__ import annotations

import math

from torch import Tensor
from torch.nn.functional import interpolate

from ganzoo_core.errors import GanzooError

Size = tuple[int, int]  # height, width
ROUNDING = 1e-6  # products that should be whole numbers may lie a little above them


def count(shorter: int, coarsest: int, factor: float) -> int:
    """N + 1, the scales of a picture whose shorter side is `shorter`, as the authors' code counts them.

    At scale 0 that side has `coarsest` pixels. `factor` is the ratio of one scale to the next that is aimed at.
    """
    if shorter < coarsest:
        raise GanzooError(
            f"a picture whose shorter side has {shorter} pixels: the coarsest scale has {coarsest} already",
            "Give a larger picture, or a smaller -c coarsest.",
        )
    return math.ceil(math.log(coarsest / shorter, factor) - ROUNDING) + 2


def sizes(trained: Size, coarsest: int, factor: float, wanted: Size) -> list[Size]:
    """The size at every scale, coarsest first, of a picture that is to be `wanted` at the finest.

    The ratio r from scale to scale is that of the `trained` picture: r^N times its shorter side is `coarsest`.
    """
    shorter = min(trained)
    top = count(shorter, coarsest, factor) - 1  # N
    r = (coarsest / shorter) ** (1 / top)
    height, width = wanted
    return [(shrunk(height, r ** (top - n)), shrunk(width, r ** (top - n))) for n in range(top + 1)]


def shrunk(side: int, by: float) -> int:
    return max(1, math.ceil(side * by - ROUNDING))


def resize(x: Tensor, size: Size) -> Tensor:
    """[N, C, H, W] -> [N, C, *size]: bicubic (a = -0.5), antialiased where it shrinks, as Matlab's imresize."""
    if tuple(x.shape[2:]) == size:
        return x
    return interpolate(x.float(), size=size, mode="bicubic", antialias=True)
