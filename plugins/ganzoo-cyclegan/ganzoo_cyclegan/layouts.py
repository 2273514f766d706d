"""How pytorch-CycleGAN-and-pix2pix calls the tensors of its residual translators and of its discriminators."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ganzoo_pix2pix.layouts import of_patches

Shapes = Mapping[str, tuple[int, ...]]


def of_translator(shapes: Shapes) -> dict[str, Any]:
    """Three convolutions before the blocks, three after; a block has two."""
    width, channels = shapes["model.1.weight"][:2]
    blocks = (sum(len(shape) == 4 for shape in shapes.values()) - 6) // 2
    return {"channels": channels, "width": width, "blocks": blocks}


def translator(args: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Theirs pads in layers of their own."""
    blocks = args["blocks"]
    yield from (("model.1", "main.0"), ("model.4", "main.3"), ("model.7", "main.6"))
    for i in range(blocks):
        yield f"model.{10 + i}.conv_block.1", f"main.{9 + i}.main.0"
        yield f"model.{10 + i}.conv_block.5", f"main.{9 + i}.main.3"
    yield f"model.{10 + blocks}", f"main.{9 + blocks}"
    yield f"model.{13 + blocks}", f"main.{12 + blocks}"
    yield f"model.{17 + blocks}", f"main.{15 + blocks}"


def of_judge(shapes: Shapes) -> dict[str, Any]:
    """Of a discriminator that sees one picture."""
    made = of_patches(shapes)
    return {"channels": made.pop("seen"), **made}
