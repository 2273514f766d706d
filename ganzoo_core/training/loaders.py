"""What a trainer draws from: a data set by name or path, or whatever a Python user brings, as one kind of stream."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganzoo_core.data import Dataset, DatasetInfo, open_dataset, stream
from ganzoo_core.errors import GanzooError
from ganzoo_core.objectives.objective import Batch
from ganzoo_core.registry.plugins import registry

UNKNOWN = DatasetInfo("your own data", frozenset(), None, None, None, (), "", "")


class DatasetLoader:
    """A data set of the registry or a path, opened in whatever size a phase asks for."""

    def __init__(
        self,
        data: str,
        *,
        seed: int = 0,
        workers: int = 0,
        root: str | Path | None = None,
        with_index: bool = False,  # whether batches have `index`, the number of each example in the data
        **options: Any,
    ) -> None:
        self.data, self.seed, self.workers, self.with_index = data, seed, workers, with_index
        self.options = {k: v for k, v in options.items() if v is not None}
        zoo = registry()
        self.open = cache(partial(open_dataset, data, root=root, datasets=zoo.datasets, views=zoo.views))
        self.info = self.open(**self.options).info

    def __call__(
        self, *, start: int, batch_size: int, rank: int = 0, world: int = 1, **options: Any
    ) -> Iterator[Batch]:
        source: Dataset = self.open(**{**self.options, **options})
        return stream(
            source, batch_size=batch_size, seed=self.seed, start=start, rank=rank, world=world, workers=self.workers,
            with_index=self.with_index,
        )  # fmt: skip


class TorchLoader:
    """A torch Dataset: items are tensors (x), pairs (x, label) or tables of tensors."""

    info = UNKNOWN

    def __init__(self, dataset: Any, seed: int, with_index: bool = False) -> None:
        self.dataset, self.seed, self.with_index = dataset, seed, with_index

    def __call__(self, *, start: int, batch_size: int, rank: int = 0, world: int = 1, **_: Any) -> Iterator[Batch]:
        source = TorchDataset(self.dataset)
        return stream(
            source,
            batch_size=batch_size,
            seed=self.seed,
            start=start,
            rank=rank,
            world=world,
            with_index=self.with_index,
        )


class TorchDataset(Dataset):
    """A torch Dataset as a source."""

    info = UNKNOWN

    def __init__(self, dataset: Any) -> None:
        self.dataset = dataset

    def __len__(self) -> int:
        return len(self.dataset)

    def fetch(self, indices: Sequence[int]) -> dict[str, Tensor]:
        items = [as_table(self.dataset[i]) for i in indices]
        return {key: torch.stack([item[key] for item in items]) for key in items[0]}


def as_table(item: Any) -> Mapping[str, Tensor]:
    if isinstance(item, Mapping):
        return item
    if isinstance(item, (tuple, list)):
        return {key: torch.as_tensor(value) for key, value in zip(("x", "label"), item, strict=False)}
    return {"x": item}


class IterableLoader:
    """Batches from an iterable, over and over, or from what a function of the phase's options returns.

    They are cut anew into batches of the size that is asked for; every process slices its part out of them.
    """

    info = UNKNOWN

    def __init__(self, make: Callable[..., Iterable[Any]]) -> None:
        self.make = make

    def __call__(
        self, *, start: int, batch_size: int, rank: int = 0, world: int = 1, **options: Any
    ) -> Iterator[Batch]:
        share = batch_size // world
        for table in recut(endless(partial(self.make, **options)), batch_size, start):
            yield {key: value[rank * share : (rank + 1) * share] for key, value in table.items()}


def recut(batches: Iterator[Any], size: int, start: int) -> Iterator[dict[str, Tensor]]:
    """The examples of `batches` from number `start` on, `size` at a time."""
    held: dict[str, Tensor] = {}
    for batch in batches:
        table = as_table(batch)
        held = {key: torch.cat([held[key], value]) if held else value for key, value in table.items()}
        n = len(next(iter(held.values())))
        while n > start and n - start >= size:
            yield {key: value[start : start + size] for key, value in held.items()}
            start += size
        drop = min(start, n)
        held, start = {key: value[drop:] for key, value in held.items()}, start - drop


def endless(make: Callable[[], Iterable[Any]]) -> Iterator[Any]:
    while True:
        batch = None
        for batch in make():
            yield batch
        if batch is None:
            raise GanzooError("your data: no batches", "An iterator can be gone through once: give an iterable.")


BatchLoader = DatasetLoader | TorchLoader | IterableLoader


def loader_of(data: Any, *, seed: int, workers: int = 0, root: str | Path | None = None, **options: Any) -> BatchLoader:
    """A feed from a name or path, a torch Dataset, an iterable of batches, or a function that returns one."""
    if isinstance(data, (str, Path)):
        return DatasetLoader(str(data), seed=seed, workers=workers, root=root, **options)
    if isinstance(data, torch.utils.data.Dataset):
        return TorchLoader(data, seed, bool(options.get("with_index")))
    if callable(data):
        return IterableLoader(data)
    return IterableLoader(lambda **_: data)
