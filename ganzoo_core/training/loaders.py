"""What a trainer draws from: a data set by name or path, or whatever a Python user brings, as one kind of stream."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganzoo_core.data import Dataset, DatasetInfo, open_dataset, stream
from ganzoo_core.data.streaming import refuse_uneven
from ganzoo_core.errors import GanzooError
from ganzoo_core.objectives.objective import Batch
from ganzoo_core.registry.plugins import registry
from ganzoo_core.training.examples import Reader, is_example, same_length, stacked

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

    def about(self) -> list[str]:
        """Lines for people: what is served, and what they should know of it."""
        source: Dataset = self.open(**self.options)
        return [source.describe(), *source.all_notes()]

    def __call__(
        self, *, start: int, batch_size: int, rank: int = 0, world: int = 1, **options: Any
    ) -> Iterator[Batch]:
        source: Dataset = self.open(**{**self.options, **options})
        return stream(
            source, batch_size=batch_size, seed=self.seed, start=start, rank=rank, world=world, workers=self.workers,
            with_index=self.with_index,
        )  # fmt: skip


class ExamplesLoader:
    """Examples by number, shuffled: a torch Dataset, or a list, an array, a table of the Hub. `Reader` says of what."""

    info = UNKNOWN

    def __init__(self, examples: Any, seed: int, read: Reader, with_index: bool = False) -> None:
        self.source, self.seed, self.with_index = Examples(examples, read), seed, with_index

    def about(self) -> list[str]:
        return [f"your own data: {len(self.source):,} examples"]

    def __call__(self, *, start: int, batch_size: int, rank: int = 0, world: int = 1, **_: Any) -> Iterator[Batch]:
        return stream(
            self.source, batch_size=batch_size, seed=self.seed, start=start, rank=rank, world=world,
            with_index=self.with_index,
        )  # fmt: skip


class Examples(Dataset):
    """Whatever has a length and examples by number, as a source."""

    info = UNKNOWN

    def __init__(self, examples: Any, read: Reader) -> None:
        self.examples, self.read = examples, read

    def __len__(self) -> int:
        return len(self.examples)

    def fetch(self, indices: Sequence[int]) -> dict[str, Tensor]:
        return stacked([self.read(self.examples[i]) for i in indices])


class IterableLoader:
    """Batches from an iterable, over and over, or from what a function of the phase's options returns; or examples.

    They are cut anew into batches of the size that is asked for; every process slices its part out of them.
    """

    info = UNKNOWN

    def __init__(self, make: Callable[..., Iterable[Any]], read: Reader) -> None:
        self.make, self.read = make, read

    def about(self) -> list[str]:
        return ["your own data: batches"]

    def __call__(
        self, *, start: int, batch_size: int, rank: int = 0, world: int = 1, **options: Any
    ) -> Iterator[Batch]:
        refuse_uneven(batch_size, world)
        return self.sliced(start, batch_size, rank, batch_size // world, options)

    def sliced(self, start: int, batch_size: int, rank: int, share: int, options: Mapping[str, Any]) -> Iterator[Batch]:
        """This process's part of every batch."""
        batches = map(self.batch, endless(partial(self.make, **options)))
        for table in recut(batches, batch_size, start):
            yield {key: value[rank * share : (rank + 1) * share] for key, value in table.items()}

    def batch(self, given: Any) -> dict[str, Tensor]:
        """A batch as it is, or an example as a batch of one."""
        return stacked([self.read(given)]) if is_example(given) else self.read(given)


def recut(batches: Iterable[Mapping[str, Tensor]], size: int, start: int) -> Iterator[dict[str, Tensor]]:
    """The examples of `batches` from number `start` on, `size` at a time."""
    held: dict[str, Tensor] = {}
    for table in batches:
        held = appended(held, table)
        n = len(next(iter(held.values())))
        while n > start and n - start >= size:
            yield {key: value[start : start + size] for key, value in held.items()}
            start += size
        drop = min(start, n)
        held, start = {key: value[drop:] for key, value in held.items()}, start - drop


def appended(held: Mapping[str, Tensor], table: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Errors: GanzooError for a batch that has other keys, or pictures of another size, than those before it."""
    lengths = {key: len(value) for key, value in table.items()}
    if len(set(lengths.values())) > 1:
        raise GanzooError(f"your data: a batch has unequally many of each: {lengths}", "Give one of each per example.")
    if not held:
        return dict(table)
    if "text" in held and "text" in table:
        texts = same_length([held["text"], table["text"]])
        held, table = {**held, "text": texts[0]}, {**table, "text": texts[1]}
    for key in held.keys() | table.keys():
        found, before = ([*t[key].shape[1:]] if key in t else "nothing" for t in (table, held))
        if found != before:
            raise GanzooError(f"your data: {key} is {found} in one batch and {before} in another", "Make all alike.")
    return {key: torch.cat([held[key], value]) for key, value in table.items()}


def endless(make: Callable[[], Iterable[Any]]) -> Iterator[Any]:
    while True:
        batch = None
        for batch in make():
            yield batch
        if batch is None:
            raise GanzooError("your data: no batches", "An iterator can be gone through once: give an iterable.")


BatchLoader = DatasetLoader | ExamplesLoader | IterableLoader


def loader_of(
    data: Any, *, seed: int, workers: int = 0, root: str | Path | None = None, with_index: bool = False, **options: Any
) -> BatchLoader:
    """A loader from a name or path, a torch Dataset, examples, an iterable of batches, or a function that returns one.

    Errors: GanzooError for what is none of these.
    """
    if isinstance(data, (str, Path)):
        return DatasetLoader(str(data), seed=seed, workers=workers, root=root, with_index=with_index, **options)
    read = Reader(options.get("image_size"), options.get("channels"), options.get("classes"))
    if isinstance(data, torch.utils.data.IterableDataset):
        return IterableLoader(lambda **_: data, read)
    if isinstance(data, torch.utils.data.Dataset) or (is_sequence(data) and is_example(data[0])):
        return ExamplesLoader(data, seed, read, with_index)
    if callable(data):
        return IterableLoader(data, read)
    if not isinstance(data, Iterable):
        raise GanzooError(
            f"data of type {type(data).__name__}: is nothing to train on",
            "Give a name, a path, a torch Dataset, a list of examples, an iterable of batches, or a function.",
        )
    return IterableLoader(lambda **_: data, read)


def is_sequence(data: Any) -> bool:
    """Whether it has a length and items by number: a list, an array, a tensor, a table of the Hub."""
    has_items = hasattr(data, "__len__") and hasattr(data, "__getitem__")
    return has_items and not isinstance(data, Mapping) and len(data) > 0
