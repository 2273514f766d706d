"""Ways between points of a space."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import lerp, slerp

WAYS = {"linear": lerp, "spherical": slerp}


def legs(
    stops: Sequence[Tensor], steps: int, how: Literal["linear", "spherical"] | str = "linear", loop: bool = False
) -> list[Tensor]:
    """Of each pair of neighbours [1, *shape] the way from the one to the other, [steps + 1, *shape]; `loop` adds the
    way back to the first.

    Errors: GanzooError for fewer than two.
    """
    if len(stops) < 2:
        raise GanzooError(f"{len(stops)} points: a way needs two at least", "Give some: --seeds 1,2,3.")
    way = WAYS[how]
    return [
        torch.cat([way(a, b, k / steps) for k in range(steps + 1)])
        for a, b in pairwise([*stops, stops[0]] if loop else stops)
    ]
