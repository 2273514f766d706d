"""How SRGAN-PyTorch calls the tensors of SRResNet; its pictures are [0, 1], ours come out as [-1, 1]."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Shapes = Mapping[str, tuple[int, ...]]


def of_g(shapes: Shapes) -> dict[str, Any]:
    width, channels = shapes["conv1.0.weight"][:2]
    blocks = sum(name.startswith("trunk.") and name.endswith("rcb.0.weight") for name in shapes)
    doublings = sum(name.endswith("upsample_block.0.weight") for name in shapes)
    return {"channels": channels, "width": width, "blocks": blocks, "scale": 2**doublings}


def g(args: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    yield from (("conv1", "first"), ("conv2", "trunk"))
    for i in range(args["blocks"]):
        yield f"trunk.{i}.rcb", f"blocks.{i}.main"
    for i in range(args["scale"] // 2):
        for k in (0, 2):
            yield f"upsampling.{i}.upsample_block.{k}", f"up.{3 * i + k}"
    yield from (("conv3.weight", "last.weight", "doubled"), ("conv3.bias", "last.bias", "doubled less one"))
