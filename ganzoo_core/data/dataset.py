"""What training reads: a finite set of examples that are fetched by index, and the facts about it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

import torch
from torch import Tensor

from ganzoo_core.data.pixels import taken, to_channels, to_float, to_size
from ganzoo_core.errors import GanzooError, escape

WARNING = "warning: "  # how a note begins that everyone should hear of
KEPT_BYTES = 512 << 20  # pictures that take less than this are kept ready to serve; others are made per batch


@dataclass(frozen=True)
class DatasetInfo:
    """What a recipe needs to know of a data set before it sees an example.

    `channels` is None where there are no images, `image_size` (square) also where they are served whole, `classes`
    where there are no labels; `licence` is SPDX, "" for a user's own files. `fingerprint` is a sha256 of what is
    served (the set's own bytes and the options), so that a run is never resumed on other data.
    """

    name: str
    keys: frozenset[str]
    image_size: int | None
    channels: int | None
    classes: int | None
    class_names: tuple[str, ...]
    licence: str
    fingerprint: str


class Dataset(ABC):
    """N examples by index. Must survive being sent to worker processes."""

    info: DatasetInfo
    skipped: int = 0  # files that were left out because they are bad and the user asked to go on
    notes: tuple[str, ...] = ()  # what its user should know of it: files passed over, pictures cut ...

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def fetch(self, indices: Sequence[int]) -> dict[str, Tensor]:
        """One tensor [n, ...] per key, in the order asked for. Indices may repeat and are in [0, N).

        Images are float32 [n, C, H, W] in [-1, 1], `label` int64 [n], `text` uint8 [n, L], `video`
        float32 [n, T, C, H, W] in [-1, 1]; points are float32 [n, 2], unbounded.
        Raises ExternalError (3) where a file has gone, GanzooError (2) where it has turned bad.
        """

    def __getitem__(self, index: int) -> dict[str, Tensor]:
        """One example, as torch's loaders ask for it."""
        return {key: value[0] for key, value in self.fetch([index]).items()}

    def __getitems__(self, indices: Sequence[int]) -> list[dict[str, Tensor]]:
        """Several, likewise."""
        batch = self.fetch(indices)
        return [{key: value[i] for key, value in batch.items()} for i in range(len(indices))]

    def fetch_augmented(self, indices: Sequence[int], augment_seeds: Sequence[int]) -> dict[str, Tensor]:
        """As `fetch`, for training: example i may be augmented, by its own number augment_seeds[i] in 0..2^32 - 1.

        The number is a hash of the run's seed and the position in its stream, so a resumed run draws the same.
        """
        return self.fetch(indices)

    def facts(self) -> Mapping[str, Any]:
        """What recipes should know of it, by the names of arguments; sets of a plugin's own kind have more to say.

        It may take a while, so it is asked for once, where a recipe is made.
        """
        info = self.info
        return {"image_size": info.image_size, "channels": info.channels, "classes": info.classes}

    def parts(self) -> list[Dataset]:
        """Itself and the data that it is a view of, and what these are views of."""
        below = [value for value in vars(self).values() if isinstance(value, Dataset)]
        return [self, *(part for source in below for part in source.parts())]

    def all_notes(self) -> tuple[str, ...]:
        """Its own notes, and those of the data that it is a view of."""
        return tuple(dict.fromkeys(note for part in self.parts() for note in part.notes))

    def describe(self) -> str:
        """One line for people, e.g. `mnist: 60,000 examples, 28x28, gray, 10 classes, CC-BY-SA-3.0`."""
        f = self.info
        parts = [f"{len(self):,} examples"]
        if f.image_size:
            parts += [f"{f.image_size}x{f.image_size}", "gray" if f.channels == 1 else "RGB"]
        if f.classes:
            parts.append(f"{f.classes} classes")
        if f.licence:
            parts.append(f.licence)
        if self.skipped:
            parts.append(f"{self.skipped:,} {'file' if self.skipped == 1 else 'files'} skipped")
        return f"{escape(f.name)}: {', '.join(parts)}"


class Tensors(Dataset):
    """A set that fits into memory: `pictures` are uint8 [N, ..., C, H, W], `others` are served as they are.

    Pictures are resized and converted to `info.image_size` and `info.channels`; once if the result is small
    (512 MB), else per batch. They stay uint8 until they are fetched.
    """

    def __init__(self, info: DatasetInfo, pictures: Mapping[str, Tensor], others: Mapping[str, Tensor]) -> None:
        lengths = {key: len(tensor) for key, tensor in {**pictures, **others}.items()}
        if len(set(lengths.values())) != 1 or 0 in lengths.values():
            raise GanzooError(f"data set {escape(info.name)}: keys need equally many examples, not {lengths}")
        self.info = info
        self._length = next(iter(lengths.values()))
        self._pictures = {key: self._prepared(pixels) for key, pixels in pictures.items()}
        self._others = {key: tensor.contiguous() for key, tensor in others.items()}

    def __len__(self) -> int:
        return self._length

    def fetch(self, indices: Sequence[int]) -> dict[str, Tensor]:
        at = torch.as_tensor(indices, dtype=torch.int64)
        batch = {key: to_float(self._served(taken(pixels, at))) for key, pixels in self._pictures.items()}
        return batch | {key: taken(tensor, at) for key, tensor in self._others.items()}

    def _served(self, pixels: Tensor) -> Tensor:
        size, channels = self.info.image_size, self.info.channels
        return to_channels(to_size(pixels, size or pixels.shape[-1]), channels or pixels.shape[-3])

    def _prepared(self, pixels: Tensor) -> Tensor:
        if self.info.channels == 1:  # fewer channels now; more are only repeated, so not until they are fetched
            pixels = to_channels(pixels, 1)
        size = self.info.image_size or pixels.shape[-1]
        bytes_at_size = pixels.numel() // (pixels.shape[-1] * pixels.shape[-2]) * size**2
        return to_size(pixels, size).contiguous() if bytes_at_size <= KEPT_BYTES else pixels


def fingerprint(*parts: object) -> str:
    """The sha256 (hex) of tensors, bytes and anything with a plain `str`, each kept apart from the next."""
    digest = sha256()
    for part in parts:
        if isinstance(part, Tensor):
            digest.update(f"{part.dtype}{tuple(part.shape)};".encode())
            digest.update(part.contiguous().numpy().data.cast("B"))
        else:
            data = part if isinstance(part, bytes) else str(part).encode()
            digest.update(f"{len(data)};".encode() + data)
    return digest.hexdigest()
