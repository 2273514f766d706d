"""Solids of one's own: a folder of .npy and .binvox, or one such file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import adaptive_max_pool3d, interpolate

from ganzoo_core.data import DatasetInfo, Tensors, fingerprint, read_array
from ganzoo_core.errors import GanzooError, escape

SUFFIXES = (".npy", ".binvox")
LARGEST = 512  # cells a side
HALF = 0.5  # from here on a cell is filled


def open_voxels(path: str, options: Mapping[str, Any]) -> Tensors:
    """voxels [n, 1, side, side, side], as many cells a side as they have, or as are asked for. Errors: GanzooError."""
    place = Path(path).expanduser()
    files = sorted(f for f in place.rglob("*") if f.suffix.lower() in SUFFIXES) if place.is_dir() else [place]
    if not files or not place.exists():
        raise GanzooError(f"data {escape(path)!r}: has no {' or '.join(SUFFIXES)}", "Give voxels:FOLDER.")
    solids = [(file, solid) for file in files for solid in read(file)]
    side = options.get("image_size") or solids[0][1].shape[-1]
    voxels = torch.stack([resized(solid, side) for _, solid in solids])
    name = f"voxels:{place.name}"
    info = DatasetInfo(
        name=name, keys=frozenset({"voxels"}), image_size=side, channels=None, classes=None, class_names=(),
        licence="", fingerprint=fingerprint("voxels", voxels),
    )  # fmt: skip
    return Voxels(info, {}, {"voxels": voxels})


class Voxels(Tensors):
    """Kept as bytes, a cell each."""

    def fetch(self, indices: Any) -> dict[str, Tensor]:
        return {key: value.float() for key, value in super().fetch(indices).items()}

    def describe(self) -> str:
        return f"{escape(self.info.name)}: {len(self):,} solids, {self.info.image_size} cells a side"


def read(path: Path) -> Tensor:
    """bool [n, X, Y, Z], cubes. Errors: GanzooError for what is none."""
    found = binvox(path) if path.suffix.lower() == ".binvox" else read_array(path, "a file of voxels") >= HALF
    cubes = found[None] if found.ndim == 3 else found.squeeze(1) if found.ndim == 5 else found
    if cubes.ndim != 4 or len(set(cubes.shape[1:])) != 1 or not 1 <= cubes.shape[-1] <= LARGEST or not len(cubes):
        what = f"{escape(path)}: of shape {list(found.shape)}, not [side, side, side] or [n, side, side, side]"
        raise GanzooError(what, f"Give cubes of at most {LARGEST} cells a side.")
    return cubes


def resized(solid: Tensor, side: int) -> Tensor:
    """uint8 [1, side, side, side] of bool [X, Y, Z]: a cell is filled where one of those that it takes in was."""
    if solid.shape[-1] == side:
        return solid[None].byte()
    x = solid[None, None].float()
    small = solid.shape[-1] > side
    return (adaptive_max_pool3d(x, side) if small else interpolate(x, (side,) * 3))[0].byte()


def binvox(path: Path) -> Tensor:
    """bool [x, z, y] of a file of binvox (Min), whose y is upward: bytes in pairs, a value and how often it comes."""
    try:
        head, _, body = path.read_bytes().partition(b"\ndata\n")
    except OSError as fault:
        raise GanzooError(f"{escape(path)}: cannot be read: {fault.strerror}") from None
    words = dict(line.split(b" ", 1) for line in head.splitlines() if b" " in line)
    try:
        sides = [int(word) for word in words[b"dim"].split()]
        values, times = np.frombuffer(body, np.uint8).reshape(-1, 2).T
        if not head.startswith(b"#binvox") or len(sides) != 3 or times.sum() != np.prod(sides) or max(sides) > LARGEST:
            raise ValueError
    except (KeyError, ValueError):
        raise GanzooError(f"{escape(path)}: is no file of binvox", "Give .npy or .binvox.") from None
    return torch.from_numpy(np.repeat(values, times).reshape(sides) > 0)
