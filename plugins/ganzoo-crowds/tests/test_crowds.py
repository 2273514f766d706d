"""Five games against dropped modes: sizes, every loss in closed form, and what each one's own piece does."""

from __future__ import annotations

import math

import pytest
import torch
from ganzoo_crowds.d2gan import D2GAN, log_softplus
from ganzoo_crowds.madgan import MADGAN
from ganzoo_crowds.networks import turns
from ganzoo_crowds.pacgan import PacGAN, packed
from ganzoo_crowds.unrolled import UnrolledGAN
from ganzoo_crowds.veegan import VEEGAN
from torch import Tensor, nn
from torch.nn.functional import softplus

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator, Generator, Latent, Points
from ganzoo_core.objectives import Objective, TwoPlayerAdam, minimax
from ganzoo_core.registry.recipes import build, recipe
from ganzoo_core.testing.synthetic import synthetic
from ganzoo_core.training.trainer import Alternating, optimizer_of

FAMILIES = ["d2gan", "madgan", "pacgan", "veegan", "unrolled_gan"]


def count(net: nn.Module) -> int:
    return sum(w.numel() for w in net.parameters())


def made(family: str, preset: str, **given: object) -> Objective:
    return build(recipe(family, preset=preset, given=given))


class Line(Generator):
    """G(z) = z + a."""

    def __init__(self) -> None:
        super().__init__()
        self.inputs, self.output = {"z": Latent((2,))}, Points((2,))
        self.a = nn.Parameter(torch.tensor([0.3, -0.2]))

    def forward(self, z: Tensor) -> Tensor:
        return z + self.a


class Plane(Discriminator):
    """D(x) = w . x."""

    def __init__(self, *w: float) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.tensor(w))

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.w


X = torch.randn(6, 2, generator=torch.Generator().manual_seed(0))
BATCH = {"x": X}


def total(terms: dict[str, Tensor]) -> Tensor:
    return torch.stack([*terms.values()]).sum()


def fakes(game: TwoPlayerAdam, seed: int = 1) -> Tensor:
    """The samples that the next loss under this seed will draw."""
    torch.manual_seed(seed)
    fake = game.fake(len(X))
    torch.manual_seed(seed)
    return fake


# Sizes


@pytest.mark.parametrize(
    ("family", "G", "D"), [("unrolled_gan", 49_666, 17_025), ("pacgan", 484_802, 407_201), ("d2gan", 49_666, 513)]
)
def test_the_papers_networks_have_their_sizes(family: str, G: int, D: int) -> None:
    game = made(family, "paper")
    assert (count(game.G), count(game.D)) == (G, D)
    assert family != "d2gan" or count(game.D2) == D


def test_packing_widens_the_first_layer_only() -> None:
    one, two = (made("pacgan", "paper", m=m).D for m in (1, 2))
    assert count(one) == 405_201 and count(two) - count(one) == 2 * 1000


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("preset", ["ring", "grid"])
def test_points_are_made_by_as_many_layers_as_in_the_table(family: str, preset: str) -> None:
    """16 -> 128 -> 128 -> 2, VEEGAN from 2; MAD-GAN's share the first of these."""
    game = made(family, preset)
    first, rest = (3 if family == "veegan" else 17) * 128, 129 * 128 + 129 * 2
    assert count(game.G) == first + rest * (game.G.k if family == "madgan" else 1)
    assert game.G.sample(3, seed=0).shape == (3, 2)


# D2GAN


def test_d2gan_is_its_j() -> None:
    game = D2GAN(Line(), Plane(3.0, 4.0), Plane(-1.0, 2.0), alpha=0.2, beta=0.1)
    fake = fakes(game)
    D1, D2 = (lambda x, D=D: softplus(D(x)) for D in (game.D, game.D2))
    J = 0.2 * D1(X).log().mean() - D1(fake).mean() - D2(X).mean() + 0.1 * D2(fake).log().mean()
    assert total(game.d_loss(BATCH)).item() == pytest.approx(-J.item(), rel=1e-5)
    fakes(game)
    of_g = -D1(fake).mean() + 0.1 * D2(fake).log().mean()
    assert total(game.g_loss(BATCH)).item() == pytest.approx(of_g.item(), rel=1e-5)


class Table(Discriminator):
    """A free score for each of two places, x = 0 and x = 1."""

    def __init__(self, values: Tensor) -> None:
        super().__init__()
        self.score = nn.Parameter((values.expm1()).log())  # softplus of it is the value

    def forward(self, x: Tensor) -> Tensor:
        return self.score[x[:, 0].long()]


def test_the_best_discriminators_of_d2gan_measure_both_divergences() -> None:
    """p = (3/4, 1/4), q = (1/4, 3/4): D1 = alpha p/q and D2 = beta q/p, where J says the two KL divergences."""
    alpha, beta = 0.5, 0.25
    p, q = torch.tensor([0.75, 0.25], dtype=torch.float64), torch.tensor([0.25, 0.75], dtype=torch.float64)
    game = D2GAN(Line(), Table(alpha * p / q), Table(beta * q / p), alpha=alpha, beta=beta)
    game.fake = lambda n: torch.tensor([[0.0], [1.0], [1.0], [1.0]])  # type: ignore[method-assign]
    d = total(game.d_loss({"x": torch.tensor([[0.0], [0.0], [0.0], [1.0]])}))
    d.backward()
    assert max(D.score.grad.abs().max() for D in (game.D, game.D2)) < 1e-12
    kl = float((p * (p / q).log()).sum())  # of both, here
    constant = alpha * (math.log(alpha) - 1) + beta * (math.log(beta) - 1)
    assert -d.item() == pytest.approx(constant + (alpha + beta) * kl)


def test_log_softplus_is_finite_everywhere() -> None:
    s = torch.tensor([-200.0, -20.0, -15.0, 0.0, 50.0], requires_grad=True)
    expected = [-200, -20, math.log(math.log1p(math.exp(-15))), math.log(math.log(2)), math.log(50)]
    assert log_softplus(s).tolist() == pytest.approx(expected, rel=1e-6)
    (slope,) = torch.autograd.grad(log_softplus(s).sum(), s)
    assert slope[:3].tolist() == pytest.approx([1, 1, 1], rel=1e-5) and slope.isfinite().all()


# MAD-GAN


def test_madgan_names_who_made_a_sample() -> None:
    game = made("madgan", "ring", generators=3)
    fake = fakes(game)
    p = [game.D.features(x).softmax(1) for x in (X, fake)]
    terms = game.d_loss(BATCH)
    assert terms["real"].item() == pytest.approx(-p[0][:, 3].log().mean().item(), rel=1e-5)
    assert terms["fake"].item() == pytest.approx(-p[1][range(6), [0, 0, 1, 1, 2, 2]].log().mean().item(), rel=1e-5)
    fakes(game)
    assert game.g_loss(BATCH)["adv"].item() == pytest.approx(-p[1][:, 3].log().mean().item(), rel=1e-5)


def test_madgan_that_cannot_tell_pays_log_k_plus_1() -> None:
    game = made("madgan", "ring", generators=4)
    nn.init.zeros_(game.D.head.weight), nn.init.zeros_(game.D.head.bias)
    assert [v.item() for v in game.d_loss(BATCH).values()] == pytest.approx([math.log(5)] * 2)


def test_one_generator_and_its_d_are_the_plain_game() -> None:
    """With k = 1 the softmax of two logits is the sigmoid of their difference."""
    game = made("madgan", "ring", generators=1)
    fake = fakes(game)
    plain = game.loss.d(game.D(X), game.D(fake))
    assert {k: v.item() for k, v in game.d_loss(BATCH).items()} == pytest.approx(
        {k: v.item() for k, v in plain.items()}
    )


@pytest.mark.parametrize("preset", ["ring", "tiny"])
def test_the_generators_share_what_comes_first(preset: str) -> None:
    G = made("madgan", preset, generators=3).G.eval()
    z = G.prior(7)
    assert turns(7, 3).tolist() == [0, 0, 0, 1, 1, 2, 2] and turns(2, 3).tolist() == [0, 1]
    torch.testing.assert_close(G.each(z), G(z, turns(7, 3)))
    apart = G(z[:1].expand(3, -1), torch.arange(3))
    assert not torch.equal(apart[0], apart[1]) and not torch.equal(apart[1], apart[2])
    weighted = [m for m in G.own[0] if isinstance(m, nn.Linear | nn.ConvTranspose2d)]
    assert len(weighted) == 2


# PacGAN


def test_packs_are_neighbours_side_by_side() -> None:
    x = torch.arange(2 * 5 * 3).view(5, 2, 3)
    assert torch.equal(packed(x, 2), torch.stack([torch.cat([x[0], x[1]]), torch.cat([x[2], x[3]])]))
    assert torch.equal(packed(x, 1), x)
    with pytest.raises(GanzooError, match="a batch of 5 fills no pack"):
        packed(x, 6)


def test_pacgan_of_one_is_the_plain_game() -> None:
    packing, plain = made("pacgan", "ring", m=1), made("unrolled_gan", "ring", unroll=0)
    plain.load_state_dict(packing.state_dict())
    game = PacGAN(plain.G, plain.D)
    for step in ("d_loss", "g_loss"):
        losses = []
        for either in (packing, game):
            torch.manual_seed(1)
            losses.append({k: v.item() for k, v in getattr(either, step)(BATCH).items()})
        assert losses[0] == losses[1]


def test_a_pack_shows_what_single_samples_do_not() -> None:
    """Pairs of equal samples and of opposite ones: alike one by one, and told apart by D of two."""
    torch.manual_seed(0)
    D = made("pacgan", "ring").D
    optimizer = torch.optim.Adam(D.parameters(), 1e-3)
    for _ in range(150):
        x = torch.randn(64, 1, 2)
        same, other = (torch.cat([x, sign * x], 1).flatten(0, 1) for sign in (1, -1))
        loss = softplus(-D(same)).mean() + softplus(D(other)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.5


def test_other_games_play_with_packs() -> None:
    game = build(recipe("r1_gan", preset="tiny", networks="pacgan:tiny", given={"norm": "none"}))
    reports = list(Alternating(batch_size=4, images=8).run(game, synthetic(game.needs, game.recipe.args)))
    assert all(v.isfinite() for r in reports for v in r.losses.values())


# VEEGAN


def test_veegan_is_its_objective() -> None:
    game = made("veegan", "ring")
    torch.manual_seed(1)
    z = game.G.prior(6)
    fake = game.G(z)
    real, false = game.D(X, game.F(X)), game.D(fake, z)
    square = (game.F(fake) - z).square().sum() / len(z)
    expected = {
        "d_loss": -real.sigmoid().log().mean() - (1 - false.sigmoid()).log().mean(),
        "g_loss": -false.mean() + square,
        "f_loss": -(1 - real.sigmoid()).log().mean() + square,
    }
    for step, value in expected.items():
        torch.manual_seed(1)
        assert total(getattr(game, step)(BATCH)).item() == pytest.approx(value.item(), rel=1e-5)


def test_the_reconstructor_moves_by_its_own_loss() -> None:
    (phase,) = made("veegan", "tiny").phases()
    assert [step.player.name for step in phase.steps] == ["D", "G", "F"]
    assert isinstance(made("veegan", "tiny"), VEEGAN)


# Unrolled GAN


def unrolled(K: int) -> UnrolledGAN:
    game = UnrolledGAN(Line().double(), Plane(0.7, -0.4).double(), unroll=K, lr=0.1, b1=0.5, b2=0.9)
    (phase,) = game.phases()
    optimizer = optimizer_of(phase.players[0], phase.players[0].optim)
    for slope in ([0.3, -0.1], [0.2, 0.4]):  # so that Adam has something to remember
        game.D.w.grad = torch.tensor(slope, dtype=torch.float64)
        optimizer.step()
    game.requires_grad_(False)
    game.G.requires_grad_(True)
    return game


Z = torch.randn(6, 2, generator=torch.Generator().manual_seed(2), dtype=torch.float64)


def by_hand(game: UnrolledGAN, a: Tensor, K: int) -> float:
    """-f(a, theta^K) by torch's own Adam on a copy of D, which goes on from what it remembers."""
    theta = nn.Parameter(game.D.w.detach().clone())
    adam = torch.optim.Adam([theta], 0.1, (0.5, 0.9))
    before = game.remembered.state[game.D.w]
    adam.state[theta] = {k: v.clone() for k, v in before.items()}
    fake, real = (Z + a).detach(), X.double()
    for _ in range(K):
        adam.zero_grad()
        total(minimax.d(real @ theta, fake @ theta)).backward()
        adam.step()
    return -total(minimax.d(real @ theta, fake @ theta)).item()


@pytest.mark.parametrize("K", [0, 1, 4])
def test_the_gradient_goes_through_the_steps_of_d(K: int) -> None:
    game = unrolled(K)
    game.fake = lambda n: game.G(Z)  # type: ignore[method-assign]
    loss = game.g_loss({"x": X.double()})["adv"]
    assert loss.item() == pytest.approx(by_hand(game, game.G.a, K))
    loss.backward()
    for i in range(2):
        step = torch.zeros(2, dtype=torch.float64)
        step[i] = 1e-5
        slope = (by_hand(game, game.G.a + step, K) - by_hand(game, game.G.a - step, K)) / 2e-5
        assert game.G.a.grad[i].item() == pytest.approx(slope, rel=1e-5)
    assert game.D.w.grad is None or not game.D.w.requires_grad


def test_without_steps_it_is_the_minimax_game() -> None:
    game = unrolled(0)
    game.fake = lambda n: game.G(Z)  # type: ignore[method-assign]
    ours, plain = game.g_loss({"x": X.double()})["adv"], minimax.g(game.D(game.G(Z)), None)
    slopes = [torch.autograd.grad(loss, game.G.a)[0] for loss in (ours, plain)]
    torch.testing.assert_close(*slopes)


def test_looking_ahead_leaves_d_where_it_is() -> None:
    game = made("unrolled_gan", "tiny", unroll=2)
    before = {k: v.clone() for k, v in game.D.state_dict().items()}
    x = next(synthetic(game.needs, game.recipe.args)(start=0, batch_size=4))
    game.g_loss(x)["adv"].backward()
    assert all(torch.equal(v, before[k]) for k, v in game.D.state_dict().items())
    assert all(w.grad is None for w in game.D.parameters())
    assert all(w.grad.isfinite().all() for w in game.G.parameters())


# Other networks


@pytest.mark.parametrize("nets", ["dcgan:tiny", "gan:tiny", "sngan:tiny"])
@pytest.mark.parametrize("family", ["pacgan", "unrolled_gan"])
def test_they_play_on_other_networks(family: str, nets: str) -> None:
    game = build(recipe(family, preset="tiny", networks=nets))
    reports = list(Alternating(batch_size=4, images=8).run(game, synthetic(game.needs, game.recipe.args)))
    assert all(v.isfinite() for r in reports for v in r.losses.values())


@pytest.mark.parametrize(
    ("family", "given", "says"),
    [
        ("pacgan", {"m": 0}, "m 0"),
        ("madgan", {"generators": 0}, "generators 0"),
        ("veegan", {"image_size": None}, "image_size"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(family: str, given: dict[str, object], says: str) -> None:
    with pytest.raises(GanzooError) as fault:
        made(family, "tiny", **given)
    assert says in str(fault.value) and "\n" not in str(fault.value)


def test_three_networks_are_asked_of_those_that_bring_two() -> None:
    for family in ("d2gan", "veegan"):
        with pytest.raises(GanzooError, match="needed"):
            build(recipe(family, preset="tiny", networks="dcgan:tiny"))


def test_madgan_needs_its_own_networks() -> None:
    assert MADGAN.needs == {"x"}
    with pytest.raises(GanzooError) as fault:
        build(recipe("madgan", preset="tiny", networks="dcgan:tiny"))
    assert "\n" not in str(fault.value)
