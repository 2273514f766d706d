"""WAE-GAN, IntroVAE and CVAE-GAN: the authors' sizes, every loss in closed form, and what each one's own piece does."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from ganzoo_autoencoders.cvae_gan import mean_apart, means_apart
from ganzoo_autoencoders.game import squared
from ganzoo_autoencoders.networks import Posterior
from torch import Tensor, nn
from torch.distributions import Normal, kl_divergence

from ganzoo_core.errors import GanzooError
from ganzoo_core.objectives import Objective
from ganzoo_core.registry.recipes import build, recipe
from ganzoo_core.testing.synthetic import synthetic

LOG2 = math.log(2)


def small(family: str, preset: str = "tiny", **given: object) -> Objective:
    return build(recipe(family, preset=preset, given=given))


def sketch(family: str, preset: str, **given: object) -> Objective:
    with torch.device("meta"):
        return small(family, preset, **given)


def batch_of(game: Objective, n: int = 4) -> dict[str, Tensor]:
    return dict(next(synthetic(game.needs, game.recipe.args)(start=0, batch_size=n)))


def count(net: nn.Module) -> int:
    return sum(w.numel() for w in net.parameters())


class Says(nn.Module):
    """The same of everything: a score, or a posterior."""

    def __init__(self, value: float = 0.0, mean: float = 0.0, log_variance: float = 0.0) -> None:
        super().__init__()
        self.value, self.q = value, (mean, log_variance)

    def forward(self, x: Tensor) -> Tensor:
        return torch.full((len(x),), self.value)

    def posterior(self, x: Tensor, *label: Tensor) -> Posterior:
        return Posterior(*(torch.full((len(x), 8), v) + 0 * x.flatten(1).sum(1)[:, None] for v in self.q))


# Sizes


def test_wae_has_the_authors_layers() -> None:
    """E: 28, 14, 7, 4, 2 and 128 .. 1024 channels; G: 7, 14, 28, and a last layer that keeps the side."""
    game = sketch("wae_gan", "paper")
    widths = [1, 128, 256, 512, 1024]
    convs = sum(16 * a * b + 3 * b for a, b in pairwise(widths))
    assert count(game.E) == convs + 4 * 1024 * 8 + 8
    up = sum(16 * a * b + 3 * b for a, b in ((1024, 512), (512, 256)))
    assert count(game.G) == 9 * 49 * 1024 + up + 16 * 256 + 1
    assert count(game.D) == 9 * 512 + 3 * 513 * 512 + 513


def test_wae_bodies_keep_their_sides() -> None:
    game = small("wae_gan", "paper", width=8, d_units=(4,))
    assert game.E(torch.zeros(2, 1, 28, 28)).shape == (2, 8) and game.G.sample(2, seed=0).shape == (2, 1, 28, 28)


def residual(f: int, f_next: int) -> int:
    return 9 * f * f_next + 9 * f_next * f_next + 4 * f_next + (f * f_next if f != f_next else 0)


def test_introvae_has_the_authors_layers() -> None:
    game = sketch("introvae", "paper")
    widths = [32, 64, 128, 256, 512, 512]
    down = sum(residual(a, b) for a, b in pairwise(widths)) + residual(512, 512)
    assert count(game.E) == 25 * 3 * 32 + 2 * 32 + down + (16 * 512 + 1) * 1024
    turned = [512, *reversed(widths)]
    up = sum(residual(a, b) for a, b in pairwise(turned)) + residual(32, 32)
    assert count(game.G) == 513 * 16 * 512 + up + 25 * 32 * 3 + 3


# WAE-GAN


def test_wae_pays_for_pictures_and_for_codes_that_d_finds() -> None:
    game = small("wae_gan", lam=3.0, cost=0.5)
    batch = batch_of(game)
    x, z = batch["x"], game.E(batch["x"])
    terms = game.eg_loss(batch)
    by_hand = sum(((game.G(z)[i] - x[i]) / 2).square().sum() for i in range(4)) / 4
    assert terms["cost"].item() == pytest.approx(0.5 * by_hand.item(), rel=1e-4)
    assert terms["code"].item() == pytest.approx(-3 * game.D(z).sigmoid().log().mean().item(), rel=1e-4)
    torch.manual_seed(1)
    d = game.d_loss(batch)
    torch.manual_seed(1)
    prior = game.G.prior(4)
    assert d["real"].item() == pytest.approx(-3 * game.D(prior).sigmoid().log().mean().item(), rel=1e-4)
    assert d["fake"].item() == pytest.approx(-3 * (1 - game.D(z).sigmoid()).log().mean().item(), rel=1e-4)


def test_where_codes_are_the_prior_the_best_d_finds_nothing() -> None:
    """At Q_Z = P_Z the best D is 1/2: it pays 2 lam log 2, no D pays less, and pictures that come back cost nothing."""
    game = small("wae_gan", lam=2.0)

    class Same(nn.Module):
        def draw(self, x: Tensor) -> Tensor:
            return z

    x = batch_of(game, 2000)["x"][:1].expand(2000, -1, -1, -1)
    z = torch.randn(2000, 8, generator=torch.Generator().manual_seed(0))
    game.E, game.D = Same(), Says(0.0)
    d = game.d_loss({"x": x})
    assert (d["real"] + d["fake"]).item() == pytest.approx(2 * 2 * LOG2)

    class Leans(nn.Module):
        def forward(self, z: Tensor) -> Tensor:
            return 0.5 * z[:, 0] + 0.3

    game.D = Leans()
    torch.manual_seed(0)
    leaning = game.d_loss({"x": x})
    assert (leaning["real"] + leaning["fake"]).item() > 2 * 2 * LOG2
    assert squared(x, x).item() == 0


def test_steps_are_halved_and_divided_by_five() -> None:
    game = small("wae_gan")
    assert [game.drop(u) for u in (0.0, 0.29, 0.3, 0.49, 0.5, 1.0)] == [1, 1, 0.5, 0.5, 0.2, 0.2]


# IntroVAE


def test_introvaes_energy_is_the_divergence() -> None:
    game = small("introvae")
    x = batch_of(game)["x"]
    q = game.E.posterior(x)
    expected = kl_divergence(Normal(q.mean, (q.log_variance / 2).exp()), Normal(0.0, 1.0)).sum(1).mean()
    torch.testing.assert_close(game.reg(x), expected)


def test_e_and_g_pay_as_in_the_paper() -> None:
    game = small("introvae", m=100.0, alpha=0.3, beta=0.7).eval()
    batch = batch_of(game)
    x = batch["x"]
    for loss in (game.e_loss, game.g_loss):
        torch.manual_seed(1)
        terms = loss(batch)
        torch.manual_seed(1)
        q = game.E.posterior(x)
        again = game.G(q.draw())
        drawn = game.G(game.G.prior(4))
        squares = 0.7 * ((again - x) / 2).square().sum() / 4
        assert terms["rec"].item() == pytest.approx(squares.item(), rel=1e-4)
        for name, made in (("again", again), ("drawn", drawn)):
            reg = game.reg(made)
            paid = 0.3 * (100 - reg) if loss == game.e_loss else 0.3 * reg
            assert terms[name].item() == pytest.approx(paid.item(), rel=1e-4)
    assert "reg" not in game.g_loss(batch)


def test_the_margin_ends_what_e_pays() -> None:
    """N(a, 1) in 8 dimensions has a divergence of 4 a^2: at a = 2 it is 16, beyond a margin of 10 but not of 20."""
    for m, pays in ((10.0, 0.0), (20.0, 0.25 * 4)):
        game = small("introvae", m=m)
        batch = batch_of(game)
        game.E = Says(mean=2.0)
        terms = game.e_loss(batch)
        assert terms["drawn"].item() == pytest.approx(pays) and terms["again"].item() == pytest.approx(pays)
        assert terms["reg"].item() == pytest.approx(16)


def test_e_does_not_make_worse_pictures_to_win() -> None:
    """What E pays for pictures that came back reaches it as their judge, not through the code they were made of."""
    game = small("introvae", m=1000.0)
    batch = batch_of(game)
    terms = game.e_loss(batch)
    made: list[Tensor] = []
    game.G.register_forward_hook(lambda _, given, out: made.append(out))
    terms = game.e_loss(batch)
    (slope,) = torch.autograd.grad(terms["again"], made[0], allow_unused=True, retain_graph=True)
    assert slope is None and torch.autograd.grad(terms["rec"], made[0])[0].abs().sum() > 0


def test_both_move_alone() -> None:
    E, G = (step.player for step in small("introvae").phases()[0].steps)
    assert (E.name, G.name) == ("E", "G") and small("introvae").discriminators() == {}


# CVAE-GAN


def test_means_are_matched_class_by_class() -> None:
    c = torch.tensor([0, 0, 2, 2, 2])
    f = torch.randn(5, 3, generator=torch.Generator().manual_seed(0))
    expected = 0.5 * (f[:2].mean(0).square().sum() + f[2:].mean(0).square().sum())
    assert means_apart(f, c, 4).item() == pytest.approx(expected.item(), rel=1e-5)
    assert mean_apart(f).item() == pytest.approx(0.5 * f.mean(0).square().sum().item(), rel=1e-5)
    swapped = torch.stack([f[0] - f[1], f[1] - f[0]])  # samples that are exchanged: the same means
    assert mean_apart(swapped).item() == pytest.approx(0, abs=1e-12)


def test_each_of_the_four_has_its_loss() -> None:
    game = small("cvae_gan", lam_1=2.0, lam_2=3.0, lam_3=5.0, lam_4=7.0).eval()
    batch = batch_of(game)
    x, c = batch["x"], batch["label"]
    assert game.c_loss(batch)["class"].item() == pytest.approx(
        -game.C(x).softmax(1)[range(4), c].log().mean().item(), rel=1e-4
    )
    torch.manual_seed(1)
    e = game.e_loss(batch)
    torch.manual_seed(1)
    q = game.E.posterior(x, c)
    again = game.G(q.draw(), c)
    torch.testing.assert_close(e["kl"], 2 * q.kl().mean())
    for name, of in (("pixels", lambda v: v), ("d", game.D.features), ("c", game.C.features)):
        by_hand = 1.5 * (of(x) - of(again)).square().sum() / 4
        assert e[f"rec_{name}"].item() == pytest.approx(by_hand.item(), rel=1e-3)
    torch.manual_seed(1)
    g = game.g_loss(batch)
    torch.manual_seed(1)
    game.E.posterior(x, c).draw()
    drawn = game.G(game.G.prior(4), c)
    of_d = (game.D.features(x) - game.D.features(drawn)).mean(0)
    assert g["match_d"].item() == pytest.approx(2.5 * of_d.square().sum().item(), rel=1e-3)
    apart = game.C.features(x) - game.C.features(drawn)
    by_class = sum(apart[c == k].mean(0).square().sum() for k in c.unique())
    assert g["match_c"].item() == pytest.approx(3.5 * by_class.item(), rel=1e-3)
    torch.manual_seed(1)
    d = game.d_loss(batch)
    assert d["fake"].item() == pytest.approx(
        -(1 - game.D(seeded(game, c)).sigmoid()).log().mean().item(), rel=1e-4
    ) and d["real"].item() == pytest.approx(-game.D(x).sigmoid().log().mean().item(), rel=1e-4)


def seeded(game: Objective, c: Tensor) -> Tensor:
    torch.manual_seed(1)
    made: Tensor = game.G(game.G.prior(len(c)), c)
    return made


def test_a_copy_costs_nothing_whatever_judges_see() -> None:
    game = small("cvae_gan").eval()
    x = batch_of(game)["x"]
    assert [term.item() for term in game.likeness(x, x.clone()).values()] == pytest.approx([0, 0, 0], abs=1e-6)


def test_the_progress_grid_has_pictures_beside_the_same_again() -> None:
    game = small("cvae_gan")
    shown = game.sample(batch_of(game, 12))
    assert {name: tuple(v.shape) for name, v in shown.items()} == {
        "G": (12, 1, 16, 16), "x": (12, 1, 16, 16), "again": (12, 1, 16, 16),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("family", "given", "says"),
    [
        ("wae_gan", {"body": "authors", "image_size": 30}, "image_size 30"), ("wae_gan", {"z_dim": 0}, "below 1"),
        ("introvae", {"image_size": 64}, "2 widths"), ("cvae_gan", {"classes": 1}, "two or more"),
    ],
)  # fmt: skip
def test_sizes_that_do_not_fit_are_refused_in_one_line(family: str, given: dict[str, object], says: str) -> None:
    with pytest.raises(GanzooError, match=says) as fault:
        sketch(family, "tiny", **given)
    assert "\n" not in str(fault.value)


# BAGAN


def moments(x: Tensor) -> tuple[Tensor, Tensor]:
    return x.mean(0), (x - x.mean(0)).T @ (x - x.mean(0)) / len(x)


def test_classes_have_the_moments_of_their_codes() -> None:
    """Of one batch, whose weight cancels: z of a class is drawn with its codes' mean and covariance."""
    game = small("bagan", classes=2, z_dim=3)
    torch.manual_seed(0)
    z, c = torch.randn(40, 3) @ torch.randn(3, 3) + 2, torch.arange(40) % 2
    z[c == 1] -= 5
    game.look(z, c)
    game.begin()
    for k in (0, 1):
        mean, covariance = moments(z[c == k])
        torch.testing.assert_close(game.G.mean[k], mean, rtol=1e-4, atol=1e-4)
        found = game.G.root[k] @ game.G.root[k].T
        torch.testing.assert_close(found, covariance, rtol=1e-2, atol=2e-3)
        drawn = game.G.latent(torch.randn(40_000, 3), torch.full((40_000,), k))
        torch.testing.assert_close(moments(drawn)[1], covariance, rtol=0.1, atol=0.1)


def test_d_begins_as_e() -> None:
    game = small("bagan")
    x = batch_of(game)["x"]
    assert not torch.equal(game.D.body(x), game.E.main[:-2](x))
    game.begin()
    assert torch.equal(game.D.body(x), game.E.main[:-2](x))
    assert game.D.logits(x).shape == (4, 11)


def test_bagans_losses_are_cross_entropies_of_k_plus_1() -> None:
    game = small("bagan", classes=3)
    batch = batch_of(game, 6)
    x, c = batch["x"], batch["label"] % 3
    terms = {}
    for loss in (game.d_loss, game.g_loss):
        torch.manual_seed(1)
        terms[loss.__name__] = loss({"x": x, "label": c})
    torch.manual_seed(1)
    fake = game.G(*game.drawn(2))
    real, false = (game.D.logits(v).softmax(1).log() for v in (x, fake))
    assert terms["d_loss"]["class"].item() == pytest.approx(-real[range(6), c].sum().item() / 8, rel=1e-4)
    assert terms["d_loss"]["fake"].item() == pytest.approx(-false[:, 3].sum().item() / 8, rel=1e-4)
    torch.manual_seed(1)
    e, asked = game.drawn(8)
    named = game.D.logits(game.G(e, asked)).softmax(1)[range(8), asked].log().mean()
    assert terms["g_loss"]["class"].item() == pytest.approx(-named.item(), rel=1e-4)
    score = game.D.logits(x).softmax(1)
    torch.testing.assert_close(game.D(x), (score[:, :3].sum(1) / score[:, 3]).log(), rtol=1e-4, atol=1e-4)


def test_a_rare_class_is_drawn_before_the_game_begins() -> None:
    """One light picture in sixteen: after the autoencoder alone, G makes light ones, and is asked for as many."""
    torch.manual_seed(0)
    game = small("bagan", classes=2)
    optimizer = torch.optim.Adam([*game.E.parameters(), *game.G.parameters()], 3e-3)
    c = (torch.arange(32) % 16 == 0).long()
    for _ in range(120):
        x = (c[:, None, None, None] * 1.2 - 0.6) + 0.1 * torch.randn(32, 1, 16, 16)
        optimizer.zero_grad()
        game.eg_loss({"x": x, "label": c})["rec"].backward()
        optimizer.step()
    game.begin()
    dark, light = (game.G.sample(16, seed=0, label=k).mean().item() for k in (0, 1))
    assert dark < -0.3 and light - dark > 0.25
    assert abs(game.drawn(4000)[1].float().mean().item() - 0.5) < 0.05


# MDGAN


def test_mdgan_brings_pictures_back_and_spreads_codes_over_them() -> None:
    """-log D1(x) - log(1 - D1(x')), -lam log D1(x') + mu |x - x'|^2, -log D2(x') - log(1 - D2(x_p)), -log D2(x_p)."""
    game = small("mdgan", lam=3.0, mu=7.0).eval()
    x = batch_of(game)["x"]
    again = game.G(game.E(x))
    torch.manual_seed(5)
    drawn = game.G(game.G.prior(len(x)))

    def log(score: Tensor) -> Tensor:
        return score.sigmoid().log().mean()

    terms = game.d1_loss({"x": x})
    torch.testing.assert_close(terms, {"real": -log(game.D1(x)), "fake": -log(-game.D1(again))})
    terms = game.e_loss({"x": x})
    torch.testing.assert_close(terms["manifold"], -3 * log(game.D1(again)))
    torch.testing.assert_close(terms["rec"], 7 * (again - x).square().mean())
    torch.manual_seed(5)
    terms = game.d2_loss({"x": x})
    torch.testing.assert_close(terms, {"real": -log(game.D2(again)), "fake": -log(-game.D2(drawn))})
    torch.manual_seed(5)
    torch.testing.assert_close(game.g_loss({"x": x}), {"adv": -log(game.D2(drawn)), **game.e_loss({"x": x})})
