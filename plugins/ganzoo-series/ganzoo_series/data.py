"""Series to learn from: sines, tunes by rule, anybody's table, the rows of pictures; and noise in their form."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganzoo_core.data import Dataset, DatasetInfo, Tensors, fingerprint, hash32
from ganzoo_core.errors import GanzooError, escape
from ganzoo_series import midi, tables

STEPS = 24  # of the published sines
VERSION = 1  # of what is drawn


class Series(Tensors):
    """Series [N, T, C] under `key`: recipes take their length and their width from here."""

    def __init__(self, name: str, licence: str, key: str, values: Tensor, *parts: object) -> None:
        info = DatasetInfo(
            name=name, keys=frozenset({key}), image_size=None, channels=None, classes=None, class_names=(),
            licence=licence, fingerprint=fingerprint(name, values, *parts),
        )  # fmt: skip
        super().__init__(info, {}, {key: values})
        self.shape = values.shape[1:]

    def facts(self) -> Mapping[str, Any]:
        length, features = self.shape
        return {**super().facts(), "length": length, "features": features}


# Drawn by formula


def open_sines(root: Path | None, variant: str, **options: Any) -> Dataset:
    """series [10,000, 24, 5]: sin(f t + p) in each column, f and p ~ U(0, 0.1), as TimeGAN's code draws them.

    "waves" [10,000, 30, 1]: a sin(2 pi f t / T + p), f ~ U(1, 5), a ~ U(0.1, 0.9), p ~ U(-pi, pi), as RCGAN's. With
    "test": others of the same law.
    """
    name = f"sines:{variant}" if variant not in ("", "train") else "sines"
    rng = torch.Generator().manual_seed(hash32(0, name))
    if variant.startswith("waves"):
        f, p, a = torch.rand(3, 10_000, 1, 1, generator=rng)
        t = torch.arange(30)[:, None] / 30
        x = (0.1 + 0.8 * a) * torch.sin(2 * math.pi * (1 + 4 * f) * t + math.pi * (2 * p - 1))
    else:
        f, p = torch.rand(2, 10_000, 1, 5, generator=rng) / 10
        x = torch.sin(f * torch.arange(STEPS)[:, None] + p)
    return Series(name, "CC0-1.0", "series", x, VERSION)


SCALE = (0, 2, 4, 7, 9)  # of five tones
NOTES = 16  # of a tune
RHYTHMS = ((1.0,), (0.5, 0.5), (0.5, 0.25, 0.25), (0.75, 0.25))  # of a beat


def open_tunes(root: Path | None, variant: str, **options: Any) -> Dataset:
    """notes [4,000, 16, 4]: walks on a scale of five tones, in one of four rhythms, louder where a beat begins.

    "test": others of the same law.
    """
    name = "tunes:test" if variant == "test" else "tunes"
    x = torch.stack([tune(hash32(0, name, i)) for i in range(4000)])
    return Series(name, "CC0-1.0", "notes", x, VERSION)


def tune(seed: int) -> Tensor:
    """Sixteen notes, [16, 4] in [-1, 1]."""
    rng = np.random.default_rng(seed)
    rhythm, degree, time = RHYTHMS[rng.integers(len(RHYTHMS))], int(rng.integers(5, 15)), 0.0
    leaps, notes = rng.choice([-2, -1, 1, 2], NOTES, p=[0.15, 0.35, 0.35, 0.15]).tolist(), list[midi.Note]()
    for i, leap in enumerate(leaps):
        length = rhythm[i % len(rhythm)]
        octave, tone = divmod(degree, len(SCALE))
        notes.append(midi.Note(time, length, 48 + 12 * octave + SCALE[tone], 100 if time % 1 == 0 else 70))
        time += length
        degree = min(max(degree + leap, 0), 19)
    return midi.series_of(notes)


# A user's own


def open_table(path: str, options: Mapping[str, Any], steps: str) -> Dataset:
    """Windows of a .csv: series [N, steps, C], each column from its least value, -1, to its greatest, 1.

    Windows begin at every row, and none reaches over the end of a `sample`. Errors: GanzooError for a table that has
    none, and for a column that never changes.
    """
    if not steps.isdecimal() or not 2 <= int(steps) <= 10_000:
        raise GanzooError(f"windows of {escape(steps, 20)} steps: not 2 to 10000", "Say windows:STEPS:FILE.csv.")
    length, found = int(steps), tables.read(Path(path).expanduser())
    low, high = found.rows.min(0), found.rows.max(0)
    for name, same in zip(found.names, low == high, strict=True):
        if same:
            raise GanzooError(f"{escape(path)}: column {escape(name, 40)} never changes", "Leave it out.")
    parts = [2 * (rows - low) / (high - low) - 1 for rows in found.series() if len(rows) >= length]
    if not parts:
        raise GanzooError(f"{escape(path)}: no series of {length} rows", "Choose shorter ones: windows:STEPS:FILE.csv.")
    windows = np.concatenate([np.lib.stride_tricks.sliding_window_view(rows, length, 0) for rows in parts])
    x = torch.from_numpy(np.ascontiguousarray(windows.swapaxes(1, 2), np.float32))
    source = Series(Path(path).name, "", "series", x)
    source.notes = tuple(f"column {escape(name, 40)}: no numbers, left out" for name in found.left_out)
    return source


def open_midi(path: str, options: Mapping[str, Any]) -> Dataset:
    """A file of MIDI, or a folder of such: notes [N, 16, 4], a window from every note on, within a file.

    Errors: GanzooError where there is none, where one is bad, and where none has sixteen notes.
    """
    place = Path(path).expanduser()
    files = sorted(place.rglob("*.mid")) if place.is_dir() else [place]
    tunes = [midi.series_of(midi.read(file)) for file in files]
    parts = [tune.unfold(0, NOTES, 1).transpose(1, 2) for tune in tunes if len(tune) >= NOTES]  # [M, 16, 4] each
    if not parts:
        raise GanzooError(f"{escape(path)}: no .mid of {NOTES} notes", "Give a file of MIDI, or a folder of such.")
    x = torch.cat(parts).contiguous()
    return Series(place.name, "", "notes", x)


class PixelRows(Dataset):
    """Pictures as series: a row of pixels is a moment. series [n, H, W C], and label where there is one."""

    def __init__(self, source: Dataset) -> None:
        info = source.info
        if "x" not in info.keys or not info.image_size or not info.channels:
            raise GanzooError(f"data {escape(info.name)}: no pictures that have rows", "Choose other data.")
        self.source = source
        self.info = replace(
            info, name=f"rows:{info.name}", keys=frozenset({"series"}) | info.keys & {"label"}, image_size=None,
            channels=None, fingerprint=fingerprint(info.fingerprint, "rows"),
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.source)

    def facts(self) -> Mapping[str, Any]:
        side, channels = self.source.info.image_size or 0, self.source.info.channels or 0
        return {**super().facts(), "length": side, "features": side * channels}

    def fetch(self, indices: Sequence[int]) -> dict[str, Tensor]:
        batch = self.source.fetch(indices)
        made = {"series": batch["x"].permute(0, 2, 3, 1).flatten(2).contiguous()}  # [n, H, W C]
        return made | {key: batch[key] for key in self.info.keys & {"label"}}


# To test families on


def noise(n: int, facts: Mapping[str, Any], rng: torch.Generator) -> Tensor:
    """[n, T, C] in [-1, 1]"""
    return 2 * torch.rand(n, facts.get("length", STEPS), facts.get("features", 5), generator=rng) - 1


def noisy_notes(n: int, facts: Mapping[str, Any], rng: torch.Generator) -> Tensor:
    """[n, T, 4] in [-1, 1]"""
    return noise(n, {**facts, "features": 4}, rng)
