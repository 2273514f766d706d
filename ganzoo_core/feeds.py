"""What a trainer draws from: a data set by name or path, or whatever a Python user brings, as one kind of stream."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganzoo_core.data import Facts, Source, open_source, stream
from ganzoo_core.errors import GanzooError
from ganzoo_core.objective import Batch
from ganzoo_core.registry import registry

UNKNOWN = Facts("your own data", frozenset(), None, None, None, (), "", "")


class NamedFeed:
    """A data set of the registry or a path, opened in whatever size a phase asks for."""

    def __init__(self, data: str, *, seed: int = 0, workers: int = 0, root: str | Path | None = None, **options: Any):
        self.data, self.seed, self.workers = data, seed, workers
        self.options = {k: v for k, v in options.items() if v is not None}
        self.open = cache(partial(open_source, data, root=root, datasets=dict(registry().datasets.items())))
        self.facts = self.open(**self.options).facts

    def __call__(
        self, *, start: int, batch_size: int, rank: int = 0, world: int = 1, **options: Any
    ) -> Iterator[Batch]:
        source: Source = self.open(**{**self.options, **options})
        return stream(
            source, batch_size=batch_size, seed=self.seed, start=start, rank=rank, world=world, workers=self.workers
        )


class DatasetFeed:
    """A torch Dataset: items are tensors (x), pairs (x, label) or tables of tensors."""

    facts = UNKNOWN

    def __init__(self, dataset: Any, seed: int) -> None:
        self.dataset, self.seed = dataset, seed

    def __call__(self, *, start: int, batch_size: int, rank: int = 0, world: int = 1, **_: Any) -> Iterator[Batch]:
        source = DatasetSource(self.dataset)
        return stream(source, batch_size=batch_size, seed=self.seed, start=start, rank=rank, world=world)


class DatasetSource(Source):
    """A torch Dataset as a source."""

    facts = UNKNOWN

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


class BatchesFeed:
    """Batches from an iterable, over and over, or from what a function of the phase's options returns.

    They are cut anew into batches of the size that is asked for; every process slices its part out of them.
    """

    facts = UNKNOWN

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


Feed = NamedFeed | DatasetFeed | BatchesFeed


def feed_of(data: Any, *, seed: int, workers: int = 0, root: str | Path | None = None, **options: Any) -> Feed:
    """A feed from a name or path, a torch Dataset, an iterable of batches, or a function that returns one."""
    if isinstance(data, (str, Path)):
        return NamedFeed(str(data), seed=seed, workers=workers, root=root, **options)
    if isinstance(data, torch.utils.data.Dataset):
        return DatasetFeed(data, seed)
    if callable(data):
        return BatchesFeed(data)
    return BatchesFeed(lambda **_: data)
