"""Coloured shapes drawn by formula: labels, captions, pairs and motion, so that every task has a test offline.

Only +, *, max, abs and sqrt are used to draw, so an item's bits depend neither on its batch nor on the machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganzoo_core.data.dataset import Dataset, DatasetInfo, fingerprint
from ganzoo_core.data.pixels import taken, to_channels, to_float
from ganzoo_core.seeds import hash32

ITEMS, SIZE, FRAMES, TEXT_BYTES = 4096, 32, 8, 48
STROKE = 0.05  # half an outline's width, where a picture is 2 wide
SHAPES = ("circle", "square", "triangle", "star")
COLOURS = {
    "red": (0.86, 0.15, 0.15),
    "green": (0.13, 0.62, 0.24),
    "blue": (0.16, 0.31, 0.85),
    "yellow": (0.92, 0.75, 0.10),
    "purple": (0.55, 0.20, 0.70),
    "cyan": (0.10, 0.70, 0.75),
}
Plane = NDArray[Any]  # float32 [n, H, W], or what broadcasts to it
KEYS = {"": ("x", "label"), "captions": ("x", "text", "label"), "pairs": ("a", "b"), "motion": ("video", "x")}


def open_shapes(
    root: Path | None, variant: str, *, image_size: int | None = None, channels: int | None = None
) -> Dataset:
    """4,096 shapes on white. "": x, label (the shape). "captions": and text [n, 48], zero-padded ASCII.
    "pairs": a (outline), b (filled). "motion": video [n, 8, C, H, W], and x, its first frame."""
    return Shapes(variant, image_size or SIZE, channels or 3)


class Shapes(Dataset):
    """Drawn when they are fetched; an item is a function of its index."""

    def __init__(self, variant: str, image_size: int, channels: int) -> None:
        keys = KEYS[variant]
        name = f"shapes:{variant}" if variant else "shapes"
        labelled = "label" in keys
        self.variant = variant
        self.info = DatasetInfo(
            name=name,
            keys=frozenset(keys),
            image_size=image_size,
            channels=channels,
            classes=len(SHAPES) if labelled else None,
            class_names=SHAPES if labelled else (),
            licence="CC0-1.0",
            fingerprint=fingerprint(name, 1, ITEMS, image_size, channels),  # 1: the version of these formulas
        )
        generator = torch.Generator().manual_seed(hash32(0, "shapes"))
        self.random = torch.rand(ITEMS, 5, generator=generator).numpy()  # radius, centre x y, velocity x y
        self.text = _padded(self.captions()) if "text" in keys else None

    def __len__(self) -> int:
        return ITEMS

    def fetch(self, indices: Sequence[int]) -> dict[str, Tensor]:
        at = np.asarray(indices, dtype=np.int64)
        if self.variant == "pairs":
            return {"a": self._drawn(at, outline=True), "b": self._drawn(at)}
        if self.variant == "motion":
            video = torch.stack([self._drawn(at, time=t / (FRAMES - 1)) for t in range(FRAMES)], 1)
            return {"video": video, "x": video[:, 0].clone()}
        batch = {"x": self._drawn(at), "label": torch.from_numpy(at % len(SHAPES))}
        return batch if self.text is None else batch | {"text": taken(self.text, torch.from_numpy(at))}

    def captions(self) -> list[str]:
        """Of all items, e.g. `a small red circle at the top left`; `text` holds their bytes."""
        colours = tuple(COLOURS)
        captions = []
        for index, (radius, x, y, *_) in enumerate(self.random.tolist()):
            size = "small" if radius < 0.5 else "large"
            place = f"{'top' if y < 0.5 else 'bottom'} {'left' if x < 0.5 else 'right'}"
            colour, shape = colours[index // len(SHAPES) % len(colours)], SHAPES[index % len(SHAPES)]
            captions.append(f"a {size} {colour} {shape} at the {place}")
        return captions

    def _drawn(self, at: NDArray[np.int64], *, outline: bool = False, time: float = 0.0) -> Tensor:
        """[n, C, size, size] at the moment `time` in [0, 1]."""
        size = self.info.image_size or SIZE
        distance = _distances(*self._geometry(at, time), at % len(SHAPES), size)
        if outline:
            distance = np.abs(distance + STROKE) - STROKE
        cover = np.clip(0.5 - distance * (size / 2), 0, 1)[:, None]  # antialiased over one pixel
        colour = np.array(list(COLOURS.values()), dtype=np.float32)[at // len(SHAPES) % len(COLOURS), :, None, None]
        pixels = torch.from_numpy(np.rint(cover * (colour * 255 - 255) + 255).astype(np.uint8))
        return to_float(to_channels(pixels, self.info.channels or 3))

    def _geometry(self, at: NDArray[np.int64], time: float) -> tuple[Plane, Plane]:
        """Centre [n, 2] and radius [n] in a picture that is [-1, 1] squared; it moves by up to 1 and bounces."""
        random = self.random[at]
        radius = 0.25 + 0.25 * random[:, 0]
        room = 1 - radius[:, None]
        centre = (2 * random[:, 1:3] - 1) * room + (2 * random[:, 3:5] - 1) * time
        return np.where(np.abs(centre) > room, np.sign(centre) * 2 * room - centre, centre), radius


def _distances(centre: Plane, radius: Plane, shape: NDArray[np.int64], size: int) -> Plane:
    """How far [n, size, size] each pixel lies outside of its item's shape (negative within)."""
    axis = (np.arange(size, dtype=np.float32) + 0.5) * (2 / size) - 1
    distances = np.empty((len(shape), size, size), dtype=np.float32)
    for kind, distance in enumerate((_circle, _square, _triangle, _star)):
        these = shape == kind
        x = axis[None, None, :] - centre[these, 0, None, None]
        y = axis[None, :, None] - centre[these, 1, None, None]
        distances[these] = distance(x, y, radius[these, None, None])
    return distances


def _circle(x: Plane, y: Plane, radius: Plane) -> Plane:
    return np.asarray(np.sqrt(x * x + y * y) - radius)


def _square(x: Plane, y: Plane, radius: Plane) -> Plane:
    return np.maximum(np.abs(x), np.abs(y)) - radius * 0.8


def _triangle(x: Plane, y: Plane, radius: Plane) -> Plane:
    return np.maximum(np.abs(x) * 0.8660254 - y * 0.5, y) - radius * 0.5


def _star(x: Plane, y: Plane, radius: Plane) -> Plane:
    """Five points: the plane is folded onto one half of one point by reflections, which is bounded by a line."""
    x, y = np.abs(x), -y
    for u, v in ((0.809016994, -0.587785252), (-0.809016994, -0.587785252)):
        over = 2 * np.maximum(u * x + v * y, 0)
        x, y = x - over * u, y - over * v
    # the edge from the tip (0, r) to the notch 0.4 r (sin 36, cos 36): its outward normal, of length 1
    across, along = 1 - 0.4 * 0.809016994, 0.4 * 0.587785252
    length = (across * across + along * along) ** 0.5
    return np.asarray((np.abs(x) * across + (y - radius) * along) / length)


def _padded(texts: list[str]) -> Tensor:
    """uint8 [N, TEXT_BYTES], zero-padded."""
    joined = b"".join(text.encode().ljust(TEXT_BYTES, b"\0") for text in texts)
    return torch.tensor(list(joined), dtype=torch.uint8).view(len(texts), TEXT_BYTES)
