"""Moving MNIST (Srivastava et al. 2015, arXiv:1502.04681): handwritten digits that move straight on and bounce off.

Made of MNIST when it is fetched: a clip is a function of its index alone. Digits of 28 px move on a square of 64 px by
whole pixels; where they overlap the lighter one is seen. What moved where is known, and served as `flow`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import avg_pool2d, interpolate

from ganzoo_core.data.dataset import Dataset, DatasetInfo, fingerprint
from ganzoo_core.data.pixels import to_channels, to_float, to_size
from ganzoo_core.data.sets.idx import open_mnist
from ganzoo_core.seeds import hash32

CLIPS: Mapping[str, int] = {"train": 10_000, "test": 1_000}
SIDE, DIGIT, FRAMES = 64, 28, 20
ROOM = SIDE - DIGIT  # where a digit's corner may be: 0 ... ROOM
SLOWEST, FASTEST = 2.0, 4.0  # pixels a frame


def open_moving_mnist(
    root: Path | None, variant: str, *, image_size: int | None = None, channels: int | None = None
) -> Dataset:
    """video [n, 20, C, size, size], 64 px and gray unless asked, and flow [n, 19, 2, size, size].

    Two digits of the training set, 10,000 clips; "test": of the test set, 1,000. "one" and "one_test": a single digit,
    and label [n], which it is.
    """
    part = "test" if variant.endswith("test") else "train"
    digits = 1 if variant.startswith("one") else 2
    return MovingMNIST(open_mnist(root, part), part, digits, image_size or SIDE, channels or 1)


class MovingMNIST(Dataset):
    """Drawn when they are fetched; clip i is a function of i and of the digits."""

    def __init__(self, source: Dataset, part: str, digits: int, image_size: int, channels: int) -> None:
        table = source.fetch(range(len(source)))
        self.pixels = ((table["x"][:, 0] + 1) * 127.5).round().to(torch.uint8).numpy()  # [N, 28, 28]
        self.labels = table["label"]
        names = ("one", "one_test") if digits == 1 else ("", "test")
        self.variant, self.digits = names[part == "test"], digits
        name = ":".join(filter(None, ["moving_mnist", self.variant]))
        self.info = DatasetInfo(
            name=name,
            keys=frozenset({"video", "flow", *(["label"] if digits == 1 else [])}),
            image_size=image_size,
            channels=channels,
            classes=source.info.classes if digits == 1 else None,
            class_names=source.info.class_names if digits == 1 else (),
            licence=source.info.licence,
            fingerprint=fingerprint(source.info.fingerprint, name, 1, image_size, channels),  # 1: of these formulas
        )
        drawn = np.random.Generator(np.random.PCG64(hash32(0, name)))
        shape = (CLIPS[part], digits)
        self.which = drawn.integers(len(self.pixels), size=shape)
        angle, speed = drawn.uniform(0, 2 * np.pi, shape), drawn.uniform(SLOWEST, FASTEST, shape)
        self.start = drawn.uniform(0, ROOM, (*shape, 2))
        self.velocity = np.stack([np.cos(angle), np.sin(angle)], -1) * speed[..., None]  # x, y

    def __len__(self) -> int:
        return len(self.which)

    def fetch(self, indices: Sequence[int]) -> dict[str, Tensor]:
        at = np.asarray(indices, dtype=np.int64)
        corners = self.corners(at)
        video, above = self.drawn(at, corners)
        pixels = to_size(torch.from_numpy(video)[:, :, None], self.info.image_size or SIDE)
        batch = {
            "video": to_float(to_channels(pixels, self.info.channels or 1)),
            "flow": resized(self.flow(corners, above), self.info.image_size or SIDE),
        }
        return batch | ({"label": self.labels[self.which[at, 0]]} if self.digits == 1 else {})

    def corners(self, at: NDArray[np.int64]) -> NDArray[np.int64]:
        """Where the digits' upper left corners are, x and y, in whole pixels: [n, T, K, 2]."""
        way = self.start[at, None] + self.velocity[at, None] * np.arange(FRAMES)[None, :, None, None]
        folded = np.mod(way, 2 * ROOM)  # there and back again
        corners: NDArray[np.int64] = np.rint(np.minimum(folded, 2 * ROOM - folded)).astype(np.int64)
        return corners

    def drawn(self, at: NDArray[np.int64], corners: NDArray[np.int64]) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Pixels [n, T, 64, 64], and which digit is seen there (-1: none)."""
        video = np.zeros((*corners.shape[:2], SIDE, SIDE), np.uint8)
        above = np.full(video.shape, -1, np.int64)
        for i, t, k in np.ndindex(*corners.shape[:3]):
            x, y = corners[i, t, k]
            here = (i, t, slice(y, y + DIGIT), slice(x, x + DIGIT))
            digit = self.pixels[self.which[at[i], k]]
            above[here][digit > video[here]] = k
            np.maximum(video[here], digit, out=video[here])
        return video, above

    def flow(self, corners: NDArray[np.int64], above: NDArray[np.int64]) -> Tensor:
        """From each pixel of frame t + 1 to where what is seen there was in frame t, x and y: [n, T - 1, 2, 64, 64]."""
        back = (corners[:, :-1] - corners[:, 1:]).astype(np.float32)  # [n, T - 1, K, 2]
        flow = np.zeros((*back.shape[:2], 2, SIDE, SIDE), np.float32)
        for k in range(self.digits):
            seen = (above[:, 1:] == k)[:, :, None]
            flow = np.where(seen, back[:, :, k, :, None, None], flow)
        return torch.from_numpy(flow)


def resized(flow: Tensor, size: int) -> Tensor:
    """Flow [n, T, 2, H, W] on another grid, in its pixels."""
    if size == flow.shape[-1]:
        return flow
    n, side = len(flow), flow.shape[-1]
    flat = flow.flatten(0, 1) * (size / side)
    smaller = avg_pool2d(flat, side // size) if side % size == 0 else interpolate(flat, (size, size), mode="bilinear")
    return smaller.unflatten(0, (n, -1))  # type: ignore[no-untyped-call, no-any-return]
