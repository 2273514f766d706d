"""Two pictures at a time: `a` and `b`, of the same thing (pairs) or of one domain each (unpaired)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePath
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from ganzoo_core.data.dataset import Dataset, DatasetInfo, fingerprint
from ganzoo_core.data.folder.folder import Folder, open_folder
from ganzoo_core.decoding import left_half, right_half
from ganzoo_core.errors import GanzooError, escape
from ganzoo_core.seeds import hash32

SIDE_BY_SIDE = 256  # px, unless asked: the size of pix2pix's own files
JITTER = 286 / 256
Augment = Callable[[Tensor, Sequence[int]], Tensor]  # pictures [n, C, H, W] and a number for each -> as many


def jittered(x: Tensor, augment_seeds: Sequence[int]) -> Tensor:
    """Enlarged by 286/256 (bicubic), cut back to the size at a random place, mirrored half of the time.

    x [n, C, H, W] in [-1, 1] -> the same; example i by augment_seeds[i]. Isola et al. 2017, Sec. 6.2.
    """
    height, width = x.shape[-2:]
    large = interpolate(x, size=(round(height * JITTER), round(width * JITTER)), mode="bicubic").clamp_(-1, 1)
    tops, lefts = large.shape[-2] - height + 1, large.shape[-1] - width + 1
    out = torch.empty_like(x)
    for i, augment_seed in enumerate(augment_seeds):
        top, left = hash32(augment_seed, "top") % tops, hash32(augment_seed, "left") % lefts
        out[i] = large[i, :, top : top + height, left : left + width]
    return mirrored(out, augment_seeds)


def mirrored(x: Tensor, augment_seeds: Sequence[int]) -> Tensor:
    """Half of the time, and never enlarged: where size and margin are of the style."""
    return torch.stack(
        [
            image.flip(-1) if hash32(augment_seed, "flip") % 2 else image
            for image, augment_seed in zip(x, augment_seeds, strict=True)
        ]
    )


def as_is(x: Tensor, augment_seeds: Sequence[int]) -> Tensor:
    return x


class Pairs(Dataset):
    """`a` of one source beside `b` of another: item i is the pair rows[i]. In training both are augmented alike."""

    def __init__(
        self, name: str, a: Dataset, b: Dataset, rows: Sequence[tuple[int, int]], augment: Augment = jittered
    ) -> None:
        self.a, self.b, self.rows, self.augment = a, b, rows, augment
        self.info = pair_facts(name, a.info, b.info, "pairs", *rows)

    def __len__(self) -> int:
        return len(self.rows)

    def fetch(self, indices: Sequence[int]) -> dict[str, Tensor]:
        return {
            "a": self.a.fetch([self.rows[i][0] for i in indices])["x"],
            "b": self.b.fetch([self.rows[i][1] for i in indices])["x"],
        }

    def fetch_augmented(self, indices: Sequence[int], augment_seeds: Sequence[int]) -> dict[str, Tensor]:
        pair = self.fetch(indices)
        both = self.augment(torch.cat([pair["a"], pair["b"]], 1), augment_seeds)  # [n, 2 C, H, W]
        a, b = both.chunk(2, 1)
        return {"a": a.contiguous(), "b": b.contiguous()}


class Unpaired(Dataset):
    """`a` of one source beside any `b` of another: in training b is drawn at random, and each is augmented alone."""

    def __init__(
        self,
        name: str,
        a: Dataset,
        b: Dataset,
        rows_a: Sequence[int],
        rows_b: Sequence[int],
        augment: Augment = jittered,
    ) -> None:
        self.a, self.b, self.rows_a, self.rows_b, self.augment = a, b, rows_a, rows_b, augment
        self.info = pair_facts(name, a.info, b.info, "unpaired", rows_a, rows_b)

    def __len__(self) -> int:
        return max(len(self.rows_a), len(self.rows_b))

    def fetch(self, indices: Sequence[int]) -> dict[str, Tensor]:
        return self.taken(indices, indices)

    def fetch_augmented(self, indices: Sequence[int], augment_seeds: Sequence[int]) -> dict[str, Tensor]:
        apart = [hash32(augment_seed, "b") for augment_seed in augment_seeds]
        pair = self.taken(indices, apart)
        return {"a": self.augment(pair["a"], augment_seeds), "b": self.augment(pair["b"], apart)}

    def taken(self, at_a: Sequence[int], at_b: Sequence[int]) -> dict[str, Tensor]:
        return {
            "a": self.a.fetch([self.rows_a[i % len(self.rows_a)] for i in at_a])["x"],
            "b": self.b.fetch([self.rows_b[i % len(self.rows_b)] for i in at_b])["x"],
        }


class Swapped(Dataset):
    """`source` with a and b exchanged: pairs the other way round (the --direction BtoA of pix2pix's own code)."""

    def __init__(self, source: Dataset) -> None:
        info = source.info
        if not {"a", "b"} <= info.keys:
            raise GanzooError(f"data {escape(info.name)}: has no a and b to swap", "Give pairs: swapped:A::B.")
        self.source = source
        self.info = replace(info, name=f"swapped:{info.name}", fingerprint=fingerprint(info.fingerprint, "swapped"))

    def __len__(self) -> int:
        return len(self.source)

    def fetch(self, indices: Sequence[int]) -> dict[str, Tensor]:
        return swapped(self.source.fetch(indices))

    def fetch_augmented(self, indices: Sequence[int], augment_seeds: Sequence[int]) -> dict[str, Tensor]:
        return swapped(self.source.fetch_augmented(indices, augment_seeds))


def swapped(batch: dict[str, Tensor]) -> dict[str, Tensor]:
    return {**batch, "a": batch["b"], "b": batch["a"]}


def pair_facts(name: str, a: DatasetInfo, b: DatasetInfo, *parts: object) -> DatasetInfo:
    licences = " AND ".join(dict.fromkeys(f.licence for f in (a, b) if f.licence))
    return replace(
        a,
        name=name,
        keys=frozenset({"a", "b"}),
        classes=None,
        class_names=(),
        licence=licences,
        fingerprint=fingerprint(a.fingerprint, b.fingerprint, *parts),
    )


# From paths


def open_paired(data: str, options: Mapping[str, Any]) -> Dataset:
    """A::B, two folders with the same names of files but for their endings; or one folder of pairs side by side."""
    if "::" not in data:
        size = {"image_size": options.get("image_size") or SIDE_BY_SIDE}
        a, b = (open_folder(data, **{**options, **size}, cut=half) for half in (left_half, right_half))
        return Pairs(a.info.name, a, b, [(i, i) for i in range(len(a))])
    a, b = two_folders(data, options)
    at = {stem(name): i for i, name in enumerate(b.names)}
    alone = [name for name in a.names if stem(name) not in at]
    if alone or len(a) != len(b):
        lonely = f"{escape(alone[0], 80)} has no partner" if alone else f"{len(a):,} and {len(b):,} images"
        raise GanzooError(
            f"data {escape(data)}: not pairs: {lonely}", "Partners have the same name; for two domains: unpaired:A::B."
        )
    return Pairs(joined(a, b), a, b, [(i, at[stem(name)]) for i, name in enumerate(a.names)])


def open_unpaired(data: str, options: Mapping[str, Any]) -> Dataset:
    """A::B, two folders, each of one domain."""
    a, b = two_folders(data, options)
    return Unpaired(joined(a, b), a, b, range(len(a)), range(len(b)))


def two_folders(data: str, options: Mapping[str, Any]) -> tuple[Folder, Folder]:
    first, separator, second = data.partition("::")
    if not separator or not first or not second:
        raise GanzooError(f"data {escape(data)!r}: not two folders", "Give them as A::B.")
    a = open_folder(first, **options)
    same = {"image_size": a.info.image_size, "channels": options.get("channels") or 3}
    if a.info.channels != same["channels"]:
        a = open_folder(first, **{**options, **same})
    return a, open_folder(second, **{**options, **same})


def stem(name: str) -> str:
    return str(PurePath(name).with_suffix(""))


def joined(a: Folder, b: Folder) -> str:
    return f"{a.info.name}::{b.info.name}"
