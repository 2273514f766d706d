"""How the authors' code keeps a trained SinGAN: a network file for each scale, and three lists beside them.

N/netG.pth and N/netD.pth are the networks of scale N, 0 the coarsest; reals.pth is the picture at every scale,
NoiseAmp.pth the amplitudes, Zs.pth the fixed noise. Gs.pth and Ds.pth hold pickled modules, and nothing more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from ganzoo_singan.networks import Patches, Scale
from ganzoo_singan.pyramid import count, sizes

Files = Mapping[str, Tensor]  # by FILE/NAME
FACTOR = 0.75  # that the authors aim at, unless they were told otherwise
PER_DOUBLING = 4  # scales


def of_g(files: Files) -> dict[str, Any]:
    """Arguments, where all scales are there and have the sizes that ours have."""
    pictures = scales(files)
    (_, channels, height, width), coarsest = pictures[-1].shape, min(pictures[0].shape[2:])
    blocks = [name for name in files if name.startswith("0/netG.pth/body") and name.endswith(".conv.weight")]
    shorter, top = min(height, width), len(pictures) - 1
    factor = FACTOR if count(shorter, coarsest, FACTOR) == top + 1 else (coarsest / shorter) ** (1 / max(1, top - 1))
    theirs = [tuple(picture.shape[2:]) for picture in pictures]
    if sizes((height, width), coarsest, factor, (height, width)) != theirs:
        raise ValueError(f"its scales have sizes {theirs}, which are no pyramid of ours")
    return {
        "longest_side": max(height, width), "channels": channels, "coarsest": coarsest, "factor": factor,
        "width": len(files["0/netG.pth/head.conv.weight"]), "layers": len(blocks) + 2,
        "widest": max(len(files[f"{n}/netG.pth/head.conv.weight"]) for n in range(top + 1)),
        "double_every": PER_DOUBLING,
    }  # fmt: skip


def g(args: Mapping[str, Any], files: Files) -> Iterator[tuple[str, str, Tensor]]:
    """All scales of G, and what it knows of the picture."""
    pictures = scales(files)
    amp = torch.ones(all_scales(args))
    amp[: len(pictures)] = torch.stack([files[f"NoiseAmp.pth/{n}"].reshape(()) for n in range(len(pictures))])
    yield "NoiseAmp.pth", "amp", amp
    yield "reals.pth", "size", torch.tensor(pictures[-1].shape[2:])
    yield "reals.pth", "depth", torch.tensor(len(pictures) - 1)
    yield "Zs.pth/0", "z_star", fixed_noise(files["Zs.pth/0"], args)
    yield from networks(files, "netG.pth", "tail.0", args, Scale)


def d(args: Mapping[str, Any], files: Files) -> Iterator[tuple[str, str, Tensor]]:
    """The critics of all scales."""
    yield from networks(files, "netD.pth", "tail", args, Patches)


def networks(
    files: Files, file: str, tail: str, args: Mapping[str, Any], net: type[Scale] | type[Patches]
) -> Iterator[tuple[str, str, Tensor]]:
    """The network of every scale. Those that only a square picture would have keep zeros: this one never gets there."""
    there = len(scales(files))
    for n in range(all_scales(args)):
        width = min(args["width"] * 2 ** (n // args["double_every"]), args["widest"])
        for ours, tensor in net(args["channels"], width, args["layers"]).state_dict().items():
            theirs = f"{n}/{file}/{named(ours, tail)}"
            yield (theirs, f"nets.{n}.{ours}", files[theirs]) if n < there else ("", f"nets.{n}.{ours}", 0 * tensor)


def named(ours: str, tail: str) -> str:
    """body.0.1.weight -> head.norm.weight, body.2.0.bias -> body.block2.conv.bias; the last layer is their tail."""
    part, *more, last = ours.split(".")
    if part == "tail":
        return f"{tail}.{last}"
    block, layer = more
    return ("head" if block == "0" else f"body.block{block}") + (".conv." if layer == "0" else ".norm.") + last


def all_scales(args: Mapping[str, Any]) -> int:
    """How many networks ours has."""
    return count(args["longest_side"], args["coarsest"], args["factor"])


def fixed_noise(z: Tensor, args: Mapping[str, Any]) -> Tensor:
    """[1, C, h + 2p, w + 2p], one map for all channels within a border of p -> flat, as long as ours."""
    p = args["layers"]
    inner = z[0, 0, p:-p, p:-p].flatten()
    made = inner.new_zeros(args["coarsest"] * args["longest_side"])
    made[: len(inner)] = inner
    return made


def scales(files: Files) -> list[Tensor]:
    """The picture at every scale that has a network, coarsest first.  [1, C, h, w]"""
    found: list[Tensor] = []
    while f"{len(found)}/netG.pth/head.conv.weight" in files:
        found.append(files[f"reals.pth/{len(found)}"])
    if not found or any(picture.ndim != 4 for picture in found):
        raise KeyError("0/netG.pth")
    return found
