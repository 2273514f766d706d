"""Both games in closed form, and classifiers that learn from few labels."""

from __future__ import annotations

import math

import pytest
import torch
from ganzoo_semi.networks import entropy, marginal_entropy, odds
from processes import ganzoo

from ganzoo_core.objectives import Objective
from ganzoo_core.registry.recipes import build, recipe


def game(family: str) -> Objective:
    return build(recipe(family, preset="tiny")).eval()


def batch() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    return {"x": torch.rand(6, 1, 16, 16), "x_labelled": torch.rand(6, 1, 16, 16), "label": torch.arange(6)}


def test_entropies_of_certain_and_of_even_classes() -> None:
    sure = 100 * torch.eye(10)
    assert entropy(sure).abs().max() < 1e-6 and marginal_entropy(sure).item() == pytest.approx(math.log(10), rel=1e-5)
    even = torch.zeros(4, 10)
    assert torch.allclose(entropy(even), torch.full((4,), math.log(10)))
    one = 100 * torch.eye(10)[[3, 3, 3]]
    assert marginal_entropy(one).item() == pytest.approx(0, abs=1e-5)


def test_d_knows_all_classes_and_one_more() -> None:
    x = batch()["x"]
    assert game("sgan_semi").D.logits(x).shape == (6, 10) and game("sgan_semi").D.all_logits(x).shape == (6, 11)
    assert game("catgan").D.logits(x).shape == (6, 10)


def test_odds_are_those_of_all_classes_together() -> None:
    logits = torch.randn(5, 11)
    p = logits.softmax(1)
    torch.testing.assert_close(odds(logits).sigmoid(), p[:, :-1].sum(1))


def test_odenas_loss_is_a_cross_entropy_over_one_class_more() -> None:
    made, given = game("sgan_semi"), batch()
    with torch.no_grad():
        torch.manual_seed(1)
        terms = made.d_loss(given)
        torch.manual_seed(1)
        fake = made.fake(6)
        p, p_l, p_f = (made.D.all_logits(x).softmax(1) for x in (given["x"], given["x_labelled"], fake))
    expected = -p_l[range(6), given["label"]].log().mean() - p[:, :-1].sum(1).log().mean() - p_f[:, -1].log().mean()
    assert sum(terms.values()).item() == pytest.approx(expected.item(), rel=1e-5)


def test_catgan_wants_opposite_things_of_fakes() -> None:
    made, given = game("catgan"), batch()
    with torch.no_grad():
        torch.manual_seed(1)
        d = made.d_loss(given)
        torch.manual_seed(1)
        g = made.g_loss(given)
        real = made.D.logits(given["x"])
    assert d["fake"].item() == pytest.approx(-g["fake"].item())
    assert d["real"].item() == pytest.approx(entropy(real).mean().item())
    assert d["even"].item() == pytest.approx(-marginal_entropy(real).item())


@pytest.mark.slow
@pytest.mark.parametrize("family", ["sgan_semi", "catgan"])
def test_the_commands_of_the_readme(family: str, tmp_path) -> None:
    """A few hundred steps on 100 labels do better than guessing, and the error is measured on all digits."""
    run = tmp_path / "run"
    words = ("--preset", "tiny", "--data", "digits:labels100", "--images", "6400", "-c", "lr=2e-3", "-c", "width=8")
    done = ganzoo("train", family, *words, "--out", run)
    assert done.returncode == 0, done.stderr
    said = ganzoo("eval", run, "--data", "digits:labels100", "--metric", "error_rate")
    assert said.returncode == 2 and "error_rate: of classifiers" in said.stderr  # x and label are of different pictures
    done = ganzoo("eval", run, "--data", "digits", "--metric", "error_rate", "--json")
    assert done.returncode == 0, done.stderr
    assert 0 < float(done.stdout.split('"value": ')[1].split(",")[0].split("}")[0]) < 0.6
