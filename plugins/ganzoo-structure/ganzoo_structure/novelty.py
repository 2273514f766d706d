"""Data without one class, from which a detector learns, and with that class as what is odd, on which it is tried."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from torch import Tensor

from ganzoo_core.data import Dataset, fingerprint
from ganzoo_core.errors import GanzooError, UnknownNameError, escape

NAMES = ("normal", "novel")


class Without(Dataset):
    """Pictures of all classes but one."""

    def __init__(self, source: Dataset, left_out: str) -> None:
        k = number(source, left_out)
        label = source.fetch(range(len(source)))["label"]
        self.source, self.rows = source, (label != k).nonzero().flatten().tolist()
        info = source.info
        self.info = replace(
            info, name=f"without:{left_out}:{info.name}", keys=frozenset({"x"}), classes=None, class_names=(),
            fingerprint=fingerprint(info.fingerprint, "without", k),
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.rows)

    def fetch(self, indices: Sequence[int]) -> dict[str, Tensor]:
        return {"x": self.source.fetch([self.rows[i] for i in indices])["x"]}


class Novel(Dataset):
    """All pictures; label 1 for those of one class, 0 for all others."""

    def __init__(self, source: Dataset, novel: str) -> None:
        self.source, self.k, info = source, number(source, novel), source.info
        self.info = replace(
            info, name=f"novel:{novel}:{info.name}", keys=frozenset({"x", "label"}), classes=2, class_names=NAMES,
            fingerprint=fingerprint(info.fingerprint, "novel", self.k),
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.source)

    def fetch(self, indices: Sequence[int]) -> dict[str, Tensor]:
        batch = self.source.fetch(indices)
        return {"x": batch["x"], "label": (batch["label"] == self.k).long()}


def number(source: Dataset, name: str) -> int:
    """The class of a name. Errors: GanzooError for data without classes, UnknownNameError."""
    if not source.info.classes:
        raise GanzooError(f"data {escape(source.info.name)}: has no classes to leave out", "Choose data with labels.")
    names = source.info.class_names or tuple(map(str, range(source.info.classes)))
    if name not in names:
        raise UnknownNameError("class", name, names)
    return names.index(name)
