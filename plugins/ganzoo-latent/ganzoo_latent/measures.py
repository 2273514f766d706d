"""What can be measured of a picture without knowing what it shows: how much ink, where, how it leans, which colours."""

from __future__ import annotations

from collections.abc import Callable

import torch
from ganzoo_metrics.extractors import Extractor, load_extractor
from torch import Tensor

from ganzoo_core.errors import GanzooError, UnknownNameError

Measure = Callable[[Tensor], Tensor]  # pictures [n, C, H, W] in [-1, 1] -> [n]


def ink(x: Tensor) -> Tensor:
    """How far each pixel is from the colour of the border, from 0 to 1.  [n, H, W]"""
    edge = torch.cat([x[:, :, 0], x[:, :, -1], x[:, :, :, 0], x[:, :, :, -1]], 2).median(2).values
    return (x - edge[:, :, None, None]).abs().mean(1) / 2


def moments(x: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Of the ink: mean column and row, variances and covariance, in shares of the side.  Each [n]"""
    mass = ink(x) + 1e-6
    mass = mass / mass.sum((1, 2), keepdim=True)
    rows, columns = (torch.linspace(0, 1, side, device=x.device) for side in x.shape[2:])
    mx, my = (mass.sum(1) * columns).sum(1), (mass.sum(2) * rows).sum(1)
    dx, dy = columns - mx[:, None], rows - my[:, None]  # [n, W], [n, H]
    vx, vy = (mass.sum(1) * dx.square()).sum(1), (mass.sum(2) * dy.square()).sum(1)
    return mx, my, vx, vy, (mass * dy[:, :, None] * dx[:, None]).sum((1, 2))


def area(x: Tensor) -> Tensor:
    """The share of the picture that is inked."""
    return ink(x).mean((1, 2))


def across(x: Tensor) -> Tensor:
    """Where the ink is, from left (0) to right (1)."""
    return moments(x)[0]


def down(x: Tensor) -> Tensor:
    """From top (0) to bottom (1)."""
    return moments(x)[1]


def width(x: Tensor) -> Tensor:
    """The deviation of the ink from its middle, sideways."""
    return moments(x)[2].sqrt()


def height(x: Tensor) -> Tensor:
    return moments(x)[3].sqrt()


def slant(x: Tensor) -> Tensor:
    """How many columns the ink leans to the right for each row upwards."""
    _, _, _, vy, c = moments(x)
    return -c / vy


def brightness(x: Tensor) -> Tensor:
    return x.mean((1, 2, 3))


def hue(channel: int) -> Measure:
    """How much more there is of one colour than of all."""
    return lambda x: x[:, channel].mean((1, 2)) - x.mean((1, 2, 3))


SHAPES: dict[str, Measure] = {
    "area": area, "across": across, "down": down, "width": width, "height": height, "slant": slant,
    "brightness": brightness,
}  # fmt: skip
COLOURS: dict[str, Measure] = {"red": hue(0), "green": hue(1), "blue": hue(2)}


def measures(channels: int, extractor: str = "") -> dict[str, Measure]:
    """All that can be measured of pictures of so many channels; with an extractor, how surely each of its classes."""
    found = SHAPES | (COLOURS if channels == 3 else {})
    if not extractor:
        return found
    looking = load_extractor(extractor)
    if not looking.classes:
        raise GanzooError(f"{extractor}: names no classes", "Choose another --extractor.")
    return found | {name: certainty(looking, i) for i, name in enumerate(looking.classes)}


def certainty(looking: Extractor, i: int) -> Measure:
    """log p_i of an extractor's classes."""

    def measure(x: Tensor) -> Tensor:
        return looking.logits(looking.prepared(x)).log_softmax(1)[:, i]

    return measure


def one(name: str, known: dict[str, Measure]) -> Measure:
    """Errors: UnknownNameError."""
    if name not in known:
        raise UnknownNameError("measure", name, known)
    return known[name]
