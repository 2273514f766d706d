"""The trainer's promises: what is counted, drawn, scheduled, averaged, frozen and refused. Whole games: test_games."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial

import pytest
import torch
from torch import nn
from torch.nn import functional as fn

from ganzoo_core.errors import GanzooError
from ganzoo_core.objectives import (
    Objective,
    Phase,
    Player,
    Step,
    adam,
    exponential,
    halfway_to_zero,
    linear,
    rmsprop,
    sgd,
)
from ganzoo_core.objectives.objective import ema_update
from ganzoo_core.training.distributed import Processes
from ganzoo_core.training.trainer import Alternating


class Counter:
    """A feed whose n-th image is the number n; remembers how it was asked."""

    def __init__(self):
        self.asked = []

    def __call__(self, *, start, batch_size, rank, world, **options):
        self.asked.append({"start": start, "batch_size": batch_size, "rank": rank, "world": world} | options)
        while True:
            yield {"x": torch.arange(start, start + batch_size)[rank::world, None].float()}
            start += batch_size


class Game(Objective):
    """Fits lines; `course` says its phases, as dictionaries of phases with dictionaries of steps."""

    def __init__(self, *course, optim=None, **player):
        super().__init__()
        torch.manual_seed(0)
        self.G, self.D = nn.Linear(1, 4), nn.Linear(1, 4)
        self.course = course or ({"images": 32},)
        self.players = {k: Player(k, [getattr(self, k)], optim or sgd(1e-3), **player) for k in "GD"}
        self.seen, self.on_step_end = [], []  # (step, the numbers of its batch), u

    def phases(self):
        return [self.phase(f"phase {i}", **options) for i, options in enumerate(self.course)]

    def phase(self, name, images, steps=({},), **data):
        made = [self.step(j, **options) for j, options in enumerate(steps)]
        return Phase(name, made, images, data, on_step_end=self.on_step_end.append)

    def step(self, index, player="G", **options):
        def loss(batch):
            self.seen.append((index, batch["x"].flatten().int().tolist()))
            return self.loss(getattr(self, player), batch["x"])

        return Step(self.players[player], loss, **options)

    def loss(self, net, x):
        return {"fit": fn.mse_loss(net((x / 100).sin()), torch.ones(len(x), 4))}


def one_of(rank, world):
    """A process that is alone, but believes that it is one of several."""
    ours = Processes()
    ours.rank, ours.world = rank, world
    return ours


def play(game, feed=None, **options):
    return list(Alternating(**{"batch_size": 4} | options).run(game, feed or Counter()))


# ---- counting --------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("images", "batch", "repeat", "iterations"),
    [(32, 4, 1, 8), (33, 4, 1, 9), (31, 4, 1, 8), (1, 4, 1, 1), (32, 4, 2, 4), (32, 4, 3, 3), (5, 64, 5, 1)],
)
def test_a_phase_lasts_its_images_rounded_up_to_iterations(images, batch, repeat, iterations):
    game = Game({"images": images, "steps": ({"player": "D", "repeat": repeat}, {})})
    reports = play(game, batch_size=batch)
    drawn = batch * repeat
    assert [r.iteration for r in reports] == list(range(iterations))
    assert [r.position.images for r in reports] == [drawn * (t + 1) for t in range(iterations)]
    assert {r.total for r in reports} == {drawn * iterations}
    assert game.on_step_end == [(t + 1) / iterations for t in range(iterations)]


@pytest.mark.parametrize(
    ("images", "expected"), [(0, [4, 8, 2]), (56, [4, 8, 2]), (28, [2, 4, 1]), (112, [8, 16, 4]), (3, [1, 1, 1])]
)
def test_images_scales_all_phases_in_proportion(images, expected):
    reports = play(Game({"images": 16}, {"images": 32}, {"images": 8}), images=images)
    assert [sum(r.phase == f"phase {i}" for r in reports) for i in range(3)] == expected


def test_scaling_to_the_phases_own_length_changes_nothing():
    phases = Game({"images": 600_000}, {"images": 1_700_000}).phases()
    for images in (0, 2_300_000):
        assert [s.iterations for s in Alternating(batch_size=16, images=images).plan(phases)] == [37_500, 106_250]


def test_a_rounding_error_costs_no_iteration():
    """800 * (1100 / 1000) / 8 is 110.00000000000001."""
    phases = Game({"images": 200}, {"images": 800}).phases()
    assert [s.iterations for s in Alternating(batch_size=8, images=1100).plan(phases)] == [28, 110]


@pytest.mark.parametrize(("batch_size", "used"), [(8, [8, 8]), (0, [2, 64])])
def test_the_batch_size_is_the_trainers_or_the_phases_own(batch_size, used):
    feed = Counter()
    play(Game({"images": 64, "batch_size": 2, "image_size": 16}, {"images": 64}), feed, batch_size=batch_size)
    assert [a["batch_size"] for a in feed.asked] == used
    assert feed.asked[0]["image_size"] == 16 and "image_size" not in feed.asked[1]


def test_each_phase_goes_on_in_the_data_where_the_last_one_stopped():
    feed, game = Counter(), Game({"images": 6}, {"images": 8})
    play(game, feed)
    assert [a["start"] for a in feed.asked] == [0, 8]
    assert [n for _, batch in game.seen for n in batch] == list(range(16))


def test_the_ith_repetition_of_every_step_sees_the_ith_batch():
    game = Game({"images": 24, "steps": ({"player": "D", "repeat": 3}, {"repeat": 2}, {"every": 2})})
    play(game)
    a, b, c = ([4 * i, 4 * i + 1, 4 * i + 2, 4 * i + 3] for i in range(3))
    d, e, f = ([x + 12 for x in batch] for batch in (a, b, c))
    assert game.seen == [
        (0, a), (0, b), (0, c), (1, a), (1, b), (2, a),
        (0, d), (0, e), (0, f), (1, d), (1, e),
    ]  # fmt: skip


def test_every_counts_iterations_and_draws_even_when_it_is_not_due():
    game = Game({"images": 40, "steps": ({"every": 3, "repeat": 2}, {"player": "D"})})
    reports = play(game)
    assert [r.iteration for r in reports if "G/fit" in r.losses] == [0, 3]
    assert [x[0] for i, x in game.seen if i == 1] == [0, 8, 16, 24, 32]  # batch x max(repeat over all steps)


def test_ranks_share_the_global_batch():
    games = [Game(), Game()]
    for rank, game in enumerate(games):
        reports = play(game, processes=one_of(rank, 2))
        assert reports[-1].position.images == 32
    assert games[0].seen[0][1] == [0, 2] and games[1].seen[0][1] == [1, 3]


def test_nothing_happens_until_a_run_is_iterated():
    feed, game = Counter(), Game()
    run = Alternating().run(game, feed)
    assert not feed.asked
    next(run)
    assert len(feed.asked) == 1 and len(game.seen) == 1


# ---- averages, schedules, projection ---------------------------------------------------------------------------------
@pytest.mark.parametrize("repeat", [1, 3])
def test_the_average_has_the_half_life_that_was_asked_for(repeat):
    game = Game({"images": 48, "steps": ({"repeat": repeat},)})
    beta = 0.5 ** (4 * repeat / 24)
    expected, averaged = game.G.weight.clone(), []
    for _ in Alternating(batch_size=4, ema_images=24).run(game, Counter()):
        expected = beta * expected + (1 - beta) * game.G.weight
        averaged.append(game.ema["G"].weight.clone())
        torch.testing.assert_close(averaged[-1], expected)
    assert not torch.equal(averaged[-1], game.G.weight)
    assert game.exported_networks() == {"G": game.ema["G"]}


def test_half_of_a_start_is_left_after_ema_images():
    source, target = nn.Linear(1, 1), nn.Linear(1, 1)
    nn.init.ones_(target.weight)
    nn.init.zeros_(source.weight)
    for _ in range(25):  # 100 images, 4 at a time
        ema_update(target, source, 0.5 ** (4 / 100))
    assert float(target.weight.detach()) == pytest.approx(0.5, rel=1e-5)


def test_buffers_are_copied_into_an_average():
    source, target = nn.BatchNorm1d(2), nn.BatchNorm1d(2)
    source(torch.randn(8, 2))
    ema_update(target, source, 0.9)
    assert torch.equal(source.running_mean, target.running_mean) and target.num_batches_tracked == 1


def test_without_ema_images_there_is_no_average():
    game = Game()
    play(game)
    assert not game.ema and game.exported_networks() == {"G": game.G}


@pytest.mark.parametrize("schedule", [linear(1, 0), halfway_to_zero, exponential(0.1)])
def test_a_schedule_scales_its_options_first_value_at_u(schedule):
    used = []

    class Spy(torch.optim.SGD):
        def step(self, closure=None):
            used.append((self.param_groups[0]["lr"], self.param_groups[0]["weight_decay"]))

    game = Game(
        {"images": 16}, {"images": 32},
        optim=lambda weights: Spy(weights, lr=0.5, weight_decay=0.1), schedules={"lr": schedule},
    )  # fmt: skip
    play(game)
    expected = [0.5 * schedule(t / n) for n in (4, 8) for t in range(n)]  # u starts anew with each phase
    assert [lr for lr, _ in used] == pytest.approx(expected)
    assert {decay for _, decay in used} == {0.1}


def test_project_runs_after_each_update():
    game = Game({"images": 24, "steps": ({"repeat": 3},)}, optim=sgd(10.0))
    projected = []

    def clamp():
        projected.append(float(game.G.weight.abs().max()))
        game.G.weight.clamp_(-0.01, 0.01)

    game.players["G"] = Player("G", [game.G], sgd(10.0), project=clamp)
    play(game)
    assert len(projected) == 6 and min(projected) > 0.01
    assert game.G.weight.abs().max() <= 0.01


# ---- one update ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("optim", [sgd(0.1), sgd(0.1, 0.9), adam(1e-2), rmsprop(1e-3)])
@pytest.mark.parametrize("micro", [1, 2, 3, 4, 9])
def test_micro_batches_add_up_to_the_whole(micro, optim):
    whole, parts = Game(optim=optim), Game(optim=optim)
    a, b = play(whole), play(parts, micro_batch=micro)
    assert len(parts.seen) == math.ceil(4 / micro) * len(whole.seen)
    torch.testing.assert_close(parts.state_dict(), whole.state_dict())
    torch.testing.assert_close(b[-1].losses, a[-1].losses)


def test_terms_with_a_gradient_are_summed_and_the_others_only_reported():
    game = Game(optim=sgd(1.0))
    game.loss = lambda net, x: {"a": net.weight.sum(), "b": 2 * net.weight.sum(), "seen": torch.tensor(7.0)}
    weight = game.G.weight.detach().clone()
    (report, *_) = play(game, images=4)
    torch.testing.assert_close(game.G.weight, weight - 3)
    assert report.losses.keys() == {"G/a", "G/b", "G/seen"} and report.losses["G/seen"] == 7


@pytest.mark.parametrize(
    "loss", [lambda net, x: {"fit": x.mean()}, lambda net, x: {"fit": net(x).mean().detach()}, lambda net, x: {}]
)
def test_a_loss_without_a_gradient_is_refused_by_name(loss):
    game = Game({"images": 8, "steps": ({"player": "D"},)})
    game.loss = loss
    with pytest.raises(GanzooError, match="player D: no term of its loss depends on its weights"):
        play(game)


def test_a_loss_that_only_depends_on_other_players_is_refused():
    game = Game({"images": 8, "steps": ({"player": "D"},)})
    game.loss = lambda net, x: {"fit": game.G(x).mean()}
    with pytest.raises(GanzooError, match="player D"):
        play(game)


def test_bf16_computes_in_bf16_and_keeps_weights_and_their_optimizers_in_float32():
    dtypes = set()
    game = Game(optim=adam(1e-3))

    def loss(net, x):
        y = net(x / 32)
        dtypes.add(y.dtype)
        return {"fit": (y - 1).square().mean()}

    game.loss = loss
    reports = play(game, precision=torch.bfloat16, ema_images=8)
    assert dtypes == {torch.bfloat16}
    kept = reports[-1].checkpoint()
    tensors = [*kept.objective.values(), *kept.optimizers["0.G"].values()]
    assert {t.dtype for t in tensors} == {torch.float32}


def test_bf16_uses_each_update_in_the_next_loss():
    """Autocast caches its casts of weights: entered around an iteration, it would go on with stale ones."""
    game = Game({"images": 12, "steps": ({"repeat": 3},)}, optim=sgd(1.0))
    values = []

    def loss(net, x):
        values.append(net(torch.ones(1, 1)).float().sum())
        return {"fit": values[-1]}

    game.loss = loss
    play(game, precision=torch.bfloat16)
    first, second, third = (float(v.detach()) for v in values)
    assert first - second == pytest.approx(8, abs=0.1) and second - third == pytest.approx(8, abs=0.2)


def test_everybody_trains_on_the_device_in_training_mode_and_frozen():
    game = Game().eval().requires_grad_(True)
    for _ in Alternating(batch_size=4).run(game, Counter()):
        assert game.training and not any(w.requires_grad for w in game.parameters())


def test_the_global_generator_is_seeded_by_the_count_alone():
    """What an iteration draws depends on seed, rank and position, not on what was drawn before."""

    def draws(look, **options):
        game, drawn = Game(), []
        game.loss = lambda net, x: (drawn.append(torch.rand(1)), Game.loss(game, net, x))[1]
        for _ in Alternating(batch_size=4, **options).run(game, Counter()):
            torch.rand(look)
        return torch.cat(drawn)

    assert torch.equal(draws(0), draws(5))
    assert len(draws(0).unique()) == 8
    for other in ({"seed": 1}, {"processes": one_of(1, 2)}):
        assert not torch.isin(draws(0), draws(0, **other)).any()


def test_prepare_is_shown_the_first_images_of_a_fresh_run_only():
    class Prepared(Game):
        prepare_on = 3

        def prepare(self, batch):
            self.shown = batch["x"].flatten().tolist()

    game, feed = Prepared(), Counter()
    *_, last = Alternating(batch_size=4, processes=one_of(1, 2)).run(game, feed)
    assert game.shown == [0, 1, 2] and feed.asked[0]["world"] == 1
    resumed = Prepared()
    list(Alternating(batch_size=4, processes=one_of(1, 2)).run(resumed, Counter(), last.checkpoint()))
    assert not hasattr(resumed, "shown")


def test_a_resumed_run_enters_every_phase_up_to_its_own_and_then_loads():
    """So `enter` may set what is no tensor, and what is one is as it was saved."""

    class Staged(Game):
        def __init__(self):
            super().__init__({"images": 8}, {"images": 8}, {"images": 8})
            self.register_buffer("noise", torch.zeros(()))
            self.entered = []

        def phases(self):
            return [replace(p, on_start=partial(self.enter, i)) for i, p in enumerate(super().phases())]

        def enter(self, index):
            self.entered.append((index, float(torch.rand(()))))
            self.noise.fill_(torch.rand(()))

    whole, broken = Staged(), Staged()
    run = Alternating(batch_size=4).run(whole, Counter())
    kept = [next(run).checkpoint() for _ in range(3)][-1]
    whole.noise.fill_(7)
    list(run)
    run = Alternating(batch_size=4).run(broken, Counter(), kept)
    next(run)
    assert [i for i, _ in broken.entered] == [0, 1] and torch.equal(broken.noise, kept.objective["noise"])
    list(run)
    assert broken.entered == whole.entered  # in each phase with the same draws
    assert torch.equal(broken.noise, whole.noise)


def test_a_checkpoint_is_a_copy():
    game = Game(optim=adam(1e-2))
    run = Alternating(batch_size=4).run(game, Counter())
    kept = next(run).checkpoint()
    before = {k: v.clone() for k, v in kept.objective.items()}, float(kept.optimizers["0.G"]["0.step"])
    list(run)
    assert all(torch.equal(v, before[0][k]) for k, v in kept.objective.items())
    assert float(kept.optimizers["0.G"]["0.step"]) == before[1] == 1


# ---- known to be wrong: drop the marks as they are put right ---------------------------------------------------------
class Wide(Game):
    def __init__(self):
        super().__init__()
        self.video, self.stranger = nn.Conv3d(1, 1, 1), nn.Sequential(nn.Conv2d(3, 3, 1), nn.BatchNorm2d(3))
        self.register_buffer("pool", torch.zeros(0))

    def prepare(self, batch):
        self.pool = torch.arange(96.0).view(2, 3, 4, 4).to(memory_format=torch.channels_last)  # as batches are

    prepare_on = 1


def test_networks_for_video_can_be_trained():
    play(Wide())


def test_a_seen_image_comes_back_in_the_memory_format_that_it_had():
    games = [Wide(), Wide()]
    for game in games:
        del game.video
    kept = next(Alternating(batch_size=4).run(games[0], Counter())).checkpoint()
    kept = replace(kept, objective={k: v.contiguous() for k, v in kept.objective.items()})
    list(Alternating(batch_size=4).run(games[1], Counter(), kept))
    assert games[0].pool.stride() == games[1].pool.stride()


def test_a_report_of_the_past_refuses_to_be_saved():
    """Its position would be paired with a later state."""
    reports = play(Wide())
    reports[-1].checkpoint()
    with pytest.raises(GanzooError, match="has gone on"):
        reports[0].checkpoint()


def test_two_players_of_one_name_in_a_phase_are_refused() -> None:
    class Twins(Game):
        def phases(self):
            steps = [Step(Player("net", [net], sgd(1e-3)), partial(self.fit, net)) for net in (self.G, self.D)]
            return [Phase("main", steps, 16)]

        def fit(self, net, batch):
            return self.loss(net, batch["x"])

    with pytest.raises(GanzooError, match="phase main: has two players of the name net"):
        play(Twins())


def test_a_schedule_leaves_the_groups_of_an_optimizer_their_own_rates() -> None:
    used = []

    class Groups(torch.optim.SGD):
        def step(self, closure=None):
            used.append([group["lr"] for group in self.param_groups])

    def optim(weights):
        slow, fast = weights
        return Groups([{"params": [slow], "lr": 0.1}, {"params": [fast], "lr": 1.0}], lr=7.0)

    game = Game({"images": 16}, optim=optim, schedules={"lr": linear(1, 0)})
    reports = Alternating(batch_size=4).run(game, Counter())
    kept = [next(reports).checkpoint() for _ in range(2)][-1]
    list(reports)
    expected = [[0.1 * (1 - t / 4), 1 - t / 4] for t in range(4)]
    for rates, wanted in zip(used, expected, strict=True):
        assert rates == pytest.approx(wanted)
    used.clear()
    list(
        Alternating(batch_size=4).run(
            Game({"images": 16}, optim=optim, schedules={"lr": linear(1, 0)}), Counter(), kept
        )
    )
    assert used[0] == pytest.approx(expected[2])


def test_a_checkpoint_of_another_game_is_one_line() -> None:
    *_, last = Alternating(batch_size=4).run(Game(), Counter())

    class Later(Game):
        def __init__(self):
            super().__init__()
            self.register_buffer("pace", torch.zeros(()))

    with pytest.raises(GanzooError, match="another game: pace is in one of them only"):
        list(Alternating(batch_size=4).run(Later(), Counter(), last.checkpoint()))


def test_a_longer_run_has_the_rest_in_its_last_phase() -> None:
    phases = Game({"images": 100}, {"images": 300}).phases()
    for images, begun, expected in ((800, 0, [50, 150]), (800, 400, [25, 175]), (400, 400, [25, 75])):
        assert [p.iterations for p in Alternating(batch_size=4, images=images, begun=begun).plan(phases)] == expected


def test_a_report_says_when_every_step_is_due_again() -> None:
    reports = play(Game({"images": 64, "steps": ({"every": 4}, {"player": "D", "every": 6})}))
    assert {r.cycle for r in reports} == {12}
