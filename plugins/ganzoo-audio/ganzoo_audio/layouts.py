"""How others call the tensors of vocoders: the authors of HiFi-GAN (V1 to V3) and of MelGAN."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Shapes = Mapping[str, tuple[int, ...]]
BANDS = 80  # of both; other spectrograms are not known by their shape
DILATIONS = {3: (1, 3, 5) * 3, 2: (1, 2, 2, 6, 3, 12)}  # of V1 and V2, of V3: no shape tells them


def counted(shapes: Shapes, name: str) -> int:
    """How many tensors there are of a name with {} in place of 0, 1, 2 ..."""
    return next(i for i in range(len(shapes) + 1) if name.format(i) not in shapes)


def of_hifigan(shapes: Shapes) -> dict[str, Any]:
    """A factor is half of its kernel, as in all that was published."""
    width, bands, _ = shapes["conv_pre.weight"]
    if bands != BANDS:
        raise ValueError(f"is given spectrograms of {bands} bands, not {BANDS}")
    ups = counted(shapes, "ups.{}.weight")
    kernels = tuple(shapes[f"ups.{i}.weight"][2] for i in range(ups))
    convs = "convs1" if "resblocks.0.convs1.0.weight" in shapes else "convs"
    blocks = counted(shapes, f"resblocks.{{}}.{convs}.0.weight") // ups
    each = counted(shapes, f"resblocks.0.{convs}.{{}}.weight")
    return {
        "mel": "hifigan", "width": width, "ups": tuple(k // 2 for k in kernels), "kernels": kernels,
        "mrf": tuple(shapes[f"resblocks.{i}.{convs}.0.weight"][2] for i in range(blocks)),
        "dilations": DILATIONS[each], "pairs": convs == "convs1",
    }  # fmt: skip


def hifigan(args: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """The same names as ours, but for the blocks of V3."""
    yield from (("conv_pre", "conv_pre"), ("ups", "ups"), ("conv_post", "conv_post"))
    for i in range(len(args["ups"]) * len(args["mrf"])):
        convs = "convs1" if args["pairs"] else "convs"
        yield f"resblocks.{i}.{convs}", f"resblocks.{i}.convs1"
        yield f"resblocks.{i}.convs2", f"resblocks.{i}.convs2"


def of_melgan(shapes: Shapes) -> dict[str, Any]:
    """Enlargements are the layers whose kernels are twice their factors, with as many residual blocks behind each."""
    first, bands, _ = shapes["model.1.weight"]
    if bands != BANDS:
        raise ValueError(f"is given spectrograms of {bands} bands, not {BANDS}")
    kernels = [shape[2] for name, shape in shapes.items() if name.count(".") == 2 and name.endswith(".weight")]
    ups = tuple(k // 2 for k in kernels[1:-1])
    blocks = sum(name.endswith("shortcut.weight") for name in shapes) // len(ups)
    return {
        "mel": "melgan", "width": first // 2 ** len(ups), "ups": ups, "dilations": tuple(3**i for i in range(blocks)),
    }  # fmt: skip


def melgan(args: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    yield "model", "layers"
