"""How others call DCGAN's tensors: pytorch/examples' names are ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Shapes = Mapping[str, tuple[int, ...]]


def of_g(shapes: Shapes) -> dict[str, Any]:
    """The arguments that follow from the shapes of a generator: ConvTranspose2d, [in, out, 4, 4]."""
    kernels = [shape for shape in shapes.values() if len(shape) == 4]
    width, channels = kernels[-1][:2]
    return {
        "image_size": 2 ** (len(kernels) + 1), "channels": channels, "width": width,
        "z_dim": shapes["main.0.weight"][0],
    }  # fmt: skip


def of_d(shapes: Shapes) -> dict[str, Any]:
    """Of a discriminator: Conv2d, [out, in, 4, 4]."""
    first = shapes["main.0.weight"]
    stages = sum(len(shape) == 4 for shape in shapes.values())
    norm = "batch" if "main.3.running_mean" in shapes else "none"
    return {"image_size": 2 ** (stages + 1), "channels": first[1], "width": first[0], "norm": norm}


def same(args: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "main", "main"
