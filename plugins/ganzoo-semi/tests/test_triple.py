"""Triple-GAN: each player's loss in closed form, what a planted C and D do to each other, and the README's commands."""

from __future__ import annotations

import math

import pytest
import torch
from ganzoo_semi.triple import TripleGAN, drawn
from processes import ganzoo
from torch import Tensor, nn
from torch.nn.functional import one_hot, softplus

from ganzoo_core.nn import Discriminator, Generator, Images, Label, Latent
from ganzoo_core.registry.recipes import build, recipe


class Paint(Generator):
    """Pixels that are the label."""

    def __init__(self) -> None:
        super().__init__()
        self.inputs = {"z": Latent((1,)), "label": Label(2)}
        self.output, self.by = Images((1, 2, 2)), nn.Parameter(torch.ones(()))

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        return (self.by * label)[:, None, None, None].expand(-1, 1, 2, 2)


class Sure(nn.Module):
    """Sees class 1 in what is bright, with odds of e^`odds`."""

    def __init__(self, odds: float) -> None:
        super().__init__()
        self.odds = nn.Parameter(torch.tensor(odds))

    def forward(self, x: Tensor) -> Tensor:
        one = (2 * (x.mean((1, 2, 3)) > 0.5) - 1) * self.odds
        return torch.stack([torch.zeros_like(one), one], 1)


class Likes(Discriminator):
    """Pairs whose label is that of the brightness score 2, others -1."""

    def __init__(self) -> None:
        super().__init__()
        self.by = nn.Parameter(torch.ones(()))

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        return self.by * torch.where((x.mean((1, 2, 3)) > 0.5) == (label == 1), 2.0, -1.0)


def planted(odds: float) -> TripleGAN:
    return TripleGAN(Paint(), Sure(odds), Likes(), alpha=0.25, lam_pseudo=0.1)


def batch() -> dict[str, Tensor]:
    label = torch.tensor([0, 1, 0, 1])
    x = label[:, None, None, None].float().expand(-1, 1, 2, 2)
    return {"x": x, "x_labelled": x, "label": label}


def log1p_exp(s: float) -> float:
    return math.log1p(math.exp(s))


def test_losses_in_closed_form() -> None:
    """A C that is all but sure draws the right labels, so that every pair scores 2."""
    game = planted(60.0)
    assert {k: v.item() for k, v in game.d_loss(batch()).items()} == pytest.approx(
        {"real": log1p_exp(-2), "c": 0.25 * log1p_exp(2), "g": 0.75 * log1p_exp(2)}
    )
    assert {k: v.item() for k, v in game.c_pseudo_loss(batch()).items()} == pytest.approx(
        {"adv": -0.25 * log1p_exp(2), "label": 0.0, "pseudo": 0.0}, abs=1e-6
    )
    assert game.g_loss(batch())["adv"].item() == pytest.approx(0.75 * log1p_exp(-2))


def test_labels_and_pictures_of_g_teach_c() -> None:
    """Odds of e^1 for what is right: both cross-entropies are log(1 + 1/e)."""
    terms = planted(1.0).c_pseudo_loss(batch())
    assert terms["label"].item() == pytest.approx(log1p_exp(-1))
    assert terms["pseudo"].item() == pytest.approx(0.1 * log1p_exp(-1))
    assert "pseudo" not in planted(1.0).c_loss(batch())


def test_c_comes_to_prefer_the_labels_that_d_takes_for_real() -> None:
    """Without labels: D alone, which likes the right ones, makes an undecided C right."""
    game = planted(0.0)
    many = {key: value.repeat(50, *[1] * (value.ndim - 1)) for key, value in batch().items()}
    torch.manual_seed(0)
    game.c_loss(many)["adv"].backward()
    assert game.C.odds.grad < 0  # descending, the odds of what is right grow


def test_what_c_draws_has_its_probabilities() -> None:
    logits = torch.tensor([0.0, math.log(3.0)]).expand(20_000, 2)
    assert drawn(logits).double().mean().item() == pytest.approx(0.75, abs=0.02)


def test_c_and_g_share_what_d_is_to_see_through() -> None:
    game = planted(60.0)
    game.alpha = 0.0
    assert game.d_loss(batch())["c"] == 0 and game.c_loss(batch())["adv"] == 0 and game.d_loss(batch())["g"] > 0


def test_d_sees_labels_that_c_is_sure_of_beside_the_given_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    game, seen = planted(60.0), list[tuple[int, Tensor]]()
    monkeypatch.setattr(game.D, "forward", lambda x, y: seen.append((len(x), y)) or softplus(x.mean((1, 2, 3))))
    game.d_loss({**batch(), "x": 1 - batch()["x"]})
    assert [n for n, _ in seen] == [8, 4, 4]
    assert seen[0][1].tolist() == [0, 1, 0, 1, 1, 0, 1, 0]


def test_the_label_is_what_g_is_told() -> None:
    game = build(recipe("triple_gan", preset="tiny"))
    z = game.G.prior(2)
    assert not torch.allclose(*game.eval().G(z[:1].expand(2, -1), torch.tensor([0, 5])))
    assert game.C(torch.rand(3, 1, 16, 16)).shape == one_hot(torch.tensor([0, 1, 9]), 10).shape


@pytest.mark.slow
def test_the_commands_of_the_readme(tmp_path) -> None:
    """A few hundred steps on 100 labels do better than guessing, and the error is measured on all digits."""
    run = tmp_path / "run"
    words = ("--preset", "tiny", "--data", "digits:labels100", "--images", "6400", "-c", "lr=2e-3", "-c", "width=8")
    done = ganzoo("train", "triple_gan", *words, "--out", run)
    assert done.returncode == 0, done.stderr
    done = ganzoo("eval", run, "--data", "digits", "--metric", "error_rate", "--json")
    assert done.returncode == 0, done.stderr
    assert 0 < float(done.stdout.split('"value": ')[1].split(",")[0].split("}")[0]) < 0.6
    done = ganzoo("sample", run, "-n", "4", "--label", "3", "-o", tmp_path / "threes.png")
    assert done.returncode == 0, done.stderr
