"""How context_encoder_pytorch calls the tensors of its generator: as ours are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any

from ganzoo_context_encoder.networks import FILL

Shapes = Mapping[str, tuple[int, ...]]


def of_g(shapes: Shapes) -> dict[str, Any]:
    """Down go [out, in, 4, 4], up [in, out, 4, 4]: the bottleneck is where one turns to the other."""
    kernels = [shape for shape in shapes.values() if len(shape) == 4]
    width, channels = kernels[0][:2]
    middle = next(i for i, (a, b) in enumerate(pairwise(kernels)) if a[0] == b[0] != b[1])
    up = len(kernels) - middle - 1  # 4x4 from the bottleneck, then twice the side each
    deep = kernels[1][0] == width  # at 128 px the first width comes twice
    return {
        "image_size": 128 if deep else 2 ** (middle + 2), "channels": channels, "width": width,
        "bottleneck": kernels[middle][0], "draws": "all" if up > middle else "centre",
        "fill": FILL if channels == 3 else FILL[:1] * channels,
    }  # fmt: skip


def same(args: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "main", "main"
