"""Pictures on white with their silhouettes: as they are, or before grounds that hide them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion, binary_fill_holes, maximum_filter
from torch import Tensor
from torch.nn.functional import interpolate

from ganzoo_core.data import Dataset, fingerprint, hash32
from ganzoo_core.errors import GanzooError, escape

WHITE = 0.02  # what differs less from white is ground
NEAR = 5  # px: an edge pixel is as opaque as it is dark beside the darkest so near
PATCHES = (3, 9, 27)  # cells across, of the noise that grounds are made of
VERSION = 1


class Silhouettes(Dataset):
    """`photo`, x of the source, and `region`, its silhouette: what is not white, and the white that it encloses."""

    how = "silhouettes"

    def __init__(self, source: Dataset) -> None:
        info = source.info
        if "x" not in info.keys or not info.image_size:
            raise GanzooError(f"data {escape(info.name)}: has no pictures of one size", "Give pictures on white.")
        self.source = source
        self.info = replace(
            info, name=f"{self.how}:{info.name}", keys=frozenset({"photo", "region"}), classes=None, class_names=(),
            fingerprint=fingerprint(info.fingerprint, self.how, VERSION),
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.source)

    def fetch(self, indices: Sequence[int]) -> dict[str, Tensor]:
        """The same each time."""
        return self.masked(self.source.fetch(indices)["x"], [hash32(0, "ground", i) for i in indices])

    def fetch_augmented(self, indices: Sequence[int], augment_seeds: Sequence[int]) -> dict[str, Tensor]:
        """Mirrored half of the time."""
        batch = self.masked(self.source.fetch_augmented(indices, augment_seeds)["x"], augment_seeds)
        mirrored = torch.tensor([hash32(seed, "flip") % 2 for seed in augment_seeds], dtype=torch.bool)
        return {key: torch.where(mirrored[:, None, None, None], v.flip(-1), v) for key, v in batch.items()}

    def masked(self, x: Tensor, seeds: Sequence[int]) -> dict[str, Tensor]:
        """Pictures on white [n, C, H, W] and where in them the thing is."""
        cover = torch.from_numpy(np.stack([opacity(darkness) for darkness in away_from_white(x)]))[:, None]
        return {"photo": self.shown(x, cover, seeds), "region": (cover >= 0.5).float()}

    def shown(self, x: Tensor, cover: Tensor, seeds: Sequence[int]) -> Tensor:
        return x


class Cluttered(Silhouettes):
    """The same before mottled grounds, in training another each time: no threshold tells the thing from its ground."""

    how = "cluttered"

    def shown(self, x: Tensor, cover: Tensor, seeds: Sequence[int]) -> Tensor:
        """White (1) that shows through is exchanged for the ground: c F + (1 - c) B = x + (1 - c) (B - 1)."""
        grounds = torch.stack([ground(x.shape[-1], x.shape[1], seed) for seed in seeds])
        return (x + (1 - cover) * (grounds - 1)).clamp(-1, 1)


def away_from_white(x: Tensor) -> NDArray[np.float32]:
    """How far from white x [n, C, H, W] in [-1, 1] is, in the channel that is darkest: [n, H, W] in [0, 1]."""
    return ((1 - x.amin(1)) / 2).numpy()


def opacity(darkness: NDArray[np.float32]) -> NDArray[np.float32]:
    """How much of each pixel [H, W] the thing covers: all of it within, at its edge as much as it is dark.

    Of a thing of one colour on white that is exact: antialiasing makes an edge pixel as dark as it is covered.
    """
    filled = binary_fill_holes(darkness > WHITE)
    within = binary_erosion(filled, iterations=2)
    edge = darkness / np.maximum(maximum_filter(darkness, NEAR), WHITE)
    cover: NDArray[np.float32] = np.where(within, 1, np.where(filled, edge, 0)).astype(np.float32)
    return cover


def ground(side: int, channels: int, seed: int) -> Tensor:
    """Noise of three sizes in any colours, [C, side, side] in [-1, 1]: the coarser, the stronger."""
    rng, made = torch.Generator().manual_seed(hash32(seed, "ground")), torch.zeros(1, channels, side, side)
    for cells in PATCHES:
        noise = 2 * torch.rand(1, channels, cells, cells, generator=rng) - 1
        made += interpolate(noise, (side, side), mode="bicubic") * (2 * PATCHES[0] / cells) ** 0.5
    return made[0].clamp(-1, 1)
