"""Games that differ in a loss or a penalty: every loss and penalty against its closed form."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from ganzoo_objectives import losses, objective, penalties
from ganzoo_objectives.plugin import CONSTRAINTS, LOSSES, PAIRS, PENALTIES
from torch import Tensor, nn

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator, Generator, Images, Latent
from ganzoo_core.objectives import Adversarial, TwoPlayer, hinge, least_squares
from ganzoo_core.registry.recipes import build, recipe
from ganzoo_core.testing.synthetic import synthetic
from ganzoo_core.training.trainer import Alternating

FAMILIES = [family.name for family in (*LOSSES, *PENALTIES, *CONSTRAINTS, *PAIRS)]


Array = np.ndarray


def sig(x: Array) -> Array:
    return 1 / (1 + np.exp(-x))


def log_z(r: Array, s: Array) -> float:
    return np.log(np.exp(r).sum() + np.exp(s).sum())


# Each pair once more, in plain numpy and as the papers write it: r scores of real, s of fake.
PLAIN: dict[str, tuple[Adversarial, Callable[..., float], Callable[..., float]]] = {
    "lsgan": (least_squares, lambda r, s: ((r - 1) ** 2 + s**2).mean() / 2, lambda r, s: ((s - 1) ** 2).mean() / 2),
    "geometric_gan": (
        hinge,
        lambda r, s: np.maximum(0, 1 - r).mean() + np.maximum(0, 1 + s).mean(),
        lambda r, s: -s.mean(),
    ),
    "bs_gan": (
        losses.boundary_seeking,
        lambda r, s: -np.log(sig(r)).mean() - np.log(1 - sig(s)).mean(),
        lambda r, s: ((np.log(sig(s)) - np.log(1 - sig(s))) ** 2).mean() / 2,
    ),
    "softmax_gan": (
        losses.softmax,
        lambda r, s: -np.mean(np.log(np.exp(r) / np.exp(log_z(r, s)))),
        lambda r, s: -np.mean(np.log(np.exp(np.concatenate([r, s])) / np.exp(log_z(r, s)))),
    ),
    "rsgan": (
        losses.rsgan,
        lambda r, s: -np.log(sig(r - s)).mean(),
        lambda r, s: -np.log(sig(s - r)).mean(),
    ),
    "ragan": (
        losses.ragan,
        lambda r, s: -np.log(sig(r - s.mean())).mean() - np.log(1 - sig(s - r.mean())).mean(),
        lambda r, s: -np.log(sig(s - r.mean())).mean() - np.log(1 - sig(r - s.mean())).mean(),
    ),
    "ralsgan": (
        losses.ralsgan,
        lambda r, s: ((r - s.mean() - 1) ** 2).mean() + ((s - r.mean() + 1) ** 2).mean(),
        lambda r, s: ((s - r.mean() - 1) ** 2).mean() + ((r - s.mean() + 1) ** 2).mean(),
    ),
    "rahinge_gan": (
        losses.rahinge,
        lambda r, s: np.maximum(0, 1 - r + s.mean()).mean() + np.maximum(0, 1 + s - r.mean()).mean(),
        lambda r, s: np.maximum(0, 1 - s + r.mean()).mean() + np.maximum(0, 1 + r - s.mean()).mean(),
    ),
}
# f-GAN: g_f and f* of Tab. 2, and f itself.
TABLE: dict[str, tuple[Callable[..., Array], Callable[..., Array], Callable[[float], float]]] = {
    "kl": (lambda v: v, lambda t: np.exp(t - 1), lambda u: u * math.log(u)),
    "reverse_kl": (lambda v: -np.exp(-v), lambda t: -1 - np.log(-t), lambda u: -math.log(u)),
    "pearson": (lambda v: v, lambda t: t**2 / 4 + t, lambda u: (u - 1) ** 2),
    "hellinger": (lambda v: 1 - np.exp(-v), lambda t: t / (1 - t), lambda u: (math.sqrt(u) - 1) ** 2),
    "jensen_shannon": (
        lambda v: np.log(2) - np.log(1 + np.exp(-v)),
        lambda t: -np.log(2 - np.exp(t)),
        lambda u: -(u + 1) * math.log((1 + u) / 2) + u * math.log(u),
    ),
}
for name, (g_f, conjugate, _) in TABLE.items():
    PLAIN[f"fgan {name}"] = (
        losses.f_divergences[name],
        lambda r, s, g_f=g_f, conjugate=conjugate: -g_f(r).mean() + conjugate(g_f(s)).mean(),
        lambda r, s, g_f=g_f: -g_f(s).mean(),
    )


def d_of(pair: Adversarial, real: Tensor, fake: Tensor) -> Tensor:
    return torch.stack(list(pair.d(real, fake).values())).sum()


def scores(n: int = 7, seed: int = 0) -> tuple[Tensor, Tensor]:
    rng = torch.Generator().manual_seed(seed)
    return tuple(torch.randn(2, n, generator=rng, dtype=torch.float64).unbind())


@pytest.mark.parametrize("name", PLAIN)
def test_losses_are_those_of_the_papers(name: str) -> None:
    pair, d, g = PLAIN[name]
    real, fake = scores()
    assert d_of(pair, real, fake).item() == pytest.approx(d(real.numpy(), fake.numpy()))
    assert pair.g(fake, real).item() == pytest.approx(g(real.numpy(), fake.numpy()))


@pytest.mark.parametrize("name", PLAIN)
def test_gradients_are_right(name: str) -> None:
    pair = PLAIN[name][0]
    real, fake = (t.requires_grad_() for t in scores())
    assert torch.autograd.gradcheck(lambda r, s: d_of(pair, r, s), (real, fake))
    assert torch.autograd.gradcheck(lambda r, s: pair.g(s, r), (real, fake))


@pytest.mark.parametrize("name", PLAIN)
def test_higher_means_more_real(name: str) -> None:
    """Where D is about right, a higher score of real or a lower one of fake lowers d; a higher one of fake lowers g."""
    pair = PLAIN[name][0]
    least = 0.25 if name == "lsgan" else -0.4  # fakes are to score 0 there
    real, fake = (torch.full((5,), v, dtype=torch.float64, requires_grad=True) for v in (0.4, least))
    d_real, d_fake = torch.autograd.grad(d_of(pair, real, fake), (real, fake))
    assert (d_real < 0).all() and (d_fake > 0).all()
    assert (torch.autograd.grad(pair.g(fake, real), fake)[0] < 0).all()


@pytest.mark.parametrize("name", PLAIN)
def test_half_precision_is_summed_in_single(name: str) -> None:
    pair = PLAIN[name][0]
    real, fake = (t.bfloat16() for t in scores())
    assert d_of(pair, real, fake).dtype == pair.g(fake, real).dtype == torch.float32


# At the best D. Two places: real samples lie in the first 3 times of 4, fake ones 1 time of 4, so p/q is 3 or 1/3.
PLACES_REAL, PLACES_FAKE = torch.tensor([0, 0, 0, 1]), torch.tensor([0, 1, 1, 1])
RATIO = torch.tensor([3.0, 1 / 3], dtype=torch.float64)
BEST: dict[str, tuple[Adversarial, Tensor]] = {
    "fgan kl": (losses.f_divergences["kl"], 1 + RATIO.log()),
    "fgan reverse_kl": (losses.f_divergences["reverse_kl"], RATIO.log()),
    "fgan pearson": (losses.f_divergences["pearson"], 2 * (RATIO - 1)),
    "fgan hellinger": (losses.f_divergences["hellinger"], RATIO.log() / 2),
    "fgan jensen_shannon": (losses.f_divergences["jensen_shannon"], RATIO.log()),
    "lsgan": (least_squares, RATIO / (1 + RATIO)),
    "bs_gan": (losses.boundary_seeking, RATIO.log()),
}


@pytest.mark.parametrize("name", BEST)
def test_the_best_d_is_the_papers(name: str) -> None:
    pair, best = BEST[name]
    score = best.clone().requires_grad_()
    d = d_of(pair, score[PLACES_REAL], score[PLACES_FAKE])
    assert torch.autograd.grad(d, score)[0].abs().max() < 1e-12
    for wrong in (best + 0.1, best * 0.9):
        assert d_of(pair, wrong[PLACES_REAL], wrong[PLACES_FAKE]) > d


@pytest.mark.parametrize("name", TABLE)
def test_the_best_d_of_fgan_measures_the_divergence(name: str) -> None:
    """-d = D_f(p || q) = sum q f(p / q)."""
    pair, best = BEST[f"fgan {name}"]
    f = TABLE[name][2]
    expected = 0.25 * f(3) + 0.75 * f(1 / 3)
    assert -d_of(pair, best[PLACES_REAL], best[PLACES_FAKE]).item() == pytest.approx(expected)


def test_softmax_gan_is_best_even() -> None:
    """Least where the real share all mass: log |B+|; for G, where all share it: log |B|."""
    even = torch.zeros(8)
    assert d_of(losses.softmax, even, even - 100).item() == pytest.approx(math.log(8))
    assert losses.softmax.g(even, even).item() == pytest.approx(math.log(16))


def test_boundary_seeking_g_rests_where_d_cannot_tell() -> None:
    assert losses.boundary_seeking.g(torch.zeros(4)).item() == 0
    fake = torch.tensor([2.0], requires_grad=True)
    assert torch.autograd.grad(losses.boundary_seeking.g(fake), fake)[0].item() == 2  # back down to the boundary


@pytest.mark.parametrize("pair", [losses.rsgan, losses.ragan, losses.ralsgan, losses.rahinge])
def test_relativistic_losses_see_differences_only(pair: Adversarial) -> None:
    real, fake = scores()
    assert torch.allclose(d_of(pair, real + 3, fake + 3), d_of(pair, real, fake))
    assert torch.allclose(pair.g(fake + 3, real + 3), pair.g(fake, real))
    assert torch.allclose(pair.g(real, fake), d_of(pair, real, fake))  # exchanged


# Penalties, on a linear critic: its slope is w everywhere.


class Dots(Generator):
    """z itself."""

    def __init__(self) -> None:
        super().__init__()
        self.inputs, self.output = {"z": Latent((4,))}, Images((1, 2, 2), None)
        self.shift = nn.Parameter(torch.zeros(()))

    def forward(self, z: Tensor) -> Tensor:
        return (z + self.shift).unflatten(1, (1, 2, 2))


class Linear(Discriminator):
    def __init__(self, w: tuple[float, ...] = (3.0, 0.0, 4.0, 0.0)) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.tensor(w))

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1) @ self.w


X = torch.randn(6, 1, 2, 2, generator=torch.Generator().manual_seed(0))
BATCH = {"x": X}


@pytest.mark.parametrize(
    ("game", "term", "expected"),
    [
        (objective.DRAGAN, "gp", 2 * (5 - 1) ** 2),
        (objective.R1GAN, "r1", 2 / 2 * 5**2),
        (objective.WGANLP, "lp", 2 * (5 - 1) ** 2),
        (objective.WGANDiv, "div", 2 * 5**6),
    ],
)
def test_penalties_of_a_linear_critic(game: type, term: str, expected: float) -> None:
    assert game(Dots(), Linear(), lam=2.0).d_loss(BATCH)[term].item() == pytest.approx(expected)


def test_the_one_sided_penalty_leaves_small_slopes_alone() -> None:
    assert objective.WGANLP(Dots(), Linear((0.3, 0, 0.4, 0))).d_loss(BATCH)["lp"].item() == 0


def test_gamma_is_constant_or_falls_to_a_hundredth() -> None:
    """2.0 to 0.02, as the authors' documentation has it; and the buffer is what D pays by."""
    game = objective.JSRegularizedGAN(Dots(), Linear(), lam=2.0, anneal=0.01)
    full = game.d_loss(BATCH)["js"].item()
    for u, gamma in ((0.5, 0.2), (1.0, 0.02)):
        game.on_step_end(u)
        assert game.gamma.item() == pytest.approx(gamma)
    torch.manual_seed(0)
    late = game.d_loss(BATCH)["js"].item()
    torch.manual_seed(0)
    game.on_step_end(0.0)
    assert game.d_loss(BATCH)["js"].item() == pytest.approx(100 * late, rel=1e-5) and full > 0
    constant = objective.JSRegularizedGAN(Dots(), Linear(), lam=0.1)
    constant.on_step_end(1.0)
    assert constant.gamma.item() == pytest.approx(0.1)


def test_js_regularizer_of_a_linear_critic() -> None:
    D, fake = Linear(), X.flip(0) + 1
    r, s = (D(t).detach().numpy() for t in (X, fake))
    expected = 25 * ((1 - sig(r)) ** 2).mean() + 25 * (sig(s) ** 2).mean()
    assert penalties.js_regularizer(D, X, fake).item() == pytest.approx(expected, rel=1e-5)


def test_bwgan_of_a_linear_critic() -> None:
    """p = 4, so q = 4/3; lambda and gamma are means of norms of the data, in L^p and in its dual."""
    game = objective.BWGAN(Dots(), Linear(), p=4.0)
    game.prepare(BATCH)
    norm = lambda v, p: (np.abs(v.reshape(len(v), -1)) ** p).sum(1) ** (1 / p)  # noqa: E731
    lam, gamma = norm(X.numpy(), 4).mean(), norm(X.numpy(), 4 / 3).mean()
    gradient_norm = (3 ** (4 / 3) + 4 ** (4 / 3)) ** (3 / 4)
    terms = game.d_loss(BATCH)
    assert terms["gp"].item() == pytest.approx(lam * (gradient_norm / gamma - 1) ** 2, rel=1e-5)
    assert terms["real"].item() == pytest.approx(-game.D(X).mean().item() / gamma, rel=1e-5)
    assert terms["drift"].item() == pytest.approx(1e-5 * game.D(X).square().mean().item())


@pytest.mark.parametrize("family", [f.name for f in PENALTIES] + ["sobolev_gan"])
def test_batch_norm_under_a_penalty_is_refused_in_one_line(family: str) -> None:
    with pytest.raises(GanzooError) as fault:
        build(recipe(family, preset="tiny", given={"norm": "batch"}))
    assert "-c norm=none" in str(fault.value) and "\n" not in str(fault.value)


# Constraints


@pytest.mark.parametrize(
    ("game", "omega"),
    [
        (objective.SobolevGAN, lambda r, s: 25.0),
        (objective.FisherGAN, lambda r, s: (r**2).mean() / 2 + (s**2).mean() / 2),
    ],
)
def test_the_multiplier_follows_the_constraint(game: type, omega: Callable[..., float]) -> None:
    """d = -E r + E s - m (1 - Omega) + rho/2 (1 - Omega)^2; then m <- m - rho (1 - Omega)."""
    played = game(Dots(), Linear(), lam=0.1)
    played.multiplier.fill_(0.7)
    torch.manual_seed(0)
    terms = played.d_loss(BATCH)
    torch.manual_seed(0)
    r, s = (played.D(t).detach().numpy() for t in (X, played.fake(len(X))))
    expected = omega(r, s)
    assert terms["omega"].item() == pytest.approx(expected, rel=1e-5)
    constraint = -0.7 * (1 - expected) + 0.1 / 2 * (1 - expected) ** 2
    assert terms["constraint"].item() == pytest.approx(constraint, rel=1e-5)
    played.project()
    assert played.multiplier.item() == pytest.approx(0.7 - 0.1 * (1 - expected), rel=1e-5)


# Losses that see the images too


def drawn(game: TwoPlayer) -> tuple[Tensor, Array, Array]:
    """The fake samples of the next d_loss under seed 1, and both scores."""
    torch.manual_seed(1)
    fake = game.fake(len(X)).detach()
    r, s = (game.D(t).detach().numpy() for t in (X, fake))
    torch.manual_seed(1)
    return fake, r, s


def test_loss_sensitive_gan() -> None:
    game = objective.LossSensitiveGAN(Dots(), Linear(), lam=0.5)
    fake, r, s = drawn(game)
    margin = 0.5 * np.abs((X - fake).numpy()).sum((1, 2, 3))
    assert game.d_loss(BATCH)["hinge"].item() == pytest.approx(np.maximum(0, margin - r + s).mean(), rel=1e-5)
    torch.manual_seed(1)
    assert game.g_loss(BATCH)["adv"].item() == pytest.approx(-s.mean(), rel=1e-5)


def test_gan_qp() -> None:
    game = objective.GANQP(Dots(), Linear(), lam=5.0)
    fake, r, s = drawn(game)
    distance = np.abs((X - fake).numpy()).mean((1, 2, 3))
    expected = -(r - s - (r - s) ** 2 / (10 * distance)).mean()
    assert sum(game.d_loss(BATCH).values()).item() == pytest.approx(expected, rel=1e-5)
    torch.manual_seed(1)
    assert game.g_loss(BATCH)["adv"].item() == pytest.approx((r - s).mean(), rel=1e-5)


def test_the_field_of_one_charge_each() -> None:
    """1 / (1 + 0)^(1/2) at the real one, minus 1 / (1 + 3^2)^(1/2) from the fake one at a distance of 3."""
    real, fake = torch.zeros(1, 1, 1, 2), torch.tensor([[[[0.0, 3.0]]]])
    far = 10**-0.5
    field = penalties.potential(torch.cat([real, fake]), real, fake, 1.0, 1.0)
    assert field.tolist() == pytest.approx([1 - far, far - 1])


def test_coulomb_gan() -> None:
    game = objective.CoulombGAN(Dots(), Linear())
    fake, r, s = drawn(game)
    both = torch.cat([X, fake]).flatten(1).numpy()
    kernel = (((both[:, None] - both[None]) ** 2).sum(2) + 1) ** -0.5
    field = kernel[:, :6].mean(1) - kernel[:, 6:].mean(1)
    expected = ((np.concatenate([r, s]) - field) ** 2).mean() / 2
    assert sum(game.d_loss(BATCH).values()).item() == pytest.approx(expected, rel=1e-5)


# Other networks


@pytest.mark.parametrize("nets", ["gan:tiny", "wgan_gp:tiny"])
@pytest.mark.parametrize("family", FAMILIES)
def test_every_game_plays_on_other_networks(family: str, nets: str) -> None:
    made = recipe(family, preset="tiny", networks=nets)
    game = build(made)
    feed = synthetic(game.needs, made.args)
    draws = 4 * max(step.repeat for step in game.phases()[0].steps)
    reports = list(Alternating(batch_size=4, images=2 * draws).run(game, feed))
    assert len(reports) == 2
    assert all(v.isfinite() for r in reports for v in r.losses.values())


def test_no_two_games_are_one() -> None:
    """Every family has an objective of its own, none a preset of another."""
    families = [*LOSSES, *PENALTIES, *CONSTRAINTS, *PAIRS]
    assert len({f.objective for f in families}) == len(families)
