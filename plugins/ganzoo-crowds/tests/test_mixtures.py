"""MIX+GAN and the mixture density GAN: payoffs by hand, weights that are learnt, corners at equal distances."""

from __future__ import annotations

import math

import pytest
import torch
from ganzoo_crowds.mix import unevenness
from ganzoo_crowds.mixture_density import log_rest, simplex
from torch import Tensor

from ganzoo_core.errors import GanzooError
from ganzoo_core.objectives import Objective
from ganzoo_core.registry.recipes import build, recipe

X = torch.randn(6, 2, generator=torch.Generator().manual_seed(0))


def made(family: str, preset: str = "ring", **given: object) -> Objective:
    return build(recipe(family, preset=preset, given=given))


def fakes(game: Objective, seed: int = 1) -> Tensor:
    """The samples that the next loss under this seed will draw."""
    torch.manual_seed(seed)
    fake: Tensor = game.fake(len(X))
    torch.manual_seed(seed)
    return fake


# MIX+GAN


def test_the_payoff_is_that_of_every_pair_by_the_weights_of_both() -> None:
    game = made("mix_gan", players=2, lam=0.5)
    with torch.no_grad():
        game.G.weights.alpha.copy_(torch.tensor([0.3, 0.7]).log())
        game.D.weights.alpha.copy_(torch.tensor([0.1, 0.9]).log())
    fake = fakes(game)
    D = [judge(X).sigmoid() for judge in game.D.judges]
    S = [[judge(part).sigmoid() for judge in game.D.judges] for part in fake.split(3)]  # of G_1, G_2
    w, v = (0.3, 0.7), (0.1, 0.9)
    terms = game.d_loss({"x": X})
    torch.testing.assert_close(terms["real"], sum(-v[j] * D[j].log().mean() for j in range(2)))
    pairs = [(i, j) for i in range(2) for j in range(2)]
    torch.testing.assert_close(terms["fake"], sum(-w[i] * v[j] * (1 - S[i][j]).log().mean() for i, j in pairs))
    torch.testing.assert_close(terms["even"].item(), -0.5 * (math.log(0.1) + math.log(0.9)) / 2)
    torch.manual_seed(1)
    terms = game.g_loss({"x": X})
    torch.testing.assert_close(terms["adv"], sum(-w[i] * v[j] * S[i][j].log().mean() for i, j in pairs))
    torch.testing.assert_close(terms["even"].item(), -0.5 * (math.log(0.3) + math.log(0.7)) / 2)
    torch.testing.assert_close(game.D(X), 0.1 * game.D.judges[0](X) + 0.9 * game.D.judges[1](X))


def test_equal_weights_are_the_least_uneven() -> None:
    assert float(unevenness(torch.full((4,), 0.25))) == pytest.approx(math.log(4))
    assert unevenness(torch.tensor([0.1, 0.9])) > math.log(2)


def test_weights_are_learnt_by_their_own_side() -> None:
    game = made("mix_gan", players=2)
    sum(game.g_loss({"x": X}).values()).backward()
    assert float(game.G.weights.alpha.grad.abs().max()) > 0
    game.zero_grad()
    sum(game.d_loss({"x": X}).values()).backward()
    assert float(game.D.weights.alpha.grad.abs().max()) > 0


def test_samples_come_from_each_generator_as_often_as_its_weight() -> None:
    game = made("mix_gan", players=3)
    with torch.no_grad():
        game.G.weights.alpha.copy_(torch.tensor([0.5, 0.3, 0.2]).log())
        for i, own in enumerate(game.G.own):  # each makes one point alone
            for layer in own.modules():
                if isinstance(layer, torch.nn.Linear):
                    layer.weight.zero_()
                    layer.bias.fill_(i + 1.0)
    points = game.G.sample(4000, seed=0)[:, 0]
    shares = [float((points == point).float().mean()) for point in sorted(points.unique().tolist())]
    assert len(shares) == 3
    for share, wanted in zip(shares, (0.5, 0.3, 0.2), strict=True):
        assert abs(share - wanted) < 4 * math.sqrt(wanted * (1 - wanted) / 4000)
    torch.testing.assert_close(game.by_generator(torch.arange(6.0)[:, None]), torch.tensor([[0.5], [2.5], [4.5]]))


# The mixture density GAN


@pytest.mark.parametrize("d", [1, 2, 9])
def test_corners_lie_around_zero_each_as_far_from_every_other(d: int) -> None:
    corners = simplex(d, 3.0)
    assert corners.shape == (d + 1, d)
    torch.testing.assert_close(corners.mean(0), torch.zeros(d), atol=1e-6, rtol=0)
    apart = torch.cdist(corners, corners)[~torch.eye(d + 1, dtype=torch.bool)]
    torch.testing.assert_close(apart, torch.full_like(apart, 3 * math.sqrt(2)))


def test_p_is_the_likelihood_in_units_of_that_at_a_corner() -> None:
    D = made("mixture_density_gan", places=2, reach=2.0).D
    e = torch.randn(5, 2, generator=torch.Generator().manual_seed(3))

    def lk(at: Tensor) -> Tensor:
        return torch.stack([torch.exp(-(at - mu).square().sum(1) / 2) for mu in D.corners]).mean(0)

    torch.testing.assert_close(D.log_p(e).exp(), lk(e) / lk(D.corners[:1]))
    torch.testing.assert_close(D.log_p(D.corners), torch.zeros(3), atol=1e-6, rtol=0)
    far = D.log_p(torch.full((1, 2), 40.0))
    assert float(far) < -500 and torch.isfinite(far - log_rest(far)).all()
    assert torch.isfinite(D.log_p(D.corners) - log_rest(D.log_p(D.corners))).all()


def test_its_losses_are_likelihoods() -> None:
    """-E log p(x) - E log(1 - p(G(z))), and -E log p(G(z))."""
    game = made("mixture_density_gan")
    fake = fakes(game)
    p, q = (game.D.log_p(game.D.place(seen)).exp() for seen in (X, fake))
    terms = game.d_loss({"x": X})
    torch.testing.assert_close(terms["real"], -p.log().mean())
    torch.testing.assert_close(terms["fake"], -(1 - q).log().mean())
    torch.manual_seed(1)
    torch.testing.assert_close(game.g_loss({"x": X})["adv"], -q.log().mean())


@pytest.mark.parametrize(
    ("family", "given"),
    [("mix_gan", {"players": 0}), ("mixture_density_gan", {"places": 0}), ("mixture_density_gan", {"reach": 0.0})],
)
def test_sizes_that_no_mixture_has_are_refused(family: str, given: dict[str, object]) -> None:
    with pytest.raises(GanzooError):
        made(family, **given)
