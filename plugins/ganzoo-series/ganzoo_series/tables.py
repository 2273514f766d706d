"""Series as text: a row for each moment, of which a column `sample` says which series it is of."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ganzoo_core.errors import GanzooError, escape

SAMPLE, STEP = "sample", "step"
LARGEST = 256 << 20  # bytes


@dataclass(frozen=True)
class Recording:
    """Numbers [M, C] under their columns' names, and of which series each row is, int64 [M]."""

    names: tuple[str, ...]
    rows: NDArray[np.float32]
    sample: NDArray[np.int64]
    left_out: tuple[str, ...]  # columns of something else than numbers

    def series(self) -> list[NDArray[np.float32]]:
        """The rows of each series, in their order."""
        ends = np.flatnonzero(np.diff(self.sample)) + 1
        return np.split(self.rows, ends)


def written(samples: NDArray[np.float32], names: Sequence[str]) -> bytes:
    """Series [n, T, C] as a table with a header: sample, step and the columns' names."""
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow([SAMPLE, STEP, *names])
    for i, series in enumerate(samples):
        table.writerows([i, t, *(f"{value:.8g}" for value in row)] for t, row in enumerate(series))
    return text.getvalue().encode()


def read(path: Path) -> Recording:
    """A table with a header. A column `step` is not looked at; without `sample` all rows are of one series.

    Errors: GanzooError for what is no table of numbers, and for one with gaps.
    """
    try:
        if path.stat().st_size > LARGEST:
            raise GanzooError(f"{escape(path)}: has more than {LARGEST >> 20} MiB", "Give a part of it.")
        header, *lines = [line for line in csv.reader(path.read_text("utf-8-sig").splitlines()) if line]
        columns = {name.strip(): cells for name, *cells in zip(header, *lines, strict=True)}
    except OSError as fault:
        raise GanzooError(f"{escape(path)}: cannot be read: {fault.strerror or fault}") from None
    except (ValueError, csv.Error) as fault:
        raise GanzooError(f"{escape(path)}: is no table: {escape(fault, 80)}", "Give a .csv with a header.") from None
    sample = numbers(columns.pop(SAMPLE, ["0"] * len(lines)))
    columns.pop(STEP, None)
    found = {name: numbers(cells) for name, cells in columns.items()}
    kept = {name: column for name, column in found.items() if column is not None}
    if not lines or not kept or sample is None:
        raise GanzooError(f"{escape(path)}: has no column of numbers", "Give a .csv with a header and numbers.")
    rows = np.stack(list(kept.values()), 1)
    if not np.isfinite(rows).all():
        line, column = np.argwhere(~np.isfinite(rows))[0]
        raise GanzooError(f"{escape(path)}: row {line + 2}, column {escape(list(kept)[column], 40)}: has no number",
                          "Fill the gaps, or leave the column out.")  # fmt: skip
    left_out = tuple(name for name, column in found.items() if column is None)
    return Recording(tuple(kept), rows.astype(np.float32), sample.astype(np.int64), left_out)


def numbers(cells: Sequence[str]) -> NDArray[np.float64] | None:
    """A column; an empty cell is none, as "nan" is. None where half of the cells or more are something else."""
    values, words = np.full(len(cells), np.nan), 0
    for i, cell in enumerate(cells):
        try:
            values[i] = float(cell) if cell.strip() else np.nan
        except ValueError:
            words += 1
    return None if 2 * words >= max(len(cells), 1) else values
