"""A photograph of the back of an eye, in parts: a medical picture that anybody may use."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
import torch
from torch import Tensor

from ganzoo_core.data import Dataset, DatasetInfo, fingerprint, hash32, is_file, missing, search_roots
from ganzoo_core.errors import GanzooError, escape

FILE = "single_images/retina.jpg"
SHRUNK = 2  # its sides are divided by
TRAINED = 0.6  # of its height, from the top
ITEMS = 1024  # parts that an epoch of training counts
DARK = 24  # levels: the frame around the eye; parts that show it are left out of the test
SIDE = 64


def open_retina(
    root: Path | None, variant: str, *, image_size: int | None = None, channels: int | None = None, **_: Any
) -> Dataset:
    """x [n, C, size, size], 64 px and RGB unless asked: parts of the upper three fifths, turned in training.

    "test": what lies side by side below them and shows no frame.
    """
    side, channels = image_size or SIDE, channels or 3
    pixels = photograph(root, channels)
    border = int(pixels.shape[1] * TRAINED)
    test, train = pixels[:, border:], pixels[:, :border]
    part, places = (test, tiles) if variant == "test" else (train, scattered)
    if min(part.shape[1:]) < side:
        raise GanzooError(f"data set retina: has no parts of {side} px", f"Ask for {SIDE} px.")
    return Parts("retina:test" if variant == "test" else "retina", part, places(part, side), side)


def photograph(root: Path | None, channels: int) -> Tensor:
    """uint8 [C, H, W], at half its size."""
    path = next((place / FILE for place in search_roots(root) if is_file(place / FILE)), None)
    if path is None:
        raise missing("retina", root, [FILE])
    try:
        with PIL.Image.open(path) as file:
            image = file.convert("L" if channels == 1 else "RGB").reduce(SHRUNK)
    except OSError as fault:
        raise GanzooError(f"{escape(path)}: is damaged: {escape(fault, 80)}", "Fetch it again.") from None
    return torch.from_numpy(np.array(image)).reshape(image.height, image.width, -1).permute(2, 0, 1).contiguous()


def whole(part: Tensor) -> bool:
    """Whether a part shows the eye alone, and no frame."""
    return bool((part.float().mean(0) > DARK).float().mean() > 0.99)


def scattered(pixels: Tensor, side: int) -> list[tuple[int, int]]:
    """Corners of parts anywhere that show no frame."""
    found, i = list[tuple[int, int]](), 0
    while len(found) < ITEMS and i < 50 * ITEMS:
        top, left = (hash32(0, "retina", axis, i) % (pixels.shape[axis] - side + 1) for axis in (1, 2))
        i += 1
        if whole(pixels[:, top : top + side, left : left + side]):
            found.append((top, left))
    return found


def tiles(pixels: Tensor, side: int) -> list[tuple[int, int]]:
    """Corners of parts side by side that show no frame."""
    at = ((top, left) for top in range(0, pixels.shape[1] - side + 1, side)
          for left in range(0, pixels.shape[2] - side + 1, side))  # fmt: skip
    return [(top, left) for top, left in at if whole(pixels[:, top : top + side, left : left + side])]


class Parts(Dataset):
    """Squares of one picture, by their corners; in training each is turned or mirrored, in one of eight ways."""

    def __init__(self, name: str, pixels: Tensor, corners: Sequence[tuple[int, int]], side: int) -> None:
        if not corners:
            raise GanzooError(f"data set {name}: has no parts of {side} px without a frame", f"Ask for {SIDE} px.")
        self.pixels, self.corners, self.side = pixels, corners, side
        self.info = DatasetInfo(
            name=name, keys=frozenset({"x"}), image_size=side, channels=len(pixels), classes=None, class_names=(),
            licence="CC0-1.0", fingerprint=fingerprint(name, pixels, list(corners), side),
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.corners)

    def part(self, index: int) -> Tensor:
        top, left = self.corners[index]
        return self.pixels[:, top : top + self.side, left : left + self.side].float() / 127.5 - 1

    def fetch(self, indices: Sequence[int]) -> dict[str, Tensor]:
        return {"x": torch.stack([self.part(i) for i in indices])}

    def fetch_augmented(self, indices: Sequence[int], augment_seeds: Sequence[int]) -> dict[str, Tensor]:
        return {"x": torch.stack([turned(self.part(i), seed) for i, seed in zip(indices, augment_seeds, strict=True)])}


def turned(picture: Tensor, augment_seed: int) -> Tensor:
    view = hash32(augment_seed, "view") % 8
    return torch.rot90(picture.flip(-1) if view >= 4 else picture, view % 4, (1, 2))
