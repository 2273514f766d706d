"""Stacked MNIST: its pictures are the digits that they say, and its thousand modes are counted as they are."""

from __future__ import annotations

import gzip
import math
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from ganzoo_metrics.extractors import Extractor
from ganzoo_metrics.stacked import evenness, expected, modes_of, stacked_modes
from torch import Tensor, nn

from ganzoo_core.data import DATASETS, Dataset, mode_of, open_dataset
from ganzoo_core.errors import GanzooError
from ganzoo_core.metrics import EvalConfig, EvalContext
from ganzoo_core.nn import Generator, Images, Latent

SETS = {entry.name: entry for entry in DATASETS}


def write_digits(root: Path, part: str, n: int) -> None:
    """Pictures that are as bright as their digit, 25 grays for each."""
    labels = np.arange(n, dtype=np.uint8) % 10
    pixels = np.broadcast_to(25 * labels[:, None, None], (n, 28, 28)).astype(np.uint8)
    (root / "mnist").mkdir(exist_ok=True)
    head = struct.pack(">HBB3I", 0, 8, 3, n, 28, 28)
    (root / "mnist" / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(head + pixels.tobytes()))
    head = struct.pack(">HBBI", 0, 8, 1, n)
    (root / "mnist" / f"{part}-labels-idx1-ubyte.gz").write_bytes(gzip.compress(head + labels.tobytes()))


@pytest.fixture
def stacked(tmp_path: Path) -> Path:
    write_digits(tmp_path, "train", 50)
    write_digits(tmp_path, "t10k", 30)
    return tmp_path


def opened(root: Path, name: str = "stacked_mnist", **options: int) -> Dataset:
    return open_dataset(name, root=root, datasets=SETS, **options)


def seen(x: Tensor) -> Tensor:
    """The digits of such pictures.  [n, 3]"""
    return ((x.mean((2, 3)) + 1) * 127.5 / 25).round().long()


def test_a_picture_is_the_three_digits_of_its_label(stacked: Path) -> None:
    source = opened(stacked)
    batch = source.fetch([5, 99_999, 5])
    assert batch["x"].shape == (3, 3, 28, 28) and torch.equal(mode_of(seen(batch["x"])), batch["label"])
    assert torch.equal(batch["x"][0], batch["x"][2])
    info = source.info
    assert (info.name, info.channels, info.classes, info.class_names[42]) == ("stacked_mnist", 3, 1000, "042")
    assert info.licence == "CC-BY-SA-3.0" and len(source) == 100_000
    assert torch.equal(opened(stacked).fetch([99_999])["x"][0], batch["x"][1])


def test_the_held_out_part_is_of_other_digits(stacked: Path) -> None:
    train, test = opened(stacked), opened(stacked, "stacked_mnist:test", image_size=32, channels=3)
    assert len(test) == 20_000 and test.fetch([0])["x"].shape == (1, 3, 32, 32)
    assert test.info.fingerprint != train.info.fingerprint and int(test.which.max()) < 30  # type: ignore[attr-defined]


def test_all_modes_are_there_about_equally_often(stacked: Path) -> None:
    source = opened(stacked)
    labels = torch.cat([source.fetch(range(i, i + 5000))["label"] for i in range(0, 30_000, 5000)])
    found, kl = evenness(labels, torch.full((1000,), 1e-3).double())
    assert found == 1000 and kl == pytest.approx(999 / (2 * 30_000), rel=0.2)  # what chance leaves of it


def test_gray_is_refused_in_one_line(stacked: Path) -> None:
    with pytest.raises(GanzooError) as fault:
        opened(stacked, channels=1)
    assert "stacked_mnist" in str(fault.value) and "\n" not in str(fault.value)


def test_kl_of_dropped_modes() -> None:
    """Evenly on half of them: log 2. Three times as often on one of two: as written out."""
    uniform = torch.full((1000,), 1e-3).double()
    assert evenness(torch.arange(500), uniform) == (500, pytest.approx(math.log(2)))
    shares = torch.tensor([0.5, 0.5]).double()
    assert evenness(torch.tensor([0, 0, 0, 1]), shares)[1] == pytest.approx(0.75 * math.log(1.5) + 0.25 * math.log(0.5))


def test_the_data_s_shares_are_products_over_places() -> None:
    labels = torch.tensor([111, 111, 211, 121])
    shares = expected(labels)
    assert shares.sum().item() == pytest.approx(1) and shares[111].item() == pytest.approx(0.75 * 0.75)
    assert shares[221].item() == pytest.approx(1 / 16) and shares[112] == 0


class Brightness(Extractor):
    """Knows such digits."""

    def __init__(self) -> None:
        super().__init__()
        self.name, self.image_size, self.channels, self.dim, self.sha256 = "brightness", 28, 1, 1, ""
        self.classes = tuple("0123456789")

    def maps(self, x: Tensor) -> list[Tensor]:
        return [x]

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        level = (x.mean((1, 2, 3)) + 1) * 127.5 / 25
        return level[:, None], -(level[:, None] - torch.arange(10)).abs()


def test_modes_are_what_is_seen_in_each_colour(stacked: Path) -> None:
    batch = opened(stacked, image_size=32).fetch(range(20))
    assert torch.equal(modes_of(batch["x"], Brightness()), batch["label"])


class Black(Generator):
    def __init__(self) -> None:
        super().__init__()
        self.inputs, self.output = {"z": Latent((1,))}, Images((3, 28, 28))
        self.w = nn.Parameter(-torch.ones(()))

    def forward(self, z: Tensor) -> Tensor:
        return self.w.expand(len(z), 3, 28, 28)


class Single:
    networks = {"G": Black()}

    def network(self, name: str) -> Generator:
        return self.networks["G"]


def test_one_picture_is_one_mode(stacked: Path) -> None:
    source = opened(stacked)
    context = EvalContext(Single(), source, EvalConfig("stacked_mnist", n=600), 0, lambda *_: None, None)
    scores = {name: (value, about) for name, value, about in stacked_modes(context)}
    assert scores["stacked_modes[mnist-cnn]"][0] == 1
    kl, about = scores["stacked_modes_kl[mnist-cnn]"]
    assert kl == pytest.approx(math.log(1000), rel=0.02)
    assert about["resize"] == "none" and len(about["extractor_sha256"]) == 64


def test_other_data_are_refused_in_one_line() -> None:
    context = EvalContext(
        Single(), open_dataset("shapes", datasets=SETS), EvalConfig("shapes"), 0, lambda *_: None, None
    )
    with pytest.raises(GanzooError) as fault:
        list(stacked_modes(context))
    assert "stacked_mnist" in str(fault.value) and "\n" not in str(fault.value)
