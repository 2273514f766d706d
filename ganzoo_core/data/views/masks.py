"""Pictures with holes to fill: `mask` [N, 1, H, W] is 1 where the picture is to be made up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from ganzoo_core.data.dataset import Dataset, fingerprint
from ganzoo_core.errors import GanzooError, escape
from ganzoo_core.seeds import hash32

COVERED = 0.25  # of the picture, by random regions
CELL = 0.06  # of a picture's side: how fine the noise is that regions are cut from


class Masked(Dataset):
    """`source` with the central box of half its side as the hole."""

    how = "masked"

    def __init__(self, source: Dataset) -> None:
        info = source.info
        if "x" not in info.keys or not info.image_size:
            raise GanzooError(f"data {escape(info.name)}: has no pictures of one size to mask")
        self.source, self.size = source, info.image_size
        self.info = replace(
            info,
            name=f"{self.how}:{info.name}",
            keys=info.keys | {"mask"},
            fingerprint=fingerprint(info.fingerprint, self.how),
        )

    def __len__(self) -> int:
        return len(self.source)

    def fetch(self, indices: Sequence[int]) -> dict[str, Tensor]:
        return self.source.fetch(indices) | {"mask": self.masks(indices)}

    def fetch_augmented(self, indices: Sequence[int], augment_seeds: Sequence[int]) -> dict[str, Tensor]:
        return self.source.fetch_augmented(indices, augment_seeds) | {"mask": self.masks(augment_seeds)}

    def masks(self, augment_seeds: Sequence[int]) -> Tensor:
        return central_box(self.size).repeat(len(augment_seeds), 1, 1, 1)


class MaskedRegions(Masked):
    """`source` with random regions as the hole, in training other ones each time."""

    how = "masked_regions"

    def masks(self, augment_seeds: Sequence[int]) -> Tensor:
        return torch.stack([random_region(self.size, augment_seed) for augment_seed in augment_seeds])


def central_box(size: int) -> Tensor:
    """[1, size, size]: 1 in the middle half of each side."""
    mask = torch.zeros(1, size, size)
    quarter = size // 4
    mask[:, quarter : size - quarter, quarter : size - quarter] = 1
    return mask


def random_region(size: int, augment_seed: int) -> Tensor:
    """[1, size, size]: 1 where coarse noise, enlarged, is in its lowest quarter. Pathak et al. 2016, Sec. 3.3."""
    cells = max(3, round(CELL * size))
    noise = torch.rand(1, 1, cells, cells, generator=torch.Generator().manual_seed(hash32(augment_seed, "region")))
    smooth = interpolate(noise, size=(size, size), mode="bicubic")[0]
    hole = round(COVERED * size * size)
    return (smooth <= smooth.flatten().kthvalue(hole).values).float()
