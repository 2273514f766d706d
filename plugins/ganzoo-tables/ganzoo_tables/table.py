"""A table as a data set: rows of numbers and categories, whole or as training by sampling draws them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganzoo_core.data import Dataset, DatasetInfo, fingerprint
from ganzoo_core.errors import UnknownNameError
from ganzoo_tables.columns import Column, Number, categories, packed
from ganzoo_tables.modes import modes_of
from ganzoo_tables.reading import Cells
from ganzoo_tables.types import RARE, column_of, is_missing

EACH = 5  # every fifth row is held out
SHOWN = 30  # columns that are told of


@dataclass(frozen=True)
class Source:
    """Where cells come from, and what was said of them."""

    name: str
    cells: Cells
    licence: str = ""
    asked: tuple[tuple[str, str], ...] = ()  # column -> number, category
    part: str = ""  # train, test, or all of it


class Table(Dataset):
    """`row`, float32 [n, C]; and for training by sampling `condition`, int64 [n], with `matching` rows [n, C].

    Conditions are numbered through all values of all categories; a table without any has the condition 0 throughout.
    What columns are is found when it is first asked for, in all rows, whatever the part.
    """

    def __init__(self, source: Source) -> None:
        self.source = source

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def found(self) -> list[tuple[Column, str]]:
        asked = dict(self.source.asked)
        header, columns = self.source.cells
        return [column_of(name, cells, asked.get(name, "")) for name, cells in zip(header, columns, strict=True)]

    @property
    def columns(self) -> tuple[Column, ...]:
        return tuple(column for column, _ in self.found)

    @cached_property
    def all_rows(self) -> Tensor:
        """[N, C] of all parts."""
        made = [values_of(column, cells) for column, cells in zip(self.columns, self.source.cells.columns, strict=True)]
        return torch.from_numpy(np.stack(made, 1).astype(np.float32))

    @cached_property
    def rows(self) -> Tensor:
        """[N, C] of this part."""
        held_out = torch.arange(len(self.all_rows)) % EACH == EACH - 1
        wanted = {"train": ~held_out, "test": held_out}.get(self.source.part)
        return self.all_rows if wanted is None else self.all_rows[wanted]

    @cached_property
    def info(self) -> DatasetInfo:  # type: ignore[override]
        return DatasetInfo(
            name=self.source.name,
            keys=frozenset({"row", "matching", "condition"}),
            image_size=None,
            channels=None,
            classes=None,
            class_names=(),
            licence=self.source.licence,
            fingerprint=fingerprint(self.rows, *packed(self.columns)),
        )

    @property
    def notes(self) -> tuple[str, ...]:  # type: ignore[override]
        """What its columns were found to be."""
        told = [f"column {column}" for column, _ in self.found[:SHOWN]]
        more = [f"and {len(self.found) - SHOWN} more columns"] if len(self.found) > SHOWN else []
        return (*told, *more, *(note for _, note in self.found if note))

    def facts(self) -> Mapping[str, Any]:
        """Its columns, those of numbers with their modes, as the argument `columns` of networks has them."""
        return {**super().facts(), "columns": packed(self.with_modes)}

    @cached_property
    def with_modes(self) -> tuple[Column, ...]:
        values = self.rows.double().numpy()
        return tuple(
            replace(column, modes=modes_of(known(values[:, place]))) if isinstance(column, Number) else column
            for place, column in enumerate(self.columns)
        )

    def fetch(self, indices: Sequence[int]) -> dict[str, Tensor]:
        """Rows, each with a condition that it satisfies itself."""
        rows, places = self.rows[torch.as_tensor(indices)], self.lookup.places
        which = torch.as_tensor(indices) % max(1, len(places))
        condition = torch.zeros(len(rows), dtype=torch.int64)
        for turn, (place, start) in enumerate(places):
            condition = torch.where(which == turn, rows[:, place].long() + start, condition)
        return {"row": rows, "matching": rows, "condition": condition}

    def fetch_augmented(self, indices: Sequence[int], augment_seeds: Sequence[int]) -> dict[str, Tensor]:
        """Rows; and conditions that are drawn as training by sampling draws them (Xu et al. 2019, Sec. 4.3).

        A column is drawn uniformly, its value by the logarithm of how often it comes, a row uniformly among its own.
        """
        batch, lookup = self.fetch(indices), self.lookup
        if lookup.places:
            drawn = lookup.draw(np.asarray(augment_seeds, np.uint64))
            batch |= {"matching": self.rows[drawn.rows], "condition": torch.from_numpy(drawn.conditions)}
        return batch

    @cached_property
    def lookup(self) -> Lookup:
        return Lookup(self.columns, self.rows)

    def said(self, names: Sequence[str], kind: str) -> Table:
        """With what these columns are."""
        for name in names:
            self.place(name)
        asked = {**dict(self.source.asked), **dict.fromkeys(names, kind)}
        return Table(replace(self.source, asked=tuple(asked.items())))

    def taken(self, order: Sequence[int]) -> Table:
        """With these columns alone, in this order."""
        header, columns = self.source.cells
        cells = Cells(tuple(header[i] for i in order), tuple(columns[i] for i in order))
        return Table(replace(self.source, cells=cells))

    def place(self, name: str) -> int:
        """Where a column stands. Errors: UnknownNameError."""
        if name not in self.source.cells.header:
            raise UnknownNameError("column", name, self.source.cells.header)
        return self.source.cells.header.index(name)


@dataclass(frozen=True)
class Drawn:
    conditions: NDArray[np.int64]  # [n]
    rows: NDArray[np.int64]  # [n]


class Lookup:
    """For each value of each category its rows, and how often it is drawn."""

    def __init__(self, columns: Sequence[Column], rows: Tensor) -> None:
        self.places: list[tuple[int, int]] = []  # of categories: place of the column, number of its first condition
        self.chances = list[NDArray[np.float64]]()  # of the values of each, cumulative
        self.members = list[NDArray[np.int64]]()  # rows, by condition
        start = 0
        for place, column in categories(columns):
            values = rows[:, place].long().numpy()
            counts = np.bincount(values, minlength=len(column.values))
            self.places.append((place, start))
            mass = np.cumsum(np.log1p(counts))
            self.chances.append(mass / mass[-1])
            self.members += [np.flatnonzero(values == value) for value in range(len(column.values))]
            start += len(column.values)

    def draw(self, seeds: NDArray[np.uint64]) -> Drawn:
        """One condition and one row for each seed."""
        u, v, w = (uniform(seeds, turn) for turn in (1, 2, 3))
        which = (u * len(self.places)).astype(np.int64)
        conditions, rows = np.empty(len(seeds), np.int64), np.empty(len(seeds), np.int64)
        for i, turn in enumerate(which):
            value = int(np.searchsorted(self.chances[turn], v[i], "right"))
            conditions[i] = self.places[turn][1] + value
            members = self.members[conditions[i]]
            rows[i] = members[int(w[i] * len(members))]
        return Drawn(conditions, rows)


def uniform(seeds: NDArray[np.uint64], turn: int) -> NDArray[np.float64]:
    """Numbers in [0, 1), one for each seed and turn: SplitMix64 (Steele et al. 2014)."""
    with np.errstate(over="ignore"):
        z = seeds * np.uint64(4) + np.uint64(turn)
        z = (z + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        z ^= z >> np.uint64(31)
    return (z >> np.uint64(11)).astype(np.float64) / 2**53


def values_of(column: Column, cells: Sequence[str]) -> NDArray[np.float64]:
    """One number per cell."""
    if isinstance(column, Number):
        return np.array([column.value("" if is_missing(cell) else cell) for cell in cells])
    places = {value: place for place, value in enumerate(column.values)}
    return np.array([places[cell] if cell in places else places[RARE] for cell in cells], np.float64)


def known(values: NDArray[np.float64]) -> NDArray[np.float64]:
    return values[~np.isnan(values)]
