"""Age and identity measured where both are known: of a painter who does as asked, and of one who does not."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from bars import write_mnist
from ganzoo_aging.metrics import age_rank, identity_kept, spearman
from scipy.stats import spearmanr
from torch import Tensor, nn

from ganzoo_core.data import Dataset, open_dataset
from ganzoo_core.data.sets.strokes import drawn, lines
from ganzoo_core.data.sets.thickness import THICKNESSES
from ganzoo_core.errors import GanzooError
from ganzoo_core.metrics import EvalConfig, EvalContext
from ganzoo_core.nn import Generator, Image, Images, Label
from ganzoo_core.registry.plugins import registry


class Painter(Generator):
    """Draws a picture's lines anew: at the age that it is asked for, or always at the same one."""

    def __init__(self, obeys: bool) -> None:
        super().__init__()
        self.inputs, self.output = {"x": Image((1, 28, 28)), "age": Label(6)}, Images((1, 28, 28))
        self.obeys, self.weight = obeys, nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor, age: Tensor) -> Tensor:
        return drawn(lines(x), torch.tensor(THICKNESSES)[age if self.obeys else torch.full_like(age, 2)])


class Held:
    """What is measured."""

    def __init__(self, net: Generator) -> None:
        self.networks = {"G": net}

    def network(self, name: str) -> Generator:
        return self.networks["G"]


def context(source: Dataset, obeys: bool = True) -> EvalContext:
    config = EvalConfig(source.info.name, n=40)
    return EvalContext(Held(Painter(obeys)), source, config, 0, lambda *_: None, None)


def opened(data: str, root: Path) -> Dataset:
    return open_dataset(data, root=root, datasets=registry().datasets, views=registry().views)


def test_ranks_are_correlated_as_by_scipy() -> None:
    g = torch.Generator().manual_seed(0)
    for levels in (3, 100):
        a, b = (torch.randint(levels, (50,), generator=g).float() for _ in range(2))
        assert spearman(a, a + b) == pytest.approx(spearmanr(a, a + b).statistic)
    assert spearman(torch.zeros(5), torch.arange(5.0)) == 0


def test_who_does_as_asked_is_told_from_who_does_not(tmp_path: Path) -> None:
    source = opened("mnist:thickness_test", write_mnist(tmp_path))
    ((name, rank, _),) = age_rank(context(source))
    assert name == "age_rank" and rank > 0.95
    ((_, rank, _),) = age_rank(context(source, obeys=False))
    assert abs(rank) < 0.4
    ((name, kept, protocol),) = identity_kept(context(source))
    assert name == "identity_kept[mnist-cnn]" and kept < 0.5  # bars that are called 0 ... 9
    assert protocol["extractor"] == "mnist-cnn"


def test_ages_that_cannot_be_measured_are_refused(tmp_path: Path) -> None:
    with pytest.raises(GanzooError, match="age is measured on mnist:thickness"):
        list(age_rank(context(opened("mnist:test", write_mnist(tmp_path)))))
