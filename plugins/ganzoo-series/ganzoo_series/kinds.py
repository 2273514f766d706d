"""What these generators make: series, and tunes, which are series of notes."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import PIL.Image
import PIL.ImageDraw
import torch
from torch import Tensor

from ganzoo_core.data import read_array, write_array, write_aside
from ganzoo_core.errors import GanzooError, escape
from ganzoo_core.nn import Output
from ganzoo_series import midi, tables

WIDTH, HEIGHT, MARGIN = 128, 72, 5  # px of one drawing
COLOURS = ("#1f4e9c", "#c1272d", "#2e8540", "#8b5cb5", "#d98310", "#117a8b", "#6b4423", "#777777")


@dataclass(frozen=True)
class Series(Output):
    """C numbers at each of T moments, [T, C] in [-1, 1]: a column runs from its least value to its greatest."""

    shape: tuple[int | None, ...]
    range: tuple[float, float] | None = (-1.0, 1.0)
    kind: ClassVar[str] = "series"
    suffixes: ClassVar[tuple[str, ...]] = (".csv", ".npy", ".png")
    batch_key: ClassVar[str] = "series"

    @property
    def names(self) -> list[str]:
        """What the columns are called in a table."""
        return [f"x{i}" for i in range(self.shape[1] or 0)]

    def picture(self, samples: Tensor, columns: int = 0) -> PIL.Image.Image:
        """A drawing of each, row by row."""
        columns = columns or math.ceil(math.sqrt(len(samples)))
        sheet = PIL.Image.new("RGB", (columns * WIDTH, math.ceil(len(samples) / columns) * HEIGHT), "white")
        pen = PIL.ImageDraw.Draw(sheet)
        for i, sample in enumerate(samples.detach().float().cpu()):
            self.draw(pen, sample, i % columns * WIDTH, i // columns * HEIGHT)
        return sheet

    def draw(self, pen: PIL.ImageDraw.ImageDraw, sample: Tensor, left: int, top: int) -> None:
        """A line for each column, time from left to right."""
        pen.rectangle([left, top, left + WIDTH - 1, top + HEIGHT - 1], outline="#dddddd")
        x = torch.linspace(left + MARGIN, left + WIDTH - MARGIN, len(sample))
        for i, column in enumerate(sample.T):
            y = top + HEIGHT / 2 - column.clamp(-1, 1) * (HEIGHT / 2 - MARGIN)
            pen.line(torch.stack([x, y], 1).flatten().tolist(), COLOURS[i % len(COLOURS)])

    def save(self, samples: Tensor, path: Path) -> None:
        """A table whose column `sample` tells series apart, NumPy's format, or drawings."""
        self.refuse_suffix(path)
        samples = samples.detach().float().cpu()
        if path.suffix.lower() == ".npy":
            return write_array(samples, path)
        return write_aside(path, self.encoded(samples, path.suffix.lower()))

    def encoded(self, samples: Tensor, suffix: str) -> bytes:
        if suffix == ".csv":
            return tables.written(samples.numpy(), self.names)
        made = io.BytesIO()
        self.picture(samples).save(made, "PNG")
        return made.getvalue()

    def open(self, path: Path) -> Tensor:
        """[n, T, C] of a table or an array. Errors: GanzooError for what is none, or of another shape."""
        self.refuse_suffix(path)
        rows = self.read(path) if path.suffix.lower() == ".csv" else read_array(path, f"a file of {self.kind}")
        if rows.ndim != 3 or any(s not in (None, found) for s, found in zip(self.shape, rows.shape[1:], strict=True)):
            raise GanzooError(f"{escape(path)}: of shape {list(rows.shape)}, not [n, {self.shape[0]}, {self.shape[1]}]",
                              f"Give a file of {self.kind}.")  # fmt: skip
        return rows

    def read(self, path: Path) -> Tensor:
        """[n, T, C] of a table, whose series must be of one length."""
        try:
            return torch.from_numpy(np.stack(tables.read(path).series())).float()
        except (OSError, ValueError) as fault:
            raise GanzooError(f"{escape(path)}: {escape(fault, 80)}", f"Give a file of {self.kind}.") from None


@dataclass(frozen=True)
class Notes(Series):
    """A tune: T notes in a row, [T, 4] in [-1, 1]: length, pitch, loudness, and time since the last one began.

    What -1 and 1 of each mean is in ganzoo_series.midi.
    """

    shape: tuple[int | None, ...]
    range: tuple[float, float] | None = (-1.0, 1.0)
    kind: ClassVar[str] = "notes"
    suffixes: ClassVar[tuple[str, ...]] = (".mid", ".csv", ".npy", ".png")
    batch_key: ClassVar[str] = "notes"

    @property
    def names(self) -> list[str]:
        return ["length", "pitch", "loudness", "since"]

    def draw(self, pen: PIL.ImageDraw.ImageDraw, sample: Tensor, left: int, top: int) -> None:
        """A piano roll: a bar for each note, the louder the darker."""
        pen.rectangle([left, top, left + WIDTH - 1, top + HEIGHT - 1], outline="#dddddd")
        notes = midi.notes_of(sample)
        end = max(note.start + note.length for note in notes)
        low, high = min(note.pitch for note in notes) - 2, max(note.pitch for note in notes) + 2
        for note in notes:
            x0, x1 = (left + MARGIN + t / end * (WIDTH - 2 * MARGIN) for t in (note.start, note.start + note.length))
            y = top + HEIGHT - MARGIN - (note.pitch - low) / (high - low) * (HEIGHT - 2 * MARGIN)
            shade = 200 - round(note.velocity / 127 * 180)
            pen.rectangle([x0, y - 1, max(x0 + 1, x1 - 1), y + 1], fill=(shade, shade, 160))

    def encoded(self, samples: Tensor, suffix: str) -> bytes:
        """As a file of MIDI: the tunes one after the other."""
        if suffix == ".mid":
            return midi.written([midi.notes_of(sample) for sample in samples])
        return super().encoded(samples, suffix)

    def open(self, path: Path) -> Tensor:
        if path.suffix.lower() != ".mid":
            return super().open(path)
        return midi.series_of(midi.read(path))[None]
