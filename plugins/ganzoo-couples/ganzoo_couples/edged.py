"""Two domains without pairs out of any pictures: half of them as they are, the outlines of the other half."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from torch import Tensor
from torch.nn.functional import max_pool2d

from ganzoo_core.data import Dataset, fingerprint, hash32
from ganzoo_core.errors import GanzooError, escape


class Edged(Dataset):
    """`a`: every other picture of `source`; `b`: the outline of one of the rest, in training a random one."""

    def __init__(self, source: Dataset) -> None:
        info = source.info
        if "x" not in info.keys or len(source) < 2:
            raise GanzooError(f"data {escape(info.name)}: not two pictures to draw", "Choose data of single pictures.")
        self.source = source
        self.info = replace(
            info, name=f"edged:{info.name}", keys=frozenset({"a", "b"}), classes=None, class_names=(),
            fingerprint=fingerprint(info.fingerprint, "edged", 1),
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.source) // 2

    def fetch(self, indices: Sequence[int]) -> dict[str, Tensor]:
        return self.taken(indices, indices)

    def fetch_augmented(self, indices: Sequence[int], augment_seeds: Sequence[int]) -> dict[str, Tensor]:
        return self.taken(indices, [hash32(augment_seed, "b") % len(self) for augment_seed in augment_seeds])

    def taken(self, at_a: Sequence[int], at_b: Sequence[int]) -> dict[str, Tensor]:
        a = self.source.fetch([2 * i for i in at_a])["x"]
        b = self.source.fetch([2 * i + 1 for i in at_b])["x"]
        return {"a": a, "b": outlines(b)}


def outlines(x: Tensor) -> Tensor:
    """What a dilation by one pixel adds: white around bright shapes, else black.  [n, C, H, W] in [-1, 1]"""
    return max_pool2d(x, 3, 1, 1) - x - 1
