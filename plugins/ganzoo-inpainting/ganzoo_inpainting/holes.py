"""Views with holes as the papers cut them: boxes anywhere, and strokes of a brush. `mask` [N, 1, H, W] is 1 there."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import ClassVar

import PIL.Image
import PIL.ImageDraw
import torch
from torch import Tensor

from ganzoo_core.data import Dataset, fingerprint, hash32
from ganzoo_core.errors import GanzooError, escape

SHORTEST, LONGEST = 3 / 8, 1 / 2  # sides of a box as parts of the picture's (Iizuka et al. 2017: 96 to 128 of 256)
STROKES, CORNERS = (1, 4), (4, 8)  # of free forms, from and to: how many strokes, how many lines each has
THICK, LONG = (0.05, 0.15), (0.1, 0.3)  # of a stroke and of its lines, as parts of the picture's side
TURN = 2 * math.pi / 5  # by which a line differs from the one before, more or less


class Holes(Dataset):
    """`source` and a mask of its own for each example; in training another one each time."""

    how: ClassVar[str]

    def __init__(self, source: Dataset) -> None:
        info = source.info
        if "x" not in info.keys or not info.image_size:
            raise GanzooError(f"data {escape(info.name)}: has no pictures of one size to cut holes into")
        self.source, self.size = source, info.image_size
        self.info = replace(
            info,
            name=f"{self.how}:{info.name}",
            keys=info.keys | {"mask"},
            fingerprint=fingerprint(info.fingerprint, self.how, 1),
        )

    def __len__(self) -> int:
        return len(self.source)

    def fetch(self, indices: Sequence[int]) -> dict[str, Tensor]:
        return self.source.fetch(indices) | {"mask": self.masks(indices)}

    def fetch_augmented(self, indices: Sequence[int], augment_seeds: Sequence[int]) -> dict[str, Tensor]:
        return self.source.fetch_augmented(indices, augment_seeds) | {"mask": self.masks(augment_seeds)}

    def masks(self, seeds: Sequence[int]) -> Tensor:
        return torch.stack(
            [self.mask(torch.Generator().manual_seed(hash32(0, f"hole {self.how}", seed))) for seed in seeds]
        )

    @abstractmethod
    def mask(self, rng: torch.Generator) -> Tensor:
        """One hole.  [1, size, size]"""


class Boxes(Holes):
    """One box in each picture, its sides 3/8 to 1/2 of the picture's, anywhere."""

    how = "boxes"

    def mask(self, rng: torch.Generator) -> Tensor:
        tall, wide, down, right = torch.rand(4, generator=rng).tolist()
        h, w = (round(self.size * (SHORTEST + (LONGEST - SHORTEST) * u)) for u in (tall, wide))
        top, left = (round((self.size - side) * u) for side, u in ((h, down), (w, right)))
        hole = torch.zeros(1, self.size, self.size)
        hole[:, top : top + h, left : left + w] = 1
        return hole


class FreeForms(Holes):
    """Strokes of a round brush, each a few lines that turn to and fro (Yu et al. 2019, Sec. 3.5)."""

    how = "free_form"

    def mask(self, rng: torch.Generator) -> Tensor:
        sheet = PIL.Image.new("1", (self.size, self.size))
        pen = PIL.ImageDraw.Draw(sheet)
        for _ in range(whole(STROKES, rng)):
            self.stroke(pen, rng)
        return torch.tensor([*sheet.convert("L").tobytes()]).view(1, self.size, self.size).gt(0).float()

    def stroke(self, pen: PIL.ImageDraw.ImageDraw, rng: torch.Generator) -> None:
        width = max(1, round(self.size * between(THICK, rng)))
        x, y = (self.size * between((0, 1), rng) for _ in range(2))
        for i in range(whole(CORNERS, rng)):
            angle = TURN * between((0.6, 1.4), rng) + (math.pi if i % 2 else 0.0)
            length = self.size * between(LONG, rng)
            to = (x + length * math.sin(angle), y + length * math.cos(angle))
            pen.line([(x, y), to], fill=1, width=width)
            x, y = (min(max(at, 0.0), float(self.size)) for at in to)
            pen.ellipse([x - width / 2, y - width / 2, x + width / 2, y + width / 2], fill=1)


def between(ends: tuple[float, float], rng: torch.Generator) -> float:
    """A number from one end to the other."""
    return ends[0] + (ends[1] - ends[0]) * float(torch.rand((), generator=rng))


def whole(ends: tuple[int, int], rng: torch.Generator) -> int:
    """A whole number from one end to the other, both among them."""
    return int(torch.randint(ends[0], ends[1] + 1, (), generator=rng))
