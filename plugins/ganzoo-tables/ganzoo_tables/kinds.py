"""The two kinds: what generators of tables make (Tables), and what rows may be asked for (Condition)."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import PIL.Image
import PIL.ImageDraw
import torch
from torch import Tensor

from ganzoo_core.data import read_array, write_array, write_aside
from ganzoo_core.errors import GanzooError, escape
from ganzoo_core.nn import Category as Classes
from ganzoo_core.nn import Output
from ganzoo_tables.columns import Category, Column, Number, categories, unpacked
from ganzoo_tables.reading import read_csv

WIDTH, HEIGHT, MARGIN, CHART = 92, 15, 4, 36  # px of a cell, and of the chart above a column
ROWS, COLUMNS, LETTERS, BARS = 24, 12, 13, 12  # that are shown


@dataclass(frozen=True)
class Tables(Output):
    """Rows [C]: numbers as they are, NaN where they are missing, and categories by their place."""

    shape: tuple[int | None, ...]
    columns: tuple[str, ...] = ()  # as a recipe has them
    range: tuple[float, float] | None = None
    kind: ClassVar[str] = "tables"
    suffixes: ClassVar[tuple[str, ...]] = (".csv", ".npy", ".png")
    batch_key: ClassVar[str] = "row"

    @cached_property
    def described(self) -> tuple[Column, ...]:
        return unpacked(self.columns)

    def texts(self, samples: Tensor) -> list[list[str]]:
        """The cells of rows [n, C]."""
        return [
            [column.text(value) for column, value in zip(self.described, row, strict=True)]
            for row in samples.double().tolist()
        ]

    def picture(self, samples: Tensor, columns: int = 0) -> PIL.Image.Image:
        """The first rows as a table, and above each column how often its values come in all of them."""
        shown, rows = self.described[:COLUMNS], self.texts(samples[:ROWS])
        top = MARGIN + HEIGHT + CHART
        size = (MARGIN + WIDTH * len(shown), top + HEIGHT * len(rows) + MARGIN)
        sheet = PIL.Image.new("RGB", size, "white")
        pen = PIL.ImageDraw.Draw(sheet)
        for place, column in enumerate(shown):
            left = MARGIN + WIDTH * place
            pen.text((left, MARGIN), cut(column.name), "black")
            bars(pen, left, top - MARGIN, counts(column, samples[:, place].double().cpu().numpy()))
            for line, row in enumerate(rows):
                pen.text((left, top + HEIGHT * line), cut(row[place]), "dimgray")
        return sheet

    def save(self, samples: Tensor, path: Path) -> None:
        """CSV with a header; NumPy's format, with categories by their places; or a picture of the first rows."""
        self.refuse_suffix(path)
        if path.suffix.lower() == ".npy":
            return write_array(samples, path)
        if path.suffix.lower() == ".csv":
            return write_aside(path, self.lines(samples).encode())
        made = io.BytesIO()
        self.picture(samples).save(made, "PNG")
        return write_aside(path, made.getvalue())

    def lines(self, samples: Tensor) -> str:
        """Rows [n, C] as CSV, under their header."""
        made = io.StringIO(newline="")
        writer = csv.writer(made, lineterminator="\n")
        writer.writerow(column.name for column in self.described)
        writer.writerows(self.texts(samples))
        return made.getvalue()

    def open(self, path: Path) -> Tensor:
        """Rows [n, C] of a file of such a table. Errors: GanzooError for other columns, and for other values."""
        self.refuse_suffix(path)
        if path.suffix.lower() == ".csv":
            return self.read(path)
        rows = read_array(path, "a file of rows")
        if rows.ndim != 2 or rows.shape[1] != len(self.described):
            what = f"{escape(path)}: is {list(rows.shape)}, and rows have {len(self.described)} columns"
            raise GanzooError(what, "Give a file of such rows.")
        return rows

    def read(self, path: Path) -> Tensor:
        header, cells = read_csv(path, least=1)
        names = tuple(column.name for column in self.described)
        if header != names:
            what = f"{escape(path)}: has the columns {escape(', '.join(header), 80)}"
            raise GanzooError(what, f"Those of this model are {escape(', '.join(names), 80)}.")
        columns = [values(path, column, known) for column, known in zip(self.described, cells, strict=True)]
        return torch.tensor(columns).T.contiguous()

    def to_config(self) -> dict[str, Any]:
        """With the names of its columns alone: what they are, the networks' arguments say."""
        names = [column.name for column in self.described]
        return {"kind": self.kind, "shape": list(self.shape), "range": None, "names": names}


def values(path: Path, column: Column, cells: Sequence[str]) -> list[float]:
    """The cells of a column. Errors: GanzooError naming one that it cannot have."""
    found = []
    for line, cell in enumerate(cells):
        try:
            found.append(column.value(cell))
        except ValueError:
            what = f"{escape(path)}, row {line + 1}: {escape(cell, 40)!r} is no value of {escape(column.name, 60)}"
            raise GanzooError(what, "Give rows of this model's table.") from None
    return found


def cut(text: str) -> str:
    """What of a text has room in a cell, in letters that Pillow's own font has."""
    plain = text.encode("latin-1", "replace").decode("latin-1")
    return plain if len(plain) <= LETTERS else plain[: LETTERS - 1] + "."


def counts(column: Column, x: np.ndarray) -> np.ndarray:
    """How often values come, in as many bins as there is room for."""
    if isinstance(column, Number):
        return np.histogram(x[~np.isnan(x)], BARS, (column.low, max(column.high, column.low + 1e-9)))[0]
    return np.bincount(x.astype(int), minlength=len(column.values))[: 2 * BARS]


def bars(pen: PIL.ImageDraw.ImageDraw, left: int, bottom: int, heights: np.ndarray) -> None:
    wide = (WIDTH - 3 * MARGIN) / len(heights)
    for place, height in enumerate(heights / max(1, heights.max())):
        if height:
            at = left + place * wide
            pen.rectangle((at, bottom - height * (CHART - 2 * MARGIN), at + max(1.0, wide - 1), bottom), "steelblue")


@dataclass(frozen=True)
class Condition(Classes):
    """What a row is to have, COLUMN=VALUE: drawn as often as the data have it, and may be given."""

    classes: int
    names: tuple[str, ...] = ()
    default: float | None = None
    shares: tuple[float, ...] = ()  # how often each is drawn
    kind: ClassVar[str] = "condition"

    @property
    def wanted(self) -> str:
        return f"one of {', '.join(self.names[:8])}{' ...' if len(self.names) > 8 else ''}"

    def draw(self, n: int, rng: torch.Generator | None, device: torch.device) -> Tensor:
        """int64 [n]: a column uniformly, its value by its share."""
        edges = torch.tensor(self.shares, device=device).cumsum(0)
        u = edges[-1] * torch.rand(n, generator=rng, device=device)
        return torch.searchsorted(edges, u, right=True).clamp(max=self.classes - 1)

    def parse(self, text: str) -> Any:
        """COLUMN=VALUE, or its number."""
        return text

    def cycle(self, which: Sequence[int]) -> Tensor | None:  # type: ignore[override]
        """Nothing: drawn as often as the data have them, they show what there is."""
        return None

    def trial(self, n: int, rng: torch.Generator, larger: int = 0) -> Tensor:
        return self.draw(n, rng, rng.device)


def condition_of(columns: Sequence[Column]) -> dict[str, Condition]:
    """The input of a generator of these columns; nothing where none has categories."""
    found: list[Category] = [column for _, column in categories(columns)]
    if not found:
        return {}
    names = tuple(f"{column.name}={value}" for column in found for value in column.values)
    shares = tuple(share / len(found) for column in found for share in column.shares)
    return {"condition": Condition(len(names), names, None, shares)}


def refuse_missing(columns: Sequence[Column], family: str) -> None:
    """Errors: GanzooError for numbers that are missing, where a family has no place for them."""
    for column in columns:
        if isinstance(column, Number) and column.missing:
            what = f"column {escape(column.name, 60)}: numbers are missing, which {family} cannot make"
            raise GanzooError(what, f"Train ctgan, or say filled:{escape(column.name, 60)}:DATA.")
