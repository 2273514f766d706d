"""DANN, ADDA and CyCADA: published counts, a gradient that is turned round, games by hand, pictures that are named."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from ganzoo_adapt.dann import annealed, reversed_gradient
from ganzoo_adapt.features import Domain
from ganzoo_adapt.kinds import Shares, bars
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, log_softmax

import ganzoo_core as gz
from ganzoo_core.errors import GanzooError


def batch(side: int = 16) -> dict[str, Tensor]:
    rng = torch.Generator().manual_seed(0)
    a, b = torch.rand(2, 4, 3, side, side, generator=rng) * 2 - 1
    return {"a": a, "b": b, "label": torch.tensor([0, 3, 3, 9])}


def count(*nets: nn.Module) -> int:
    return sum(w.numel() for net in nets for w in net.parameters())


def test_presets_have_the_published_counts() -> None:
    with torch.device("meta"):
        dann, adda = gz.create("dann", preset="paper"), gz.create("adda", preset="small")
        cycada = gz.create("cycada", preset="paper")
    assert count(dann.T, dann.D) == 257_254 and count(adda.T) == 431_080  # the second is LeNet's
    assert (count(cycada.T), count(cycada.G), count(cycada.D_Y)) == (3_133_962, 11_378_179, 2_764_737)


def test_what_is_passed_back_is_turned_round() -> None:
    """d/dx of f(R(x)) is - lambda f'(x), and of what goes forward nothing is changed."""
    x, lam = torch.tensor([1.0, -2.0], requires_grad=True), torch.tensor(0.25)
    y = reversed_gradient(x, lam)
    assert torch.equal(y, x)
    (slope,) = torch.autograd.grad((y**3).sum(), x)
    torch.testing.assert_close(slope, -0.25 * 3 * x**2)
    assert torch.autograd.grad(reversed_gradient(x, 0 * lam).sum(), x)[0].abs().sum() == 0


def test_lambda_rises_and_the_step_falls_as_published() -> None:
    game, at = gz.create("dann", preset="tiny", lam=2.0), [0.0, 0.1, 1.0]
    for p in at:
        game.rise(p)
        assert game.lambda_p.item() == pytest.approx(2 * (2 / (1 + math.exp(-10 * p)) - 1))
    assert [annealed(p) for p in at] == pytest.approx([1, 2**-0.75, 11**-0.75])


def test_one_step_descends_for_d_and_climbs_for_the_encoder() -> None:
    game, given = gz.create("dann", preset="tiny", dropout=0.0), batch()
    game.lambda_p.fill_(0.5)
    terms = game.t_loss(given)
    two = [game.D.main(game.T.encoder(given[key])) for key in "ab"]  # the published softmax: source 0, target 1
    domains = -log_softmax(two[0], 1)[:, 0].mean() - log_softmax(two[1], 1)[:, 1].mean()
    task = cross_entropy(game.T.logits(given["a"]), given["label"])
    assert (terms["source"] + terms["target"]).item() == pytest.approx(domains.item(), rel=1e-5)
    assert terms["task"].item() == pytest.approx(task.item(), rel=1e-5)
    of_d, of_f = game.D.main[0].weight, game.T.encoder[0].weight
    ours = torch.autograd.grad(terms["source"] + terms["target"], [of_d, of_f])
    plain = torch.autograd.grad(domains, [of_d, of_f])
    torch.testing.assert_close(ours[0], plain[0])
    torch.testing.assert_close(ours[1], -0.5 * plain[1], atol=1e-6, rtol=1e-4)


def test_adda_by_hand() -> None:
    game, given = gz.create("adda", preset="tiny"), batch()
    of_a, of_b = (log_softmax(game.D.main(net.encoder(given[k])), 1) for net, k in ((game.S, "a"), (game.T, "b")))
    d, t = game.d_loss(given), game.t_loss(given)
    assert d["real"].item() == pytest.approx(-of_a[:, 0].mean().item(), rel=1e-5)
    assert d["fake"].item() == pytest.approx(-of_b[:, 1].mean().item(), rel=1e-5)
    assert t["adv"].item() == pytest.approx(-of_b[:, 0].mean().item(), rel=1e-5)  # inverted labels
    assert game.s_loss(given)["source"] == cross_entropy(game.S.logits(given["a"]), given["label"])


def test_addas_target_begins_as_its_source_and_keeps_its_head() -> None:
    game = gz.create("adda", preset="tiny", images_s=64, images=64)
    assert not torch.equal(game.T.head.weight, game.S.head.weight)
    feed = lambda **_: iter([batch()] * 100)  # noqa: E731
    for report in gz.train(game, data=feed, batch_size=4, device="cpu"):
        first = report.phase == "source"
        if first:
            kept = game.S.state_dict()["head.weight"].clone()
    assert not first and torch.equal(game.T.head.weight, kept) and torch.equal(game.S.head.weight, kept)
    assert not torch.equal(game.T.encoder[0].weight, game.S.encoder[0].weight)


def confusion(lam: float) -> float:
    """D's loss after a short game whose target is the source, inverted."""
    torch.manual_seed(0)
    game, given = gz.create("dann", preset="tiny", dropout=0.0, lr=0.05, lam=lam, images=800), batch()
    given["b"] = -given["a"]
    last = [*gz.train(game, data=lambda **_: iter([given] * 300), batch_size=4, device="cpu")][-1]
    return last.losses["T/source"].item() + last.losses["T/target"].item()


def test_the_encoder_forgets_the_domain() -> None:
    """Where nothing is passed back D tells the domains; where it is, it does no better than a coin."""
    assert confusion(0.0) < 0.2 < math.log(2) < confusion(1.0)


def test_cycada_by_hand() -> None:
    game, given = gz.create("cycada", preset="tiny", sem=2.0, feature=3.0).eval(), batch()
    a, b, y = given["a"], given["b"], given["label"]
    with torch.no_grad():
        fake_b, fake_a = game.G(a), game.F(b)
        g, t, d, f = game.g_loss(given), game.t_loss(given), game.d_f_loss(given), game.f_loss(given)
        sem = cross_entropy(game.S.logits(fake_b), game.S.logits(a).argmax(1))
        sem = sem + cross_entropy(game.S.logits(fake_a), game.S.logits(b).argmax(1))
        of_a, of_b = (log_softmax(game.D_f.main(game.T.encoder(x)), 1) for x in (fake_b, b))
    assert g.keys() == {"adv_g", "adv_f", "cycle_x", "cycle_y", "sem"}
    assert g["sem"].item() == pytest.approx(2 * sem.item(), rel=1e-5)
    assert t["task"].item() == f["task"].item() == pytest.approx(cross_entropy(game.T.logits(fake_b), y).item())
    assert d["real"].item() == pytest.approx(-of_a[:, 0].mean().item(), rel=1e-5)
    assert d["fake"].item() == pytest.approx(-of_b[:, 1].mean().item(), rel=1e-5)
    assert f["adv"].item() == pytest.approx(-3 * of_b[:, 0].mean().item(), rel=1e-5)
    assert [phase.name for phase in game.phases()] == ["source", "main", "task", "features"]


def test_what_teaches_the_translators_stands_still() -> None:
    """S is asked as it will be used: neither dropout nor the batch changes what it says, and nothing is kept of it."""
    game, given = gz.create("cycada", preset="tiny").train(), batch()
    kept = {name: value.clone() for name, value in game.S.state_dict().items()}
    once, again = (game.said(-given["a"], given["a"]) for _ in range(2))
    assert once == again and game.S.training
    assert all(torch.equal(value, kept[name]) for name, value in game.S.state_dict().items())
    assert game.said(given["a"], given["a"]) < once


def test_shares_are_bars() -> None:
    p = torch.tensor([[0.0, 1.0, 0.5]])
    assert (bars(p) < 0).float().mean((0, 1, 2)).tolist() == [0.0] * 4 + [1.0] * 4 + [0.5] * 4
    assert Shares((3,)).picture(p).width == 12 + 4


def test_pictures_that_are_too_small_are_refused_in_a_line() -> None:
    for family in ("dann", "adda", "cycada"):
        with pytest.raises(GanzooError, match="image_size 15: below 16"):
            gz.create(family, preset="tiny", image_size=15)
    assert isinstance(gz.create("adda", preset="tiny").D, Domain)


def test_a_picture_is_named(tmp_path: Path) -> None:
    T = gz.create("dann", preset="tiny").T
    found = T.sample(3, seed=0, b=batch()["b"][:3])
    T.output.save(found, tmp_path / "shares.csv")
    rows = (tmp_path / "shares.csv").read_text().split()
    assert [sum(map(float, row.split(","))) for row in rows] == pytest.approx([1.0] * 3, abs=1e-5)
    torch.testing.assert_close(T.output.open(tmp_path / "shares.csv"), found)
