"""The update, written once: draw batches, let each due player descend its loss, report.

A trainer has no side effects beyond the objective that it trains and torch's global random generator, which it reseeds
for every iteration; progress, logs, grids and checkpoints are its caller's business."""

from __future__ import annotations

import copy
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from ganzoo_core.errors import GanzooError, escape
from ganzoo_core.nn.channels_last import memory_format, to_channels_last
from ganzoo_core.nn.device import computing_in
from ganzoo_core.nn.state import reseed
from ganzoo_core.objectives.losses import Terms
from ganzoo_core.objectives.objective import (
    Batch,
    Move,
    Objective,
    Optim,
    Phase,
    Player,
    Step,
    copy_buffers,
    ema_update,
)
from ganzoo_core.seeds import hash32
from ganzoo_core.training.compiling import compile_steps
from ganzoo_core.training.distributed import Processes

Loader = Callable[
    ..., Iterator[Batch]
]  # (start, batch_size, rank, world, **phase.data) -> an endless stream of batches


Tensors = dict[str, Tensor]
ANOTHER = "Install the versions that run.json names, or start a new run with --init."


@dataclass(frozen=True)
class Position:
    """A point between two iterations: the phase, the iteration that comes next in it, the real images drawn so far."""

    phase: int
    iteration: int
    images: int


@dataclass(frozen=True)
class Checkpoint:
    """All that is needed to go on from a position, bit for bit."""

    position: Position
    objective: Tensors
    optimizers: Mapping[str, Tensors]  # by the player's key, "<its first phase>.<its name>"


@dataclass(frozen=True)
class Report:
    """One iteration, as its callbacks see it."""

    phase: str
    iteration: int  # in its phase, from 0
    position: Position  # where the next one begins
    drawn: int  # real images of this iteration
    total: int  # real images in the whole run
    losses: Tensors  # "player/term", detached, of the last repetition; still on the device
    checkpoint: Callable[[], Checkpoint]
    cycle: int = 1  # iterations after which every step of the phase, lazily taken ones too, is due again


@dataclass(frozen=True)
class PhasePlan:
    """A phase as it will be run: how often, on how many images at a time."""

    phase: Phase
    iterations: int
    batch_size: int  # over all processes
    repeat: int  # batches drawn per iteration

    @property
    def images(self) -> int:
        return self.batch_size * self.repeat


class Trainer(ABC):
    """Runs the phases of a game and reports after every iteration. Lengths are counted in real images.

    To read: `run` is the course, `run_phase` one phase, `iterate` one iteration, `descend` one update.
    """

    def __init__(
        self,
        *,
        seed: int = 0,
        batch_size: int = 64,  # global; a phase's own is used where this is 0
        images: int = 0,  # of all phases together; 0: as the phases say
        ema_images: float = 0,  # half-life of the moving averages; 0: none are kept
        device: torch.device | str = "cpu",
        precision: torch.dtype = torch.float32,
        micro_batch: int = 0,  # largest part of a batch that is held at once; 0: the whole
        ema_rampup: float = 0,  # half-life of the averages, at most this share of the images so far; 0: no ramp-up
        begun: int = 0,  # length that a longer run was begun with: only its last phase lasts longer; 0: `images`
        processes: Processes | None = None,  # several that train together; None: this one alone
        compiled: Collection[tuple[int, int]] = (),  # (phase, step) whose losses go through torch.compile
    ) -> None:
        self.seed, self.batch_size, self.images, self.ema_images = seed, batch_size, images, ema_images
        self.device, self.precision, self.micro_batch = torch.device(device), precision, micro_batch
        self.processes = processes or Processes()
        self.ema_rampup = ema_rampup
        self.begun, self.compiled = begun, compiled
        self.moments: Tensors = {}  # of Adam, from which optimizers go on: "<weight's name>.exp_avg"
        self.reached = Position(0, 0, 0)

    @abstractmethod
    def iterate(
        self, steps: Sequence[Step], batches: Sequence[Batch], optimizers: Mapping[Player, Optimizer]
    ) -> Tensors:
        """One iteration of the due `steps`; the i-th repetition of each sees batches[i]. Returns detached losses."""

    def run(self, objective: Objective, data: Loader, resume: Checkpoint | None = None) -> Iterator[Report]:
        """Train `objective` in place, one iteration per report; nothing happens until the result is iterated."""
        self.setup(objective)
        if resume is None:
            self.prepare(objective, data)
        if self.ema_images:
            objective.ema = ema_of(objective)
        if resume is not None:
            load_state(objective, resume.objective)
        plan = self.plan(compile_steps(objective.phases(), self.compiled))
        keys = player_keys(plan)
        optimizers: dict[Player, Optimizer] = {}
        position = resume.position if resume else Position(0, 0, 0)
        for index, planned in enumerate(plan[: position.phase + 1]):
            self.start_phase(planned.phase, index)
        if resume is not None:
            load_state(objective, resume.objective)
            optimizers = load_optimizers(keys, resume.optimizers)
        total = sum(planned.images * planned.iterations for planned in plan[position.phase :])
        total += position.images - plan[position.phase].images * position.iteration
        while position.phase < len(plan):
            planned = plan[position.phase]
            if position.iteration == 0 and position.phase > 0:
                self.start_phase(planned.phase, position.phase)
            for player in planned.phase.players:
                if player not in optimizers and player.optim is not None:
                    optimizers[player] = optimizer_of(player, player.optim)
                    go_on(optimizers[player], player, objective, self.moments)
            for losses, reached in self.run_phase(objective, planned, data, optimizers, position):
                position = reached
                self.reached = position
                save = Saver(self, objective, {keys[p]: o for p, o in optimizers.items()}, position)
                yield Report(
                    planned.phase.name, position.iteration - 1, position, planned.images, total, losses, save,
                    math.lcm(*(step.every for step in planned.phase.steps)),
                )  # fmt: skip
            position = Position(position.phase + 1, 0, position.images)
            later = {player for s in plan[position.phase :] for player in s.phase.players}
            optimizers = {player: o for player, o in optimizers.items() if player in later}

    def run_phase(
        self,
        objective: Objective,
        planned: PhasePlan,
        data: Loader,
        optimizers: Mapping[Player, Optimizer],
        position: Position,
    ) -> Iterator[tuple[Tensors, Position]]:
        """The rest of one phase, from `position` on."""
        if not planned.iterations:
            return
        phase, images = planned.phase, position.images
        own = {k: v for k, v in phase.data.items() if k != "batch_size"}
        batches = data(
            start=images, batch_size=planned.batch_size, rank=self.processes.rank, world=self.processes.world, **own
        )
        for t in range(position.iteration, planned.iterations):
            for player in phase.players:
                if player in optimizers:
                    set_options(optimizers[player], player, t / planned.iterations)
            reseed(hash32(self.seed, "step", self.processes.rank, images))  # torch.manual_seed takes 1.6 ms
            drawn = [self.to_device(next(batches), objective.on_host) for _ in range(planned.repeat)]
            losses = self.iterate([step for step in phase.steps if t % step.every == 0], drawn, optimizers)
            for name, target in objective.ema.items():
                ema_update(target, getattr(objective, name), self.ema_beta(planned.images, images))
            images += planned.images
            phase.on_step_end((t + 1) / planned.iterations)
            for name, target in objective.ema.items():
                copy_buffers(target, getattr(objective, name))  # what `on_step_end` has set: a depth, an alpha
            yield losses, Position(position.phase, t + 1, images)

    def ema_beta(self, drawn: int, images: int) -> float:
        """Of the moving averages, for an iteration of `drawn` images that begins after `images` of them.

        The half-life ramps up with the run (Karras et al. 2020, StyleGAN2's code), or is the same from the start.
        """
        half_life = min(self.ema_images, self.ema_rampup * images) if self.ema_rampup else self.ema_images
        return float(0.5 ** (drawn / half_life)) if half_life else 0.0

    def plan(self, phases: Sequence[Phase]) -> list[PhasePlan]:
        """Phases in iterations, scaled in proportion so that together they last `images`.

        A run that lasts longer than it was `begun` to has the rest in its last phase: the others may be over.
        """
        total, begun = sum(phase.images for phase in phases), self.begun or self.images
        scale = begun / total if begun and total else 1.0
        more = self.images - begun if self.images else 0
        *first, last = phases
        return [*(self.measured(phase, phase.images * scale) for phase in first),
                self.measured(last, last.images * scale + more)]  # fmt: skip

    def measured(self, phase: Phase, images: float) -> PhasePlan:
        batch_size = self.batch_size or phase.data.get("batch_size", 64)
        repeat = max(step.repeat for step in phase.steps)
        # 1e-9: a product that should be whole may lie a rounding above it.
        iterations = math.ceil(images / (batch_size * repeat) - 1e-9)
        return PhasePlan(phase, iterations, batch_size, repeat)

    def setup(self, objective: Objective) -> None:
        """Onto the device, every convolution channels-last, all in training mode and nobody moving."""
        objective.to(self.device).train().requires_grad_(False)
        to_channels_last(objective)

    def prepare(self, objective: Objective, data: Loader) -> None:
        """Let a fresh objective see what it must of the data: on every process the same images."""
        if objective.prepare_on:
            reseed(hash32(self.seed, "prepare"))
            batch = next(data(start=0, batch_size=objective.prepare_on, rank=0, world=1))
            objective.prepare(self.to_device(batch, objective.on_host))
            to_channels_last(objective)  # what was seen is kept in the format that a resumed run will find it in

    def start_phase(self, phase: Phase, index: int) -> None:
        reseed(hash32(self.seed, "enter", index))
        phase.on_start()

    def to_device(self, batch: Batch, on_host: Collection[str] = ()) -> Batch:
        """A batch on the device, but for the keys `on_host`; images channels-last. No step waits for it."""
        return {k: v if k in on_host else moved(v, self.device) for k, v in batch.items()}


class Alternating(Trainer):
    """Players move in turn, each against the others as they stand (Goodfellow et al. 2014, Alg. 1)."""

    def iterate(
        self, steps: Sequence[Step], batches: Sequence[Batch], optimizers: Mapping[Player, Optimizer]
    ) -> Tensors:
        losses: Tensors = {}
        for step in steps:
            for batch in batches[: step.repeat]:
                if isinstance(step, Move):
                    terms = self.move(step, batch)
                else:
                    terms = self.descend(step, batch, optimizers[step.player])
                losses |= {f"{step.player.name}/{k}": v for k, v in terms.items()}
        return losses

    def descend(self, step: Step, batch: Batch, optimizer: Optimizer) -> Terms:
        """One update of one player; everyone else is frozen, so no loss needs a detach. Returns its detached terms.

        Errors: GanzooError where no term depends on the player's weights.
        """
        player, weights = step.player, step.player.parameters()
        optimizer.zero_grad(set_to_none=True)
        for w in weights:
            w.requires_grad_(True)
        total: Terms = {}
        for part, share in self.micro_batches(batch):
            # Entered per loss: autocast caches its casts of weights, which the next update makes stale.
            with computing_in(self.precision, self.device):
                terms = step.loss(part)
            if not any(v.requires_grad for v in terms.values()):
                raise GanzooError(f"player {player.name}: no term of its loss depends on its weights")
            player.backward({k: v * share if v.requires_grad else v for k, v in terms.items()}, weights)
            for k, v in terms.items():
                total[k] = total.get(k, 0.0) + v.detach() * share
        for w in weights:
            w.requires_grad_(False)
        self.processes.all_reduce_gradients(weights)
        player.on_gradients(weights)
        optimizer.step()
        player.project()
        return total

    @torch.no_grad()
    def move(self, step: Move, batch: Batch) -> Terms:
        """One update of a player that no gradient moves."""
        terms = step.loss(batch)
        step.player.project()
        return terms

    def micro_batches(self, batch: Batch) -> Iterator[tuple[Batch, float]]:
        """A batch in parts of at most `micro_batch` samples, each with its share of the whole."""
        n = len(next(iter(batch.values())))
        size = self.micro_batch or n
        for start in range(0, n, size):
            part = {k: v[start : start + size] for k, v in batch.items()}
            yield part, min(size, n - start) / n


def moved(value: Tensor, device: torch.device) -> Tensor:
    """On the device. A GPU copies on its own only out of pinned memory; it turns images channels-last itself."""
    here = value.pin_memory() if device.type == "cuda" and not value.is_cuda else value
    return here.to(device, memory_format=memory_format(value), non_blocking=True)


class Saver:
    """Copies nothing until it is called; then the whole state, which must still be that of its position."""

    def __init__(
        self, trainer: Trainer, objective: Objective, optimizers: Mapping[str, Optimizer], position: Position
    ) -> None:
        self.trainer, self.objective, self.optimizers, self.position = trainer, objective, optimizers, position

    def __call__(self) -> Checkpoint:
        if self.trainer.reached is not self.position:
            raise GanzooError("the run has gone on since this report", "Ask for its checkpoint before the next one.")
        state = {k: on_cpu(v) for k, v in self.objective.state_dict().items()}
        return Checkpoint(self.position, state, {k: optimizer_state(o) for k, o in self.optimizers.items()})


def ema_of(objective: Objective) -> nn.ModuleDict:
    """Copies of what is published, as it stands at the start."""
    return nn.ModuleDict({name: copy.deepcopy(getattr(objective, name)) for name in objective.exported})


def on_cpu(value: Tensor) -> Tensor:
    """A copy that takes no memory of the device, which may be full."""
    return value.detach().to("cpu", copy=True)


def player_keys(plan: Sequence[PhasePlan]) -> dict[Player, str]:
    """Players by the first phase that they play in, and their name: the same in every process and every run.

    Errors: GanzooError for two players of one name in a phase, whose losses and optimizers nobody could tell apart.
    """
    keys: dict[Player, str] = {}
    for index, planned in enumerate(plan):
        names = [player.name for player in planned.phase.players]
        for name in names:
            if names.count(name) > 1:
                what = f"phase {planned.phase.name}: has two players of the name {name}"
                raise GanzooError(what, "Names are unique within a phase: rename one.")
        for player in planned.phase.players:
            keys.setdefault(player, f"{index}.{player.name}")
    return keys


def optimizer_of(player: Player, optim: Optim) -> Optimizer:
    """A fresh optimizer, each of whose groups remembers the first values of the options that schedules scale."""
    optimizer = optim(player.parameters())
    for group in optimizer.param_groups:
        group |= {f"initial_{option}": group[option] for option in player.schedules}
    return optimizer


def set_options(optimizer: Optimizer, player: Player, u: float) -> None:
    for group in optimizer.param_groups:
        for option, schedule in player.schedules.items():
            group[option] = group[f"initial_{option}"] * schedule(u)


ADAM = ("exp_avg", "exp_avg_sq", "step")  # what it keeps of each weight


def optimizer_state(optimizer: Optimizer) -> Tensors:
    """An optimizer's state as flat tensors, "<index of the weight>.<name>". Its options come from the recipe."""
    state = optimizer.state_dict()["state"]
    return {f"{i}.{k}": on_cpu(v) for i, s in state.items() for k, v in s.items() if isinstance(v, Tensor)}


def load_optimizers(keys: Mapping[Player, str], states: Mapping[str, Tensors]) -> dict[Player, Optimizer]:
    """Optimizers of all players that have a saved state, those of a later phase too."""
    optimizers = {}
    for player, key in keys.items():
        if key in states and player.optim is not None:
            weights = player.parameters()
            optimizers[player] = optimizer_of(player, player.optim)
            load_optimizer(optimizers[player], weights, states[key])
    return optimizers


def load_optimizer(optimizer: Optimizer, weights: Sequence[Tensor], tensors: Tensors) -> None:
    state: dict[int, dict[str, Any]] = {}
    for name, value in tensors.items():
        index, _, key = name.partition(".")
        if not index.isdecimal() or int(index) >= len(weights):
            raise GanzooError(f"the checkpoint is of another game: weight {escape(name, 40)} of an optimizer", ANOTHER)
        weight = weights[int(index)]
        # In the weight's own memory format: fused kernels walk both side by side.
        value = torch.empty_like(weight).copy_(value) if value.shape == weight.shape else value.clone()
        state.setdefault(int(index), {})[key] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})


def go_on(optimizer: Optimizer, player: Player, objective: Objective, moments: Tensors) -> None:
    """Adam begins with moments where all weights of its player have some; any other optimizer, and part, anew."""
    names = {weight: name for name, weight in objective.named_parameters()}
    weights = player.parameters()
    wanted = {f"{i}.{key}": f"{names.get(w, '')}.{key}" for i, w in enumerate(weights) for key in ADAM}
    if (
        type(optimizer) in (torch.optim.Adam, torch.optim.AdamW)
        and wanted.keys()
        and moments.keys() >= set(wanted.values())
    ):
        load_optimizer(optimizer, weights, {place: moments[name] for place, name in wanted.items()})


def load_state(objective: Objective, state: Tensors) -> None:
    """The whole state, strictly; a buffer takes the shape that it was saved with (an image pool, a seen image)."""
    for name, buffer in list(objective.named_buffers()):
        if name in state and state[name].shape != buffer.shape:
            owner, _, leaf = name.rpartition(".")
            setattr(objective.get_submodule(owner), leaf, torch.empty_like(state[name], device=buffer.device))
    to_channels_last(objective)
    own = objective.state_dict()
    changed = sorted(
        {*own.keys() ^ state.keys(), *(k for k in own.keys() & state.keys() if own[k].shape != state[k].shape)}
    )
    if changed:
        what = f"the checkpoint is of another game: {escape(', '.join(changed[:3]))} is in one of them only, or differs"
        raise GanzooError(what, ANOTHER)
    objective.load_state_dict(state)
