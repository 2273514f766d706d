"""Games of batches: every distance against its definition or a case that is known, and what each paper adds."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from ganzoo_moments.cramer_gan import cramer, critic
from ganzoo_moments.mcgan import covariance_distance, mean_distance
from ganzoo_moments.mmd_gan import kernel, mmd2, one_sided
from ganzoo_moments.networks import AutoencodingCritic, Critic
from ganzoo_moments.ot_gan import minibatch_energy, sinkhorn, transport
from ganzoo_moments.swgan import directions, sliced_wasserstein
from scipy.optimize import linear_sum_assignment
from torch import Tensor, nn

from ganzoo_core.errors import GanzooError
from ganzoo_core.objectives import Objective
from ganzoo_core.registry.recipes import build, recipe
from ganzoo_core.testing import synthetic
from ganzoo_core.training.trainer import Alternating

FAMILIES = ["mmd_gan", "mcgan", "cramer_gan", "swgan", "ot_gan"]
CPU = torch.device("cpu")


def small(family: str, **given: object) -> Objective:
    return build(recipe(family, preset="tiny", given=given))


def batch_of(game: Objective, n: int) -> dict[str, Tensor]:
    return dict(next(synthetic(game.needs, game.recipe.args)(start=0, batch_size=n)))


# Networks


def count(net: nn.Module) -> int:
    return sum(w.numel() for w in net.parameters())


def test_mmd_gan_has_the_published_sizes() -> None:
    with torch.device("meta"):
        game = build(recipe("mmd_gan", preset="paper"))
    assert isinstance(game.D, AutoencodingCritic)
    assert (count(game.G), count(game.D.main), count(game.D.decoder)) == (3_576_704, 3_576_576, 3_576_704)


def test_a_critic_has_so_many_outputs_and_an_autoencoding_one_draws_again() -> None:
    x = torch.randn(2, 3, 16, 16)
    net = Critic(16, 3, 4, h_dim=7, norm="none")
    assert net(x).shape == (2, 7) and torch.equal(net(x), net.features(x))
    net = AutoencodingCritic(16, 3, 4, h_dim=7, norm="batch")
    assert net.decode(net(x)).shape == x.shape


def test_without_norms_a_critic_keeps_the_size_of_what_it_sees() -> None:
    """With DCGAN's first weights there h is a thousandth of that, and a penalised critic takes the run to grow."""
    torch.manual_seed(0)
    h = Critic(32, 1, 16, h_dim=64, norm="none")(torch.randn(64, 1, 32, 32))
    assert 0.2 < h.std().item() < 5
    scales = [w for name, w in Critic(32, 1, 16, 64, "batch").named_parameters() if w.ndim == 4]
    assert max(w.std().item() for w in scales) < 0.025


def given_for(family: str) -> dict[str, object]:
    return {"mmd_gan": {"auto": 0.0}, "cramer_gan": {"norm": "none"}}.get(family, {})


@pytest.mark.parametrize("family", FAMILIES)
def test_it_plays_on_dcgan_s_networks(family: str) -> None:
    game = build(recipe(family, preset="tiny", networks="dcgan:tiny", given=given_for(family)))
    reports = list(Alternating(batch_size=4, images=64).run(game, synthetic(game.needs, game.recipe.args)))
    assert all(value.isfinite() for report in reports for value in report.losses.values())


# MMD GAN


def test_mmd_is_its_definition() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(5, 3)), 1 + rng.normal(size=(7, 3))

    def k(p: np.ndarray, q: np.ndarray) -> float:
        return sum(math.exp(-((p - q) ** 2).sum() / (2 * s**2)) for s in (1, 2, 4, 8, 16))

    def mean(x: np.ndarray, y: np.ndarray) -> float:
        return sum(k(p, q) for p in x for q in y) / (len(x) * len(y))

    expected = mean(a, a) + mean(b, b) - 2 * mean(a, b)
    assert mmd2(torch.tensor(a), torch.tensor(b)).item() == pytest.approx(expected, rel=1e-9)
    assert mmd2(torch.tensor(a), torch.tensor(a)).item() == pytest.approx(0, abs=1e-12)
    assert kernel(torch.zeros(1, 2), torch.zeros(1, 2)).item() == 5  # as many as there are sigmas


def test_outputs_that_are_lower_on_pictures_cost() -> None:
    a, b = torch.tensor([[1.0, 0.0], [3.0, 0.0]]), torch.tensor([[1.0, 4.0], [1.0, 2.0]])
    assert one_sided(a, b).item() == -1.5  # means 2, 0 beside 1, 3
    assert one_sided(b, a).item() == -0.5


def test_mmd_gan_s_losses_are_what_they_say() -> None:
    game = small("mmd_gan").eval()
    x = batch_of(game, 6)["x"]
    torch.manual_seed(1)
    terms = game.d_loss({"x": x})
    torch.manual_seed(1)
    fake = game.fake(6)
    a, b = game.D(x), game.D(fake)
    assert terms["mmd"].item() == pytest.approx(-mmd2(a, b).sqrt().item())
    assert terms["rank"].item() == pytest.approx(-16 * one_sided(a, b).item())
    assert terms["auto_real"].item() == pytest.approx(8 * (game.D.decode(a) - x).square().mean().item())
    assert terms["auto_fake"].item() == pytest.approx(8 * (game.D.decode(b) - fake).square().mean().item())
    torch.manual_seed(1)
    made = game.g_loss({"x": x})
    assert {name: -value.item() for name, value in made.items()} == pytest.approx(
        {name: terms[name].item() for name in ("mmd", "rank")}
    )


def test_mmd_gan_clips_the_critic_and_not_its_decoder() -> None:
    game = small("mmd_gan", clip=0.01)
    game.project()
    assert max(w.abs().max() for w in game.D.main.parameters()) <= 0.01
    assert max(w.abs().max() for w in game.D.decoder.parameters()) > 0.5


def test_mmd_gan_s_critic_moves_more_often_at_first_and_now_and_then() -> None:
    warm_up, main = small("mmd_gan", k=5, k_often=100, often=500, warm_up=1000).phases()
    assert [step.repeat for step in warm_up.steps] == [100, 1]
    assert [(step.every, step.repeat) for step in main.steps] == [(500, 95), (1, 5), (1, 1)]
    assert len({step.player for step in [*warm_up.steps, *main.steps]}) == 2
    (only,) = small("mmd_gan", often=0, warm_up=0, k=5).phases()
    assert [step.repeat for step in only.steps] == [5, 1]


def test_mmd_gan_on_networks_without_a_decoder_says_what_to_do() -> None:
    with pytest.raises(GanzooError, match="decoder"):
        build(recipe("mmd_gan", preset="tiny", networks="dcgan:tiny"))


# McGan


def test_mcgan_sees_a_shift_of_means_and_nothing_else() -> None:
    a = torch.randn(400, 3, dtype=torch.float64)
    assert mean_distance(a + torch.tensor([3.0, 4.0, 0.0]), a).item() == pytest.approx(5)
    assert mean_distance(2 * (a - a.mean(0)), a - a.mean(0)).item() == pytest.approx(0, abs=1e-12)


def test_mcgan_s_covariance_is_the_nuclear_norm_of_the_largest() -> None:
    a = torch.diag(torch.tensor([3.0, 2.0, 1.0])) * math.sqrt(3)  # E a a^T = diag(9, 4, 1)
    b = torch.diag(torch.tensor([0.0, 3.0, 1.5])) * math.sqrt(3)  # diag(0, 9, 2.25)
    for k, expected in ((1, 9.0), (2, 14.0), (3, 15.25), (8, 15.25)):
        assert covariance_distance(a, b, k).item() == pytest.approx(expected)
    p, q = torch.randn(9, 5), torch.randn(9, 5)
    largest = torch.linalg.svdvals(p.T @ p / 9 - q.T @ q / 9)[:2].sum()
    torch.testing.assert_close(covariance_distance(p, q, 2), largest)


def test_mcgan_s_best_directions_find_that_much() -> None:
    """max over orthonormal U, V of Tr U^T (Sigma(P) - Sigma(Q)) V is reached by singular vectors, by none surpassed."""
    torch.manual_seed(0)
    p, q = torch.randn(50, 6), torch.randn(50, 6) * torch.arange(1.0, 7.0)
    difference, most = p.T @ p / 50 - q.T @ q / 50, covariance_distance(p, q, 2)
    U, _, Vh = torch.linalg.svd(difference)
    torch.testing.assert_close(torch.trace(U[:, :2].T @ difference @ Vh[:2].T), most)
    for _ in range(20):
        U, V = (torch.linalg.qr(torch.randn(6, 2)).Q for _ in range(2))
        assert torch.trace(U.T @ difference @ V) <= most


# Cramer GAN


def energy_by_cdf(a: np.ndarray, b: np.ndarray) -> float:
    """2 times the integral of (F_a - F_b)^2: the Cramer distance of two samples on a line."""
    points = np.sort(np.concatenate([a, b]))
    F, H = ((np.searchsorted(np.sort(x), points, side="right") / len(x)) for x in (a, b))
    return float(2 * ((F - H)[:-1] ** 2 * np.diff(points)).sum())


def test_cramer_s_distance_on_a_line_is_that_of_the_distribution_functions() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=8), 1 + 2 * rng.normal(size=8)
    i, j, k = (g.ravel() for g in np.meshgrid(range(8), range(8), range(8)))  # every triple once: expectations exactly
    A, B, B2 = (torch.tensor(v)[:, None] for v in (a[i], b[j], b[k]))
    within = np.abs(a[:, None] - a[None]).mean()  # what does not depend on G
    assert cramer(A, B, B2).item() - within == pytest.approx(energy_by_cdf(a, b))


def test_cramer_of_two_points_in_closed_form() -> None:
    a, b = torch.zeros(4, 2), torch.tensor([3.0, 4.0]).expand(4, 2)
    assert cramer(a, b, b).item() == 10  # 2 |a - b|
    torch.testing.assert_close(critic(b, a), torch.zeros(4))  # |b - 0| - |b|
    torch.testing.assert_close(critic(a, b), torch.full((4,), 5.0))


def test_cramer_gan_s_critic_is_descended_with_a_penalty_and_refuses_batch_norm() -> None:
    game = small("cramer_gan")
    terms = game.d_loss(batch_of(game, 4))
    assert set(terms) == {"real", "fake", "gp"} and all(v.requires_grad for v in terms.values())
    with pytest.raises(GanzooError, match="batch norm"):
        small("cramer_gan", norm="batch")


# The sliced Wasserstein generator


def test_shifted_points_are_as_far_apart_as_the_shift() -> None:
    torch.manual_seed(0)
    a, shift = torch.randn(30, 4), torch.tensor([1.0, -2.0, 0.5, 0.0])
    b = (a + shift)[torch.randperm(30)]
    w = directions(4, 20_000, CPU)
    torch.testing.assert_close(sliced_wasserstein(a, b, w), (shift @ w).square().mean(), atol=1e-5, rtol=1e-5)
    assert sliced_wasserstein(a, b, w).item() == pytest.approx(shift.square().sum().item() / 4, rel=0.05)
    torch.testing.assert_close(w.norm(dim=0), torch.ones(20_000))


def test_on_one_line_it_is_the_best_assignment() -> None:
    torch.manual_seed(0)
    a, b = torch.randn(12, 1, dtype=torch.float64), torch.randn(12, 1, dtype=torch.float64)
    cost = (a - b.T).square().numpy()
    best = cost[linear_sum_assignment(cost)].mean()
    assert sliced_wasserstein(a, b, torch.ones(1, 1, dtype=torch.float64)).item() == pytest.approx(best)


def test_descending_it_brings_points_to_their_places() -> None:
    torch.manual_seed(0)
    a, b = torch.randn(16, 2) + 5, torch.randn(16, 2).requires_grad_()
    for _ in range(300):
        (slope,) = torch.autograd.grad(sliced_wasserstein(a, b, directions(2, 32, CPU)), b)
        b.data -= 10 * slope
    cost = torch.cdist(a, b.detach()).numpy()
    assert cost[linear_sum_assignment(cost)].max() < 0.1


# OT-GAN


def test_sinkhorn_comes_to_the_best_assignment() -> None:
    torch.manual_seed(0)
    cost = torch.rand(10, 10, dtype=torch.float64)
    plan = sinkhorn(cost, eps=1e-3, rounds=3000)
    rows, columns = linear_sum_assignment(cost.numpy())
    torch.testing.assert_close(plan.sum(0), torch.full((10,), 0.1, dtype=torch.float64), atol=1e-6, rtol=0)
    torch.testing.assert_close(plan.sum(1), torch.full((10,), 0.1, dtype=torch.float64), atol=1e-4, rtol=0)
    assert transport(cost, 1e-3, 3000).item() == pytest.approx(cost.numpy()[rows, columns].mean(), rel=1e-3)
    assert (plan[rows, columns] > 0.09).all()


def test_with_much_entropy_everything_goes_everywhere() -> None:
    torch.testing.assert_close(
        sinkhorn(torch.rand(3, 4), eps=1e4, rounds=5), torch.full((3, 4), 1 / 12), atol=1e-5, rtol=0
    )


def test_the_slope_of_a_cost_is_its_plan() -> None:
    cost = torch.rand(5, 5, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(transport(cost, 0.05, 500), cost)
    torch.testing.assert_close(slope, sinkhorn(cost.detach(), 0.05, 500))


def test_minibatch_energy_of_two_heaps_in_closed_form() -> None:
    a, b = torch.tensor([[1.0, 0.0]]).expand(6, 2), torch.tensor([[0.0, 1.0]]).expand(6, 2)
    assert minibatch_energy(a, b, 0.01, 20).item() == pytest.approx(4)  # four ways across at a cost of 1, none within
    assert minibatch_energy(a, -a, 0.01, 20).item() == pytest.approx(8)
    assert minibatch_energy(a, a, 0.01, 20).item() == pytest.approx(0)
    assert minibatch_energy(a[:1], b[:1], 0.01, 20).item() == 0


def test_ot_gan_s_generator_moves_more_often() -> None:
    game = small("ot_gan", n_gen=3)
    (phase,) = game.phases()
    assert [(step.player.name, step.repeat) for step in phase.steps] == [("G", 3), ("D", 1)]
    torch.manual_seed(0)
    up = game.d_loss(batch := batch_of(game, 6))
    torch.manual_seed(0)
    assert game.g_loss(batch)["energy"].item() == pytest.approx(-up["energy"].item(), rel=1e-4, abs=1e-6)
