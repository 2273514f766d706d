"""GANomaly and AnoGAN: the published counts, losses in closed form, planted oddities, data without a class."""

from __future__ import annotations

import pytest
import torch
from ganzoo_structure.anogan_networks import LAMBDA
from ganzoo_structure.detector import roc_auc
from ganzoo_structure.novelty import Novel, Without
from processes import ganzoo, refused

from ganzoo_core.data import open_dataset
from ganzoo_core.errors import GanzooError
from ganzoo_core.objectives import Objective
from ganzoo_core.registry.plugins import registry
from ganzoo_core.registry.recipes import build, recipe


def game(family: str, preset: str = "tiny", **given: object) -> Objective:
    return build(recipe(family, preset=preset, given=given))


def opened(data: str):
    zoo = registry()
    return open_dataset(data, datasets=zoo.datasets, views=zoo.views)


@pytest.mark.parametrize(("preset", "G", "D"), [("paper", 3_206_528, 663_296), ("pictures64", 10_729_856, 2_765_568)])
def test_presets_have_the_published_counts(preset: str, G: int, D: int) -> None:
    with torch.device("meta"):
        made = game("ganomaly", preset)
    assert [sum(w.numel() for w in net.parameters()) for net in (made.G, made.D)] == [G, D]


# GANomaly


def test_the_three_terms_by_hand() -> None:
    made = game("ganomaly", w_adv=2.0, w_con=3.0, w_enc=5.0).eval()
    x = torch.rand(4, 1, 16, 16) * 2 - 1
    with torch.no_grad():
        terms = made.g_loss({"x": x})
        again = made.G(x)
        z, z_again = made.G.G_E(x), made.G.E(again)
        f, f_again = made.D.features(x), made.D.features(again)
    assert terms["con"].item() == pytest.approx(3 * (x - again).abs().mean().item(), rel=1e-5)
    assert terms["enc"].item() == pytest.approx(5 * ((z - z_again) ** 2).mean().item(), rel=1e-5)
    assert terms["adv"].item() == pytest.approx(2 * ((f - f_again) ** 2).mean().item(), rel=1e-5)


def test_d_is_taught_what_is_real_by_halves() -> None:
    made = game("ganomaly").eval()
    x = torch.rand(4, 1, 16, 16) * 2 - 1
    with torch.no_grad():
        terms = made.d_loss({"x": x})
        r, s = made.D(x).sigmoid(), made.D(made.G(x)).sigmoid()
    assert sum(terms.values()).item() == pytest.approx(-0.5 * (r.log().mean() + (1 - s).log().mean()).item(), rel=1e-5)


def test_the_score_is_the_distance_of_the_codes() -> None:
    net = game("ganomaly").G.eval()
    x = torch.rand(3, 1, 16, 16)
    with torch.no_grad():
        _, z, z_again = net.codes(x)
    torch.testing.assert_close(net.score(x), ((z - z_again) ** 2).flatten(1).mean(1))


# AnoGAN


def test_a_picture_that_g_draws_is_found_and_another_is_odder() -> None:
    torch.manual_seed(0)
    net = game("anogan", search_steps=150, search_lr=0.05).A.eval()
    with torch.no_grad():
        for weight in net.G.parameters():
            weight.mul_(6)  # its pictures differ clearly
        drawn = net.G(net.G.prior(4, torch.Generator().manual_seed(1)))
    odd = torch.where(drawn > 0, -1.0, 1.0)
    begun, found = net.loss(drawn, net.nearest(drawn)), net.score(drawn)
    assert (found < 0.5 * begun).all() and (net.score(odd) > 2 * found).all()


def test_the_loss_of_a_latent_by_hand() -> None:
    net = game("anogan").A.eval()
    x, z = torch.rand(3, 1, 16, 16), net.G.prior(3)
    with torch.no_grad():
        made = net.G(z)
        pixels = (x - made).abs().sum((1, 2, 3))
        features = (net.f(x) - net.f(made)).abs().sum((1, 2, 3))
        torch.testing.assert_close(net.loss(x, z), (1 - LAMBDA) * pixels + LAMBDA * features)


def test_each_picture_is_searched_for_by_itself() -> None:
    net = game("anogan").A.eval()
    x = torch.rand(5, 1, 16, 16)
    assert torch.equal(net.sample(5, seed=0, x=x)[:2], net.sample(2, seed=0, x=x[:2]))


def test_the_detector_looks_with_the_features_that_d_has_learnt() -> None:
    made = game("anogan")
    made.follow(0.5)
    assert all(torch.equal(a, b) for a, b in zip(made.A.f.parameters(), made.D.main[:-1].parameters(), strict=True))
    assert not any(w.requires_grad for w in made.A.f.parameters())


def test_fewer_steps_than_none_are_refused() -> None:
    with pytest.raises(GanzooError, match="steps"):
        game("anogan").A.sample(1, seed=0, steps=-2, x=torch.zeros(1, 1, 16, 16))


# Data


def test_a_class_is_left_out_or_is_what_is_odd() -> None:
    whole, without, novel = opened("digits"), opened("without:3:digits"), opened("novel:3:digits")
    labels = whole.fetch(range(len(whole)))["label"]
    assert isinstance(without, Without) and len(without) == int((labels != 3).sum())
    kept = (labels != 3).nonzero().flatten().tolist()
    assert torch.equal(without.fetch(range(40))["x"], whole.fetch(kept[:40])["x"])
    assert without.info.keys == {"x"} and without.info.classes is None
    assert isinstance(novel, Novel) and torch.equal(novel.fetch(range(len(novel)))["label"], (labels == 3).long())
    assert novel.info.class_names == ("normal", "novel")
    prints = {source.info.fingerprint for source in (whole, without, novel, opened("without:4:digits"))}
    assert len(prints) == 4


@pytest.mark.parametrize("data", ["without:x:digits", "novel:11:digits", "without:1:scenes"])
def test_what_is_no_class_is_refused_in_one_line(data: str) -> None:
    with pytest.raises(GanzooError) as fault:
        opened(data)
    assert "\n" not in str(fault.value)


class Planted:
    """A metric's context in which the detector's score is the picture's mean."""

    device, progress = torch.device("cpu"), staticmethod(lambda *_: None)

    def __init__(self, means: list[float], labels: list[int]) -> None:
        self.net, self.n = game("ganomaly").G, len(means)
        self.net.score = lambda x: x.mean((1, 2, 3))  # type: ignore[method-assign]
        x = torch.tensor(means)[:, None, None, None].expand(-1, 1, 16, 16)
        self.source = opened("novel:1:digits")
        self.source.fetch = lambda which: {"x": x[which.start : which.stop], "label": torch.tensor(labels)}


@pytest.mark.parametrize(
    ("means", "area"),
    [
        ([0.1, 0.2, 0.8, 0.9], 1.0), ([0.9, 0.8, 0.2, 0.1], 0.0), ([0.1, 0.8, 0.2, 0.9], 0.75),
        ([60.0, 170.0, 90.0, 200.0], 0.75), ([50.0, 50.0, 50.0, 51.0], 0.75),  # on any scale; half of a tie
    ],
)  # fmt: skip
def test_the_area_under_the_curve_by_hand(means: list[float], area: float) -> None:
    """Of pairs of a normal and a novel picture, the share in which the novel one has the higher score."""
    ((name, value, _),) = roc_auc(Planted(means, [0, 0, 1, 1]))
    assert name == "roc_auc" and value == pytest.approx(area)


def test_the_commands_of_the_readme(tmp_path) -> None:
    run = tmp_path / "run"
    done = ganzoo("train", "ganomaly", "--preset", "tiny", "--data", "without:1:digits", "--images", "64", "--out", run)
    assert done.returncode == 0, done.stderr
    done = ganzoo("eval", run, "--data", "novel:1:digits", "-n", "200")
    assert done.returncode == 0 and "roc_auc" in done.stdout, done.stderr
    said = refused(ganzoo("eval", run, "--data", "digits", "--metric", "roc_auc", "-n", "200"))
    assert "novel:CLASS:DATA" in said
