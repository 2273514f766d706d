"""A source whose labels are known beside a target whose labels are not: what adaptation learns from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from torch import Tensor

from ganzoo_core.data import Dataset, fingerprint, hash32, open_folder
from ganzoo_core.errors import GanzooError, escape


class Domains(Dataset):
    """a and label of the source, and b of the target: in training any of them, else one after the other.

    Of both, the given rows. Labels of the target are never read.
    """

    def __init__(
        self, name: str, source: Dataset, target: Dataset, rows_a: Sequence[int], rows_b: Sequence[int]
    ) -> None:
        self.source, self.target, self.rows_a, self.rows_b = source, target, rows_a, rows_b
        ours, theirs = source.info, target.info
        self.info = replace(
            ours,
            name=name,
            keys=frozenset({"a", "label", "b"}),
            licence=joined(ours.licence, theirs.licence),
            fingerprint=fingerprint(ours.fingerprint, theirs.fingerprint, "domains", rows_a, rows_b),
        )

    def __len__(self) -> int:
        return max(len(self.rows_a), len(self.rows_b))

    def fetch(self, indices: Sequence[int]) -> dict[str, Tensor]:
        return self.beside(self.source.fetch(self.at(self.rows_a, indices)), indices)

    def fetch_augmented(self, indices: Sequence[int], augment_seeds: Sequence[int]) -> dict[str, Tensor]:
        a = self.source.fetch_augmented(self.at(self.rows_a, indices), augment_seeds)
        return self.beside(a, [hash32(augment_seed, "b") for augment_seed in augment_seeds])

    def beside(self, a: dict[str, Tensor], at_b: Sequence[int]) -> dict[str, Tensor]:
        b = self.target.fetch(self.at(self.rows_b, at_b))["x"]
        return {"a": a["x"], "label": a["label"], "b": b}

    @staticmethod
    def at(rows: Sequence[int], indices: Sequence[int]) -> list[int]:
        return [rows[i % len(rows)] for i in indices]


def open_domains(data: str, options: Mapping[str, Any]) -> Dataset:
    """A::B, a folder of classes and a folder of the target. Errors: GanzooError where A has no classes."""
    first, separator, second = data.partition("::")
    if not (separator and first and second):
        raise GanzooError(f"data {escape(data)!r}: not two folders", "Give them as adapt:A::B.")
    source = open_folder(first, **options)
    if not source.info.classes:
        raise GanzooError(f"data {escape(first)!r}: has no classes", "Give the source one sub-folder per class.")
    same = {"image_size": source.info.image_size, "channels": source.info.channels}
    target = open_folder(second, **{**options, **same})
    name = f"adapt:{source.info.name}::{target.info.name}"
    return Domains(name, source, target, range(len(source)), range(len(target)))


def joined(*licences: str) -> str:
    """Each licence once; "" of none."""
    return " AND ".join(dict.fromkeys(one for text in licences for one in text.split(" AND ") if one))
