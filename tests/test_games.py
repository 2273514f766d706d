"""Whole games against the real trainer: who moves, what is counted, and that a broken run equals an unbroken one."""

from __future__ import annotations

import copy
from dataclasses import replace
from functools import cache

import pytest
import torch
from games import BATCH, GAMES, feed
from safetensors.torch import load, save
from torch.nn import functional as fn

from ganzoo_core.training.trainer import Alternating

each_game = pytest.mark.parametrize("name", GAMES)


def trainer_for(name, **options):
    return Alternating(**{"seed": 3, "batch_size": 0 if name == "SinGAN" else BATCH, "ema_images": 20} | options)


def fresh(name, init=0):
    torch.manual_seed(init)
    return GAMES[name]()


def play(name, init=0, resume=None, **options):
    """A fresh game played to its end: its reports without their callbacks, and a checkpoint after each."""
    reports, checkpoints = [], []
    for report in trainer_for(name, **options).run(fresh(name, init), feed, resume):
        checkpoints.append(report.checkpoint())
        reports.append(replace(report, checkpoint=None))
    return reports, checkpoints


unbroken = cache(play)


def through_disk(tensors):
    """What comes back from a file: equal tensors, but in memory of their own and in C order."""
    return load(save({k: v.contiguous() for k, v in tensors.items()}))


def assert_same(a, b):
    assert a.keys() == b.keys()
    for k, v in a.items():
        assert v.dtype == b[k].dtype and torch.equal(v, b[k]), k


def assert_same_checkpoint(a, b):
    assert a.position == b.position
    assert_same(a.objective, b.objective)
    assert a.optimizers.keys() == b.optimizers.keys()
    for key, tensors in a.optimizers.items():
        assert_same(tensors, b.optimizers[key])


@each_game
def test_every_phase_runs_as_often_as_counted_and_stays_finite(name):
    reports, _ = unbroken(name)
    batch = 1 if name == "SinGAN" else BATCH
    expected, images = [], 0
    for phase in fresh(name).phases():
        drawn = batch * max(step.repeat for step in phase.steps)
        for t in range(-(-phase.images // drawn)):
            images += drawn
            expected.append((phase.name, t, images))
    assert [(r.phase, r.iteration, r.position.images) for r in reports] == expected
    assert {r.total for r in reports} == {images}
    assert all(v.isfinite() and not v.requires_grad for r in reports for v in r.losses.values())


@each_game
def test_a_step_moves_its_player_and_nobody_else(name):
    game, trainer = fresh(name), trainer_for(name)
    trainer.setup(game)
    trainer.prepare(game, feed)
    for index, phase in enumerate(game.phases()):
        trainer.start_phase(phase, index)
        batch = next(feed(start=0, batch_size=BATCH))
        for step in phase.steps:
            mine = {id(w) for w in step.player.parameters()}
            before = [(w, w.clone()) for w in game.parameters()]
            game.zero_grad(set_to_none=True)
            trainer.descend(step, batch, step.player.optim(step.player.parameters()))
            moved = {id(w) for w, old in before if not torch.equal(w, old)}
            assert moved and moved <= mine
            assert all(w.grad is None for w in game.parameters() if id(w) not in mine)
            assert not any(w.requires_grad for w in game.parameters())


@each_game
def test_the_same_seed_gives_the_same_bits_and_another_does_not(name):
    last = unbroken(name)[1][-1]
    again = play(name)[1][-1]
    assert_same_checkpoint(last, again)
    other = play(name, seed=4)[1][-1].objective
    assert any(not torch.equal(v, other[k]) for k, v in last.objective.items())


@each_game
def test_a_run_broken_anywhere_equals_an_unbroken_one(name):
    """At every iteration, so too at the first, in the middle and at the end of every phase, and at the very end."""
    reports, checkpoints = unbroken(name)
    for done, at in enumerate(checkpoints, start=1):
        optimizers = {key: through_disk(tensors) for key, tensors in at.optimizers.items()}
        kept = replace(at, objective=through_disk(at.objective), optimizers=optimizers)
        rest, after = play(name, init=1, resume=kept)
        assert [r.position for r in rest] == [r.position for r in reports[done:]]
        for a, b in zip(reports[done:], rest, strict=True):
            assert_same(a.losses, b.losses)
        for a, b in zip(checkpoints[done:], after, strict=True):
            assert_same_checkpoint(a, b)


@each_game
def test_a_finished_run_resumes_to_itself(name):
    game, last = fresh(name, init=1), unbroken(name)[1][-1]
    assert not list(trainer_for(name).run(game, feed, last))
    assert_same(game.state_dict(), last.objective)


def test_a_returning_player_keeps_its_optimizer_and_a_namesake_has_its_own():
    _, checkpoints = unbroken("ABA")
    steps = [{key: float(o["0.step"]) for key, o in c.optimizers.items()} for c in checkpoints]
    assert steps[2] == {"0.G": 3}
    assert steps[6] == {"0.G": 3, "1.D": 4, "1.G": 4}
    assert steps[-1] == {"0.G": 6}


def test_progan_grows_without_a_jump_and_its_average_grows_with_it():
    game = fresh("ProGAN")
    seen = []
    for report in trainer_for("ProGAN").run(game, feed):
        seen.append((report.phase, int(game.G.depth), round(float(game.G.alpha), 3)))
    fading = [("8px fade", 1, alpha) for alpha in (0.333, 0.667, 1.0)]
    assert seen == [("4px", 0, 1.0)] * 3 + fading + [("8px", 1, 1.0)] * 3
    assert game.ema["G"].depth == 1 and game.ema["G"].alpha == 1
    z = game.G.prior(2)
    game.G.grow(0, 1.0)
    coarse = fn.interpolate(game.G(z), scale_factor=2)
    game.G.grow(1, 0.0)
    torch.testing.assert_close(game.G(z), coarse)


def test_lazy_steps_are_due_on_their_iterations_only():
    reports, _ = unbroken("StyleGAN2")
    assert [r.iteration for r in reports if "D/r1" in r.losses] == [0, 4]
    assert [r.iteration for r in reports if "G/path" in r.losses] == [0, 2, 4, 6]
    assert all("D/real" in r.losses and "G/adv" in r.losses for r in reports)


def test_singan_sees_its_image_once_and_starts_each_scale_from_the_last():
    game = fresh("SinGAN")
    started, start = [], game.start
    game.start = lambda s: (start(s), started.append(copy.deepcopy(game.Ds)))
    list(trainer_for("SinGAN").run(game, feed))
    assert torch.equal(game.image, next(feed(start=0, batch_size=1))["x"])
    for s in (1, 2):
        assert_same(started[s][s].state_dict(), started[s][s - 1].state_dict())
    assert (game.G.amp > 0).all() and game.G.scale == 2


def test_cyclegan_pools_are_part_of_the_state():
    state = unbroken("CycleGAN")[1][-1].objective
    assert state["pool_x.count"] == 6 and state["pool_y.images"].abs().sum() > 0


def test_infogan_q_moves_with_g_and_reads_features_that_are_ds():
    assert unbroken("InfoGAN")[0][-1].losses.keys() == {"D/real", "D/fake", "G/adv", "G/info"}
