"""Autoencoders and GANs with encoders: published counts, every loss in closed form, and the way there and back."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from ganzoo_autoencoders.aae import LabelledE, LabelledG
from ganzoo_autoencoders.age import divergence, on_sphere
from ganzoo_autoencoders.alpha_gan import ratio
from ganzoo_autoencoders.bigan import Maxout
from ganzoo_autoencoders.game import bernoulli, redrawn
from ganzoo_autoencoders.networks import Posterior
from processes import ganzoo
from torch import Tensor, nn
from torch.distributions import Bernoulli, Normal, kl_divergence
from torch.nn.functional import conv2d, one_hot, softplus

import ganzoo_core as gz
from ganzoo_core import imaging
from ganzoo_core.data import open_dataset
from ganzoo_core.errors import GanzooError
from ganzoo_core.metrics import EvalConfig, evaluate
from ganzoo_core.objectives import Objective
from ganzoo_core.registry.plugins import registry
from ganzoo_core.registry.recipes import build, recipe
from ganzoo_core.testing.synthetic import synthetic
from ganzoo_core.training.trainer import Alternating

LOG2 = math.log(2)


def small(family: str, preset: str = "tiny", **given: object) -> Objective:
    return build(recipe(family, preset=preset, given=given))


def batch_of(game: Objective, n: int = 4) -> dict[str, Tensor]:
    return dict(next(synthetic(game.needs, game.recipe.args)(start=0, batch_size=n)))


def sketch(family: str, preset: str, **given: object) -> Objective:
    with torch.device("meta"):
        return small(family, preset, **given)


def count(net: nn.Module) -> int:
    return sum(w.numel() for w in net.parameters())


# Published networks


@pytest.mark.parametrize(
    ("family", "preset", "expected"),
    [
        ("vaegan", "paper", {"E": 18_071_360, "G": 4_693_155, "D": 10_953_857}),
        ("aae", "paper", {"E": 1_794_008, "G": 1_794_784, "D": 1_011_001}),
        ("age", "paper", {"E": 3_281_728, "G": 3_281_792}),
        ("bigan", "ali", {"E": 3_118_368, "G": 978_080 + 3 * 32 * 32}),  # and a bias for every pixel
        ("bigan", "paper", {
            "E": 785 * 1024 + 1025 * 1024 + 2 * 1024 + 1025 * 50,
            "G": 51 * 1024 + 1025 * 1024 + 2 * 1024 + 1025 * 784,
            "D": 835 * 1024 + 1025 * 1024 + 2 * 1024 + 1025,
        }),
    ],
)  # fmt: skip
def test_papers_presets_have_the_papers_counts(family: str, preset: str, expected: dict[str, int]) -> None:
    game = sketch(family, preset)
    assert {name: count(getattr(game, name)) for name in expected} == expected


def test_age_has_the_authors_encoder_of_32_pixels() -> None:
    assert count(sketch("age", "paper", image_size=32, z_dim=128).E) == 1_183_616


def test_vaegan_has_the_tensors_of_a_reference_in_their_order() -> None:
    game = sketch("vaegan", "paper")
    found = {name: [tuple(w.shape) for w in getattr(game, name).parameters() if w.ndim > 1] for name in "EGD"}
    conv, line = lambda *s: (*s, 5, 5), lambda *s: s
    assert found == {
        "E": [conv(64, 3), conv(128, 64), conv(256, 128), line(1024, 16384), line(128, 1024), line(128, 1024)],
        "G": [line(16384, 128), conv(256, 256), conv(256, 128), conv(128, 32), conv(3, 32)],
        "D": [conv(32, 3), conv(128, 32), conv(256, 128), conv(256, 256), line(512, 16384), line(1, 512)],
    }


def test_maxout_takes_the_larger_of_two() -> None:
    assert Maxout()(torch.tensor([[1.0, 3.0, -2.0, -5.0]])).tolist() == [[3.0, -2.0]]


@pytest.mark.parametrize(
    ("family", "preset", "given", "said"),
    [
        ("bigan", "ali", {"image_size": 64}, "ALI's networks are for 32"),
        ("vaegan", "tiny", {"widths": (4, 8, 16)}, "g_widths has one more"),
        ("vae", "tiny", {"z_dim": 0}, "below 1"),
        ("age", "tiny", {"width": 0}, "below 1"),
    ],
)
def test_sizes_that_do_not_fit_are_refused_in_one_line(
    family: str, preset: str, given: dict[str, object], said: str
) -> None:
    with pytest.raises(GanzooError, match=said) as fault:
        sketch(family, preset, **given)
    assert "\n" not in str(fault.value)


# The bound


def test_the_divergence_of_a_posterior_is_that_of_normal_distributions() -> None:
    torch.manual_seed(0)
    q = Posterior(torch.randn(5, 3), torch.randn(5, 3))
    expected = kl_divergence(Normal(q.mean, (q.log_variance / 2).exp()), Normal(0.0, 1.0)).sum(1)
    torch.testing.assert_close(q.kl(), expected)
    drawn = Posterior(q.mean[:1].expand(40_000, 3), q.log_variance[:1].expand(40_000, 3)).draw()
    torch.testing.assert_close(drawn.mean(0), q.mean[0], atol=0.03, rtol=0)
    torch.testing.assert_close(drawn.std(0), (q.log_variance[0] / 2).exp(), atol=0.03, rtol=0.03)


def test_pixels_are_chances() -> None:
    torch.manual_seed(0)
    made, x = torch.rand(3, 1, 4, 4) * 1.8 - 0.9, torch.rand(3, 1, 4, 4).round() * 2 - 1
    expected = -Bernoulli((made + 1) / 2).log_prob((x + 1) / 2).sum() / 3
    torch.testing.assert_close(bernoulli(made, x), expected)


def test_vae_pays_for_both_terms_of_the_bound() -> None:
    game = small("vae", beta=0.5)
    batch = batch_of(game)
    torch.manual_seed(1)
    terms = game.bound(batch)
    q = game.E.posterior(batch["x"])
    torch.manual_seed(1)
    torch.testing.assert_close(terms["rec"], bernoulli(game.G(q.draw()), batch["x"]))
    torch.testing.assert_close(terms["kl"], 0.5 * q.kl().mean())


# VAE/GAN


def test_vaegan_compares_what_the_last_halving_sees_before_its_norm() -> None:
    game = small("vaegan")
    x = torch.randn(2, 1, 16, 16)
    first, _, a, norm, _, b = game.D.seen
    h = norm(conv2d(conv2d(x, first.weight, first.bias, padding=2).relu(), a.weight, stride=2, padding=2)).relu()
    torch.testing.assert_close(game.D.features(x), conv2d(h, b.weight, stride=2, padding=2))
    assert game.likeness(x, x) == 0
    difference = game.D.features(x) - game.D.features(-x)
    torch.testing.assert_close(game.likeness(x, -x), 0.25 * difference.square().sum(), rtol=1e-4, atol=1e-4)


def test_vaegan_keeps_the_players_losses_apart() -> None:
    game = small("vaegan", gamma=0.25).eval()
    batch = batch_of(game)
    x = batch["x"]
    torch.manual_seed(2)
    e = game.e_loss(batch)
    torch.manual_seed(2)
    g = game.g_loss(batch)
    torch.manual_seed(2)
    again, drawn = game.again(x), game.G(game.G.prior(4))
    assert e.keys() == {"kl", "ll"} and g.keys() == {"ll", "again", "adv"}
    torch.testing.assert_close(e["ll"], game.likeness(x, again))
    torch.testing.assert_close(g["ll"], 0.25 * game.likeness(x, again))
    torch.testing.assert_close(g["again"], softplus(-game.D(again)).mean())
    torch.testing.assert_close(g["adv"], softplus(-game.D(drawn)).mean())
    assert game.d_loss(batch).keys() == {"real", "fake", "again"}


# AAE


def test_aae_draws_again_and_fools_d() -> None:
    game = small("aae", noise=0.0, adv=3.0).eval()
    batch = batch_of(game)
    x, z = batch["x"], game.E(batch["x"])
    terms = game.eg_loss(batch)
    torch.testing.assert_close(terms["rec"], ((game.G(z) - x) / 2).square().mean() / 2)
    torch.testing.assert_close(terms["adv"], 3 * softplus(-game.D(z)).mean())
    torch.manual_seed(3)
    judged = game.d_loss(batch)
    torch.manual_seed(3)
    torch.testing.assert_close(judged["real"], softplus(-game.D(torch.randn_like(z))).mean())
    torch.testing.assert_close(judged["fake"], softplus(game.D(z)).mean())


def test_aae_steps_are_a_tenth_after_each_drop() -> None:
    game = sketch("aae", "paper")
    assert [game.drop(u) for u in (0.0, 0.009, 0.01, 0.19, 0.2, 1.0)] == pytest.approx([1, 1, 0.1, 0.1, 0.01, 0.01])


def test_noise_is_in_the_papers_pixels() -> None:
    torch.manual_seed(0)
    game = small("aae", noise=0.3)
    assert float(game.seen(torch.zeros(1, 1, 200, 200)).std()) == pytest.approx(0.6, abs=0.01)


def test_with_labels_e_says_what_it_is_and_g_is_told() -> None:
    game = small("aae", classes=3).eval()
    assert isinstance(game.E, LabelledE) and isinstance(game.G, LabelledG)
    assert game.needs == {"x", "x_labelled", "label"}
    x = torch.randn(4, 1, 16, 16)
    z, logits = game.E.codes(x)
    assert z.shape == (4, 8) and logits.shape == (4, 3)
    y = logits.argmax(1)
    torch.testing.assert_close(game.G(z, y), game.G.decode(z, one_hot(y, 3).float()))
    torch.testing.assert_close(redrawn({"G": game.G, "E": game.E}, x), game.G(*game.E.code(x)), atol=1e-5, rtol=1e-4)
    assert game.eg_loss(batch_of(game)).keys() == {"rec", "adv", "adv_y", "label"}
    assert game.d_loss(batch_of(game)).keys() == {"real", "fake", "real_y", "fake_y"}
    reports = list(Alternating(batch_size=4, images=24).run(game, synthetic(game.needs, game.recipe.args)))
    assert all(value.isfinite() for report in reports for value in report.losses.values())


# BiGAN and ALI


@pytest.mark.parametrize("stochastic", [False, True])
def test_bigan_swaps_the_labels_of_pairs(stochastic: bool) -> None:
    game = small("bigan", stochastic=stochastic).eval()
    batch = batch_of(game)
    torch.manual_seed(4)
    encoded, generated = game.scores(batch["x"])
    torch.manual_seed(4)
    d = game.d_loss(batch)
    torch.manual_seed(4)
    eg = game.eg_loss(batch)
    torch.testing.assert_close(d["real"], softplus(-encoded).mean())
    torch.testing.assert_close(d["fake"], softplus(generated).mean())
    torch.testing.assert_close(eg["e"], softplus(encoded).mean())
    torch.testing.assert_close(eg["g"], softplus(-generated).mean())


def test_alis_code_is_a_draw_and_bigans_is_not() -> None:
    x = torch.randn(2, 1, 16, 16)
    for stochastic in (False, True):
        E = small("bigan", stochastic=stochastic).E.eval()
        assert torch.equal(E.draw(x), E.draw(x)) != stochastic
        assert torch.equal(E(x), E(x))


def test_a_d_that_cannot_tell_costs_two_logarithms_of_two() -> None:
    game = small("bigan").eval()
    game.D.joint[-1].weight.data.zero_()
    for terms in (game.d_loss(batch_of(game)), game.eg_loss(batch_of(game))):
        assert sum(terms.values()).item() == pytest.approx(2 * LOG2)


def test_steps_fall_in_the_second_half() -> None:
    game = sketch("bigan", "paper")
    assert [game.falling(u) for u in (0.0, 0.5, 0.75, 1.0)] == pytest.approx([1, 1, math.sqrt(1 / 200), 1 / 200])


# alpha-GAN


def test_a_ratio_of_densities_is_a_score_turned_round() -> None:
    torch.manual_seed(0)
    score = torch.randn(64, dtype=torch.float64)
    d = score.sigmoid()
    assert float(ratio(score)) == pytest.approx(float((-d.log() + (1 - d).log()).mean()), rel=1e-5)


def test_alpha_gan_has_two_discriminators() -> None:
    game = small("alpha_gan", lam=2.0).eval()
    batch = batch_of(game)
    x, z = batch["x"], game.E(batch["x"])
    e = game.e_loss(batch)
    torch.testing.assert_close(e["rec"], 2 * (game.G(z) - x).abs().mean())
    torch.testing.assert_close(e["code"], -game.C(z).mean())
    torch.testing.assert_close(game.g_loss(batch)["again"], -game.D(game.G(z)).mean())
    torch.testing.assert_close(game.d_loss(batch)["again"], softplus(game.D(game.G(z))).mean())
    torch.testing.assert_close(game.c_loss(batch)["fake"], softplus(game.C(z)).mean())


# AGE


def test_the_fit_of_a_batch_has_the_divergence_of_its_moments() -> None:
    torch.manual_seed(0)
    z = 0.5 * torch.randn(64, 3) + torch.tensor([0.0, 1.0, -2.0])
    expected = kl_divergence(Normal(z.mean(0), z.std(0)), Normal(0.0, 1.0)).mean()
    torch.testing.assert_close(divergence(z), expected)


def test_on_the_sphere_the_divergence_is_least_for_codes_all_over_it() -> None:
    torch.manual_seed(0)
    everywhere = on_sphere(torch.randn(4096, 8))
    halved = on_sphere(torch.cat([everywhere[:, :1].abs(), everywhere[:, 1:]], 1))
    crowded = on_sphere(everywhere + torch.tensor([3.0] + [0.0] * 7))
    assert divergence(everywhere) < divergence(halved) < divergence(crowded)


def test_age_plays_about_the_divergence_of_what_g_makes() -> None:
    game = small("age", lam=16.0).eval()
    batch = batch_of(game)
    torch.manual_seed(5)
    e = game.e_loss(batch)
    torch.manual_seed(5)
    g = game.g_loss(batch)
    torch.testing.assert_close(e["kl_fake"], -g["kl_fake"])
    torch.manual_seed(5)
    z = on_sphere(game.G.prior(4))
    cosine = torch.cosine_similarity(z, game.E(game.G(z)))
    torch.testing.assert_close(g["code"], 16 / 8 * (1 - cosine).mean())
    torch.testing.assert_close(e["rec"], 10 * (game.G(game.E(batch["x"])) - batch["x"]).abs().mean())


def test_of_ages_z_only_the_direction_counts() -> None:
    game = small("age").eval()
    z = torch.randn(3, 8)
    torch.testing.assert_close(game.G(z), game.G(7 * z))
    torch.testing.assert_close(game.E(torch.randn(3, 1, 16, 16)).norm(dim=1), torch.ones(3))
    torch.testing.assert_close(game.G.spaces()["z"].enter(z).norm(dim=1), torch.ones(3))


# There and back


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "run"
    gz.fit(gz.create("bigan", preset="tiny"), "digits", images=64, out=folder)
    return folder


def test_a_run_shows_pictures_beside_the_same_drawn_again(model: Path) -> None:
    names = {path.stem.partition("-")[2] for path in (model / "samples").iterdir()}
    assert names == {"G", "x", "again"}


def test_how_well_pictures_come_back_is_measured(model: Path) -> None:
    trained = gz.load(model)
    (score,) = evaluate(trained, EvalConfig("digits", metrics=("psnr_again",), n=32))
    zoo = registry()
    x = open_dataset("digits", image_size=16, channels=1, datasets=zoo.datasets, views=zoo.views).fetch(range(32))["x"]
    error = (redrawn(trained.networks, x) - x).square().flatten(1).mean(1)
    assert score.name == "psnr_again"
    assert score.value == pytest.approx(float((10 * torch.log10(4 / error)).mean()), rel=1e-4)


def test_a_model_without_an_encoder_is_told_so(tmp_path: Path) -> None:
    gz.fit(gz.create("dcgan", preset="tiny"), "digits", images=16, out=tmp_path / "run")
    with pytest.raises(GanzooError, match="publishes no encoder"):
        evaluate(gz.load(tmp_path / "run"), EvalConfig("digits", metrics=("psnr_again",), n=8))


def test_codes_of_pictures_are_points_of_the_latent_space(model: Path, tmp_path: Path) -> None:
    imaging.save(imaging.picture(torch.rand(1, 16, 16) * 2 - 1), tmp_path / "digit.png")
    picture = tmp_path / "digit.png"
    done = ganzoo("sample", model, "--net", "E", "--input", picture, "-o", tmp_path / "code.csv")
    assert done.returncode == 0, done.stderr
    done = ganzoo(
        "latent", "project", model, picture, "--how", "encoder", "--extractor", "none", "-o", tmp_path / "a.png"
    )
    assert done.returncode == 0, done.stderr
    assert "lessons" not in done.stderr  # nothing was taught: E is there
    assert (tmp_path / "a.safetensors").exists()
