"""Data that a Python user brings: batches, a function that returns them, a torch Dataset."""

from __future__ import annotations

import itertools

import pytest
import torch
from torch.utils.data import TensorDataset

import ganzoo_core as gz
from ganzoo_core.errors import GanzooError
from ganzoo_core.training.loaders import loader_of


def taken(feed, count, **where):
    return torch.cat([batch["x"] for batch in itertools.islice(feed(**where), count)]).flatten().tolist()


def numbers(*sizes):
    """Batches of these sizes that count 0, 1, 2 ..."""
    return [part[:, None] for part in torch.arange(sum(sizes)).float().split(list(sizes))]


@pytest.mark.parametrize("sizes", [(4, 4), (8,), (3, 5), (1,) * 8, (7, 1)])
@pytest.mark.parametrize("size", [1, 2, 3, 8, 20])
def test_batches_are_cut_anew_over_and_over(sizes, size):
    feed = loader_of(numbers(*sizes), seed=0)
    assert taken(feed, 5, start=0, batch_size=size) == [float(i % 8) for i in range(5 * size)]


@pytest.mark.parametrize("start", [0, 1, 7, 8, 9, 30])
def test_a_stream_that_starts_later_goes_on_where_it_would_have_been(start):
    feed = loader_of(numbers(3, 5), seed=0)
    assert taken(feed, 3, start=start, batch_size=4) == [float((start + i) % 8) for i in range(12)]


def test_processes_slice_their_parts():
    feed = loader_of(numbers(8), seed=0)
    parts = [next(feed(start=0, batch_size=4, rank=rank, world=2))["x"].flatten().tolist() for rank in (0, 1)]
    assert parts == [[0, 1], [2, 3]]


def test_a_function_is_given_the_options_of_the_phase():
    asked = []

    def make(**options):
        asked.append(options)
        return numbers(4)

    next(loader_of(make, seed=0)(start=0, batch_size=2, image_size=8))
    assert asked == [{"image_size": 8}]


def test_nothing_is_refused():
    with pytest.raises(GanzooError, match="no batches"):
        next(loader_of([], seed=0)(start=0, batch_size=2))


@pytest.mark.parametrize("kind", ["batches", "function", "dataset"])
def test_a_user_s_data_train(kind):
    images = 2 * torch.rand(24, 1, 16, 16) - 1
    data = {
        "batches": list(images.split(10)),
        "function": lambda **_: images.split(10),
        "dataset": TensorDataset(images),
    }
    report = gz.fit(gz.create("dcgan", preset="tiny"), data[kind], images=64, batch_size=16, precision="fp32")
    assert report.position.images == 64
