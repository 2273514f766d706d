"""Stacked MNIST (Metz et al. 2016; Srivastava et al. 2017): three digits as the red, green and blue of a picture.

The digits are drawn independently, so that there are a thousand modes; which digits a picture has is a function of its
index. Whoever can name digits can count the modes of samples.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from ganzoo_core.data.dataset import Dataset, fingerprint
from ganzoo_core.data.sets.idx import open_mnist
from ganzoo_core.errors import GanzooError
from ganzoo_core.seeds import hash32

PICTURES: Mapping[str, int] = {"train": 100_000, "test": 20_000}
STACKED = 3  # one digit for each colour
VERSION = 1  # of how digits are drawn


def open_stacked_mnist(
    root: Path | None, variant: str, *, image_size: int | None = None, channels: int | None = None
) -> Dataset:
    """x [n, 3, size, size], 28 px unless asked, and label [n], the three digits as a number from 0 to 999.

    100,000 pictures of digits of the training set; "test": 20,000 of the test set's. Errors: GanzooError for any other
    number of channels.
    """
    if channels not in (None, STACKED):
        raise GanzooError(f"data set stacked_mnist: has {STACKED} channels, not {channels}", "Say -c channels=3.")
    part = "test" if variant == "test" else "train"
    return StackedMNIST(open_mnist(root, part, image_size=image_size), part)


class StackedMNIST(Dataset):
    """Put together when they are fetched."""

    def __init__(self, source: Dataset, part: str) -> None:
        self.source = source
        name = "stacked_mnist:test" if part == "test" else "stacked_mnist"
        self.info = replace(
            source.info,
            name=name,
            channels=STACKED,
            classes=10**STACKED,
            class_names=tuple(f"{label:03d}" for label in range(10**STACKED)),
            fingerprint=fingerprint(source.info.fingerprint, name, VERSION, PICTURES[part]),
        )
        rng = torch.Generator().manual_seed(hash32(0, name))
        self.which = torch.randint(len(source), (PICTURES[part], STACKED), generator=rng)

    def __len__(self) -> int:
        return len(self.which)

    def fetch(self, indices: Sequence[int]) -> dict[str, Tensor]:
        at = self.which[torch.as_tensor(indices, dtype=torch.int64)]  # [n, 3]
        digits = self.source.fetch(at.flatten().tolist())
        x = digits["x"].view(len(at), STACKED, *digits["x"].shape[2:])
        return {"x": x, "label": mode_of(digits["label"].view(len(at), STACKED))}


def mode_of(digits: Tensor) -> Tensor:
    """The number that three digits are: 100 red + 10 green + blue.  int64 [n, 3] -> [n]"""
    mode: Tensor = (digits * digits.new_tensor([100, 10, 1])).sum(1)
    return mode
