"""How the common PyTorch port of StyleGAN2 (rosinality's) calls its tensors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import log2
from typing import Any

Shapes = Mapping[str, tuple[int, ...]]
Pairs = Iterator[tuple[str, ...]]


def of_g(shapes: Shapes) -> dict[str, Any]:
    """The widths are those of a base over the side, up to a greatest."""
    finest = max(int(name.split(".")[1]) for name in shapes if name.startswith("to_rgbs."))
    side = 2 ** (finest + 3)
    _, channels, width = shapes[f"to_rgbs.{finest}.conv.weight"][:3]
    w_dim, z_dim = shapes["style.1.weight"]
    return {
        "image_size": side, "channels": channels, "fmap_base": width * side, "fmap_max": shapes["input.input"][1],
        "z_dim": z_dim, "w_dim": w_dim,
        "mapping_layers": sum(name.startswith("style.") and name.endswith(".weight") for name in shapes),
    }  # fmt: skip


def g(args: Mapping[str, Any]) -> Pairs:
    """The average of w lies beside G in their files; where it does not, it begins anew."""
    yield from (("", "mapping.w_avg"), ("../latent_avg", "mapping.w_avg"))
    yield "input.input", "synthesis.blocks.0.const", "first"
    for i in range(args["mapping_layers"]):
        yield f"style.{i + 1}", f"mapping.layers.{i}"
    yield from layer("conv1", "synthesis.blocks.0.conv", 0)
    yield from to_rgb("to_rgb1", "synthesis.blocks.0.to_rgb")
    for i in range(int(log2(args["image_size"])) - 2):
        ours = f"synthesis.blocks.{i + 1}"
        yield from layer(f"convs.{2 * i}", f"{ours}.up", 2 * i + 1)
        yield from layer(f"convs.{2 * i + 1}", f"{ours}.conv", 2 * i + 2)
        yield from to_rgb(f"to_rgbs.{i}", f"{ours}.to_rgb")


def layer(theirs: str, ours: str, noise: int) -> Pairs:
    yield f"{theirs}.conv.weight", f"{ours}.weight", "first"
    yield f"{theirs}.conv.modulation", f"{ours}.affine"
    yield f"{theirs}.noise.weight", f"{ours}.strength", "scalar"
    yield f"{theirs}.activate.bias", f"{ours}.bias"
    yield f"noises.noise_{noise}", f"{ours}.noise_const", "image"


def to_rgb(theirs: str, ours: str) -> Pairs:
    yield f"{theirs}.conv.weight", f"{ours}.weight", "first"
    yield f"{theirs}.conv.modulation", f"{ours}.affine"
    yield f"{theirs}.bias", f"{ours}.bias", "flat"


def of_d(shapes: Shapes) -> dict[str, Any]:
    blocks = max(int(name.split(".")[1]) for name in shapes if name.startswith("convs."))
    width, channels = shapes["convs.0.0.weight"][:2]
    side = 2 ** (blocks + 2)
    return {
        "image_size": side, "channels": channels, "fmap_base": width * side,
        "fmap_max": shapes["final_conv.0.weight"][0],
    }  # fmt: skip


def d(args: Mapping[str, Any]) -> Pairs:
    yield from (("convs.0.0.weight", "from_rgb.weight"), ("convs.0.1.bias", "from_rgb.bias"))
    for i in range(int(log2(args["image_size"])) - 2):
        theirs, ours = f"convs.{i + 1}", f"blocks.{i}"
        for k in (0, 1):  # in their second a filter comes first
            yield f"{theirs}.conv{k + 1}.{k}.weight", f"{ours}.conv{k}.weight"
            yield f"{theirs}.conv{k + 1}.{k + 1}.bias", f"{ours}.conv{k}.bias"
        yield f"{theirs}.skip.1", f"{ours}.skip"
    yield from (("final_conv.0.weight", "conv.weight"), ("final_conv.1.bias", "conv.bias"))
    yield from (("final_linear.0", "dense"), ("final_linear.1", "score"))
