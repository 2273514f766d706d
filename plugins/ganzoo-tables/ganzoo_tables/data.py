"""Tables to train on: files (csv:, parquet:), scikit-learn's own sets and a planted one (table:NAME), and views."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganzoo_core.data import Dataset
from ganzoo_core.errors import GanzooError, escape
from ganzoo_tables.columns import Number, categories, unpacked
from ganzoo_tables.reading import Cells, cells_of, read_csv, read_parquet
from ganzoo_tables.table import Source, Table
from ganzoo_tables.types import is_missing

PEOPLE = 10_000


def csv(path: str, options: Mapping[str, Any]) -> Table:
    """csv:PATH"""
    file = Path(path).expanduser()
    return Table(Source(f"csv:{file.name}", read_csv(file)))


def parquet(path: str, options: Mapping[str, Any]) -> Table:
    """parquet:PATH"""
    file = Path(path).expanduser()
    return Table(Source(f"parquet:{file.name}", read_parquet(file)))


def of_frame(frame: Any, name: str = "a data frame") -> Table:
    """A data frame of pandas as data. Errors: GanzooError for fewer than two rows."""
    return Table(Source(name, cells_of(frame)))


def sets(root: Path | None, variant: str, **options: Any) -> Table:
    """table:NAME, a set that scikit-learn carries, its target last; table:people is planted."""
    name = variant or "people"
    if name == "people":
        return Table(Source("table:people", people(), "CC0-1.0"))
    from sklearn import datasets

    found = datasets.load_diabetes(scaled=False) if name == "diabetes" else getattr(datasets, f"load_{name}")()
    targets = getattr(found, "target_names", None)
    named = [str(targets[y]) for y in found.target] if targets is not None else [written(y) for y in found.target]
    columns = (*(tuple(map(written, column)) for column in found.data.T), tuple(named))
    return Table(Source(f"table:{name}", Cells((*map(str, found.feature_names), "target"), columns), LICENCES[name]))


LICENCES = {"iris": "CC-BY-4.0", "wine": "CC-BY-4.0", "breast_cancer": "CC-BY-4.0", "diabetes": "NOASSERTION"}


def written(value: float) -> str:
    """A number as a file would have it."""
    return str(int(value)) if float(value).is_integer() else f"{value:.7g}"


def people() -> Cells:
    """10,000 made-up people: what they earn follows from their age, schooling, hours and town, by formula.

    Earnings have two modes and a long tail, towns are of very unequal size, and `owner`, which comes last, follows
    from age and income.
    """
    rng = np.random.default_rng(0)
    age = 18 + 62 * rng.beta(1.6, 2.2, PEOPLE)
    town = rng.choice(4, PEOPLE, p=(0.6, 0.25, 0.12, 0.03))
    school = rng.random((PEOPLE, 3)) < np.stack([0.75 - 0.004 * (age - 18), 0.4 + 0.1 * (town == 0), age > 24], 1)
    level = np.where(school.all(1), 2, np.where(school[:, 0], 1, 0))
    part_time = rng.random(PEOPLE) < 0.2 + 0.2 * (age > 60)
    hours = np.where(part_time, rng.normal(20, 4, PEOPLE), rng.normal(40, 3, PEOPLE)).clip(4, 70)
    rate = np.exp(2.5 + 0.35 * level + 0.012 * (age - 18) + 0.1 * (town == 0) + rng.normal(0, 0.25, PEOPLE))
    income = 48 * hours * rate
    owner = rng.random(PEOPLE) < 1 / (1 + np.exp(-(0.09 * (age - 45) + 0.00006 * (income - 40_000))))
    return Cells(
        ("age", "school", "town", "hours", "income", "owner"),
        (
            tuple(f"{x:.0f}" for x in age),
            tuple(("basic", "high", "university")[i] for i in level),
            tuple(("Alba", "Brig", "Cles", "Dorn")[i] for i in town),
            tuple(f"{x:.1f}" for x in hours),
            tuple(f"{x:.0f}" for x in income),
            tuple(("no", "yes")[int(i)] for i in owner),
        ),
    )


# Views


def asked(source: Dataset) -> Table:
    """Errors: GanzooError for data that are no table."""
    if not isinstance(source, Table):
        raise GanzooError(f"{escape(source.info.name)}: is no table", "Give csv:FILE.csv or table:NAME.")
    return source


def named(table: Table, *view: str) -> Table:
    """A view of data is called as it is written."""
    return Table(replace(table.source, name=":".join([*view, table.source.name])))


def names_of(argument: str) -> list[str]:
    return [name for name in argument.split(",") if name]


def number(source: Dataset, argument: str) -> Table:
    """number:COLUMN,COLUMN:DATA"""
    return named(asked(source).said(names_of(argument), "number"), "number", argument)


def category(source: Dataset, argument: str) -> Table:
    """category:COLUMN,COLUMN:DATA"""
    return named(asked(source).said(names_of(argument), "category"), "category", argument)


def dropped(source: Dataset, argument: str) -> Table:
    """drop:COLUMN,COLUMN:DATA"""
    table = asked(source)
    places = {table.place(name) for name in names_of(argument)}
    left = [place for place in range(len(table.source.cells.header)) if place not in places]
    if not left:
        raise GanzooError(f"drop:{escape(argument, 60)}: leaves no column", "Leave one.")
    return named(table.taken(left), "drop", argument)


def target(source: Dataset, argument: str) -> Table:
    """target:COLUMN:DATA: that column comes last, where label and score look for it."""
    table = asked(source)
    last = table.place(argument)
    others = [place for place in range(len(table.source.cells.header)) if place != last]
    return named(table.taken([*others, last]), "target", argument)


def filled(source: Dataset, argument: str) -> Table:
    """filled:COLUMN,COLUMN:DATA: what is missing becomes the column's median."""
    table = asked(source)
    columns = list(table.source.cells.columns)
    for name in names_of(argument):
        place = table.place(name)
        columns[place] = with_median(columns[place])
    cells = Cells(table.source.cells.header, tuple(columns))
    return named(Table(replace(table.source, cells=cells)), "filled", argument)


def with_median(cells: Sequence[str]) -> tuple[str, ...]:
    """Of what is there, in the order of numbers where they are numbers."""
    known = [cell for cell in cells if not is_missing(cell)]
    try:
        known.sort(key=float)
    except ValueError:
        known.sort()
    return tuple(known[len(known) // 2] if known and is_missing(cell) else cell for cell in cells)


def train_part(source: Dataset) -> Table:
    """train_rows:DATA: four of five rows."""
    return part(asked(source), "train")


def test_part(source: Dataset) -> Table:
    """test_rows:DATA: the fifth."""
    return part(asked(source), "test")


def part(table: Table, name: str) -> Table:
    if table.source.part:
        raise GanzooError(f"{escape(table.source.name)}: is a part already", "Take a part of the whole.")
    return named(Table(replace(table.source, part=name)), f"{name}_rows")


# Noise


def row(n: int, facts: Mapping[str, Any], rng: torch.Generator) -> Tensor:
    """[n, C] in the columns' ranges."""
    u = torch.rand(n, len(facts["columns"]), generator=rng)
    made = []
    for place, column in enumerate(unpacked(facts["columns"])):
        if isinstance(column, Number):
            made.append(column.low + (column.high - column.low) * u[:, place])
        else:
            made.append((len(column.values) * u[:, place]).floor())
    return torch.stack(made, 1)


def condition(n: int, facts: Mapping[str, Any], rng: torch.Generator) -> Tensor:
    """int64 [n]"""
    count = sum(len(column.values) for _, column in categories(unpacked(facts["columns"])))
    return torch.randint(max(1, count), (n,), generator=rng)
