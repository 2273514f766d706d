"""Small bright pictures pasted anywhere on grounds of random colours: data that has layers, and keeps them secret."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from ganzoo_core.data import Dataset, fingerprint, hash32
from ganzoo_core.errors import GanzooError, escape
from ganzoo_structure.pasting import pasted

DARK = 0.6  # grounds are between black and this share of white, so that what is white stands out


class OnGrounds(Dataset):
    """`source` at half its size, its brightness as the mask of white. Example i has always the same ground and place;
    in training each has its own.
    """

    def __init__(self, source: Dataset) -> None:
        info = source.info
        if "x" not in info.keys or not info.image_size or info.image_size % 2:
            raise GanzooError(f"data {escape(info.name)}: no pictures of one even size to paste", "Choose other data.")
        self.source = source
        self.info = replace(
            info, name=f"grounds:{info.name}", fingerprint=fingerprint(info.fingerprint, "grounds", DARK)
        )

    def __len__(self) -> int:
        return len(self.source)

    def fetch(self, indices: Sequence[int]) -> dict[str, Tensor]:
        batch = self.source.fetch(indices)
        return {**batch, "x": on_grounds(batch["x"], [hash32(0, "ground", i) for i in indices])}

    def fetch_augmented(self, indices: Sequence[int], augment_seeds: Sequence[int]) -> dict[str, Tensor]:
        batch = self.source.fetch_augmented(indices, augment_seeds)
        return {**batch, "x": on_grounds(batch["x"], list(augment_seeds))}


def on_grounds(x: Tensor, seeds: Sequence[int]) -> Tensor:
    """[N, C, H, W] in [-1, 1] to the same."""
    figures = (avg_pool2d(x, 2).mean(1, keepdim=True) + 1) / 2
    return torch.stack([on_ground(mask, x.shape[1], seed) for mask, seed in zip(figures, seeds, strict=True)])


def on_ground(figure: Tensor, channels: int, seed: int) -> Tensor:
    """One mask [1, h, w] anywhere on a ground of twice its size.  [C, 2 h, 2 w]"""
    rng = torch.Generator().manual_seed(seed)
    height, width = figure.shape[1:]
    top, left = (int(torch.randint(side + 1, (), generator=rng)) for side in (height, width))
    mask = torch.zeros(1, 2 * height, 2 * width)
    mask[:, top : top + height, left : left + width] = figure
    colour = 2 * DARK * torch.rand(channels, 1, 1, generator=rng) - 1
    return pasted(colour, torch.ones(()), mask)
