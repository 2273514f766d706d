"""How others call the tensors of BigGAN's generators: BigGAN-PyTorch, the authors' own, and Hugging Face's port."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import isqrt
from typing import Any

from ganzoo_sngan.layouts import authors_g, numbered, sizes

Shapes = Mapping[str, tuple[int, ...]]
CHANNELS = 3  # of the port's pictures, whatever its last layer makes
THEIR_EPS = 1e-4
ATTENTION = (("theta", "g"), ("phi", "f"), ("g", "h"), ("o_conv", "v"))  # theirs, ours


def of_g(shapes: Shapes) -> dict[str, Any]:
    """z in parts, a shared embedding. D is taken to mirror G."""
    classes, y_dim = shapes["shared.weight"]
    return {**sizes(shapes), "classes": classes, "y_dim": y_dim, "z_chunk": shapes["linear.weight"][1]}


def g(args: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    yield from (("shared", "shared"), ("", "stand", "ones"))
    yield from authors_g(args)


def of_port(shapes: Shapes) -> dict[str, Any]:
    """BigGAN-deep; attention is a layer between two blocks, and D, which was not published, is taken to mirror G."""
    blocks = [i for i in range(len(shapes)) if f"generator.layers.{i}.conv_0.weight" in shapes]
    (attending,) = numbered(shapes, "generator.layers.{}.gamma", next(i for i in range(len(shapes)) if i not in blocks))
    widths = [shapes[f"generator.layers.{i}.conv_0.weight"][1] for i in blocks[::2]]
    widths.append(shapes["generator.bn.weight"][0])
    y_dim, classes = shapes["embeddings.weight"]
    places, told = shapes["generator.gen_z.weight"]
    side = isqrt(places // widths[0])
    return {
        "image_size": side * 2 ** (len(widths) - 1), "channels": CHANNELS, "classes": classes, "z_dim": told - y_dim,
        "y_dim": y_dim, "g_widths": tuple(widths), "d_widths": tuple(reversed(widths)),
        "attention": side * 2 ** (attending // 2), "maps": shapes["generator.conv_to_rgb.weight"][0],
        "rows": shapes["generator.bn.running_means"][0], "eps": THEIR_EPS,
    }  # fmt: skip


def port(args: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """Its linear layers take z before the class, and the first makes maps with their channels last."""
    yield from (("embeddings.weight", "shared.weight", "transposed"), ("", "stand", "ones"))
    yield "generator.gen_z.weight", "linear.weight", "channels first, halves swapped"
    yield "generator.gen_z.weight_v", "linear.weight_v", "halves swapped"
    for name in ("bias", "weight_u"):
        yield f"generator.gen_z.{name}", f"linear.{name}", "channels first"
    n = 2 * len(args["g_widths"]) - 2
    places = {args["image_size"] // 2**i: n - 2 * i for i in range(n // 2)}  # behind the block that makes a side
    attending = places.get(args["attention"], n)
    for i in range(n):
        theirs = f"generator.layers.{i + (i >= attending)}"
        ours = f"blocks.{i}.block" if i == attending - 1 else f"blocks.{i}"
        yield from port_block(theirs, ours)
    for name, mine in ATTENTION:
        yield f"generator.layers.{attending}.snconv1x1_{name}", f"blocks.{attending - 1}.attention.{mine}"
    yield f"generator.layers.{attending}.gamma", f"blocks.{attending - 1}.attention.gamma", "scalar"
    yield from port_norm("generator.bn", "bn")
    yield from (("generator.bn.weight", "bn.weight"), ("generator.bn.bias", "bn.bias"))
    yield "generator.conv_to_rgb", "conv"


def port_block(theirs: str, ours: str) -> Iterator[tuple[str, ...]]:
    for k in range(4):
        yield f"{theirs}.conv_{k}", f"{ours}.conv{k + 1}"
        yield from port_norm(f"{theirs}.bn_{k}", f"{ours}.bn{k + 1}.bn")
        for name, mine in (("scale", "gain"), ("offset", "bias")):
            stem, affine = f"{theirs}.bn_{k}.{name}", f"{ours}.bn{k + 1}.affine.{mine}"
            yield f"{stem}.weight", f"{affine}.weight", "halves swapped"
            yield f"{stem}.weight_u", f"{affine}.weight_u"
            yield f"{stem}.weight_v", f"{affine}.weight_v", "halves swapped"


def port_norm(theirs: str, ours: str) -> Iterator[tuple[str, ...]]:
    for name, mine in (("means", "mean"), ("vars", "var")):
        yield f"{theirs}.running_{name}", f"{ours}.running_{mine}"
