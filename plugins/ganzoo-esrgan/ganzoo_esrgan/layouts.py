"""How BasicSR and the first code of ESRGAN call the tensors of RRDBNet; their pictures are [0, 1] throughout, and ours
are inside."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Shapes = Mapping[str, tuple[int, ...]]
BASICSR = ("body.{}.rdb{}.conv{}", "conv_body", ("conv_up1", "conv_up2"), "conv_hr")
FIRST_CODE = ("RRDB_trunk.{}.RDB{}.conv{}", "trunk_conv", ("upconv1", "upconv2"), "HRconv")


def of_g(shapes: Shapes) -> dict[str, Any]:
    (width, folded), channels = shapes["conv_first.weight"][:2], shapes["conv_last.weight"][0]
    blocks = 1 + max(int(name.split(".")[1]) for name in shapes if ".conv1.weight" in name)
    grow = next(shape[0] for name, shape in shapes.items() if name.endswith(".conv1.weight"))
    return {"channels": channels, "width": width, "grow": grow, "blocks": blocks,
            "scale": {1: 4, 4: 2, 16: 1}[folded // channels]}  # fmt: skip


def basicsr(args: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    yield from table(args, *BASICSR)


def esrgan(args: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    yield from table(args, *FIRST_CODE)


def table(args: Mapping[str, Any], dense: str, trunk: str, up: tuple[str, str], high: str) -> Iterator[tuple[str, ...]]:
    yield "conv_first", "first"
    for i in range(args["blocks"]):
        for j in range(3):
            for k in range(5):
                yield dense.format(i, j + 1, k + 1), f"blocks.{i}.blocks.{j}.convs.{k}"
    yield from ((trunk, "trunk"), (up[0], "up.0"), (up[1], "up.1"), (high, "high"), ("conv_last", "last"))
