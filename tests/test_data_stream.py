"""The stream: its order is a function of seed and image count, whatever the start, the rank and the workers."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import resource
import signal
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor

from ganzoo_core.data import Dataset, DatasetInfo, Tensors, stream
from ganzoo_core.data.streaming import epoch_order
from ganzoo_core.errors import ExternalError, GanzooError
from ganzoo_core.seeds import hash32


def counted(n: int) -> Tensors:
    """Item i is i, as `label`, and an image all of i % 256."""
    info = DatasetInfo("counted", frozenset({"x", "label"}), 4, 1, None, (), "", "")
    pixels = (torch.arange(n) % 256).to(torch.uint8).view(n, 1, 1, 1).expand(n, 1, 4, 4)
    return Tensors(info, {"x": pixels}, {"label": torch.arange(n)})


def drawn(source: Dataset, batches: int, **options: int) -> list[dict[str, Tensor]]:
    it = stream(source, **options)  # type: ignore[arg-type]
    try:
        return list(itertools.islice(it, batches))
    finally:
        it.close()


def labels(batches: list[dict[str, Tensor]]) -> list[int]:
    return torch.cat([batch["label"] for batch in batches]).tolist()


def same(a: list[dict[str, Tensor]], b: list[dict[str, Tensor]]) -> bool:
    return len(a) == len(b) and all(
        x.keys() == y.keys() and all(torch.equal(x[k], y[k]) and x[k].dtype == y[k].dtype for k in x)
        for x, y in zip(a, b, strict=True)
    )


def test_batches_are_full_and_cross_the_ends_of_epochs() -> None:
    got = drawn(counted(10), 5, batch_size=4, seed=1)
    assert [len(batch["x"]) for batch in got] == [4] * 5
    order = labels(got)
    assert sorted(order[:10]) == sorted(order[10:]) == list(range(10))
    assert order[:10] != order[10:]


def test_order_is_the_documented_permutation() -> None:
    generator = torch.Generator().manual_seed(hash32(7, "order", 1))
    assert torch.equal(epoch_order(10, 7, 1), torch.randperm(10, generator=generator))
    assert labels(drawn(counted(10), 5, batch_size=4, seed=7))[10:] == epoch_order(10, 7, 1).tolist()


def test_seeds_differ_and_repeat() -> None:
    one, again, other = (labels(drawn(counted(50), 2, batch_size=25, seed=s)) for s in (1, 1, 2))
    assert one == again != other


@pytest.mark.parametrize("skipped", [1, 3, 9])
def test_starting_at_an_image_count_equals_skipping_up_to_it(skipped: int) -> None:
    whole = drawn(counted(10), skipped + 3, batch_size=4, seed=3)
    assert same(whole[skipped:], drawn(counted(10), 3, batch_size=4, seed=3, start=4 * skipped))


def test_start_need_not_be_a_multiple_of_the_batch() -> None:
    whole = labels(drawn(counted(10), 3, batch_size=10, seed=3))
    assert labels(drawn(counted(10), 2, batch_size=5, seed=3, start=13)) == whole[13:23]


@pytest.mark.parametrize("world", [2, 3])
def test_ranks_get_the_slices_of_the_global_batch(world: int) -> None:
    whole = drawn(counted(10), 4, batch_size=12, seed=3, start=5)
    parts = [drawn(counted(10), 4, batch_size=12, seed=3, start=5, rank=r, world=world) for r in range(world)]
    joined = [{k: torch.cat([part[i][k] for part in parts]) for k in whole[i]} for i in range(4)]
    assert same(whole, joined)


def test_fewer_images_than_a_batch() -> None:
    assert labels(drawn(counted(1), 2, batch_size=4, seed=0)) == [0] * 8
    assert sorted(labels(drawn(counted(3), 1, batch_size=9, seed=0))) == [0, 0, 0, 1, 1, 1, 2, 2, 2]


def test_the_global_generator_is_left_alone() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()
    drawn(counted(10), 2, batch_size=4, seed=0)
    drawn(counted(10), 2, batch_size=4, seed=0, workers=1)
    assert torch.equal(before, torch.get_rng_state())


def test_workers_change_nothing_and_end_with_the_stream() -> None:
    handlers = [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)]
    before = set(multiprocessing.active_children())
    it = stream(counted(37), batch_size=8, seed=2, start=5, workers=2)
    got = list(itertools.islice(it, 7))
    assert len(set(multiprocessing.active_children()) - before) == 2
    it.close()
    assert set(multiprocessing.active_children()) <= before
    assert same(got, drawn(counted(37), 7, batch_size=8, seed=2, start=5))
    assert [signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD)] == handlers


def test_a_killed_worker_is_an_outside_fault() -> None:  # N19
    before = set(multiprocessing.active_children())
    it = stream(counted(10), batch_size=2, seed=0, workers=1)
    next(it)
    (worker,) = set(multiprocessing.active_children()) - before
    assert worker.pid
    os.kill(worker.pid, signal.SIGKILL)
    with pytest.raises(ExternalError, match="worker process was killed") as caught:
        for _ in range(100):
            next(it)
    assert caught.value.exit_code == 3


def test_signals_to_the_group_do_not_end_workers() -> None:
    before = set(multiprocessing.active_children())
    it = stream(counted(10), batch_size=2, seed=0, workers=1)
    next(it)
    (worker,) = set(multiprocessing.active_children()) - before
    assert worker.pid
    for signum in (signal.SIGTERM, signal.SIGINT):
        os.kill(worker.pid, signum)
    assert len(list(itertools.islice(it, 20))) == 20
    it.close()


class Broken(Dataset):
    info = DatasetInfo("broken", frozenset({"x"}), None, None, None, (), "", "")

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __len__(self) -> int:
        return 3

    def fetch(self, indices: Sequence[int]) -> dict[str, Tensor]:
        raise self.error


class Cramped(Dataset):
    """Its examples find no room: the process that fetches them may write no file of their size, shared memory too."""

    info = DatasetInfo("cramped", frozenset({"x"}), None, None, None, (), "", "")

    def __len__(self) -> int:
        return 3

    def fetch(self, indices: Sequence[int]) -> dict[str, Tensor]:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, 1 << 16))
        return {"x": torch.zeros(len(indices), 1 << 20)}


def test_full_shared_memory_is_an_outside_fault_and_nobody_waits() -> None:
    it = stream(Cramped(), batch_size=2, seed=0, workers=1)
    with pytest.raises(ExternalError, match=r"no room for a batch in shared memory.*--shm-size"):
        next(it)
    for worker in multiprocessing.active_children():  # it is being killed
        worker.join(60)
    assert not multiprocessing.active_children()


def test_too_few_open_files_are_an_outside_fault() -> None:
    """What is told of a receiver that may open no more files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    held = []
    it = stream(counted(10), batch_size=2, seed=0, workers=1)
    next(it)
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 256), hard))
        while True:
            try:
                held.append(os.open(os.devnull, os.O_RDONLY))
            except OSError:
                break
        with pytest.raises(ExternalError):
            for _ in range(20):
                next(it)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for descriptor in held:
            os.close(descriptor)
        it.close()


@pytest.mark.parametrize("workers", [0, 1])
def test_a_users_error_comes_through_as_it_was_raised(workers: int) -> None:
    it = stream(Broken(ExternalError("cat.png: has gone", "Restore it.")), batch_size=1, seed=0, workers=workers)
    with pytest.raises(ExternalError) as caught:
        next(it)
    assert str(caught.value) == "cat.png: has gone. Restore it."


@pytest.mark.parametrize("kind", [RuntimeError, FileNotFoundError, ValueError])
def test_a_bug_in_a_worker_stays_a_bug(kind: type[Exception]) -> None:
    it = stream(Broken(kind("ours")), batch_size=1, seed=0, workers=1)
    with pytest.raises(kind, match="ours"):
        next(it)


@pytest.mark.parametrize(
    "options",
    [
        {"batch_size": 5, "world": 2},
        {"batch_size": 0},
        {"batch_size": -1},
        {"batch_size": 2, "rank": 2, "world": 2},
        {"batch_size": 2, "start": -1},
        {"batch_size": 2, "workers": -1},
    ],
)
def test_numbers_that_do_not_fit_are_refused_at_the_call(options: dict[str, int]) -> None:
    with pytest.raises(GanzooError) as caught:
        stream(counted(4), seed=0, **options)
    assert caught.value.exit_code == 2


def test_unequal_or_empty_tensors_are_refused() -> None:
    info = counted(1).info
    with pytest.raises(GanzooError, match="equally many"):
        Tensors(info, {}, {"x": torch.zeros(3, 2), "label": torch.zeros(2)})
    with pytest.raises(GanzooError, match="equally many"):
        Tensors(info, {}, {"x": torch.zeros(0, 2)})
