"""How context_encoder_pytorch calls the tensors of its generator: as ours are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ganzoo_context_encoder.networks import FILL

Shapes = Mapping[str, tuple[int, ...]]


def of_g(shapes: Shapes) -> dict[str, Any]:
    """The bottleneck is the narrowest place between the convolutions down and those up."""
    kernels = [shape for shape in shapes.values() if len(shape) == 4]
    width, channels = kernels[0][:2]
    middle = next(i for i, (a, b) in enumerate(zip(kernels, kernels[1:], strict=False)) if a[0] == b[0] and a[1] == b[1])
    side = 2 ** (middle + 2 - (kernels[1][0] == kernels[0][0]) + (kernels[1][0] == kernels[0][0]))
    down, up = middle, len(kernels) - middle - 1
    return {
        "image_size": side, "channels": channels, "width": width, "bottleneck": kernels[middle][0],
        "draws": "all" if up > down else "centre", "fill": FILL if channels == 3 else FILL[:1] * channels,
    }  # fmt: skip


def same(args: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "main", "main"
