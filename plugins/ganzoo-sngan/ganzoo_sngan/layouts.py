"""How mimicry calls the tensors of SNGAN and SAGAN, and BigGAN's authors those of SAGAN."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from math import isqrt
from typing import Any

Shapes = Mapping[str, tuple[int, ...]]
Pairs = Iterator[tuple[str, ...]]
ATTENTION = (("theta", "g"), ("phi", "f"), ("g", "h"), ("o", "v"), ("gamma", "gamma"))  # theirs, ours


def numbered(shapes: Shapes, form: str, start: int) -> list[int]:
    """The numbers from `start` on for which a name of this form is there."""
    numbers = list[int]()
    while form.format(start + len(numbers)) in shapes:
        numbers.append(start + len(numbers))
    return numbers


def of_mimicry_g(shapes: Shapes) -> dict[str, Any]:
    """block2, block3 ... each double the side; behind them a norm and a convolution."""
    blocks = numbered(shapes, "block{}.c1.weight", 2)
    widths = [shapes["block2.c1.weight"][1], *(shapes[f"block{i}.c2.weight"][0] for i in blocks)]
    side = isqrt(shapes["l1.weight"][0] // widths[0])
    return {
        "image_size": side * 2 ** len(blocks), "channels": shapes[f"c{blocks[-1] + 1}.weight"][0],
        "classes": shapes.get("block2.b1.embed.weight", (0,))[0], "z_dim": shapes["l1.weight"][1],
        "g_widths": tuple(widths),
    }  # fmt: skip


def mimicry_g(args: Mapping[str, Any]) -> Pairs:
    yield "l1", "linear"
    n = len(args["g_widths"])
    for i in range(n - 1):
        theirs, ours = f"block{i + 2}", f"blocks.{i}"
        yield from ((f"{theirs}.c1", f"{ours}.conv1"), (f"{theirs}.c2", f"{ours}.conv2"))
        yield f"{theirs}.c_sc", f"{ours}.shortcut"
        for k in (1, 2):
            if args["classes"]:
                yield f"{theirs}.b{k}.bn", f"{ours}.bn{k}.bn"
                yield f"{theirs}.b{k}.embed", f"{ours}.bn{k}.affine"
            else:
                yield f"{theirs}.b{k}", f"{ours}.bn{k}"
    yield from ((f"b{n + 1}", "bn"), (f"c{n + 1}", "conv"))


def of_mimicry_d(shapes: Shapes) -> dict[str, Any]:
    """A block that halves the side or widens has a shortcut of its own."""
    blocks = numbered(shapes, "block{}.c1.weight", 1)
    return {
        "channels": shapes["block1.c1.weight"][1], "classes": shapes.get("l_y.weight", (0,))[0],
        "d_widths": tuple(shapes[f"block{i}.c2.weight"][0] for i in blocks),
        "d_halvings": sum(f"block{i}.c_sc.weight" in shapes for i in blocks),
    }  # fmt: skip


def mimicry_d(args: Mapping[str, Any]) -> Pairs:
    n, head = len(args["d_widths"]), "head.linear" if args["classes"] else "head"
    for i in range(n):
        for theirs, ours in (("c1", "conv1"), ("c2", "conv2"), ("c_sc", "shortcut")):
            yield f"block{i + 1}.{theirs}", f"blocks.{i}.{ours}"
    yield from ((f"l{n + 1}", head), ("l_y", "head.embed"))


def of_mimicry_sagan_g(shapes: Shapes) -> dict[str, Any]:
    """Attention follows the second of three blocks, or the third of five. D is taken to mirror G."""
    made = of_mimicry_g(shapes)
    widths, n = made["g_widths"], len(made["g_widths"]) - 1
    if shapes["attn_block.theta.weight"][1] != widths[n // 2 + 1]:
        raise ValueError("attends to another map")
    side = made["image_size"] // 2**n * 2 ** (n // 2 + 1)
    return {**made, "d_widths": tuple(reversed(widths)), "d_halvings": n, "attention": side}


def mimicry_sagan_g(args: Mapping[str, Any]) -> Pairs:
    """Gains and biases of a class lie side by side in one table."""
    yield "l1", "linear"
    n = len(args["g_widths"]) - 1
    for i in range(n):
        theirs, attending = f"block{i + 2}", args["image_size"] // 2 ** (n - 1 - i) == args["attention"]
        ours = f"blocks.{i}.block" if attending else f"blocks.{i}"
        yield from ((f"{theirs}.c1", f"{ours}.conv1"), (f"{theirs}.c2", f"{ours}.conv2"))
        yield f"{theirs}.c_sc", f"{ours}.shortcut"
        for k in (1, 2):
            if args["classes"]:
                yield f"{theirs}.b{k}.bn", f"{ours}.bn{k}.bn"
                yield f"{theirs}.b{k}.embed.weight", f"{ours}.bn{k}.affine.gain.weight", "first half less one"
                yield f"{theirs}.b{k}.embed.weight", f"{ours}.bn{k}.affine.bias.weight", "second half"
            else:
                yield f"{theirs}.b{k}", f"{ours}.bn{k}"
        if attending:
            for part, mine in ATTENTION:
                yield f"attn_block.{part}", f"blocks.{i}.attention.{mine}"
    yield from ((f"b{n + 2}", "bn"), (f"c{n + 2}", "conv"))


def of_authors_g(shapes: Shapes) -> dict[str, Any]:
    """Of BigGAN-PyTorch's G without shared embeddings. D is taken to mirror it."""
    return {
        **sizes(shapes), "z_dim": shapes["linear.weight"][1], "classes": shapes["blocks.0.0.bn1.gain.weight"][0],
    }  # fmt: skip


def sizes(shapes: Shapes) -> dict[str, Any]:
    """What SAGAN's and BigGAN's G have alike."""
    blocks = numbered(shapes, "blocks.{}.0.conv1.weight", 0)
    widths = [shapes["blocks.0.0.conv1.weight"][1], *(shapes[f"blocks.{i}.0.conv1.weight"][0] for i in blocks)]
    side = isqrt(shapes["linear.weight"][0] // widths[0])
    attending = next((i for i in blocks if f"blocks.{i}.1.gamma" in shapes), None)
    return {
        "image_size": side * 2 ** len(blocks), "channels": shapes["output_layer.2.weight"][0],
        "g_widths": tuple(widths), "d_widths": tuple(reversed(widths)), "d_halvings": len(blocks),
        "attention": 0 if attending is None else side * 2 ** (attending + 1),
    }  # fmt: skip


def authors_g(args: Mapping[str, Any]) -> Pairs:
    yield "linear", "linear"
    n = len(args["g_widths"]) - 1
    side = args["image_size"] // 2**n
    for i in range(n):
        block = yield from block_of(i, side * 2 ** (i + 1) == args["attention"])
        for k in (1, 2):
            yield f"blocks.{i}.0.bn{k}.stored_mean", f"{block}.bn{k}.bn.running_mean"
            yield f"blocks.{i}.0.bn{k}.stored_var", f"{block}.bn{k}.bn.running_var"
            yield f"blocks.{i}.0.bn{k}.gain", f"{block}.bn{k}.affine.gain"
            yield f"blocks.{i}.0.bn{k}.bias", f"{block}.bn{k}.affine.bias"
    yield from (("output_layer.0.gain", "bn.weight"), ("output_layer.0.bias", "bn.bias"))
    for statistic in ("mean", "var"):
        yield f"output_layer.0.stored_{statistic}", f"bn.running_{statistic}"
    yield "output_layer.2", "conv"


def block_of(i: int, attending: bool) -> Generator[tuple[str, ...], None, str]:
    """Convolutions and attention of a block; returns what ours is called."""
    block = f"blocks.{i}.block" if attending else f"blocks.{i}"
    for theirs, ours in (("conv1", "conv1"), ("conv2", "conv2"), ("conv_sc", "shortcut")):
        yield f"blocks.{i}.0.{theirs}", f"{block}.{ours}"
    if attending:
        for theirs, ours in ATTENTION:
            yield f"blocks.{i}.1.{theirs}", f"blocks.{i}.attention.{ours}"
    return block


def of_authors_d(shapes: Shapes) -> dict[str, Any]:
    """Sides do not follow from D: its attention is taken to be where that of the image's size would put it."""
    blocks = numbered(shapes, "blocks.{}.0.conv1.weight", 0)
    return {
        "channels": shapes["blocks.0.0.conv1.weight"][1], "classes": shapes["embed.weight"][0],
        "d_widths": tuple(shapes[f"blocks.{i}.0.conv1.weight"][0] for i in blocks),
        "d_halvings": sum(f"blocks.{i}.0.conv_sc.weight" in shapes for i in blocks),
    }  # fmt: skip


def authors_d(args: Mapping[str, Any]) -> Pairs:
    for i in range(len(args["d_widths"])):
        yield from block_of(i, False)
        yield from block_of(i, True)
    yield from (("linear", "head.linear"), ("embed", "head.embed"))
