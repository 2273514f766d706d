"""Regularisers in closed form, and in any game: what is heard, who pays, what is refused."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import Tensor, nn

import ganzoo_core as gz
from ganzoo_core.errors import GanzooError, UnknownNameError
from ganzoo_core.nn import Discriminator, Generator, Images, Latent
from ganzoo_core.objectives import TwoPlayerAdam, wasserstein
from ganzoo_core.objectives.regularise import (
    REGULARISERS,
    ZCR,
    Heard,
    LeCam,
    Look,
    flipped_and_shifted,
    parsed,
    regularise,
)
from ganzoo_core.registry.recipes import build, recipe
from ganzoo_core.testing.synthetic import synthetic
from ganzoo_core.training.trainer import Alternating

A = torch.tensor([3.0, 4.0])


class Line(Generator):
    """G(z) = a z on pictures of one row."""

    def __init__(self) -> None:
        super().__init__()
        self.inputs, self.output = {"z": Latent((1,))}, Images((1, 1, 2))
        self.a = nn.Parameter(torch.tensor([2.0, -1.0]))

    def forward(self, z: Tensor) -> Tensor:
        return (z * self.a)[:, None, None]


class Plane(Discriminator):
    """D(x) = w . x."""

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(A.clone())

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1) @ self.w


class Critics(TwoPlayerAdam):
    loss = wasserstein


def look(net: nn.Module, x: Tensor) -> Look:
    return Look(net, x, (), net(x))


def heard(seed: int = 0) -> Heard:
    torch.manual_seed(seed)
    G, D, z = Line(), Plane(), torch.randn(6, 1)
    return Heard(look(D, torch.randn(6, 1, 1, 2)), look(D, G(z)), look(G, z))


@pytest.mark.parametrize("name", ["r1", "r2"])
def test_slopes_of_a_linear_discriminator(name: str) -> None:
    assert parsed(name).d(heard()).item() == pytest.approx(25 / 2)


def test_consistency_is_the_squared_difference_of_scores() -> None:
    """Of a row of two pixels, which is only ever mirrored: D(x) - D(T(x)) = (w1 - w2) (x1 - x2), or 0."""
    told = heard()
    torch.manual_seed(3)
    mirrored = torch.rand(6) < 0.5
    expected = {}
    for side in ("real", "fake"):
        x = getattr(told, side).x[:, 0, 0]
        expected[side] = lambda m, x=x: (m * ((A[0] - A[1]) * (x[:, 0] - x[:, 1])).square()).mean()
    torch.manual_seed(3)
    torch.testing.assert_close(parsed("cr").d(told), expected["real"](mirrored))
    torch.manual_seed(3)
    both = parsed("bcr").d(told)
    torch.manual_seed(3)
    flips = [flipped_and_shifted(getattr(told, side).x) != getattr(told, side).x for side in ("real", "fake")]
    by_hand = sum(expected[s](f[:, 0, 0, 0]) for s, f in zip(("real", "fake"), flips, strict=True))
    torch.testing.assert_close(both, by_hand)


def test_pictures_are_mirrored_and_moved_by_whole_pixels() -> None:
    x = torch.arange(16.0).expand(500, 1, 16, 16)
    torch.manual_seed(0)
    rows = flipped_and_shifted(x)[:, 0, 5]
    torch.testing.assert_close(rows, rows.round(), atol=1e-4, rtol=0)
    firsts = rows.round()[:, 8]
    assert set(firsts.tolist()) == {float(v) for v in (6, 7, 8, 9, 10, 5)}  # 8 moved by -2..2, or 7 mirrored


def test_latent_consistency() -> None:
    """D(G(z)) - D(G(z + e)) = -(w . a) e and G(z) - G(z + e) = -a e."""
    told, term = heard(), parsed("zcr")
    assert told.drawn is not None
    torch.manual_seed(5)
    e = ZCR.sigma * torch.randn(6, 1)
    torch.manual_seed(5)
    torch.testing.assert_close(term.d(told), ((A @ torch.tensor([2.0, -1.0])) * e).square().mean())
    torch.manual_seed(5)
    torch.testing.assert_close(term.g(told.drawn), -0.1 * (e * torch.tensor([2.0, -1.0])).square().mean())


def test_lecam_holds_scores_to_the_other_sides_average() -> None:
    term, told = LeCam(1.0), heard()
    r, s = told.real.said.detach(), told.fake.said.detach()
    assert term.d(told).item() == 0
    assert [float(term.real), float(term.fake)] == pytest.approx([float(r.mean()), float(s.mean())])
    term.steps.fill_(LeCam.start)
    term.real.fill_(1.0), term.fake.fill_(-2.0)
    value = term.d(told)
    a_r, a_f = 0.99 + 0.01 * float(r.mean()), -1.98 + 0.01 * float(s.mean())
    assert [float(term.real), float(term.fake)] == pytest.approx([a_r, a_f])
    assert value.item() == pytest.approx(float(((r - a_f) ** 2).mean() + ((s - a_r) ** 2).mean()))
    value.backward()  # the averages that follow do not spoil it


def test_weights_cost_by_layers() -> None:
    """Of two layers: singular values 5 and 2 of the first, 7 of the second; biases cost nothing."""
    D = nn.Sequential(nn.Flatten(), nn.Linear(2, 2), nn.Linear(2, 1))
    turn = torch.tensor([[0.6, -0.8], [0.8, 0.6]])
    with torch.no_grad():
        D[1].weight.copy_(turn @ torch.diag(torch.tensor([5.0, 2.0])))
        D[2].weight.copy_(torch.tensor([[7.0, 0.0]]))
    told = Heard(look(D, torch.randn(3, 2)), look(D, torch.randn(3, 2)))
    assert parsed("spectral").d(told).item() == pytest.approx((25 + 49) / 2, rel=1e-5)
    assert parsed("decay").d(told).item() == pytest.approx((25 + 4 + 49) / 2, rel=1e-5)
    across = (3.0 * 4.0) + (-1.6 * 1.2)  # the product of the first layer's rows
    assert parsed("orthogonal").d(told).item() == pytest.approx(2 * across**2, rel=1e-5)
    for word in ("spectral", "orthogonal", "decay"):
        parsed(word).d(told).backward()
    assert D[1].weight.grad.isfinite().all()


@pytest.mark.parametrize("word", REGULARISERS)
def test_who_moves_pays_what_is_heard(word: str) -> None:
    """A game's loss and terms are what they were; D pays one more, and G where the paper says so."""
    plain = Critics(Line(), Plane())
    game = copy.deepcopy(plain)
    regularise(game, [f"{word}:3"])
    game = copy.deepcopy(game)
    batch = {"x": torch.randn(6, 1, 1, 2)}
    for mine, theirs in zip(game.phases()[0].steps, plain.phases()[0].steps, strict=True):
        for net, step in ((game, mine), (plain, theirs)):
            net.requires_grad_(False)
            for w in step.player.parameters():
                w.requires_grad_(True)
        torch.manual_seed(0)
        expected = theirs.loss(batch)
        torch.manual_seed(0)
        terms = mine.loss(batch)
        paid = {key: value for key, value in terms.items() if key not in expected}
        assert all(torch.equal(terms[key], value) for key, value in expected.items())
        assert set(paid) == ({word} if mine.player.name == "D" or word == "zcr" else set())
        if word == "r1" and paid:
            assert paid["r1"].item() == pytest.approx(3 * 25 / 2)
    assert not any(net._forward_hooks for net in game.modules())


GAMES = [  # with what they cannot take
    ("dcgan", {"norm": "none"}, set()), ("wgan_gp", {}, set()), ("biggan", {}, set()), ("sngan", {}, set()),
    ("r1_gan", {}, set()), ("stylegan2", {}, {"zcr"}), ("acgan", {}, {"r1", "r2"}),
    ("dcgan", {"norm": "none", "augment": "ada"}, set()),
]  # fmt: skip


@pytest.mark.parametrize(("family", "given", "without"), GAMES)
def test_any_game_takes_them(family: str, given: dict[str, object], without: set[str]) -> None:
    words = [word for word in REGULARISERS if word not in without]
    game = build(recipe(family, preset="tiny", given={**given, "regularise": tuple(words)}))
    reports = list(
        Alternating(batch_size=4, images=48, ema_images=20).run(game, synthetic(game.needs, game.recipe.args))
    )
    paid = {key for report in reports for key in report.losses}
    assert {f"D/{word}" for word in words} <= paid and ("G/zcr" in paid) == ("zcr" in words)
    assert all(value.isfinite() for report in reports for value in report.losses.values())
    assert float(game.regularisers.D.lecam.steps) > 0


def test_a_regularised_run_resumes_exactly(tmp_path) -> None:
    def trained(images: int, out, **options: object) -> dict[str, Tensor]:
        game = gz.create("dcgan", preset="tiny", norm="none", regularise=("lecam", "bcr"))
        for report in gz.train(
            game, data="digits", images=320, out=out, batch_size=16, device="cpu", checkpoint_every=80, **options
        ):
            if report.position.images >= images:
                break
        return {key: value.clone() for key, value in game.state_dict().items()}

    whole = trained(320, tmp_path / "whole")
    trained(160, tmp_path / "broken")
    again = trained(320, tmp_path / "broken", resume=True)
    assert all(torch.equal(value, again[key]) for key, value in whole.items()) and float(
        whole["regularisers.D.lecam.steps"]
    )


@pytest.mark.parametrize(
    ("family", "given", "says"),
    [
        ("dcgan", {"regularise": "r1"}, "batch norm"), ("stylegan2", {"regularise": "zcr"}, "zcr"),
        ("pix2pix", {"regularise": "cr"}, "pictures"), ("sngan", {"regularise": "lecam:much"}, "lecam:much"),
        ("sngan", {"regularise": "cr:-1"}, "cr:-1"), ("sngan", {"regularise": "cr:nan"}, "cr:nan"),
        ("sngan", {"regularise": "lekam"}, "lecam"), ("gan_cls", {"regularise": "lecam"}, "does not ask D(x)"),
    ],
)  # fmt: skip
def test_what_does_not_suit_is_refused_in_one_line(family: str, given: dict[str, str], says: str) -> None:
    with pytest.raises((GanzooError, UnknownNameError)) as fault:
        game = build(recipe(family, preset="tiny", given=given))
        list(Alternating(batch_size=4, images=8).run(game, synthetic(game.needs, game.recipe.args)))
    assert says in str(fault.value) and "\n" not in str(fault.value)
