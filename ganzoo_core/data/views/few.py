"""A data set of which only a few labels are known: for learning from the labelled and the unlabelled together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from ganzoo_core.data.dataset import Dataset, fingerprint
from ganzoo_core.errors import GanzooError

SEED = 0  # of the choice: the same labelled examples in every run


class Few(Dataset):
    """All of `source` without labels in `x`, and `count` examples, equally many of each class, with theirs.

    Item i is (x_i, the labelled example i mod `count`): a shuffled stream sees them equally often.
    """

    def __init__(self, source: Dataset, name: str, count: int) -> None:
        info = source.info
        classes = info.classes or 0
        if not classes or count % classes:
            raise GanzooError(f"data set {info.name}: {count} labels are not equally many of {classes} classes")
        self.source, self.labelled = source, chosen(source, classes, count // classes)
        self.info = replace(
            info,
            name=name,
            keys=frozenset({"x", "x_labelled", "label"}),
            fingerprint=fingerprint(info.fingerprint, "few", *self.labelled),
        )

    def __len__(self) -> int:
        return len(self.source)

    def fetch(self, indices: Sequence[int]) -> dict[str, Tensor]:
        known = self.source.fetch([self.labelled[i % len(self.labelled)] for i in indices])
        return {"x": self.source.fetch(indices)["x"], "x_labelled": known["x"], "label": known["label"]}


def chosen(source: Dataset, classes: int, each: int) -> list[int]:
    """The first `each` examples of every class in an order that is always the same, class by class in turn."""
    label = source.fetch(range(len(source)))["label"]
    order = torch.randperm(len(label), generator=torch.Generator().manual_seed(SEED))
    rows = [order[label[order] == k][:each] for k in range(classes)]
    if any(len(row) < each for row in rows):
        raise GanzooError(f"data set {source.info.name}: some class has fewer than {each} examples")
    return [int(i) for i in torch.stack(rows, 1).flatten()]
