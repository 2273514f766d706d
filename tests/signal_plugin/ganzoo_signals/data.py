"""Data under a key of their own: oscillations, and noise in their form."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganzoo_core.data import Dataset, DatasetInfo, Tensors, fingerprint

COUNT, LENGTH = 512, 64


def oscillations(root: Path | None, variant: str, **options: Any) -> Dataset:
    """signal [n, 1, 64]: 1 to 8 oscillations of any phase, of amplitude 0.5 to 1."""
    rng = torch.Generator().manual_seed(0)
    pitch, phase, loud = torch.rand(3, COUNT, 1, 1, generator=rng)
    t = torch.arange(LENGTH) / LENGTH
    signal = (0.5 + 0.5 * loud) * torch.sin(2 * math.pi * ((1 + 7 * pitch) * t + phase))
    info = DatasetInfo(
        name="oscillations",
        keys=frozenset({"signal"}),
        image_size=None,
        channels=None,
        classes=None,
        class_names=(),
        licence="CC0-1.0",
        fingerprint=fingerprint("oscillations", COUNT, LENGTH),
    )
    return Tensors(info, {}, {"signal": signal})


def noise(n: int, facts: Mapping[str, Any], rng: torch.Generator) -> Tensor:
    """[n, C, L] in [-1, 1]"""
    return 2 * torch.rand(n, facts.get("curves", 1), facts.get("length", LENGTH), generator=rng) - 1
