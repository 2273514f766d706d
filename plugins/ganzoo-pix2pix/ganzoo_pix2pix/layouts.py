"""How pytorch-CycleGAN-and-pix2pix calls the tensors of its U-Nets and of its discriminators."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ganzoo_pix2pix.networks import STRIDES

Shapes = Mapping[str, tuple[int, ...]]
PATCHES = {convolutions: patch for patch, convolutions in STRIDES.items()}


def of_unet(shapes: Shapes) -> dict[str, Any]:
    """Each level has a convolution down and one up."""
    width, channels = shapes["model.model.0.weight"][:2]
    levels = sum(len(shape) == 4 for shape in shapes.values()) // 2
    return {"image_size": 2**levels, "channels": channels, "width": width, "levels": levels}


def unet(args: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Theirs is nested: every level's block holds the next one."""
    levels, block = args["levels"], "model.model"
    for depth in range(levels):
        first, last, above = depth == 0, depth == levels - 1, f"up.{levels - 1 - depth}"
        yield f"{block}.{0 if first else 1}", f"down.{depth}.conv"
        if not first and not last:
            yield f"{block}.2", f"down.{depth}.norm"
        up = 3 if first or last else 5
        yield f"{block}.{up}", f"{above}.conv"
        if not first:
            yield f"{block}.{up + 1}", f"{above}.norm"
        block += ".1.model" if first else ".3.model"


def of_patches(shapes: Shapes) -> dict[str, Any]:
    """A PatchGAN of n layers has n + 2 convolutions; a PixelGAN's are 1x1."""
    name = "model" if "model.0.weight" in shapes else "net"
    width, seen, kernel = shapes[f"{name}.0.weight"][:3]
    convolutions = sum(len(shape) == 4 for shape in shapes.values())
    return {"d_width": width, "patch": 1 if kernel == 1 else PATCHES[convolutions - 2], "seen": seen}


def of_judge(shapes: Shapes) -> dict[str, Any]:
    """Of a discriminator that sees two pictures at once."""
    made = of_patches(shapes)
    return {"channels": made.pop("seen") // 2, **made}


def patches(args: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield ("net" if args["patch"] == 1 else "model"), "main"
