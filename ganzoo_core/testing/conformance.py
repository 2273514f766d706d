"""What every family promises, tested at its preset `tiny`. There is no list of exceptions.

Each test takes the fixture or parameter `family`, a name; see ganzoo_core.testing for the five lines that use it.
"""

from __future__ import annotations

import copy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from ganzoo_core import catalogue, checkpoint, model, weights
from ganzoo_core.configs import FILE
from ganzoo_core.distributed import Processes
from ganzoo_core.networks import DRAWN, Generator, fed
from ganzoo_core.objective import Objective, Phase, Step
from ganzoo_core.recipes import arguments, build, recipe
from ganzoo_core.registry import registry
from ganzoo_core.specs import resolve
from ganzoo_core.testing.synthetic import synthetic
from ganzoo_core.trainer import Alternating, Feed, Report
from ganzoo_core.walks import walk

BATCH = 4
HEAVY = ("torch", "numpy", "torchvision")
State = dict[str, Tensor]


def tiny(family: str, seed: int = 0) -> tuple[Objective, Feed]:
    """The family's objective at preset `tiny`, and batches of noise that suit it."""
    made = recipe(family, preset="tiny")
    objective = build(made, seed=seed)
    return objective, synthetic(objective.needs, made.args)


def trainer(objective: Objective, **options: float) -> Alternating:
    """Three iterations or so of every phase, with moving averages."""
    phases = copy.deepcopy(objective).phases()
    draws = [BATCH * max(step.repeat for step in phase.steps) for phase in phases]
    shortest = min(phase.images / drawn for phase, drawn in zip(phases, draws, strict=True))
    images = max(3 / shortest, 1e-9) * sum(phase.images for phase in phases)
    return Alternating(seed=1, batch_size=BATCH, images=round(images), ema_images=100, **options)  # type: ignore[arg-type]


def train(family: str, seed: int = 0) -> tuple[Objective, list[Report]]:
    objective, feed = tiny(family, seed)
    return objective, list(trainer(objective).run(objective, feed))


def state(objective: torch.nn.Module) -> State:
    return {k: v.clone() for k, v in objective.state_dict().items()}


def differing(a: State, b: State) -> set[str]:
    return a.keys() ^ b.keys() | {k for k in a.keys() & b.keys() if not torch.equal(a[k], b[k])}


def every_step(objective: Objective) -> Iterator[tuple[Phase, Step]]:
    """Every step of every phase, each phase entered before."""
    for phase in objective.phases():
        phase.enter()
        for step in phase.steps:
            yield phase, step


def staged(family: str) -> tuple[Objective, Feed]:
    """A tiny objective as the trainer would have it before the first step."""
    objective, feed = tiny(family)
    runner = trainer(objective)
    runner.settle(objective)
    runner.prepare(objective, feed)
    return objective, feed


def batch_of(feed: Feed, phase: Phase) -> dict[str, Tensor]:
    options = {k: v for k, v in phase.data.items() if k != "batch_size"}
    return dict(next(feed(start=0, batch_size=BATCH, **options)))


class Conformance:
    """Parametrise `family` over the names of your families."""

    def test_plugin_module_is_light(self, family: str) -> None:
        module = catalogue.installed()[owner(family)].module
        program = f"import sys, {module}; sys.exit(' '.join(m for m in {HEAVY} if m in sys.modules) or 0)"
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
        assert done.returncode == 0, f"{module} imports {done.stderr}"

    def test_references_resolve(self, family: str) -> None:
        spec = registry().families[family]
        assert callable(resolve(spec.networks))
        assert issubclass(resolve(spec.objective), Objective)

    def test_facts_are_set(self, family: str) -> None:
        spec = registry().families[family]
        assert spec.summary and "\n" not in spec.summary
        assert spec.paper.title and spec.paper.authors and 2013 < spec.paper.year < 2100
        assert "paper" in spec.presets

    def test_arguments_agree_and_are_explained(self, family: str) -> None:
        spec = registry().families[family]
        for argument in arguments(spec, spec).values():
            assert argument.meaning, f"{family}: argument {argument.name} has no comment that says what it means"

    def test_every_preset_builds(self, family: str) -> None:
        for preset in registry().families[family].presets:
            with torch.device("meta"):
                build(recipe(family, preset=preset))

    def test_all_phases_train_with_finite_losses(self, family: str) -> None:
        objective, reports = train(family)
        assert {r.phase for r in reports} == {phase.name for phase in objective.phases()}
        infinite = {(r.iteration, k) for r in reports for k, v in r.losses.items() if not v.isfinite()}
        assert not infinite
        assert all(v.isfinite().all() for v in objective.state_dict().values() if v.is_floating_point())

    def test_a_step_moves_its_player_and_nobody_else(self, family: str) -> None:
        objective, feed = staged(family)
        runner = trainer(objective)
        for phase, step in every_step(objective):
            mine = {id(w) for w in step.player.parameters()}
            before = [(name, w, w.clone()) for name, w in objective.named_parameters()]
            runner.descend(step, batch_of(feed, phase), step.player.optim(step.player.parameters()))
            moved = {name for name, w, old in before if not torch.equal(w, old)}
            others = {name for name, w, _ in before if id(w) not in mine}
            assert moved, f"phase {phase.name}: player {step.player.name} moves nothing"
            assert not moved & others, f"phase {phase.name}: player {step.player.name} moves others"
            touched = {name for name, w, _ in before if w.grad is not None and id(w) not in mine}
            assert not touched, f"phase {phase.name}: player {step.player.name} leaves gradients on others"
            objective.zero_grad(set_to_none=True)

    def test_no_weight_has_two_players(self, family: str) -> None:
        objective, _ = tiny(family)
        for phase in objective.phases():
            owned = [id(w) for player in phase.players for w in player.parameters()]
            assert len(owned) == len(set(owned)), f"phase {phase.name}"

    def test_every_weight_is_trained_in_some_phase(self, family: str) -> None:
        objective, feed = staged(family)
        runner, reached = trainer(objective), set[int]()
        played: dict[int, str] = {}
        names = {id(w): name for name, w in objective.named_parameters()}
        for phase, step in every_step(objective):
            played |= {id(w): names[id(w)] for w in step.player.parameters()}
            runner.descend(step, batch_of(feed, phase), step.player.optim(step.player.parameters()))
            reached |= {id(w) for w in step.player.parameters() if w.grad is not None}
        assert not sorted(name for key, name in played.items() if key not in reached)

    def test_same_seed_same_bits(self, family: str) -> None:
        (first, reports), (second, again) = train(family), train(family)
        assert not differing(state(first), state(second))
        assert all(torch.equal(a.losses[k], b.losses[k]) for a, b in zip(reports, again, strict=True) for k in a.losses)

    def test_another_seed_is_another_start(self, family: str) -> None:
        assert differing(state(tiny(family, 0)[0]), state(tiny(family, 1)[0]))

    def test_sampling_changes_nothing(self, family: str) -> None:
        objective, feed = staged(family)
        modes = {name: m.training for name, m in objective.named_modules()}
        before, rng = state(objective), torch.get_rng_state()
        phase = objective.phases()[-1]
        batch = batch_of(feed, phase)
        objective.sample(batch)
        assert not differing(before, state(objective))
        assert {name: m.training for name, m in objective.named_modules()} == modes
        assert torch.equal(rng, torch.get_rng_state())

    def test_state_dict_is_the_whole_state(self, family: str) -> None:
        objective, reports = train(family)
        other, feed = tiny(family, seed=7)
        saved = reports[-1].checkpoint()
        rest = list(trainer(other).run(other, feed, saved))
        assert not rest
        assert not differing(state(objective), state(other))
        phase = objective.phases()[-1]
        batch = batch_of(feed, phase)
        for mine, theirs in zip(phase.steps, other.phases()[-1].steps, strict=True):
            losses = []
            for step in (mine, theirs):
                torch.manual_seed(3)
                losses.append(step.loss(batch))
            assert all(torch.equal(losses[0][k], losses[1][k]) for k in losses[0])

    def test_a_resumed_run_equals_an_unbroken_one(self, family: str, tmp_path: Path) -> None:
        objective, feed = tiny(family)
        course = trainer(objective)
        reports = list(course.run(objective, feed))
        whole = reports[-1].checkpoint()
        ends = [i for i, r in enumerate(reports) if r is reports[-1] or reports[i + 1].phase != r.phase]
        for first, end in zip([0, *(e + 1 for e in ends)], ends, strict=False):
            broken, _ = tiny(family)
            for i, report in enumerate(trainer(broken).run(broken, feed)):
                if i == (first + end) // 2:
                    checkpoint.save(tmp_path, report.checkpoint(), frozenset(), Processes())
                    break
            saved, skipped = checkpoint.newest(tmp_path)
            assert saved is not None and not skipped
            other, _ = tiny(family, seed=7)
            rest = list(trainer(other).run(other, feed, saved))
            again = rest[-1].checkpoint()
            assert again.position == whole.position
            assert not differing(again.objective, whole.objective), f"broken in phase {reports[end].phase}"
            for player, tensors in whole.optimizers.items():
                assert not differing(again.optimizers[player], tensors), f"optimizer of {player}"
            for mine, theirs in zip(reports[-len(rest) :], rest, strict=True):
                assert not differing(mine.losses, theirs.losses)

    def test_a_model_directory_gives_the_same_bytes_and_samples(self, family: str, tmp_path: Path) -> None:
        objective, _ = train(family)
        origin = weights.Origin(f"{family}.tiny", "CC0-1.0", "synthetic", "CC0-1.0", 12, 1, "pytest", {})
        weights.write_model(tmp_path / "a", objective, origin)
        loaded = model.load(tmp_path / "a")
        loaded.save(tmp_path / "b")
        for name in ("config.json", FILE):
            assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
        for name, net in objective.shipped().items():
            assert not differing(state(net), state(loaded.networks[name]))

    def test_samples_are_exact_and_as_declared(self, family: str) -> None:
        objective, _ = train(family)
        feed = tiny(family)[1]
        batch = dict(next(feed(start=0, batch_size=5)))
        for net in objective.shipped().values():
            if not isinstance(net, Generator):
                continue
            given = {name: 0 for name, i in net.inputs.items() if i.kind == "label"} | fed(net, batch)
            fewer = {name: value[:2] if isinstance(value, Tensor) else value for name, value in given.items()}
            five = net.sample(5, seed=3, **given)
            assert torch.equal(five[:2], net.sample(2, seed=3, **fewer))
            assert torch.equal(five, net.sample(5, seed=3, **given))
            if any(i.kind in DRAWN for i in net.inputs.values()):
                assert not torch.equal(five, net.sample(5, seed=4, **given))
            assert five.shape[1:] == tuple(d or s for d, s in zip(net.output.shape, five.shape[1:], strict=True))
            assert five.dtype == torch.float32
            low, high = net.output.range or (-torch.inf, torch.inf)
            assert five.min() >= low and five.max() <= high

    def test_samples_lead_from_one_seed_to_the_next(self, family: str) -> None:
        objective, feed = tiny(family)
        batch = dict(next(feed(start=0, batch_size=3)))
        for net in objective.shipped().values():
            if isinstance(net, Generator) and any(i.kind in DRAWN for i in net.inputs.values()):
                given: dict[str, Any] = {name: 0 for name, i in net.inputs.items() if i.kind == "label"} | fed(
                    net, batch
                )
                first = {name: value[:1] if isinstance(value, Tensor) else value for name, value in given.items()}
                for how in net.ways:
                    (leg,) = walk(net, [1, 2], 2, how, **given)
                    assert len(leg) == 3 and leg.isfinite().all()
                    torch.testing.assert_close(leg[:1], net.sample(1, seed=1, **first))

    def test_weights_that_ship_with_it_load(self, family: str) -> None:
        zoo = registry()
        for weights_id in zoo.weights:
            if weights_id.partition(".")[0] == family:
                loaded = model.load(weights_id)
                assert loaded.config["id"] == weights_id
                assert loaded.config["licence"] not in ("", "NOASSERTION")
                assert loaded.config["dataset"]["licence"]


def owner(family: str) -> str:
    """The plugin, by entry point, that has a family."""
    for loaded in registry().loaded:
        if any(spec.name == family for spec in loaded.records["families"]):
            return loaded.plugin.name
    pytest.fail(f"no installed plugin has the family {family}")
