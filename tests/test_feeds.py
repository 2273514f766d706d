"""Data that a Python user brings: batches, a function that returns them, a torch Dataset."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

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


def test_no_process_loses_examples_of_an_uneven_batch():
    for data in (numbers(8), TensorDataset(torch.zeros(8, 1))):
        with pytest.raises(GanzooError, match="batch size 10: does not divide into equal parts for 4 processes"):
            next(loader_of(data, seed=0)(start=0, batch_size=10, rank=0, world=4))


class Items(Dataset):
    """16 examples by number."""

    def __init__(self, item):
        self.item = item

    def __len__(self):
        return 16

    def __getitem__(self, i):
        return self.item(i)


class Shuffled(IterableDataset):
    def __iter__(self):
        return iter([(gray(i), i % 2) for i in range(16)])


class Hub:
    """A table of the Hub: a length, rows by number, no torch Dataset."""

    def __len__(self):
        return 16

    def __getitem__(self, i):
        if not isinstance(i, int):
            raise TypeError(i)
        return {"image": Image.new("RGB", (20, 30), (i, i, i)), "label": i % 2, "id": f"a{i}", "note": None}


def gray(i):
    """[1, 16, 16]: from -1 up to 1."""
    return torch.full((1, 16, 16), 2 * i / 15 - 1)


def pixels(i):
    return np.full((16, 16), 17 * i, np.uint8)


LABELLED = {
    "tuples": lambda: Items(lambda i: (gray(i), i % 2)),
    "tables of ints": lambda: Items(lambda i: {"x": gray(i), "label": i % 2}),
    "arrays": lambda: Items(lambda i: (gray(i).numpy(), np.int64(i % 2))),
    "bytes": lambda: Items(lambda i: (torch.from_numpy(pixels(i)[None]), i % 2)),
    "channels last": lambda: Items(lambda i: (pixels(i)[:, :, None], i % 2)),
    "pictures": lambda: Items(lambda i: (Image.fromarray(pixels(i)), i % 2)),
    "a list": lambda: [(Image.fromarray(pixels(i)), i % 2) for i in range(16)],
    "a list of tables": lambda: [{"img": pixels(i), "labels": i % 2} for i in range(16)],
    "an iterable dataset": Shuffled,
    "a loader": lambda: DataLoader(Items(lambda i: (gray(i), i % 2)), batch_size=5),
    "a loader of tables": lambda: DataLoader(Items(lambda i: {"image": gray(i), "label": i % 2}), batch_size=5),
    "a loader of an iterable": lambda: DataLoader(Shuffled(), batch_size=None),
    "a generator": lambda: lambda **_: ((gray(i), i % 2) for i in range(16)),
    "the Hub": Hub,
}


@pytest.mark.parametrize("kind", LABELLED)
def test_labelled_pictures_in_every_common_form(kind):
    feed = loader_of(LABELLED[kind](), seed=0, image_size=16, channels=1)
    batches = [*itertools.islice(feed(start=0, batch_size=4), 4)]
    x, label = (torch.cat([batch[key] for batch in batches]) for key in ("x", "label"))
    assert x.shape == (16, 1, 16, 16) and x.dtype == torch.float32 and label.dtype == torch.int64
    order = x.mean((1, 2, 3)).argsort()
    assert label[order].tolist() == [i % 2 for i in range(16)]
    assert kind == "the Hub" or torch.allclose(x[order].mean((1, 2, 3)), torch.linspace(-1, 1, 16), atol=1e-5)
    later = next(feed(start=10, batch_size=4))
    assert torch.equal(later["x"], x[10:14])  # a resumed run goes on where it was


def test_only_pictures_in_an_array_or_a_tensor():
    whole = (255 * torch.rand(16, 16, 16, 3)).to(torch.uint8)
    for data in (whole.numpy(), whole, [*whole.numpy()], whole.movedim(-1, 1)):
        batch = next(loader_of(data, seed=0)(start=0, batch_size=16))
        assert batch["x"].shape == (16, 3, 16, 16) and -1 <= float(batch["x"].min()) < -0.9
    assert next(loader_of(torch.randn(9, 2), seed=0)(start=0, batch_size=4))["x"].shape == (4, 2)  # points


def test_pictures_with_words():
    tables = [{"image": gray(i), "caption": f"number {i}"} for i in range(16)]
    several = [{"image": pixels(i), "captions": [f"number {i}", "another"]} for i in range(16)]
    pairs = [(Image.fromarray(pixels(i)), f"number {i}") for i in range(16)]
    for data in (tables, several, pairs, DataLoader(tables, batch_size=5)):
        batch = next(loader_of(data, seed=0)(start=0, batch_size=16))
        said = {bytes(row.tolist()).rstrip(b"\0").decode() for row in batch["text"]}
        assert said == {f"number {i}" for i in range(16)} and batch["text"].dtype == torch.uint8


def test_words_of_any_length_make_a_batch():
    tables = [{"image": gray(i), "text": "é" * (1 + 40 * i)} for i in range(16)]
    for data in (tables, DataLoader(tables, batch_size=5)):
        batch = next(loader_of(data, seed=0)(start=0, batch_size=16))
        assert batch["text"].shape == (16, 2 * 601)


UNFIT = {
    "sizes": (lambda: Items(lambda i: torch.zeros(1, 16, 16 + i % 2)), "is .1, 16, 1.. in one example and"),
    "keys": (lambda: Items(lambda i: {"x": gray(i), **({"label": 1} if i else {})}), "nothing"),
    "nothing": (lambda: Items(lambda i: None), "an example is a NoneType, in which there are no tensors"),
    "other keys": (lambda: Items(lambda i: {"depth": gray(i)}), "has depth and no x, which DCGAN needs"),
    "an object": (lambda: object(), "data of type object: is nothing to train on"),
    "a number": (lambda: 3, "data of type int: is nothing to train on"),
    "bytes as floats": (lambda: TensorDataset(255 * torch.rand(16, 1, 16, 16)), r"and G draws in \[-1, 1\]"),
    "no numbers": (lambda: TensorDataset(torch.full((16, 1, 16, 16), torch.nan)), r"and G draws in \[-1, 1\]"),
    "batches of two sizes": (lambda: [torch.zeros(3, 1, 16, 16), torch.zeros(3, 1, 8, 8)], "Make all alike"),
    "labels beyond": (lambda: [(gray(i), i) for i in range(16)], r"a label is \d+, and the networks take 10 classes"),
    "labels below": (lambda: [(gray(i), -1) for i in range(16)], "Count classes from 0"),
    "no labels": (lambda: [gray(i) for i in range(16)], "has x and no label, which CGAN needs"),
    "uneven batches": (lambda: [(torch.zeros(3, 1, 16, 16), [1, 2])], "unequally many"),
}


@pytest.mark.parametrize("kind", UNFIT)
def test_what_does_not_fit_is_said_in_one_line(kind):
    make, expected = UNFIT[kind]
    with pytest.raises(GanzooError, match=expected) as caught:
        gz.fit(gz.create("cgan" if "labels" in kind else "dcgan", preset="tiny"), make(), images=16, batch_size=8)
    assert "\n" not in str(caught.value)


def test_pictures_in_0_to_1_are_warned_of(capsys):
    gz.fit(gz.create("dcgan", preset="tiny"), TensorDataset(torch.rand(16, 1, 16, 16)), images=8, batch_size=8)
    assert "is it in [0, 1]? Then scale it, 2 * x - 1" in capsys.readouterr().err
    gz.fit(gz.create("dcgan", preset="tiny"), TensorDataset(2 * torch.rand(16, 1, 16, 16) - 1), images=8, batch_size=8)
    assert "warning" not in capsys.readouterr().err


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
