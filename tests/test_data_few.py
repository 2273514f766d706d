"""A hundred labels, the same ones every time, equally many of each class."""

from __future__ import annotations

import itertools

import pytest
import torch

from ganzoo_core.data import DATASETS, open_dataset, stream
from ganzoo_core.data.views.few import Few
from ganzoo_core.errors import GanzooError

SETS = {d.name: d for d in DATASETS}


@pytest.fixture(scope="module")
def few():
    return open_dataset("digits:labels100", datasets=SETS)


def test_a_hundred_labels_ten_of_each_class(few):
    batch = few.fetch(range(100))
    assert batch["label"].bincount().tolist() == [10] * 10
    assert len(batch["x_labelled"].flatten(1).unique(dim=0)) == 100
    again = few.fetch(range(100, 200))
    assert torch.equal(again["x_labelled"], batch["x_labelled"]) and torch.equal(again["label"], batch["label"])


def test_labels_are_those_of_their_pictures_and_all_pictures_are_there(few):
    whole = open_dataset("digits", datasets=SETS)
    everything = whole.fetch(range(len(whole)))
    assert torch.equal(few.fetch(range(len(few)))["x"], everything["x"])
    batch = few.fetch(range(100))
    for x, y in zip(batch["x_labelled"], batch["label"], strict=True):
        same = (everything["x"] == x).flatten(1).all(1)
        assert y in everything["label"][same]


def test_facts_tell_it_from_the_whole(few):
    whole = open_dataset("digits", datasets=SETS)
    assert few.info.keys == {"x", "x_labelled", "label"} and few.info.classes == 10
    assert few.info.name == "digits:labels100" and few.info.fingerprint != whole.info.fingerprint


def test_a_stream_sees_every_labelled_example(few):
    batches = itertools.islice(stream(few, batch_size=50, seed=0), 36)
    seen = torch.cat([batch["x_labelled"].flatten(1) for batch in batches]).unique(dim=0)
    assert len(seen) == 100


def test_labels_that_do_not_divide_are_refused():
    with pytest.raises(GanzooError, match="not equally many"):
        Few(open_dataset("digits", datasets=SETS), "few", 55)
    with pytest.raises(GanzooError, match="fewer than 1000"):
        Few(open_dataset("digits", datasets=SETS), "few", 10_000)
