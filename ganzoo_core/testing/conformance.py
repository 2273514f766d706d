"""What every family promises, tested at its preset `tiny`. There is no list of exceptions.

Each test takes the fixture or parameter `family`, a name; see ganzoo_core.testing for the five lines that use it. A
family is trained twice, briefly, and all tests look at these two runs.
"""

from __future__ import annotations

import copy
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from ganzoo_core.errors import GanzooError
from ganzoo_core.models import model, store
from ganzoo_core.models.programs.parity import largest_difference
from ganzoo_core.models.programs.program import program
from ganzoo_core.nn.generator import Generator
from ganzoo_core.nn.inputs import cycled, from_batch
from ganzoo_core.nn.sampling import CPU, latents
from ganzoo_core.nn.walk import interpolate_seeds
from ganzoo_core.objectives.augment import EVERY, Augmented
from ganzoo_core.objectives.objective import Move, Objective, Phase, Step
from ganzoo_core.plugin.records import resolve
from ganzoo_core.registry import index
from ganzoo_core.registry.plugins import registry
from ganzoo_core.registry.recipes import arguments, build, family_of_networks, presets_of, recipe
from ganzoo_core.testing.synthetic import synthetic
from ganzoo_core.training import checkpoint
from ganzoo_core.training.trainer import Alternating, Checkpoint, Loader, Report

BATCH = 4
HEAVY = ("torch", "numpy", "torchvision")
State = dict[str, Tensor]


def tiny(family: str, seed: int = 0) -> tuple[Objective, Loader]:
    """The family's objective at preset `tiny`, and batches of noise that suit it."""
    made = recipe(family, preset="tiny")
    objective = build(made, seed=seed)
    return objective, synthetic(objective.needs, made.args)


def trainer(objective: Objective, **options: float) -> Alternating:
    """Two iterations or so of every phase, with moving averages."""
    phases = copy.deepcopy(objective).phases()
    draws = [BATCH * max(step.repeat for step in phase.steps) for phase in phases]
    shortest = min(phase.images / drawn for phase, drawn in zip(phases, draws, strict=True))
    images = max(2 / shortest, 1e-9) * sum(phase.images for phase in phases)
    return Alternating(seed=1, batch_size=BATCH, images=round(images), ema_images=100, **options)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Course:
    """One short run of a family, from its first weights to its last."""

    objective: Objective  # as it ended
    loader: Loader
    reports: list[Report]
    stops: list[tuple[int, Checkpoint]]  # in the middle of every phase: which report, and the whole state there
    end: Checkpoint


@lru_cache(maxsize=4)
def course(family: str, again: int = 0) -> Course:
    """The family trained once; `again` trains it anew."""
    objective, loader = tiny(family)
    reports, stops = list[Report](), list[tuple[int, Checkpoint]]()
    for report in trainer(objective).run(objective, loader):
        first = not reports or reports[-1].phase != report.phase
        reports.append(report)
        if first:
            stops.append((len(reports) - 1, report.checkpoint()))
    return Course(objective, loader, reports, stops, reports[-1].checkpoint())


def state(module: torch.nn.Module) -> State:
    return {k: v.clone() for k, v in module.state_dict().items()}


def differing(a: State, b: State) -> set[str]:
    return a.keys() ^ b.keys() | {k for k in a.keys() & b.keys() if not torch.equal(a[k], b[k])}


def every_step(objective: Objective) -> Iterator[tuple[Phase, Step]]:
    """Every step of every phase, each phase entered before."""
    for phase in objective.phases():
        phase.on_start()
        for step in phase.steps:
            yield phase, step


def staged(family: str) -> tuple[Objective, Loader, Alternating]:
    """A tiny objective as the trainer would have it before the first step."""
    objective, loader = tiny(family)
    runner = trainer(objective)
    runner.setup(objective)
    runner.prepare(objective, loader)
    return objective, loader, runner


def batch_of(loader: Loader, phase: Phase, n: int = BATCH) -> dict[str, Tensor]:
    options = {k: v for k, v in phase.data.items() if k != "batch_size"}
    return dict(next(loader(start=0, batch_size=n, **options)))


def moved_by(
    step: Step, phase: Phase, before: Sequence[tuple[str, Tensor, Tensor]], loader: Loader, runner: Alternating
) -> set[str]:
    """Names of the weights that a step moves; a hinge may be satisfied by a batch of four, though not by many."""
    for seed in range(16):
        torch.manual_seed(seed)
        if isinstance(step, Move):
            runner.move(step, batch_of(loader, phase))
        else:
            assert step.player.optim is not None
            runner.descend(step, batch_of(loader, phase), step.player.optim(step.player.parameters()))
        if moved := {name for name, w, old in before if not torch.equal(w, old)}:
            return moved
    return set()


def on_meta(objective: Objective, phase: Phase, step: Step, loader: Loader) -> None:
    """A step without a device, and what follows it: shapes are worked out, and nothing is computed."""
    batch = {k: v if k in objective.on_host else v.to("meta") for k, v in batch_of(loader, phase).items()}
    objective.requires_grad_(False)
    for w in step.player.parameters():
        w.requires_grad_(not isinstance(step, Move))
    terms = step.loss(batch)
    if not isinstance(step, Move):
        step.player.backward(terms, step.player.parameters())
    step.player.on_gradients(step.player.parameters())
    step.player.project()
    phase.on_step_end(0.5)


def through_bytes(kept: Checkpoint) -> Checkpoint:
    """A checkpoint as it would be read from the disk."""
    files = checkpoint.files_of(kept)
    return checkpoint.read_files(kept.position, files)


def generators(objective: Objective) -> Iterator[Generator]:
    yield from (net for net in objective.exported_networks().values() if isinstance(net, Generator))


def conditions(net: Generator, batch: dict[str, Tensor], n: int) -> dict[str, Any]:
    """What a generator must be given for n samples: classes in turn, and what comes with the data."""
    return {**cycled(net, n), **{name: value[:n] for name, value in from_batch(net, batch).items()}}


class Conformance:
    """Parametrise `family` over the names of your families."""

    @pytest.fixture(autouse=True)
    def its_plugin_is_installed(self, family: str) -> None:
        if family not in registry().families:
            pytest.fail(f"no family {family}: install its plugin, `ganzoo install --editable --yes .` in its folder")

    def test_plugin_module_is_light(self, family: str) -> None:
        module = index.installed()[owner(family)].module
        program = f"import sys, {module}; sys.exit(' '.join(m for m in {HEAVY} if m in sys.modules) or 0)"
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
        assert done.returncode == 0, f"{module} imports {done.stderr}"

    def test_its_record_is_complete(self, family: str) -> None:
        spec = registry().families[family]
        assert spec.summary and "\n" not in spec.summary
        assert spec.paper.title and spec.paper.authors and 2013 < spec.paper.year < 2100
        assert spec.task in registry().tasks
        assert callable(resolve(registry().families[family_of_networks(spec)].networks))
        assert issubclass(resolve(spec.objective), Objective)

    def test_arguments_agree_and_are_explained(self, family: str) -> None:
        spec = registry().families[family]
        for argument in arguments(registry().families[family_of_networks(spec)], spec).values():
            assert argument.meaning, f"{family}: argument {argument.name} does not say what it means"

    def test_every_preset_builds(self, family: str) -> None:
        presets = presets_of(registry().families[family])
        assert "tiny" in presets
        for preset in presets:
            with torch.device("meta"):
                build(recipe(family, preset=preset))

    def test_all_phases_train_with_finite_losses(self, family: str) -> None:
        run = course(family)
        assert {r.phase for r in run.reports} == {phase.name for phase in run.objective.phases()}
        infinite = {(r.iteration, k) for r in run.reports for k, v in r.losses.items() if not v.isfinite()}
        assert not infinite
        assert all(v.isfinite().all() for v in run.objective.state_dict().values() if v.is_floating_point())

    def test_a_step_moves_its_player_and_nobody_else(self, family: str) -> None:
        objective, loader, runner = staged(family)
        names = {id(w): name for name, w in objective.named_parameters()}
        played, reached = dict[int, str](), set[int]()
        for phase, step in every_step(objective):
            mine = {id(w) for w in step.player.parameters()}
            before = [(name, w, w.clone()) for name, w in objective.named_parameters()]
            moved = moved_by(step, phase, before, loader, runner)
            others = {name for name, w, _ in before if id(w) not in mine}
            assert moved or isinstance(step, Move), f"phase {phase.name}: player {step.player.name} moves nothing"
            assert not moved & others, f"phase {phase.name}: player {step.player.name} moves others"
            touched = {name for name, w, _ in before if w.grad is not None and id(w) not in mine}
            assert not touched, f"phase {phase.name}: player {step.player.name} leaves gradients on others"
            played |= {key: names[key] for key in mine}
            reached |= {id(w) for w in step.player.parameters() if w.grad is not None}
            reached |= mine if isinstance(step, Move) else set()
            objective.zero_grad(set_to_none=True)
        never = sorted(name for key, name in played.items() if key not in reached)
        assert not never, "weights that no phase trains"

    @pytest.mark.parametrize("augment", ["none", "ada"])
    def test_no_step_mixes_devices_or_waits(self, family: str, augment: str) -> None:
        """With all on the meta device, mixing it with another raises, and so does reading a number from it."""
        try:
            made = recipe(family, preset="tiny", given={"augment": augment})
            objective = build(made).to("meta")
            for phase, step in every_step(objective):
                on_meta(objective, phase, step, synthetic(objective.needs, made.args))
        except GanzooError as fault:
            assert augment == "ada" and "augment" in str(fault)  # refused in a line: it does not suit the game

    def test_no_weight_has_two_players(self, family: str) -> None:
        objective, _ = tiny(family)
        for phase in objective.phases():
            owned = [id(w) for player in phase.players for w in player.parameters()]
            assert len(owned) == len(set(owned)), f"phase {phase.name}"
            names = [player.name for player in phase.players]
            assert len(names) == len(set(names)), f"phase {phase.name}: two players of one name"

    def test_same_seed_same_bits(self, family: str) -> None:
        one, other = course(family), course(family, again=1)
        assert not differing(one.end.objective, other.end.objective)
        for a, b in zip(one.reports, other.reports, strict=True):
            assert not differing(a.losses, b.losses)

    def test_another_seed_is_another_start(self, family: str) -> None:
        assert differing(state(tiny(family, 0)[0]), state(tiny(family, 1)[0]))

    def test_sampling_changes_nothing(self, family: str) -> None:
        objective, loader, _ = staged(family)
        modes = {name: m.training for name, m in objective.named_modules()}
        before, rng = state(objective), torch.get_rng_state()
        objective.sample(batch_of(loader, objective.phases()[-1]))
        assert not differing(before, state(objective))
        assert {name: m.training for name, m in objective.named_modules()} == modes
        assert torch.equal(rng, torch.get_rng_state())

    def test_state_dict_is_the_whole_state(self, family: str) -> None:
        run = course(family)
        other, loader = tiny(family, seed=7)
        assert not list(trainer(other).run(other, loader, run.end))
        assert not differing(state(run.objective), state(other))
        phase = run.objective.phases()[-1]
        batch = batch_of(loader, phase)
        for mine, theirs in zip(phase.steps, other.phases()[-1].steps, strict=True):
            losses = []
            for step in (mine, theirs):
                if not isinstance(step, Move):
                    torch.manual_seed(3)
                    losses.append(step.loss(batch))
            assert not losses or not differing(*losses)

    def test_a_resumed_run_equals_an_unbroken_one(self, family: str) -> None:
        """Broken in the middle of each phase, it goes on to the middle of the next as the unbroken run did."""
        run = course(family)
        ends = [*run.stops[1:], (len(run.reports) - 1, run.end)]
        for (first, kept), (last, expected) in zip(run.stops, ends, strict=True):
            if first == last:
                continue
            other, loader = tiny(family, seed=7)
            rest = []
            for report in trainer(other).run(other, loader, through_bytes(kept)):
                rest.append(report)
                if len(rest) == last - first:
                    break
            again = rest[-1].checkpoint()
            assert again.position == expected.position
            where = f"broken in phase {run.reports[first].phase}"
            assert not differing(again.objective, expected.objective), where
            for player, tensors in expected.optimizers.items():
                assert not differing(again.optimizers[player], tensors), f"{where}: optimizer of {player}"
            for mine, theirs in zip(run.reports[first + 1 : last + 1], rest, strict=True):
                assert not differing(mine.losses, theirs.losses), where

    def test_a_model_directory_gives_the_same_bytes_and_samples(self, family: str, tmp_path: Path) -> None:
        objective = course(family).objective
        origin = store.Origin(f"{family}.tiny", "CC0-1.0", "synthetic", "CC0-1.0", 12, 1, "pytest", {})
        config = store.write_model(tmp_path / "a", objective, origin)
        loaded = model.load(tmp_path / "a")
        loaded.save(tmp_path / "b")
        for name in ("config.json", *config["files"]):
            assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes(), name
        for name, net in objective.exported_networks().items():
            assert not differing(state(net), state(loaded.networks[name]))
        for name, net in loaded.discriminators.items():
            assert not differing(state(getattr(objective, name)), state(net))

    def test_samples_are_exact_and_as_declared(self, family: str) -> None:
        run = course(family)
        batch = dict(next(run.loader(start=0, batch_size=5)))
        for net in generators(run.objective):
            given = conditions(net, batch, 5)
            fewer = conditions(net, batch, 2)
            five = net.sample(5, seed=3, **given)
            assert torch.equal(five[:2], net.sample(2, seed=3, **fewer))
            assert torch.equal(five, net.sample(5, seed=3, **given))
            if any(declared.drawn for declared in net.inputs.values()):
                assert not torch.equal(five, net.sample(5, seed=4, **given))
            assert five.shape[1:] == tuple(d or s for d, s in zip(net.output.shape, five.shape[1:], strict=True))
            assert five.dtype == torch.float32
            low, high = net.output.range or (-torch.inf, torch.inf)
            assert five.min() >= low and five.max() <= high

    def test_threads_draw_the_same_samples(self, family: str) -> None:
        """Eight at once draw what one draws alone, and move no generator that others use."""
        run = course(family)
        batch = dict(next(run.loader(start=0, batch_size=2)))
        for net in generators(run.objective):
            given = conditions(net, batch, 2)
            alone = [net.sample(2, seed=seed, **given) for seed in range(4)]
            before = torch.get_rng_state()
            with ThreadPoolExecutor(8) as pool:
                together = list(pool.map(lambda i, net=net, given=given: net.sample(2, seed=i % 4, **given), range(16)))
            assert torch.equal(before, torch.get_rng_state())
            assert [i for i, drawn in enumerate(together) if not torch.equal(drawn, alone[i % 4])] == []

    def test_generators_are_programs(self, family: str) -> None:
        """torch.export has them, and makes their samples; or why it cannot is said in a line."""
        for net in generators(course(family).objective):
            try:
                made = program(net, net.program_options)
            except GanzooError as fault:
                assert "\n" not in str(fault)
                pytest.skip(str(fault))
            assert largest_difference(made, made.run) < 1e-4

    def test_samples_are_shown_saved_and_opened(self, family: str, tmp_path: Path) -> None:
        run = course(family)
        batch = dict(next(run.loader(start=0, batch_size=3)))
        for net in generators(run.objective):
            three = net.sample(3, seed=0, **conditions(net, batch, 3))
            assert min(net.output.picture(three).size) > 0 and min(net.output.frame(three[0]).size) > 0
            net.output.save(three[:1], tmp_path / f"one{net.output.suffixes[0]}")
            again = net.output.open(tmp_path / f"one{net.output.suffixes[0]}")
            assert again.shape[1:] == three.shape[1:]

    def test_samples_lead_from_one_seed_to_the_next(self, family: str) -> None:
        run = course(family)
        batch = dict(next(run.loader(start=0, batch_size=3)))
        for net in generators(run.objective):
            if any(declared.drawn for declared in net.inputs.values()):
                given = {
                    name: value[:1].expand(3, *value.shape[1:]) for name, value in conditions(net, batch, 1).items()
                }
                for mode in net.interpolation_modes:
                    (way,) = interpolate_seeds(net, [1, 2], 2, mode, **given)
                    assert len(way) == 3 and way.isfinite().all()
                    first = net.sample(1, seed=1, **conditions(net, batch, 1))
                    torch.testing.assert_close(way[:1], first)

    def test_its_spaces_can_be_searched(self, family: str) -> None:
        """A gradient reaches the points of each; z paints what `sample` makes where z is all that is drawn."""
        run = course(family)
        batch = dict(next(run.loader(start=0, batch_size=2)))
        for net in generators(run.objective):
            if not net.spaces():
                continue  # it draws nothing, or no gradient goes through its samples
            net, given = copy.deepcopy(net).eval(), conditions(net, batch, 2)
            drawn = latents(net.priors, 0, range(2))
            rows = {k: drawn[k] if k in drawn else i.rows(k, given.get(k), 2, CPU) for k, i in net.inputs.items()}
            for name, space in net.spaces().items():
                point = space.enter(drawn[space.latent]).detach().requires_grad_()
                x = space.paint(point, *(value for k, value in rows.items() if k != space.latent))
                (slope,) = torch.autograd.grad(x.float().square().sum(), point)
                assert point.shape == (2, *space.shape) and slope.isfinite().all() and slope.any(), name
                made = net.sample(2, seed=0, **given)
                if name == "z" and torch.equal(made, net.sample(2, seed=1, **{**given, **drawn})):
                    low, high = net.output.range or (-torch.inf, torch.inf)
                    torch.testing.assert_close(x.clamp(low, high), made, atol=1e-4, rtol=1e-3)

    def test_weights_that_ship_with_it_load(self, family: str) -> None:
        zoo = registry()
        for weights_id in zoo.weights:
            if weights_id.partition(".")[0] == family:
                loaded = model.load(weights_id)
                assert loaded.config["id"] == weights_id
                assert loaded.config["licence"] not in ("", "NOASSERTION")
                assert loaded.config["dataset"]["licence"]

    def test_adaptive_augmentation_hears_every_discriminator(self, family: str) -> None:
        """With augment=ada every discriminator that moves is heard on real pictures, and p follows one that is sure."""
        try:
            made = recipe(family, preset="tiny", given={"augment": "ada", "ada_images": 64})
            objective = build(made)
            reports = trainer(objective).run(objective, synthetic(objective.needs, made.args))
            judges = [module for module in objective.modules() if isinstance(module, Augmented)]
            heard = [False] * len(judges)
            for _ in reports:
                heard = [before or bool(judge.seen or judge.p) for before, judge in zip(heard, judges, strict=True)]
        except GanzooError as fault:
            assert "augment" in str(fault)  # refused in a line: it does not suit the game
            return
        assert judges and all(heard)
        for judge in judges:
            for count, value in ((judge.p, 0), (judge.above, 8), (judge.seen, 8), (judge.turns, EVERY)):
                count.fill_(value)
            judge.adapt()
            assert judge.p > 0


def owner(family: str) -> str:
    """The plugin, by entry point, that has a family."""
    for loaded in registry().loaded:
        if any(spec.name == family for spec in loaded.records["families"]):
            return loaded.plugin.name
    pytest.fail(f"no installed plugin has the family {family}")
