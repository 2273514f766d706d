"""Augmentation of what discriminators see: transforms by hand, p's heuristic, no leaks, any family."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

import ganzoo_core as gz
from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator
from ganzoo_core.objectives import r1
from ganzoo_core.objectives.augment import (  # fmt: skip
    EVERY,
    PACE,
    Augmented,
    Made,
    ada,
    colour,
    coloured,
    cut_out,
    diffaugment,
    geometry,
    luma_flip,
    moved,
    recoloured,
    reflected,
    scaled,
    shifted,
    translated,
    turned,
    warp,
    watched,
)
from ganzoo_core.registry.recipes import build, recipe
from ganzoo_core.testing.synthetic import synthetic
from ganzoo_core.training.trainer import Alternating

ONE, NONE = torch.tensor(1.0), torch.tensor(0.0)


def picture(n: int = 2, channels: int = 3, size: int = 8) -> Tensor:
    return torch.rand(n, channels, size, size, generator=torch.Generator().manual_seed(0)) * 2 - 1


def test_nothing_happens_at_probability_zero() -> None:
    x = picture()
    assert Augmented(Fixed(1.0), ada, 0.0).shown(x) is x
    assert torch.equal(geometry(4, NONE, x), torch.eye(3).expand(4, 3, 3))
    assert torch.allclose(colour(4, NONE, x), torch.eye(4).expand(4, 4, 4), atol=1e-6)


def test_look_ups_are_what_they_are_called() -> None:
    x, one = picture(), torch.ones(2)
    for matrix, expected in (
        (scaled(-one, one), x.flip(3)),
        (scaled(one, -one), x.flip(2)),
        (turned(one * math.pi / 2), torch.rot90(x, 1, (2, 3))),
        (turned(one * math.pi), torch.rot90(x, 2, (2, 3))),
        (moved(one * 2 * 2 / 8, 0 * one), torch.cat([x[..., 2:], x[..., -2:].flip(3)], 3)),  # two pixels, reflected
        (moved(0 * one, -one * 1 * 2 / 8), torch.cat([x[:, :, :1], x[:, :, :-1]], 2)),
    ):
        torch.testing.assert_close(warp(x, matrix), expected, atol=1e-5, rtol=1e-5)
    half = warp(x, moved(one / 8, 0 * one))  # half a pixel: the mean of two neighbours
    torch.testing.assert_close(half[..., :-1], (x[..., :-1] + x[..., 1:]) / 2, atol=1e-5, rtol=1e-5)


def test_borders_are_mirrors() -> None:
    assert reflected(torch.arange(-5.0, 10), 4).tolist() == [3, 3, 2, 1, 0, 0, 1, 2, 3, 3, 2, 1, 0, 0, 1]


def test_colours_keep_what_they_promise() -> None:
    x = picture(64)
    torch.manual_seed(0)
    gray = x.mean(1, keepdim=True).expand_as(x)
    matrix = colour(64, ONE, x)
    out = coloured(gray, matrix)
    assert float((out - out.mean(1, keepdim=True)).abs().max()) < 1e-4  # gray stays gray
    assert not torch.allclose(coloured(x, matrix), x)


def test_diffaugment_moves_and_cuts() -> None:
    x = torch.ones(256, 1, 16, 16)
    torch.manual_seed(0)
    kept = shifted(x, 2, 2).sum((1, 2, 3)) / 256
    assert set(kept.tolist()) <= {(16 - a) * (16 - b) / 256 for a in range(3) for b in range(3)} and kept.min() < 1
    holes = 256 - cut_out(x, 8, 8).sum((1, 2, 3))
    assert holes.max() == 64 and holes.min() >= 16 - 1e-3
    assert diffaugment(picture(), ONE).shape == (2, 3, 8, 8)


@pytest.mark.parametrize("pipe", [ada, diffaugment])
@pytest.mark.parametrize("channels", [1, 3])
def test_pipes_are_differentiated_twice(pipe, channels: int) -> None:
    D = nn.Sequential(nn.Conv2d(channels, 4, 3), nn.Softplus(), nn.Flatten(), nn.LazyLinear(1)).double()
    D(torch.zeros(1, channels, 6, 6, dtype=torch.double))

    def gradient_norm(x: Tensor) -> Tensor:
        torch.manual_seed(3)
        return r1(lambda y: D(pipe(y, ONE)).flatten(), x)

    x = picture(2, channels, 6).double()
    gradient_norm(x).backward()
    assert all(w.grad is not None and w.grad.isfinite().all() for w in list(D.parameters())[:-1])
    torch.manual_seed(3)
    assert torch.autograd.gradcheck(
        lambda y: (torch.manual_seed(3), pipe(y, ONE))[1], x[:1].requires_grad_(), atol=1e-3, rtol=1e-2
    )


def test_it_does_not_leak_below_certainty() -> None:
    """Of pictures that all stand upright, most still do at p = 0.5, so which way is up can be told; at 1 it cannot."""
    x = torch.zeros(2000, 1, 16, 16)
    x[:, :, :4] = 1  # a bar at the top
    torch.manual_seed(0)
    half, always = shares(ada(x, torch.tensor(0.5))), shares(ada(x, ONE))
    assert half[0] > 0.35 and half[0] > 1.5 * half[1:].max()
    assert torch.allclose(always, torch.full((4,), 0.25), atol=0.04)


def shares(x: Tensor) -> Tensor:
    """How often the brightest side is the top, the left, the bottom, the right.  [4]"""
    sides = (x[:, 0, :4], x[:, 0, :, :4], x[:, 0, -4:], x[:, 0, :, -4:])
    brightest = torch.stack([side.mean((1, 2)) for side in sides]).argmax(0)
    return torch.bincount(brightest, minlength=4) / len(x)


class Fixed(Discriminator):
    """Scores every picture alike."""

    def __init__(self, score: float) -> None:
        super().__init__()
        self.score = nn.Parameter(torch.tensor(score))

    def forward(self, x: Tensor, *conditions: Tensor) -> Tensor:
        return self.score + 0 * x.mean((1, 2, 3))


def judged(D: Augmented, real: Tensor, fake: Tensor, moves: bool = True) -> None:
    """D's loss in a game: scores of real pictures first, then of made ones."""
    D.requires_grad_(moves)
    watched([D], lambda _: {"d": D(fake).mean() - D(real + torch.rand_like(real) / 256).mean() + D(real).mean()}, {})


@pytest.mark.parametrize("score,way", [(1.0, 1), (-1.0, -1)])
def test_p_follows_the_scores_of_real_pictures(score: float, way: int) -> None:
    D = Augmented(Fixed(score), ada, 0.5)
    real, weight = picture(8), nn.Parameter(ONE)
    for _ in range(EVERY):
        judged(D, real, picture(8) * weight)  # noise on real pictures leaves them real; what a weight has made is not
        D.adapt()
    assert float(D.p) == pytest.approx(0.5 + way * 8 * EVERY / PACE)
    judged(D, real, real, moves=False)
    assert not D.seen  # G moves, not D


def test_what_weights_have_touched_is_made() -> None:
    x, weight, pool = picture(), nn.Parameter(ONE), torch.zeros(2, 3, 8, 8)
    with Made() as made:
        fake = x * weight
        for real in (x, x + torch.rand_like(x), x[:1], x.clamp(0, 1), torch.lerp(x, x.flip(3), 0.5)):
            assert not made.is_made(real)
        for other in (fake, fake.detach(), torch.lerp(x, fake, 0.5), torch.cat([x, fake]), fake.tensor_split(2)[0]):
            assert made.is_made(other)
        pool[0] = fake[0]
        assert made.is_made(pool)


def test_look_ups_are_exact_under_autocast() -> None:
    x = picture(4, 3, 256)
    torch.manual_seed(0)
    expected = ada(x, ONE)
    torch.manual_seed(0)
    with torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(ada(x, ONE), expected)


@pytest.mark.parametrize("channels", [1, 2, 3])
def test_light_turns_to_dark_in_any_number_of_channels(channels: int) -> None:
    torch.manual_seed(0)
    x = torch.ones(400, channels, 2, 2)
    flipped = (coloured(x, luma_flip(400, ONE, x)) + x).abs().amax((1, 2, 3)) < 1e-5
    assert 150 < int(flipped.sum()) < 250
    dark = coloured(x, colour(400, ONE, x)).mean((1, 2, 3)) < 0
    assert 120 < int(dark.sum()) < 280


def test_a_condition_that_is_a_picture_is_refused_before_the_first_step() -> None:
    objective = gz.create("pix2pix", preset="tiny", augment="ada")
    with pytest.raises(GanzooError, match=r"augment: .* beside others"):
        next(gz.train(objective, data=[{"a": picture(4, size=16), "b": picture(4, size=16)}], images=8, batch_size=4))


def test_other_methods_of_a_discriminator_see_augmented_pictures_too() -> None:
    objective = gz.create("improved", preset="tiny", augment="diffaugment")
    x = picture(4, 1, 16)
    seen = []
    objective.D.D.main.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    objective.D.logits(x)
    objective.D(x)
    assert len(seen) == 2 and not any(torch.equal(x, shown) for shown in seen)


def course(**given: object) -> tuple[nn.Module, Iterator[object]]:
    made = recipe("dcgan", preset="tiny", given=given)
    objective = build(made)
    runner = Alternating(seed=0, batch_size=8, images=80)
    return objective, runner.run(objective, synthetic(objective.needs, made.args))


def test_diffaugment_is_made_of_its_parts() -> None:
    """Colour, translation, cutout: whoever draws the same numbers sees the same pictures."""
    x = picture(4, size=16)
    torch.manual_seed(0)
    whole = diffaugment(x, ONE)
    torch.manual_seed(0)
    assert torch.equal(whole, cut_out(translated(recoloured(x)), 8, 8))


def test_a_discriminator_may_call_its_parts_what_it_likes() -> None:
    """Also as the wrapper calls its own numbers."""
    D = Fixed(1.0)
    D.seen, D.p, D.above = nn.Identity(), nn.Identity(), 3
    judge = Augmented(D, ada, 0.0)
    assert judge(picture()).shape == (2,) and judge.unwrapped.seen is D.seen
    assert isinstance(judge.seen, Tensor) and judge.p.item() == 0


@pytest.mark.parametrize("how", ["ada", "diffaugment"])
def test_any_image_family_takes_it(how: str) -> None:
    objective, reports = course(augment=how)
    D = objective.D
    assert isinstance(D, Augmented)
    if how == "ada":
        D.p.fill_(0.5)
    before = float(D.p)
    ps = set()
    for report in reports:
        assert all(value.isfinite() for value in report.losses.values())
        ps.add(float(D.p))
    assert (ps != {before}) == (how == "ada")
    twin = copy.deepcopy(objective)
    assert how != "ada" or next(iter(twin.phases())).steps[0].loss.args[0][0] is twin.D  # type: ignore[attr-defined]


def test_the_pace_of_p_is_an_option() -> None:
    D = build(recipe("dcgan", preset="tiny", given={"augment": "ada", "ada_images": "64"})).D
    D.D = Fixed(1.0)
    for _ in range(EVERY):
        judged(D, picture(8), picture(8) * nn.Parameter(ONE))
        D.adapt()
    assert float(D.p) == pytest.approx(8 * EVERY / 64)
    with pytest.raises(GanzooError, match="ada_images 0: not 1 or more"):
        build(recipe("dcgan", preset="tiny", given={"augment": "ada", "ada_images": "0"}))
    assert "ada_images" not in recipe("dcgan", preset="tiny", given={"augment": "diffaugment"}).args


def test_without_it_nothing_is_wrapped() -> None:
    escape, none = (
        build(recipe("dcgan", preset="tiny")),
        build(recipe("dcgan", preset="tiny", given={"augment": "none"})),
    )
    assert not isinstance(escape.D, Augmented)
    assert escape.recipe == none.recipe and "augment" not in escape.recipe.args


def test_an_augmented_run_is_resumed_exactly() -> None:
    objective, reports = course(augment="ada")
    objective.D.p.fill_(0.3)  # type: ignore[union-attr, operator]
    saved = None
    for i, report in enumerate(reports):
        if i == 4:
            saved = report.checkpoint()
    made = recipe("dcgan", preset="tiny", given={"augment": "ada"})
    other = build(made, seed=7)
    list(Alternating(seed=0, batch_size=8, images=80).run(other, synthetic(other.needs, made.args), saved))
    whole, again = objective.state_dict(), other.state_dict()
    assert whole.keys() == again.keys() and all(torch.equal(whole[key], again[key]) for key in whole)


def test_a_model_that_was_trained_with_it_loads_without(tmp_path) -> None:
    objective = gz.create("dcgan", preset="digits", augment="diffaugment")
    list(gz.train(objective, data="digits", images=64, batch_size=32, out=tmp_path / "run"))
    model = gz.load(tmp_path / "run")
    assert model.sample(1).isfinite().all() and not isinstance(model.discriminator, Augmented)


@pytest.mark.parametrize("how", ["ada", "diffaugment"])
def test_a_discriminator_that_is_shipped_is_shipped_bare(how: str, tmp_path) -> None:
    objective = gz.create("improved", preset="tiny", augment=how)
    list(gz.train(objective, data="digits:labels100", images=16, batch_size=8, ema_images=8, out=tmp_path / "run"))
    model = gz.load(tmp_path / "run")
    assert not isinstance(model.networks["D"], Augmented)
    again = gz.create("improved", preset="tiny", augment=how)
    list(gz.train(again, data="digits:labels100", images=16, batch_size=8, ema_images=8, init=tmp_path / "run"))
