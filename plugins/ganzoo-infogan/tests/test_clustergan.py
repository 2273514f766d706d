"""ClusterGAN: the published sizes, its loss in closed form, and clusters that are measured as they should be."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch
from ganzoo_infogan.clustergan import ClusterGAN, networks
from ganzoo_infogan.metrics import agreement
from processes import ganzoo
from torch import Tensor, nn
from torch.nn.functional import one_hot

import ganzoo_core as gz
from ganzoo_core.errors import GanzooError


def count(net: nn.Module) -> int:
    return sum(w.numel() for w in net.parameters())


def small(**given: object) -> ClusterGAN:
    game = gz.create("clustergan", preset="tiny", **given)
    assert isinstance(game, ClusterGAN)
    return game


X = {"x": torch.rand(6, 1, 16, 16, generator=torch.Generator().manual_seed(0)) * 2 - 1}


def test_paper_has_the_authors_layers() -> None:
    """Their batch norms have shifts only, ours scales as well: 1,024 + 128 + 64 numbers more in G."""
    nets = networks()
    body = 64 * 16 + 64 + 128 * 64 * 16 + 128 + (7 * 7 * 128 + 1) * 1024
    G = 41 * 1024 + 1024 + 1025 * 7 * 7 * 128 + 128 + 64 * 128 * 16 + 64 + 64 + 64 * 16 + 1
    assert [count(nets[name]) for name in "GDE"] == [G + 1024 + 128 + 64, body + 1025, body + 1025 * 40]


def test_the_prior_has_islands() -> None:
    """What G is told of two samples of one category is nearer than anything of two: sigma against sqrt 2."""
    G = small(z_dim=30).G
    z, c = G.priors(200, torch.Generator().manual_seed(0)).values()
    latent = torch.cat([G.noise(z), one_hot(c, 10)], 1)
    apart = torch.cdist(latent, latent)
    same = c[:, None] == c[None]
    assert apart[same].max() < apart[~same].min()
    assert G.noise(z).std().item() == pytest.approx(0.1, rel=0.05)


def test_g_and_e_pay_for_what_is_not_found_again() -> None:
    game = small(beta_n=3.0, beta_c=5.0)
    torch.manual_seed(1)
    terms = game.g_loss(X)
    torch.manual_seed(1)
    z, c = game.G.priors(6).values()
    fake = game.G(z, c)
    found = game.E(fake)
    noise, shares = found[:, :4], found[:, 4:]
    assert terms["adv"].item() == pytest.approx(-game.D(fake).mean().item(), rel=1e-5)
    assert terms["noise"].item() == pytest.approx(3 * (noise - 0.1 * z).square().mean().item(), rel=1e-5)
    assert terms["category"].item() == pytest.approx(-5 * shares[range(6), c].log().mean().item(), rel=1e-4)


class Knows(nn.Module):
    """An encoder that was told."""

    def __init__(self, noise: Tensor, logits: Tensor) -> None:
        super().__init__()
        self.told = noise, logits

    def found(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self.told


def test_an_encoder_that_knows_pays_nothing_and_one_that_guesses_log_k() -> None:
    game = small(beta_n=1.0, beta_c=1.0)
    torch.manual_seed(1)
    z, c = game.G.priors(6).values()
    for told, expected in (
        ((game.G.noise(z), 100 * one_hot(c, 10).float()), (0.0, 0.0)),
        ((torch.zeros_like(z), torch.zeros(6, 10)), (0.01 * z.square().mean().item(), math.log(10))),
    ):
        game.E = Knows(*told)
        torch.manual_seed(1)
        terms = game.g_loss(X)
        assert (terms["noise"].item(), terms["category"].item()) == pytest.approx(expected, abs=1e-6)


def test_the_critic_is_wgan_gps() -> None:
    """The penalty of a linear critic is known: (|w| - 1)^2, wherever it is measured."""
    game = small(lam=7.0)

    class Line(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return 0.5 * x.flatten(1).sum(1)

    game.D = Line()
    terms = game.d_loss(X)
    slope = 0.5 * math.sqrt(16 * 16)
    assert terms["gp"].item() == pytest.approx(7 * (slope - 1) ** 2, rel=1e-5)
    assert terms["real"].item() == pytest.approx(-game.D(X["x"]).mean().item(), rel=1e-5)


def test_g_and_e_move_together() -> None:
    D, G = (step for step in small().phases()[0].steps)
    assert D.repeat == 2 and [type(net).__name__ for net in G.player.nets] == ["G", "E"]


def test_clusters_are_compared_whatever_their_numbers() -> None:
    classes = torch.arange(3).repeat_interleave(20)
    exact = agreement(((classes + 1) % 3).numpy(), classes.numpy())
    assert exact == pytest.approx(dict.fromkeys(exact, 1.0))
    torch.manual_seed(0)
    chance = agreement(torch.randint(3, (60,)).numpy(), classes.numpy())
    assert abs(chance["cluster_ari"]) < 0.1 and chance["cluster_accuracy"] <= chance["cluster_purity"] < 0.6
    split = agreement(torch.tensor([0, 1] * 10 + [2] * 20 + [3] * 20).numpy(), classes.numpy())
    assert split["cluster_purity"] == 1 and split["cluster_accuracy"] == pytest.approx(50 / 60)


@pytest.mark.slow
def test_the_metric_stands_beside_k_means_of_pixels(tmp_path: Path) -> None:
    run = tmp_path / "run"
    done = ganzoo("train", "clustergan", "--preset", "tiny", "--data", "digits", "--images", "640", "--out", run)
    assert done.returncode == 0, done.stderr
    done = ganzoo("eval", run, "--data", "digits", "--metric", "cluster_ari", "--json")
    assert done.returncode == 0, done.stderr
    found = {row["name"]: row["value"] for row in json.loads(done.stdout)["metrics"]}
    assert found["cluster_ari[pixels]"] > 0.5 and -1 <= found["cluster_ari"] <= 1
    done = ganzoo("eval", "infogan.mnist", "--data", "digits", "--metric", "cluster_ari")
    assert done.returncode == 2 and "cluster_ari: of encoders" in done.stderr


@pytest.mark.parametrize(("given", "says"), [({"categories": 1}, "no clusters"), ({"image_size": 18}, "multiple of 4")])
def test_what_does_not_fit_is_refused_in_one_line(given: dict[str, int], says: str) -> None:
    with pytest.raises(GanzooError, match=says) as fault:
        small(**given)
    assert "\n" not in str(fault.value)
