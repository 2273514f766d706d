"""Balls, boxes and tents that hide one another: pictures with exact label and instance maps, drawn by formula.

A stand-in for streets with cars. How a thing is shaded, striped and outlined depends on where it begins and ends, so
where two of a kind touch, labels alone do not say what is to be drawn. Only +, *, min, max, abs and sqrt are used.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from ganzoo_core.data import Dataset, DatasetInfo, fingerprint, hash32
from ganzoo_pix2pixhd.maps import colours, encoded

ITEMS = {"train": 4096, "test": 256}
SIZE, THINGS, LABELS = 64, 6, 4  # label 0 is what lies behind all things
COLOURS = torch.tensor([[0.90, 0.30, 0.25], [0.25, 0.45, 0.90], [0.30, 0.70, 0.35]], device="cpu")
OUTLINE, WIDTH = 0.12, 0.05  # how bright it is, how wide where a picture is 2 wide


class Things(NamedTuple):
    """One thing of each of n scenes: its kind, centre and radius, [n, 1, 1] each, in a picture that is [-1, 1]^2."""

    kind: Tensor
    x: Tensor
    y: Tensor
    r: Tensor


def open_scenes(
    root: Path | None, variant: str, *, image_size: int | None = None, channels: int | None = None
) -> Dataset:
    """4,096 scenes, or 256 others (test): map [n, 5, H, W], labels one-hot and edges; a, the labels in colours; b."""
    return Scenes(variant or "train", image_size or SIZE, channels or 3)


class Scenes(Dataset):
    """Drawn when they are fetched; a scene is a function of its number."""

    def __init__(self, variant: str, image_size: int, channels: int) -> None:
        name = "scenes" if variant == "train" else f"scenes:{variant}"
        self.info = DatasetInfo(
            name=name, keys=frozenset({"map", "a", "b"}), image_size=image_size, channels=channels, classes=None,
            class_names=(), licence="CC0-1.0", fingerprint=fingerprint(name, 1, ITEMS[variant], image_size, channels),
        )  # fmt: skip
        rng = torch.Generator().manual_seed(hash32(0, f"scenes {variant}"))
        self.random = torch.rand(ITEMS[variant], THINGS, 4, generator=rng)  # kind, x, y, radius

    def __len__(self) -> int:
        return len(self.random)

    def fetch(self, indices: Sequence[int]) -> dict[str, Tensor]:
        labels, instances, picture = drawn(self.random[list(indices)], self.info.image_size or SIZE)
        a = colours(LABELS)[labels].movedim(-1, 1)
        pair = {"a": a, "b": 2 * picture - 1}
        if self.info.channels == 1:
            pair = {key: gray(value) for key, value in pair.items()}
        return {"map": encoded(labels, instances, LABELS), **pair}


def gray(x: Tensor) -> Tensor:
    """Luma (ITU-R 601), added up in one order, whatever the batch.  [n, 3, H, W] -> [n, 1, H, W]"""
    r, g, b = x.unbind(1)
    return (0.299 * r + 0.587 * g + 0.114 * b)[:, None]


def drawn(random: Tensor, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """Labels and instances [n, H, W], and pictures [n, 3, H, W] in [0, 1], of n scenes: [n, THINGS, 4] in [0, 1]."""
    axis = (torch.arange(size) + 0.5) * (2 / size) - 1
    x, y = axis.view(1, 1, -1), axis.view(1, -1, 1)
    labels = torch.zeros(len(random), size, size, dtype=torch.int64)
    instances, picture = labels.clone(), behind(y).expand(len(random), 3, size, size)
    for number in range(THINGS):
        kind, across, down, radius = random[:, number, :, None, None].unbind(1)
        thing = Things((kind * 3).long(), 2 * across - 1, 2 * down - 1, 0.25 + 0.25 * radius)
        depth = -outside(thing, x, y)
        there = depth > 0
        labels = torch.where(there, thing.kind + 1, labels)
        instances = torch.where(there, number + 1, instances)
        bright = torch.where(depth < WIDTH, OUTLINE, brightness(thing, x, y, depth))
        surface = COLOURS[thing.kind[:, 0, 0]][:, :, None, None] * bright[:, None]
        picture = torch.where(there[:, None], surface.clamp(0, 1), picture)
    return labels, instances, picture


def behind(y: Tensor) -> Tensor:
    """A sky: paler towards the ground.  [1, 3, H, 1]"""
    return torch.stack([0.8 + 0.1 * y, 0.85 + 0.08 * y, 0.95 + 0.0 * y], 1)


def outside(thing: Things, x: Tensor, y: Tensor) -> Tensor:
    """How far each pixel lies outside of its thing; negative within.  [n, H, W]"""
    dx, dy = x - thing.x, y - thing.y
    ball = (dx * dx + dy * dy).sqrt() - thing.r
    box = torch.maximum(dx.abs(), dy.abs()) - 0.8 * thing.r
    tent = torch.maximum(dx.abs() * 0.8660254 - dy * 0.5, dy) - 0.6 * thing.r
    return torch.where(thing.kind == 0, ball, torch.where(thing.kind == 1, box, tent))


def brightness(thing: Things, x: Tensor, y: Tensor, depth: Tensor) -> Tensor:
    """Light from the upper left; balls shine, boxes have stripes, tents a pale middle.  [n, H, W]"""
    u, v = (x - thing.x) / thing.r, (y - thing.y) / thing.r
    light = 0.95 - 0.3 * (u + v)
    shine = 0.8 * (1 - 4 * ((u + 0.35) * (u + 0.35) + (v + 0.35) * (v + 0.35))).clamp(min=0)
    stripes = 0.35 * ((u * 2.5).floor() % 2)
    middle = 0.4 * (depth > 0.3 * thing.r)
    return light + torch.where(thing.kind == 0, shine, torch.where(thing.kind == 1, stripes, middle))
