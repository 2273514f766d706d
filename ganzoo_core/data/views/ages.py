"""Pictures of people with their ages: `age` is a group, int64 [N], 0 the youngest; and what else is known of them."""

from __future__ import annotations

import math
import os
import re
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import torch
from torch import Tensor

from ganzoo_core.data.dataset import Dataset, fingerprint
from ganzoo_core.data.folder.folder import Folder, open_folder
from ganzoo_core.data.folder.tables import matched, read_pairs
from ganzoo_core.errors import GanzooError, escape

TEN = (5, 10, 15, 20, 30, 40, 50, 60, 70)  # the last years of all groups but one: Zhang, Song & Qi 2017
SIX = (18, 29, 39, 49, 59)  # Antipov, Baccouche & Dugelay 2017
OLDEST = 130  # years
TABLES = tuple(f"ages.{ending}" for ending in ("csv", "tsv", "json", "jsonl"))
COLUMNS: Mapping[str, Sequence[str]] = {
    "age": ("age", "ages", "years"),
    "attribute": ("attribute", "gender", "sex"),
    "identity": ("identity", "person", "name", "subject"),
}
IN_NAME = re.compile(r"(\d{1,3})_(?:([01])_)?")  # UTKFace: [age]_[gender]_[race]_[date].jpg
HOW = "Call the files AGE_..., as UTKFace does, or write ages.csv: file_name,age,attribute,identity."


class Aged(Dataset):
    """A folder's pictures with `known`, int64 [N] each: age in years, and attribute and identity where they are."""

    def __init__(self, folder: Folder, known: Mapping[str, Tensor], ends: Sequence[int]) -> None:
        self.folder = folder
        groups = torch.tensor([bisect_left(ends, years) for years in known["age"].tolist()])
        self.known = {**known, "age": groups}
        self.info = replace(
            folder.info,
            keys=frozenset({"x", *self.known}),
            classes=len(ends) + 1,
            class_names=named(ends),
            fingerprint=fingerprint(folder.info.fingerprint, "ages", *ends, *self.known, *self.known.values()),
        )

    def __len__(self) -> int:
        return len(self.folder)

    def fetch(self, indices: Sequence[int]) -> dict[str, Tensor]:
        at = torch.as_tensor(indices, dtype=torch.int64)
        return {"x": self.folder.fetch(indices)["x"], **{key: values[at] for key, values in self.known.items()}}


def named(ends: Sequence[int]) -> tuple[str, ...]:
    """The groups in words: 0-5, 6-10 ... 71+."""
    firsts = (0, *(end + 1 for end in ends))
    return (*(f"{first}-{end}" for first, end in zip(firsts, ends, strict=False)), f"{firsts[-1]}+")


def open_ages(ends: Sequence[int], path: str, options: Mapping[str, Any]) -> Dataset:
    """A folder of pictures whose names begin with the age, or in which a table says it: x, age.

    `attribute` is UTKFace's gender or a column of the table; `identity` a column, or else the sub-folders. Errors:
    GanzooError for pictures of which no age is known.
    """
    folder = open_folder(path, **options)
    table = next(filter(folder.place.holds, TABLES), "")
    known = by_table(folder, table) if table else by_name(folder)
    if "identity" not in known and folder.labels is not None:
        known["identity"] = folder.labels
    return Aged(folder, known, ends)


open_ten = partial(open_ages, TEN)
open_six = partial(open_ages, SIX)


def by_name(folder: Folder) -> dict[str, Tensor]:
    """Ages, and a gender if all have one, as file names begin with them."""
    found = [IN_NAME.match(os.path.basename(name)) for name in folder.names]
    silent = [name for name, match in zip(folder.names, found, strict=True) if match is None]
    if silent:
        what = f"{folder.place}: the names of {len(silent):,} images tell no age: {escape(silent[0], 80)}"
        raise GanzooError(what, HOW)
    said = [match.groups() for match in found if match is not None]
    known = {"age": [years(age) for age, _ in said]}
    if None in known["age"]:
        name = folder.names[known["age"].index(None)]
        raise GanzooError(f"{folder.place}: {escape(name, 80)}: no age of 0 to {OLDEST}", HOW)
    if all(gender for _, gender in said):
        known["attribute"] = [int(gender) for _, gender in said]
    return {key: torch.tensor(values) for key, values in known.items()}


def by_table(folder: Folder, table: str) -> dict[str, Tensor]:
    """Those columns that the table has; ages it must."""
    known = {"age": column(folder, table, "age", years, f"an age of 0 to {OLDEST}")}
    if has(folder, table, "attribute"):
        known["attribute"] = column(folder, table, "attribute", binary, "0 or 1")
    if has(folder, table, "identity"):
        persons = values_of(folder, table, "identity")
        numbers = {person: i for i, person in enumerate(sorted(set(map(str, persons))))}
        known["identity"] = torch.tensor([numbers[str(person)] for person in persons])
    return known


def has(folder: Folder, table: str, key: str) -> bool:
    """Whether a table has a column beside the ages."""
    try:
        return bool(read_pairs(folder.place, table, COLUMNS[key]))
    except GanzooError:
        return False


def values_of(folder: Folder, table: str, key: str) -> list[Any]:
    """A column's first value of each picture."""
    said = matched(folder.place.where(table), read_pairs(folder.place, table, COLUMNS[key]), folder.names)
    return [said[name][0] for name in folder.names]


def column(folder: Folder, table: str, key: str, read: Callable[[Any], int | None], what: str) -> Tensor:
    """A column of numbers, int64 [N]. Errors: GanzooError for a value that is none."""
    given = values_of(folder, table, key)
    numbers = [read(value) for value in given]
    for name, value, number in zip(folder.names, given, numbers, strict=True):
        if number is None:
            where = escape(folder.place.where(table))
            raise GanzooError(f"{where}: {escape(name, 80)}: {key} {escape(value, 60)} is not {what}", "Mend it.")
    return torch.tensor(numbers)


def years(value: Any) -> int | None:
    """Whole years."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return math.floor(number) if 0 <= number <= OLDEST else None


def binary(value: Any) -> int | None:
    return {"0": 0, "1": 1}.get(str(value).strip())
