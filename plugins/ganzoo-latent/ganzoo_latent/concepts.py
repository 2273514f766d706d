"""What lies where in a picture, by colour: masks that need no other network. Soft, so that one can descend on them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping

import torch
from torch import Tensor

PLAIN = {
    "white": (1.0, 1.0, 1.0), "black": (0.0, 0.0, 0.0), "gray": (0.55, 0.55, 0.55), "red": (0.86, 0.15, 0.15),
    "orange": (0.95, 0.5, 0.1), "yellow": (0.98, 0.8, 0.2), "green": (0.13, 0.62, 0.24), "cyan": (0.1, 0.7, 0.75),
    "blue": (0.16, 0.31, 0.85), "purple": (0.55, 0.2, 0.7), "pink": (0.97, 0.6, 0.7), "brown": (0.45, 0.28, 0.12),
}  # fmt: skip
INK = {"paper": (0.0,), "ink": (1.0,)}  # of gray pictures that are light on dark, as digits are


class Segmenter(ABC):
    """Pictures [n, C, H, W] in [-1, 1] to the share of each concept in each pixel [n, K, H, W], which sum to 1.

    Whoever has a network that segments wraps it in one of these.
    """

    concepts: tuple[str, ...]

    @abstractmethod
    def __call__(self, x: Tensor) -> Tensor: ...

    def areas(self, x: Tensor) -> Tensor:
        """The share of the picture that each concept fills.  [n, K]"""
        return self(x).mean((2, 3))


class Colours(Segmenter):
    """Each pixel belongs to the nearest of some colours, given in [0, 1]; `sharpness` says how surely."""

    def __init__(self, palette: Mapping[str, tuple[float, ...]] = PLAIN, sharpness: float = 15.0) -> None:
        self.concepts, self.sharpness = tuple(palette), sharpness
        self.colours = torch.tensor(list(palette.values()))  # [K, C]

    def __call__(self, x: Tensor) -> Tensor:
        colours = self.colours.to(x)[None, :, :, None, None]
        distance = ((x[:, None] + 1) / 2 - colours).square().sum(2)  # [n, K, H, W]
        return (-self.sharpness * distance).softmax(1)


def colours_for(channels: int) -> Colours:
    return Colours(PLAIN if channels == 3 else INK)
