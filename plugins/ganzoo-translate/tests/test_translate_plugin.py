"""Translation without pairs: published counts, planted cases of every term, and layers at both of their ends."""

from __future__ import annotations

import math

import pytest
import torch
from ganzoo_translate.distance import halves, pairs, unlike
from ganzoo_translate.geometry import TURNS
from ganzoo_translate.layers import CAM, LIN, OwnLIN, own
from ganzoo_translate.ugatit import told
from torch import Tensor, nn
from torch.nn.functional import group_norm, instance_norm

import ganzoo_core as gz
from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Generator, Image, Images


def count(net: nn.Module) -> int:
    return sum(w.numel() for w in net.parameters())


def batch(n: int = 4, side: int = 16) -> dict[str, Tensor]:
    rng = torch.Generator().manual_seed(0)
    return {key: torch.rand(n, 3, side, side, generator=rng) * 2 - 1 for key in "ab"}


class Does(Generator):
    """A translator that does one thing to a picture."""

    def __init__(self, key: str, thing) -> None:  # type: ignore[no-untyped-def]
        super().__init__()
        self.inputs, self.output = {key: Image((3, None, None))}, Images((3, None, None))
        self.thing = thing

    def forward(self, x: Tensor) -> Tensor:
        return self.thing(x)


# DistanceGAN


def test_distances_in_closed_form() -> None:
    x = torch.tensor([0.0, 1.0, 3.0])[:, None, None, None].expand(3, 1, 2, 4)
    assert pairs(x).tolist() == [1.0, 3.0, 2.0]
    steps = torch.tensor([0.0, 0.0, 2.0, 4.0]).expand(1, 1, 2, 4)  # |0 - 2|, |0 - 4|
    assert halves(steps).tolist() == [3.0]
    statistics = torch.tensor([[1.0, 2.0], [0.0, 0.5]])
    assert unlike(torch.tensor([3.0, 1.0]), torch.tensor([1.0, 1.0]), statistics).item() == pytest.approx((1 + 2) / 2)


def test_an_isometry_costs_nothing_and_a_constant_does() -> None:
    given = batch()
    given["b"] = given["a"].flip(1)  # another order of colours: all distances are the same
    game = gz.create("distance_gan", preset="tiny")
    game.prepare(given)
    game.G = Does("a", lambda x: -x.flip(1))
    terms = game.g_loss(given)
    assert terms["distance"].item() == pytest.approx(0, abs=1e-5) == terms["self"].item()
    game.G = Does("a", torch.zeros_like)
    mu, sigma = game.of_pairs[1]
    expected = 0.5 * ((pairs(given["a"]) - mu) / sigma + mu / sigma).abs().mean()
    assert game.g_loss(given)["distance"].item() == pytest.approx(expected.item(), rel=1e-4)


def test_statistics_are_of_the_data_and_in_the_checkpoint() -> None:
    game, given = gz.create("distance_gan", preset="tiny"), batch(8)
    game.prepare(given)
    x = given["b"].flatten(1)
    d = torch.stack([(x[i] - x[j]).abs().mean() for i in range(8) for j in range(i + 1, 8)])
    torch.testing.assert_close(game.of_pairs[1], torch.stack([d.mean(), d.std()]))
    assert {"of_pairs", "of_halves"} <= game.state_dict().keys()


def test_one_picture_alone_is_refused_but_for_its_halves() -> None:
    with pytest.raises(GanzooError, match="one picture has no distance"):
        gz.create("distance_gan", preset="tiny").g_loss(batch(1))
    assert gz.create("distance_gan", preset="tiny", distance=0.0).g_loss(batch(1)).keys() == {"adv", "self"}
    with pytest.raises(GanzooError, match="nothing ties G"):
        gz.create("distance_gan", preset="tiny", distance=0.0, self_distance=0.0)


# GcGAN


@pytest.mark.parametrize("turn", ["rot90", "vflip"])
def test_turns_undo_each_other(turn: str) -> None:
    f, back = TURNS[turn]
    x = batch()["a"]
    assert torch.equal(back(f(x)), x) and not torch.equal(f(x), x)
    top_left = torch.zeros(1, 1, 3, 3)
    top_left[..., 0, 0] = 1
    corner = (0, 2) if turn == "rot90" else (2, 0)  # clockwise: to the right
    assert f(top_left)[0, 0][corner] == 1


@pytest.mark.parametrize("turn", ["rot90", "vflip"])
def test_what_commutes_with_turning_costs_nothing(turn: str) -> None:
    given, game = batch(), gz.create("gcgan", preset="tiny", turn=turn, lam=2.0)
    game.G = Does("a", lambda x: -(x**3))
    assert game.g_loss(given)["geometry"].item() == 0
    ramp = torch.linspace(-1, 1, 16)[:, None]  # darker above than below, whatever is shown
    game.G = Does("a", lambda x: 0 * x + ramp)
    f = TURNS[turn][0]
    far = (ramp.expand(1, 3, 16, 16) - f(ramp.expand(1, 3, 16, 16))).abs().mean()
    assert game.g_loss(given)["geometry"].item() == pytest.approx(2 * 2 * far.item(), rel=1e-5)


def test_gcgan_by_hand() -> None:
    game, given = gz.create("gcgan", preset="tiny", identity=0.5, pool=0), batch()
    x, y, f = given["a"], given["b"], game.f
    terms, d = game.g_loss(given), game.d_loss(given)
    fake, fake_f = game.G(x), game.G(f(x))
    assert terms["adv_f"].item() == pytest.approx((game.D_f(fake_f) - 1).square().mean().item(), rel=1e-5)
    same = (game.G(y) - y).abs().mean() + (game.G(f(y)) - f(y)).abs().mean()
    assert terms["identity"].item() == pytest.approx(0.5 * same.item(), rel=1e-5)
    assert d["real_f"].item() == pytest.approx((game.D_f(f(y)) - 1).square().mean().item() / 2, rel=1e-5)
    assert d["fake"].item() == pytest.approx(game.D(fake).square().mean().item() / 2, rel=1e-5)
    assert "identity" not in gz.create("gcgan", preset="tiny", identity=0.0).g_loss(given)


def test_geometry_moves_both_halves() -> None:
    fake, fake_f = (torch.rand(2, 3, 4, 4, requires_grad=True) for _ in range(2))
    gz.create("gcgan", preset="tiny").inconsistent(fake, fake_f).backward()
    for x in (fake, fake_f):
        assert x.grad is not None and x.grad.abs().sum().item() == pytest.approx(1)  # |sign| / size, each once


# U-GAT-IT


@pytest.mark.parametrize(("preset", "of_g"), [("paper", 10_589_888), ("full", 278_959_808)])
def test_ugatit_has_the_published_weights(preset: str, of_g: int) -> None:
    with torch.device("meta"):
        game = gz.create("ugatit", preset=preset)
    counts = [count(net) for net in (game.G, game.F, game.D_GX, game.D_GY, game.D_LX, game.D_LY)]
    assert counts == [of_g] * 2 + [53_130_176] * 2 + [3_290_560] * 2


def test_lin_is_instance_norm_at_1_and_layer_norm_at_0() -> None:
    h, gamma, beta = torch.randn(2, 5, 32, 32), torch.randn(2, 5), torch.randn(2, 5)
    norm = LIN(5, 1.0)

    def adapted(x: Tensor) -> Tensor:
        return x * gamma[:, :, None, None] + beta[:, :, None, None]

    with torch.no_grad():
        unbiased = dict(atol=3e-3, rtol=1e-3)  # the deviation is that of a sample
        torch.testing.assert_close(norm(h, gamma, beta), adapted(instance_norm(h)), **unbiased)
        norm.rho.zero_()
        torch.testing.assert_close(norm(h, gamma, beta), adapted(group_norm(h, 1)), **unbiased)
        norm.rho.fill_(0.25)
        between = 0.25 * instance_norm(h) + 0.75 * group_norm(h, 1)
        torch.testing.assert_close(norm(h, gamma, beta), adapted(between), **unbiased)
        torch.testing.assert_close(OwnLIN(5)(h), group_norm(h, 1), **unbiased)


def test_rho_begins_at_nine_tenths_and_is_kept_between_0_and_1() -> None:
    game = gz.create("ugatit", preset="tiny")
    rhos = [m.rho for m in game.G.modules() if isinstance(m, LIN)]
    assert {round(w.item(), 4) for rho in rhos for w in rho.flatten()} == {0.9, 0.0}
    with torch.no_grad():
        rhos[0].fill_(1.5)
        rhos[1].fill_(-0.5)
        game.clip_rho()
    assert (rhos[0] == 1).all() and (rhos[1] == 0).all()
    (phase,) = game.phases()
    assert phase.steps[1].player.project == game.clip_rho


@pytest.mark.parametrize("judge", [False, True])
def test_attention_by_hand(judge: bool) -> None:
    torch.manual_seed(0)
    cam, h = CAM(4, judge=judge).eval(), torch.randn(2, 4, 3, 5)
    out, logits = cam(h)
    w_mean, w_max = own(cam.mean), own(cam.max)
    length = (w_mean.norm(), w_max.norm()) if judge else (1.0, 1.0)  # of one row, spectral norm is its length
    by_hand = torch.cat([h.mean((2, 3)) @ w_mean.T / length[0], h.amax((2, 3)) @ w_max.T / length[1]], 1)
    torch.testing.assert_close(logits, by_hand, atol=1e-4, rtol=1e-3)
    weighted = torch.cat([h * w_mean.view(1, 4, 1, 1), h * w_max.view(1, 4, 1, 1)], 1)
    expected = nn.functional.leaky_relu(cam.joined(weighted), 0.2 if judge else 0.0)
    torch.testing.assert_close(out, expected)


def test_the_attention_is_taught_the_domains() -> None:
    assert told(torch.full((2, 2), 2.0), torch.full((2, 2), -2.0)).item() == pytest.approx(2 * math.log1p(math.exp(-2)))
    game = gz.create("ugatit", preset="tiny", cam=3.0)
    for net in (game.G, game.F):
        nn.init.zeros_(net.cam.mean.weight)
        nn.init.zeros_(net.cam.max.weight)
    assert game.g_loss(batch())["cam"].item() == pytest.approx(3 * 4 * math.log(2))


def test_ugatit_by_hand() -> None:
    game, given = gz.create("ugatit", preset="tiny").eval(), batch()
    x, y = given["a"], given["b"]
    with torch.no_grad():
        fake_x, fake_y = game.F(y), game.G(x)
        terms, d = game.g_loss(given), game.d_loss(given)
        verdicts = [v for D in (game.D_GY, game.D_LY) for v in D.score_and_features(fake_y)]
        real = [v for D in (game.D_GX, game.D_LX) for v in D.score_and_features(x)]
        assert len(verdicts) == 4 and verdicts[1].shape == (4, 2)
        assert terms["adv_g"].item() == pytest.approx(sum((v - 1).square().mean().item() for v in verdicts), rel=1e-5)
        assert d["y_fake"].item() == pytest.approx(sum(v.square().mean().item() for v in verdicts), rel=1e-5)
        assert d["x_real"].item() == pytest.approx(sum((v - 1).square().mean().item() for v in real), rel=1e-5)
        cycle = (game.F(fake_y) - x).abs().mean() + (game.G(fake_x) - y).abs().mean()
        assert terms["cycle"].item() == pytest.approx(10 * cycle.item(), rel=1e-5)
        same = (game.F(x) - x).abs().mean() + (game.G(y) - y).abs().mean()
        assert terms["identity"].item() == pytest.approx(10 * same.item(), rel=1e-5)
    assert game.G.attention(x).shape == (4, 4, 4)


@pytest.mark.parametrize(
    ("family", "given"),
    [("distance_gan", {"image_size": 18}), ("gcgan", {"blocks": -1}), ("ugatit", {"image_size": 18}),
     ("ugatit", {"wide": 5}), ("ugatit", {"near": 1})],
)  # fmt: skip
def test_sizes_that_cannot_be_are_refused_in_a_line(family: str, given: dict[str, int]) -> None:
    with pytest.raises(GanzooError) as refused:
        gz.create(family, preset="tiny", **given)
    assert "\n" not in str(refused.value)


@pytest.mark.slow
@pytest.mark.parametrize("family", ["distance_gan", "gcgan", "ugatit"])
def test_a_shift_of_colours_is_learnt_without_pairs(family: str) -> None:
    """b is darker than a: G must darken, and keeps what is shown."""
    torch.manual_seed(0)
    free = {"distance_gan": {}, "gcgan": {"identity": 0.0}, "ugatit": {"identity": 0.0, "cam": 10.0}}[family]
    game = gz.create(family, preset="tiny", lr=2e-3, images=2_400, **free)

    def feed(**_: object):  # type: ignore[no-untyped-def]
        while True:
            a, b = (torch.rand(8, 3, 4, 4).repeat_interleave(4, 2).repeat_interleave(4, 3) for _ in "ab")
            yield {"a": a, "b": -b}

    x = next(feed())["a"]
    before = game.G(x).mean().item()
    list(gz.train(game, data=feed, batch_size=8, device="cpu"))
    with torch.no_grad():
        after = game.G(x)
    assert abs(after.mean().item() + 0.5) < 0.25 < abs(before + 0.5)
