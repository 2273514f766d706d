"""Bounded slopes, consistency and choice: every term against its closed form, on critics whose slopes are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from ganzoo_objectives import consistency, penalties, selection, slopes
from ganzoo_objectives.dropout import networks
from torch import Tensor, nn

import ganzoo_core as gz
from ganzoo_core.nn import Discriminator, Generator, Images, Latent
from ganzoo_core.objectives import TwoPlayerAdam

W = (3.0, 0.0, 4.0, 0.0)  # of slope 5
X = torch.randn(6, 1, 2, 2, generator=torch.Generator().manual_seed(0))
BATCH = {"x": X}


class Dots(Generator):
    """z itself."""

    def __init__(self, range: tuple[float, float] | None = None) -> None:
        super().__init__()
        self.inputs, self.output = {"z": Latent((4,), range)}, Images((1, 2, 2), None)
        self.shift = nn.Parameter(torch.zeros(()))

    def forward(self, z: Tensor) -> Tensor:
        return (z + self.shift).unflatten(1, (1, 2, 2))


class Linear(Discriminator):
    """w . x; the last hidden layer is x itself."""

    def __init__(self, w: tuple[float, ...] = W) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.tensor(w))

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1) @ self.w

    def features(self, x: Tensor) -> Tensor:
        return x.flatten(1)


class Bowl(Discriminator):
    """|x|^2 / 2, whose slope at x is |x|."""

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.ones(()))

    def forward(self, x: Tensor) -> Tensor:
        return self.w * x.flatten(1).square().sum(1) / 2


def drawn(game: TwoPlayerAdam, seed: int = 1) -> Tensor:
    """The samples of the next loss under this seed, which is set again."""
    torch.manual_seed(seed)
    fake = game.fake(len(X)).detach()
    torch.manual_seed(seed)
    return fake


# Slopes


def test_gan_gp_is_dcgans_game_with_wgan_gps_penalty() -> None:
    game = slopes.GANGP(Dots(), Linear(), lam=2.0)
    s = game.D(drawn(game))
    terms = game.d_loss(BATCH)
    assert terms["gp"].item() == pytest.approx(2 * (5 - 1) ** 2)
    assert terms["fake"].item() == pytest.approx(-torch.sigmoid(-s).log().mean().item(), rel=1e-5)


def test_only_the_steepest_place_costs() -> None:
    """Between x and itself there is no other place: the greatest |x| counts, squared."""
    norms = X.flatten(1).norm(dim=1)
    assert penalties.steepest(Bowl(), X, X).item() == pytest.approx(norms.max().item())
    game = slopes.LipschitzGAN(Dots(), Linear(), lam=0.5)
    assert game.d_loss(BATCH)["max_gp"].item() == pytest.approx(0.5 * 25)
    s = game.D(drawn(game))
    assert game.g_loss(BATCH)["adv"].item() == pytest.approx(-s.mean().item(), rel=1e-5)


def test_a_score_over_its_slope() -> None:
    """Of w . x: f / (|w| + |f|), of slope 1 / |w| |w| at f = 0; of the bowl: |x| / (2 + |x|)."""
    f = Linear()(X).detach()
    torch.testing.assert_close(penalties.normalised(Linear(), X), f / (5 + f.abs()))
    n = X.flatten(1).norm(dim=1)
    torch.testing.assert_close(penalties.normalised(Bowl(), X), n / (2 + n))


def test_slopes_of_normalised_scores_are_at_most_1() -> None:
    D = nn.Sequential(nn.Flatten(), nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 1), nn.Flatten(0))
    x = (3 * torch.randn(200, 1, 2, 2, generator=torch.Generator().manual_seed(1))).requires_grad_()
    (steep,) = torch.autograd.grad((100 * D(x)).sum(), x)
    scores = penalties.normalised(lambda seen: 100 * D(seen), x)
    (slope,) = torch.autograd.grad(scores.sum(), x)
    assert scores.abs().max() < 1 and steep.flatten(1).norm(dim=1).max() > 10
    assert slope.flatten(1).norm(dim=1).max() <= 1 + 1e-5


def test_gn_gan_teaches_g_through_the_slope() -> None:
    game = slopes.GNGAN(Dots(), Bowl())
    n = drawn(game).flatten(1).norm(dim=1)
    loss = game.g_loss(BATCH)["adv"]
    assert loss.item() == pytest.approx(-(n / (2 + n)).mean().item(), rel=1e-5)
    assert torch.autograd.grad(loss, game.G.shift)[0].abs() > 0


# Consistency


class Moody(Linear):
    """Says 1 more each time it is asked, and sees 2 more in every feature."""

    asked = 0

    def score_and_features(self, x: Tensor) -> tuple[Tensor, Tensor]:
        self.asked += 1
        return self(x) + self.asked, self.features(x) + 2 * self.asked


@pytest.mark.parametrize(("margin", "expected"), [(0.0, 1 + 0.1 * 4), (1.0, 0.4), (2.0, 0.0)])
def test_two_dropouts_are_to_agree(margin: float, expected: float) -> None:
    game = consistency.CTGAN(Dots(), Moody(), consistency=3.0, margin=margin)
    assert game.d_loss(BATCH)["ct"].item() == pytest.approx(3 * expected, abs=1e-5)


def test_ct_gan_without_dropout_is_wgan_gp() -> None:
    for drop in (0.0, 0.5):
        made = networks(image_size=16, channels=1, width=4, drop=drop)
        game = consistency.CTGAN(made["G"], made["D"], k=1)
        assert (game.inconsistency(torch.randn(4, 1, 16, 16)).item() == 0) == (drop == 0)


def test_binarized_representations() -> None:
    """Four units that are on for half of the batch each, and never together: nothing to pay; all alike: 1 and 1."""
    free = torch.tensor([[1.0, 1, 1, 1], [1, -1, 1, -1], [-1, -1, 1, 1], [-1, 1, 1, -1]])
    assert penalties.alike(free).item() == 0
    assert penalties.marginal(free).item() == pytest.approx(1 / 4)  # the third is always on
    same = torch.ones(3, 5)
    assert penalties.alike(same).item() == pytest.approx(1)
    assert penalties.alike(torch.cat([same, -same])).item() == pytest.approx(1)
    assert penalties.marginal(same).item() == 1
    signs = penalties.soft_signs(torch.tensor([[2.0, -3.0, 0.0, 5.0]]))
    torch.testing.assert_close(signs, torch.tensor([[1.0, -1.0, 0.0, 1.0]]), atol=2e-3, rtol=0)


def test_bre_pays_for_both_batches() -> None:
    game = consistency.BRE(Dots(), Linear(), lam=2.0)
    signs = [np.sign(x.flatten(1).numpy()) for x in (X, drawn(game))]
    terms = game.d_loss(BATCH)
    me = np.mean([(s.mean(0) ** 2).mean() for s in signs])
    ac = np.mean([np.mean([abs(a @ b) / 4 for j, a in enumerate(s) for k, b in enumerate(s) if j != k]) for s in signs])
    assert terms["me"].item() == pytest.approx(2 * me, abs=0.05)
    assert terms["ac"].item() == pytest.approx(2 * ac, abs=0.05)


def test_icr_pays_for_both_consistencies() -> None:
    game = gz.create("icr", preset="tiny")
    (step, _) = game.phases()[0].steps
    terms = step.loss({"x": torch.rand(4, 1, 16, 16) * 2 - 1})
    assert {"bcr", "zcr"} <= set(terms) and terms["bcr"] > 0 and terms["zcr"] > 0


# Choice


@pytest.mark.parametrize(("u", "k"), [(0.0, 6), (0.3, 5), (1.0, 3)])
def test_g_learns_from_the_best_k(u: float, k: int) -> None:
    """0.99 ** 30 of six are 4.4, so five; never fewer than half."""
    game = selection.TopK(Dots(), Linear())
    game.on_step_end(u)
    s = game.D(drawn(game)).detach().sort(descending=True).values
    loss = game.g_loss(BATCH)["adv"]
    assert loss.item() == pytest.approx(torch.nn.functional.softplus(-s[:k]).mean().item(), rel=1e-5)


def test_latents_are_one_natural_step_better() -> None:
    """Of a linear critic g = w: dz = alpha w / (beta + 25) in the first three of four elements."""
    game = selection.LOGAN(Dots(), Linear(), alpha=10.0, beta=5.0, cost=0.5, share=0.75)
    z = drawn(game).flatten(1)
    better, cost = game.optimised(len(X))
    step = 10 * torch.tensor([3.0, 0.0, 4.0, 0.0]) / 30
    torch.testing.assert_close(better, z + step)
    assert cost.item() == pytest.approx(0.5 * step.square().sum().item())
    fake = drawn(game) + step.view(1, 1, 2, 2)
    assert game.g_loss(BATCH)["adv"].item() == pytest.approx(-game.D(fake).mean().item(), rel=1e-5)
    held = selection.LOGAN(Dots((-1.0, 1.0)), Linear(), alpha=100.0)
    assert held.optimised(50)[0].abs().max() <= 1


def test_the_gradient_goes_through_the_latents_step() -> None:
    """With a bowl, dz depends on G's shift; d z' / d shift is not 0."""
    game = selection.LOGAN(Dots(), Bowl(), share=1.0)
    z, _ = game.optimised(3)
    assert torch.autograd.grad(z.sum(), game.G.shift)[0].abs() > 0


def test_samples_pass_for_real_more_often_while_d_is_sure() -> None:
    game = selection.APA(Dots(), Linear(), pace=100)
    sure = {"x": torch.ones(10, 1, 2, 2)}  # scores of 7
    for p in (0, 0, 0, 0.4):  # after four batches, 40 images of 100 further
        game.d_loss(sure)
        game.project()
        assert game.p.item() == pytest.approx(p)
    game.p.fill_(0.5)
    for _ in range(4):
        game.d_loss({"x": -torch.ones(10, 1, 2, 2)})
        game.project()
    assert game.p.item() == pytest.approx(0.1)


def test_p_is_the_share_of_samples_among_the_real() -> None:
    game = selection.APA(Dots(), Linear())
    x = torch.full((2000, 1, 2, 2), math.nan)
    for p in (0.0, 0.3, 1.0):
        game.p.fill_(p)
        torch.manual_seed(0)
        share = game.deceived(x).isfinite().float().mean().item()
        assert share == pytest.approx(p, abs=0.03)
