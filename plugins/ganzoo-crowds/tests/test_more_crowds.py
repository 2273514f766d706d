"""GMAN, MGAN, DeLiGAN and BourGAN: losses in closed form, and what each one's own piece does."""

from __future__ import annotations

import math

import pytest
import torch
from ganzoo_crowds.bourgan import bourgain, depth
from ganzoo_crowds.gman import Strictness, mixed
from ganzoo_crowds.mgan import second_from
from ganzoo_crowds.networks import turns
from torch import Tensor, nn

from ganzoo_core.data import ring_modes
from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator
from ganzoo_core.objectives import Objective
from ganzoo_core.registry.recipes import build, recipe

X = torch.randn(6, 2, generator=torch.Generator().manual_seed(0))
BATCH = {"x": X}


def made(family: str, preset: str = "ring", **given: object) -> Objective:
    return build(recipe(family, preset=preset, given=given))


def fakes(game: Objective, seed: int = 1) -> Tensor:
    """The samples that the next loss under this seed will draw."""
    torch.manual_seed(seed)
    fake: Tensor = game.fake(len(X))
    torch.manual_seed(seed)
    return fake


def log_sigmoid(scores: Tensor) -> Tensor:
    return scores.sigmoid().log().mean()


def count(net: nn.Module) -> int:
    return sum(w.numel() for w in net.parameters())


@pytest.mark.parametrize(
    ("family", "G", "D"),
    [
        ("gman", 18_946, 5 * 17_025), ("mgan", 8 * 17 * 128 + 16_770, 17_025 + 8 * 129),
        ("deligan", 18_946 + 2 * 50 * 16, 17_025), ("bourgan", 46 * 128 + 16_770, 17_025),
    ],
)  # fmt: skip
def test_points_are_made_by_as_many_layers_as_in_the_table(family: str, G: int, D: int) -> None:
    game = made(family)
    assert (count(game.G), count(game.D)) == (G, D) and game.G.sample(3, seed=0).shape == (3, 2)


# GMAN


def test_lambda_goes_from_the_mean_to_the_hardest() -> None:
    V = torch.tensor([0.2, 1.0, 3.0], dtype=torch.float64)
    assert mixed(V, torch.tensor(0.0)).item() == pytest.approx(V.mean().item())
    assert mixed(V, torch.tensor(1e4)).item() == pytest.approx(3.0)
    between = [mixed(V, torch.tensor(lam)).item() for lam in (0.0, 0.5, 1.0, 2.0, 8.0)]
    assert between == sorted(between)
    w = (2 * V).exp() / (2 * V).exp().sum()
    assert mixed(V, torch.tensor(2.0)).item() == pytest.approx(float((w * V).sum()))


def test_each_discriminator_pays_for_itself_alone() -> None:
    game = made("gman", discriminators=3, lam=2.0)
    fake = fakes(game)
    terms = game.d_loss(BATCH)
    judges = game.D.judges
    assert terms["real"].item() == pytest.approx(-sum(log_sigmoid(D(X)) for D in judges).item(), rel=1e-5)
    assert terms["fake"].item() == pytest.approx(-sum(log_sigmoid(-D(fake)) for D in judges).item(), rel=1e-5)
    fakes(game)
    V = torch.stack([-log_sigmoid(D(fake)) for D in judges])
    expected = ((2 * V).softmax(0) * V).sum()
    assert game.g_loss(BATCH)["adv"].item() == pytest.approx(expected.item(), rel=1e-5)


def test_one_discriminator_is_the_plain_game() -> None:
    game = made("gman", discriminators=1, lam=3.0)
    fake = fakes(game)
    assert game.g_loss(BATCH)["adv"].item() == pytest.approx(game.loss.g(game.D(fake), None).item(), rel=1e-5)


@pytest.mark.parametrize("lam", [0.0, 1e-4, 0.5, 3.0, 200.0])
def test_lambda_begins_where_it_is_told(lam: float) -> None:
    assert Strictness(lam)().item() == pytest.approx(lam, rel=1e-4)


def test_g_raises_lambda_where_all_agree_and_lowers_it_where_one_is_hard() -> None:
    """d mixed / d lambda is the variance of V under w: 0 where all agree, and then c alone is left."""
    game = made("gman", discriminators=2, lam=1.0, c=0.01)
    for spread, sign in ((0.0, -1), (4.0, 1)):
        lam = game.strictness()
        total = mixed(torch.tensor([1.0, 1.0 + spread]), lam) - game.c * lam
        (slope,) = torch.autograd.grad(total, game.strictness.raw)
        assert slope.sign().item() == sign
    paid = game.g_loss(BATCH)
    assert paid["strict"].item() == pytest.approx(-0.01) and not paid["lambda"].requires_grad
    assert made("gman", lam=1.0).g_loss(BATCH).keys() == {"adv", "lambda"}
    assert [len(made("gman", c=c).nets("G")) for c in (0.0, 0.1)] == [1, 2]


# MGAN


def test_mgan_is_its_objective() -> None:
    game = made("mgan", generators=3, beta=0.5)
    fake = fakes(game)
    h, of = game.D.body(fake), [0, 0, 1, 1, 2, 2]
    untold = -game.D.C(h).softmax(1)[range(6), of].log().mean()
    terms = game.d_loss(BATCH)
    assert terms["real"].item() == pytest.approx(-log_sigmoid(game.D(X)).item(), rel=1e-5)
    assert terms["fake"].item() == pytest.approx(-log_sigmoid(-game.D.D(h)).item(), rel=1e-5)
    assert terms["class"].item() == pytest.approx(untold.item(), rel=1e-5)
    fakes(game)
    terms = game.g_loss(BATCH)
    assert terms["adv"].item() == pytest.approx(-log_sigmoid(game.D(fake)).item(), rel=1e-5)
    assert terms["class"].item() == pytest.approx(0.5 * untold.item(), rel=1e-5)


class Best(Discriminator):
    """At each of two places, 0 and 1, the best C: log pi_k p_k."""

    def __init__(self, p: Tensor) -> None:
        super().__init__()
        self.table = nn.Parameter(p.T.log())  # [places, K]

    def forward(self, x: Tensor) -> Tensor:
        return 0 * self.table.sum() + x[:, 0]

    def score_and_features(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self(x), self.table[x[:, 0].long()]


def test_the_best_classifier_measures_how_far_generators_are_apart() -> None:
    """Generators of shares (3/4, 1/4) and (1/4, 3/4): log 2 - JSD is what C pays at its best, where its slope is 0."""
    p = torch.tensor([[0.75, 0.25], [0.25, 0.75]], dtype=torch.float64)
    game = made("mgan", generators=2, beta=1.0)
    game.D = Best(p)
    game.fake = lambda n: torch.tensor([[0.0], [0.0], [0.0], [1.0], [0.0], [1.0], [1.0], [1.0]])  # 4 of each, in turns
    pays = game.d_loss({"x": torch.zeros(8, 2)})["class"]
    (slope,) = torch.autograd.grad(pays, game.D.table, retain_graph=True)
    mean = p.mean(0)
    jsd = float((p * (p / mean).log()).sum(1).mean())
    assert slope.abs().max() < 1e-12 and pays.item() == pytest.approx(math.log(2) - jsd)


@pytest.mark.parametrize("preset", ["ring", "tiny"])
def test_generators_share_all_but_what_comes_first(preset: str) -> None:
    G = made("mgan", preset, generators=3).G.eval()
    z = G.prior(7)
    torch.testing.assert_close(G.each(z), G(z, turns(7, G.K)))
    apart = G(z[:1].expand(3, -1), torch.arange(3))
    assert not torch.equal(apart[0], apart[1]) and not torch.equal(apart[1], apart[2])
    assert sum(isinstance(m, nn.Linear | nn.ConvTranspose2d) for m in G.own[0]) == 1
    assert second_from(nn.Sequential(nn.ReLU(), nn.Linear(1, 1), nn.ReLU(), nn.Linear(1, 1))) == 3


def test_one_generator_has_nothing_to_be_told_by() -> None:
    game = made("mgan", generators=1)
    fake = fakes(game)
    terms = game.g_loss(BATCH)
    assert terms["class"].item() == 0 and terms["adv"].item() == pytest.approx(game.loss.g(game.D(fake), None).item())


# DeLiGAN


def test_the_latent_is_the_mixture() -> None:
    G = made("deligan", components=3, sigma=0.5).G
    seen: list[Tensor] = []
    G.main.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    eps, i = G.priors(3000).values()
    G(eps, i)
    for k in range(3):
        z = seen[0][i == k]
        torch.testing.assert_close(z.mean(0), G.mu[k], atol=0.08, rtol=0)
        torch.testing.assert_close(z.std(0), torch.full((16,), 0.5), atol=0.06, rtol=0)
    assert G.mu.abs().max() <= 1


def test_sigma_is_held_to_1() -> None:
    game = made("deligan", lam=0.3, sigma=0.2)
    fake = fakes(game)
    terms = game.g_loss(BATCH)
    assert terms["sigma"].item() == pytest.approx(0.3 * 0.8**2)
    assert terms["adv"].item() == pytest.approx(-log_sigmoid(game.D(fake)).item(), rel=1e-5)
    (slope,) = torch.autograd.grad(terms["sigma"], game.G.sigma)
    assert (slope < 0).all()  # a step goes up, to 1
    with torch.no_grad():
        game.G.sigma.fill_(1.0)
    assert game.g_loss(BATCH)["sigma"].item() == 0


def test_mu_and_sigma_move_with_g() -> None:
    game = made("deligan", components=2)
    game.g_loss(BATCH)["adv"].backward()
    assert game.G.mu.grad.abs().sum() > 0 and game.G.sigma.grad.abs().sum() > 0


# BourGAN


def ring(n: int) -> tuple[Tensor, Tensor]:
    """Points near the modes of the ring, and whose they are."""
    rng = torch.Generator().manual_seed(0)
    modes = torch.as_tensor(ring_modes()[0], dtype=torch.float32)
    which = torch.arange(n) % len(modes)
    return modes[which] + 0.01 * torch.randn(n, 2, generator=rng), which


def test_bourgains_coordinates_are_distances_to_random_sets() -> None:
    """By hand, from the same draws. Before they are scaled, none lies farther apart than the points do."""
    torch.manual_seed(0)
    x = torch.randn(20, 2, dtype=torch.float64)
    d = torch.cdist(x, x)
    torch.manual_seed(1)
    f = bourgain(d, 3)
    torch.manual_seed(1)
    drawn = torch.rand(15, 20)  # ceil(log2 20) = 5 sizes
    by_hand = torch.zeros(20, 15, dtype=torch.float64)
    for j in range(15):
        members = [k for k in range(20) if drawn[j, k] < 0.5 ** (1 + j // 3)]
        for k in range(20):
            by_hand[k, j] = min((d[k, other].item() for other in members), default=0.0)
    assert ((by_hand[:, None] - by_hand[None]).abs() <= d[..., None] + 1e-12).all()
    centred = by_hand - by_hand.mean(0)
    torch.testing.assert_close(f, centred / centred.square().mean().sqrt(), rtol=1e-6, atol=1e-6)


def test_what_is_apart_stays_apart() -> None:
    torch.manual_seed(0)
    x, which = ring(64)
    game = made("bourgan", points=64)
    game.prepare({"x": x})
    apart = torch.cdist(game.G.anchors, game.G.anchors)
    same = which[:, None] == which[None]
    assert apart[same].max() < 0.3 * apart[~same].min()
    assert game.prepare_on == 64 and game.G.anchors.shape == (64, 5 * 6)


class Flat(Discriminator):
    """Has no opinion."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.zeros(len(x))


def test_a_g_that_keeps_distances_pays_nothing_for_them() -> None:
    """Twice as far in z and r = 1 / 2: the same distance. G = z / 4 is too near, by log 2."""

    class Shrinks(nn.Module):
        def __init__(self, by: float) -> None:
            super().__init__()
            self.by = nn.Parameter(torch.tensor(by))

        def forward(self, z: Tensor) -> Tensor:
            return self.by * z

    game = made("bourgan", points=8, alpha=2.0)
    game.G.main = Shrinks(0.5)
    game.D = Flat()
    game.G.ratio.fill_(0.5)
    assert game.g_loss(BATCH)["distance"].item() == pytest.approx(0, abs=1e-8)
    game.G.main = Shrinks(0.25)
    assert game.g_loss(BATCH)["distance"].item() == pytest.approx(2 * math.log(2) ** 2, rel=1e-4)


def test_the_ratio_is_that_of_distances_before_and_after() -> None:
    """The embedding of the same data, three times as large, is the same one."""
    x, _ = ring(32)
    game, found = made("bourgan", points=32), []
    for size in (1.0, 3.0):
        torch.manual_seed(0)
        game.prepare({"x": size * x})
        found.append((game.G.anchors.clone(), game.G.ratio.item()))
    torch.testing.assert_close(found[0][0], found[1][0], rtol=1e-3, atol=1e-4)
    assert found[1][1] / found[0][1] == pytest.approx(3, rel=1e-3)


@pytest.mark.parametrize(("n", "sizes"), [(1, 1), (2, 1), (3, 2), (4, 2), (5, 3), (512, 9), (513, 10)])
def test_there_are_sets_of_log_n_sizes(n: int, sizes: int) -> None:
    assert depth(n) == sizes


# Of all


@pytest.mark.parametrize(
    ("family", "given", "says"),
    [
        ("gman", {"discriminators": 0}, "discriminators 0"), ("gman", {"lam": -1.0}, "lam -1"),
        ("gman", {"lam": 0.0, "c": 1.0}, "lam 0"), ("mgan", {"generators": 0}, "generators 0"),
        ("deligan", {"components": 0}, "components 0"), ("bourgan", {"points": 1}, "points 1"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_in_one_line(family: str, given: dict[str, object], says: str) -> None:
    with pytest.raises(GanzooError) as fault:
        made(family, "tiny", **given)
    assert says in str(fault.value) and "\n" not in str(fault.value)


@pytest.mark.parametrize("family", ["gman", "mgan", "deligan", "bourgan"])
def test_they_play_on_networks_of_their_own(family: str) -> None:
    with pytest.raises(GanzooError, match="networks of its own"):
        build(recipe(family, preset="tiny", networks="dcgan:tiny"))
