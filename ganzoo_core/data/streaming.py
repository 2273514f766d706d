"""The endless shuffled stream of batches: what comes next depends on the seed and the image count alone.

Position p of the stream is item p % N of epoch p // N, and an epoch's order is a function of (seed, N, epoch).
So a stream that starts at image p goes on exactly as one that came there, and there is no loader state to save.
"""

from __future__ import annotations

import multiprocessing
import signal
import threading
import warnings
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Sampler
from torch.utils.data import Dataset as TorchDataset

from ganzoo_core.data.dataset import Dataset
from ganzoo_core.errors import ExternalError, GanzooError, escape
from ganzoo_core.seeds import hash32

Batch = dict[str, Tensor]
Lot = tuple[list[int], list[int]]  # items, and for each the number that augments it


def stream(
    source: Dataset,
    *,
    batch_size: int,
    seed: int,
    start: int = 0,
    rank: int = 0,
    world: int = 1,
    workers: int = 0,
    with_index: bool = False,
) -> Generator[Batch, None, None]:
    """Batches without end, always full: they run across the ends of epochs, and N may be smaller than a batch.

    `batch_size` and `start` count images over all ranks; rank r gets the r-th of `world` equal slices of every
    batch, [batch_size / world, ...]. With `workers`, that many processes fetch ahead: the same batches, in the same
    order. `with_index` adds `index`, the number of each example in the data, int64. Close the
    iterator to end them. Errors: GanzooError (2) for numbers that do not fit, ExternalError (3) where
    a worker process is killed or a file has gone.
    """
    _check(source, batch_size, start, rank, world, workers)
    order = _positions(len(source), batch_size, seed, start, rank, world)
    if with_index:
        source = Indexed(source)
    return _fetched(source, order) if workers == 0 else _fetched_ahead(source, order, workers)


class Indexed(Dataset):
    """`source` with the number of each example beside it."""

    def __init__(self, source: Dataset) -> None:
        self.source, self.info = source, source.info

    def __len__(self) -> int:
        return len(self.source)

    def fetch(self, indices: Sequence[int]) -> Batch:
        return self.source.fetch(indices) | {"index": torch.as_tensor(indices, dtype=torch.int64)}

    def fetch_augmented(self, indices: Sequence[int], augment_seeds: Sequence[int]) -> Batch:
        found = self.source.fetch_augmented(indices, augment_seeds)
        return found | {"index": torch.as_tensor(indices, dtype=torch.int64)}


def refuse_uneven(batch_size: int, world: int) -> None:
    """Errors: GanzooError for a batch that does not divide into equal parts."""
    if batch_size < 1 or batch_size % world:
        raise GanzooError(
            f"batch size {batch_size}: does not divide into equal parts for {world} processes",
            "It counts images over all processes: choose a multiple of their number.",
        )


def _check(source: Dataset, batch_size: int, start: int, rank: int, world: int, workers: int) -> None:
    refuse_uneven(batch_size, world)
    if not 0 <= rank < world or start < 0 or workers < 0:
        raise GanzooError(f"data stream: rank {rank} of {world}, start {start}, workers {workers} make no sense")
    if len(source) == 0:
        raise GanzooError(f"data set {escape(source.info.name)}: is empty")


def epoch_order(count: int, seed: int, epoch: int) -> Tensor:
    """The order of an epoch, int64 [count]: a permutation that depends on these three numbers only."""
    return torch.randperm(count, generator=torch.Generator().manual_seed(hash32(seed, "order", epoch)))


def _positions(count: int, batch_size: int, seed: int, start: int, rank: int, world: int) -> Iterator[Lot]:
    share = batch_size // world
    first, known, order = start + rank * share, -1, torch.empty(0, dtype=torch.int64)
    while True:
        indices: list[int] = []
        while len(indices) < share:
            epoch, offset = divmod(first + len(indices), count)
            if epoch != known:
                known, order = epoch, epoch_order(count, seed, epoch)
            indices += order[offset : offset + share - len(indices)].tolist()
        yield indices, [hash32(seed, "augment", position) for position in range(first, first + share)]
        first += batch_size


def _fetched(source: Dataset, order: Iterator[Lot]) -> Generator[Batch, None, None]:
    for indices, augment_seeds in order:
        yield source.fetch_augmented(indices, augment_seeds)


SHARED = (
    "/dev/shm is too small: use fewer workers (--workers), smaller batches, or no workers; in Docker, --shm-size 1g."
)
FILES = "Raise the limit of open files (ulimit -n), or use fewer workers, or none."


class _Order(Sampler[Lot]):
    def __init__(self, order: Iterator[Lot]) -> None:
        self.order = order

    def __iter__(self) -> Iterator[Lot]:
        return self.order


class _Fetch(TorchDataset[Batch | GanzooError]):
    """What a worker runs. It hands a user's error over as a value: torch would wrap a traceback around it.

    So it does where shared memory is full. Tensors are put there here: left to torch, a thread of the worker's would do
    it, whose failure nobody hears of, and the parent waits for ever.
    """

    def __init__(self, source: Dataset) -> None:
        self.source = source

    def __getitem__(self, lot: Lot) -> Batch | GanzooError:
        try:
            batch = self.source.fetch_augmented(*lot)
        except GanzooError as error:
            return error
        try:
            return {key: value.share_memory_() for key, value in batch.items()}  # type: ignore[no-untyped-call]
        except (RuntimeError, OSError) as error:
            reason = escape(str(error).partition("\n")[0], 120)
            return ExternalError(f"data loading: no room for a batch in shared memory: {reason}", SHARED)


def _fetched_ahead(source: Dataset, order: Iterator[Lot], workers: int) -> Generator[Batch, None, None]:
    before = set(multiprocessing.active_children())
    with _quietly_started():
        loader = DataLoader(
            _Fetch(source),
            batch_size=None,
            sampler=_Order(order),
            num_workers=workers,
            collate_fn=_same,
            worker_init_fn=_obey_parent_only,
            generator=torch.Generator(),  # or it would draw from the global generator, and workers change the run
        )
        try:
            batches = iter(loader)
        except OSError as error:
            raise ExternalError(f"data loading: no worker can be started: {error.strerror}", SHARED) from error
    ours = set(multiprocessing.active_children()) - before
    try:
        while True:
            yield _next(batches)
    finally:
        del batches  # asks the workers to end, and waits for them
        for process in ours:
            if process.is_alive():  # it ignores SIGTERM, and so what torch sends to one that is stuck
                process.kill()


def _next(batches: Iterator[Batch | GanzooError]) -> Batch:
    try:
        got = next(batches)
    except (RuntimeError, EOFError, OSError) as error:
        if any(words in str(error) for words in ("ancdata", "Too many open files")):  # as torch and Python say it
            raise ExternalError("data loading: too many files are open", FILES) from error
        if not _by_death(error):
            raise
        raise ExternalError(
            "data loading: a worker process was killed",
            "Memory, or shared memory (/dev/shm), may have run out: use fewer workers, or none.",
        ) from error
    if isinstance(got, GanzooError):
        raise got
    return got


def _by_death(error: Exception) -> bool:
    """Whether a worker has died, rather than raised. Asking a dead one for its tensor fails in many ways."""
    text = str(error)
    return text.startswith("DataLoader worker") if isinstance(error, RuntimeError) else not text.startswith("Caught ")


@contextmanager
def _quietly_started() -> Iterator[None]:
    """torch's handler of SIGCHLD raises a dead worker's error in the middle of whatever runs; `next` finds it too."""
    posix_main = hasattr(signal, "SIGCHLD") and threading.current_thread() is threading.main_thread()
    handler = signal.getsignal(signal.SIGCHLD) if posix_main else None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # more workers than cores; forks beside threads
        yield
    if handler is not None:
        signal.signal(signal.SIGCHLD, handler)


def _obey_parent_only(worker: int) -> None:
    """A signal to the process group must not end workers before the parent has finished its step and saved."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)


def _same(batch: Any) -> Any:
    return batch
