"""Upright strokes that lean one way or the other, as pictures and in MNIST's files: digits without a download."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor


def bars(leans: Sequence[int]) -> Tensor:
    """Strokes 4 pixels wide, the top moved to the right by `leans`, the foot to the left.  uint8 [n, 28, 28]"""
    pictures = torch.zeros(len(leans), 28, 28, dtype=torch.uint8)
    for picture, lean in zip(pictures, leans, strict=True):
        for row in range(4, 24):
            left = 12 + round(lean * (14 - row) / 20)
            picture[row, left : left + 4] = 255
    return pictures


def as_floats(pixels: Tensor) -> Tensor:
    """[n, 1, 28, 28] in [-1, 1]."""
    return pixels[:, None] / 127.5 - 1


def write_mnist(root: Path, n: int = 40) -> Path:
    """n bars, every other leaning to the right, labels 0 ... 9 in turn, in both of MNIST's parts; a data root."""
    (root / "mnist").mkdir()
    pixels = bars([8, -8] * (n // 2)).numpy().tobytes()
    files = {
        "images-idx3": struct.pack(">4i", 2051, n, 28, 28) + pixels,
        "labels-idx1": struct.pack(">2i", 2049, n) + bytes(i % 10 for i in range(n)),
    }
    for part in ("train", "t10k"):
        for kind, data in files.items():
            (root / "mnist" / f"{part}-{kind}-ubyte.gz").write_bytes(gzip.compress(data))
    return root
