"""Pictures that are not cut to squares: all of one size, padded, stretched; or random crops out of large ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ganzoo_core.data.dataset import KEPT_BYTES, Dataset, DatasetInfo, fingerprint
from ganzoo_core.data.folder.folder import open_folder, read_from
from ganzoo_core.data.folder.places import Place
from ganzoo_core.data.pixels import to_float
from ganzoo_core.decoding import decode, padded, stretched, whole
from ganzoo_core.errors import GanzooError, escape
from ganzoo_core.seeds import hash32


class Uncut(Dataset):
    """x [n, C, H, W]: pictures that all have one height and width. Kept as uint8."""

    def __init__(self, info: DatasetInfo, pictures: Sequence[Tensor]) -> None:
        sizes = {tuple(p.shape[1:]) for p in pictures}
        if len(sizes) > 1:
            found = " and ".join(f"{w}x{h}" for h, w in sorted(sizes)[:2])
            raise GanzooError(f"data {escape(info.name)}: pictures of {found}: uncut they make no batch")
        self.info, self.pictures = info, torch.stack(list(pictures))

    def __len__(self) -> int:
        return len(self.pictures)

    def fetch(self, indices: Sequence[int]) -> dict[str, Tensor]:
        return {"x": to_float(self.pictures[list(indices)])}


class Crops(Dataset):
    """x [n, C, size, size]: in training a random part of each picture, turned or mirrored; else its middle."""

    def __init__(self, info: DatasetInfo, place: Place, names: Sequence[str]) -> None:
        self.info, self.place, self.names = info, place, names
        self.size, self.channels = info.image_size or 1, info.channels or 3
        self.kept: dict[int, Tensor] = {}
        self.room = KEPT_BYTES

    def __len__(self) -> int:
        return len(self.names)

    def fetch(self, indices: Sequence[int]) -> dict[str, Tensor]:
        return {"x": to_float(torch.stack([self.middle(self.picture(i)) for i in indices]))}

    def fetch_augmented(self, indices: Sequence[int], augment_seeds: Sequence[int]) -> dict[str, Tensor]:
        parts = [
            self.part(self.picture(i), augment_seed) for i, augment_seed in zip(indices, augment_seeds, strict=True)
        ]
        return {"x": to_float(torch.stack(parts))}

    def middle(self, picture: Tensor) -> Tensor:
        top, left = ((side - self.size) // 2 for side in picture.shape[1:])
        return picture[:, top : top + self.size, left : left + self.size]

    def part(self, picture: Tensor, augment_seed: int) -> Tensor:
        """One of the eight views of a square at a random place."""
        top, left = (
            hash32(augment_seed, name) % (side - self.size + 1)
            for name, side in zip(("top", "left"), picture.shape[1:], strict=True)
        )
        square = picture[:, top : top + self.size, left : left + self.size]
        view = hash32(augment_seed, "view") % 8
        return torch.rot90(square.flip(-1) if view >= 4 else square, view % 4, (1, 2))

    def picture(self, index: int) -> Tensor:
        """uint8 [C, H, W]; remembered as long as there is room."""
        if index not in self.kept:
            pixels = decoded(self.place, self.names[index], 0, self.channels)
            if min(pixels.shape[1:]) < self.size:
                height, width = pixels.shape[1:]
                where = escape(self.place.where(self.names[index]))
                raise GanzooError(
                    f"{where}: {width}x{height}, smaller than the {self.size} px that are cut out",
                    "Remove it, or ask for a smaller image_size.",
                )
            if pixels.numel() > self.room:
                return pixels
            self.kept[index], self.room = pixels, self.room - pixels.numel()
        return self.kept[index]


def decoded(place: Place, name: str, longest_side: int, channels: int) -> Tensor:
    """uint8 [C, H, W]. Errors: GanzooError where the file is bad, ExternalError where it cannot be read."""
    with read_from(place, name) as file:
        return torch.from_numpy(decode(file, longest_side, channels, whole))


def open_uncut(path: str, longest_side: int, options: Mapping[str, Any]) -> Dataset:
    """One image, or a folder of images of one size: x [n, C, H, W] whose longer side is at most `longest_side`."""
    folder = open_folder(path, **options)
    channels = folder.info.channels or 3
    pictures = [decoded(folder.place, name, longest_side, channels) for name in folder.names]
    uncut = Uncut(served(folder.info, None, "uncut", longest_side), pictures)
    uncut.notes = folder.file_notes
    return uncut


def open_crops(path: str, options: Mapping[str, Any]) -> Dataset:
    """A folder of large images: x [n, C, size, size], random parts of them."""
    folder = open_folder(path, **options)
    crops = Crops(served(folder.info, folder.info.image_size, "crops"), folder.place, folder.names)
    crops.notes = folder.file_notes
    return crops


def open_padded(path: str, options: Mapping[str, Any]) -> Dataset:
    """A folder whose pictures lie whole in the middle of a white square."""
    return open_folder(path, **options, cut=padded)


def open_stretched(path: str, options: Mapping[str, Any]) -> Dataset:
    """A folder whose pictures are made square, all of them."""
    return open_folder(path, **options, cut=stretched)


def served(info: DatasetInfo, image_size: int | None, *how: object) -> DatasetInfo:
    """The facts of a folder that is served otherwise than cut to squares."""
    return DatasetInfo(
        info.name, frozenset({"x"}), image_size, info.channels, None, (), info.licence,
        fingerprint(info.fingerprint, *how),
    )  # fmt: skip


def shrunk(pixels: Tensor, factor: int) -> Tensor:
    """uint8 [..., H, W] to 1/factor of its sides: antialiased bicubic (a = -0.5), as Pillow and MATLAB's imresize."""
    lead, (height, width) = pixels.shape[:-3], pixels.shape[-2:]
    x = pixels.reshape(-1, *pixels.shape[-3:]).to(torch.float32)
    size = (height // factor, width // factor)
    small = torch.nn.functional.interpolate(x, size=size, mode="bicubic", antialias=True)
    return small.round_().clamp_(0, 255).to(torch.uint8).reshape(*lead, -1, *size)


def to_pixels(x: Tensor) -> Tensor:
    """float [-1, 1] back to uint8: the inverse of `to_float`."""
    return torch.from_numpy(np.rint((x.numpy() + np.float32(1)) * np.float32(127.5)).astype(np.uint8))
