"""Every loss of every phase once, before the first step: what does not fit is one line, not a late traceback."""

from __future__ import annotations

import copy
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from ganzoo_core.errors import GanzooError, escape
from ganzoo_core.nn.state import preserve_rng
from ganzoo_core.objectives.objective import Batch, Objective
from ganzoo_core.training.loaders import BatchLoader


@dataclass(frozen=True)
class Sketch:
    """What a dry run has seen of a game."""

    images: int  # how long its phases say that they are, in real images: some know it only once they have seen data
    first_order: frozenset[tuple[int, int]]  # (phase, step) of the losses that differentiate nothing themselves


class Differentiating(TorchFunctionMode):
    """Notes whether what runs within it asks for a gradient, as gradient penalties do."""

    seen = False

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        self.seen |= func is torch.autograd.grad
        return func(*args, **(kwargs or {}))


def dry_run(objective: Objective, loader: BatchLoader) -> Sketch:
    """Every loss of every phase once, on two samples and on a copy: a misfit shows before the first step.

    It is a sketch, whose tensors have shapes and no numbers, so that large networks cost nothing; a game that has to
    see numbers is played in earnest, where it stands.
    """
    with preserve_rng():
        if not objective.prepare_on:
            try:
                return play(sketch_of(objective), loader, torch.device("meta"))
            except Exception:
                pass
        return play(copy.deepcopy(objective), loader, device_of(objective))


def sketch_of(objective: Objective) -> Objective:
    """A copy on the meta device, without copying anything; single numbers (a depth, an alpha) stay what they are."""
    meta: dict[int, Any] = {}
    for tensor in [*objective.parameters(), *objective.buffers()]:
        if isinstance(tensor, nn.Parameter):
            meta[id(tensor)] = nn.Parameter(tensor.detach().to("meta"), tensor.requires_grad)
        elif tensor.ndim:
            meta[id(tensor)] = tensor.to("meta")
    return copy.deepcopy(objective, meta)


def device_of(objective: Objective) -> torch.device:
    return next((w.device for w in objective.parameters()), torch.device("cpu"))


def play(trial: Objective, loader: BatchLoader, device: torch.device) -> Sketch:
    """Errors: GanzooError for a loss that does not fit its data, or returns something else than named scalars."""
    trial.train()
    if trial.prepare_on:
        trial.prepare(moved(next(loader(start=0, batch_size=trial.prepare_on)), device))
    phases, first_order = trial.phases(), set()
    for p, phase in enumerate(phases):
        phase.on_start()
        options = {k: v for k, v in phase.data.items() if k != "batch_size"}
        batch = moved(next(loader(start=0, batch_size=2, **options)), device)
        for s, step in enumerate(phase.steps):
            with Differentiating() as noted:
                dry_run_step(trial, step.loss, batch)
            if not noted.seen:
                first_order.add((p, s))
    return Sketch(sum(phase.images for phase in phases), frozenset(first_order))


def moved(batch: Batch, device: torch.device) -> Batch:
    return {name: value.to(device) for name, value in batch.items()}


def dry_run_step(trial: Objective, loss: Callable[[Batch], Any], batch: Batch) -> None:
    try:
        terms = loss(batch)
    except GanzooError:
        raise
    except (RuntimeError, TypeError, ValueError, KeyError, IndexError, AttributeError) as fault:
        shapes = ", ".join(f"{k} {list(v.shape)}" for k, v in batch.items())
        raise GanzooError(
            f"{type(trial).__name__}.{getattr(loss, '__name__', 'loss')}: {failing_module(trial, fault)} does not fit "
            f"a batch of {shapes}: {escape(fault)}",
            "Check image_size, channels and the networks.",
        ) from fault
    if not isinstance(terms, dict) or not all(isinstance(v, Tensor) and v.ndim == 0 for v in terms.values()):
        name = f"{type(trial).__name__}.{getattr(loss, '__name__', 'loss')}"
        raise GanzooError(f"{name}: returns {escape(repr(terms), 80)}", "A loss returns named scalars: {name: tensor}.")


def failing_module(trial: Objective, fault: BaseException) -> str:
    """The network in which the fault happened."""
    names = {id(child): name for name, child in trial.named_children()}
    for frame, _ in traceback.walk_tb(fault.__traceback__):
        if id(frame.f_locals.get("self")) in names:
            return f"network {names[id(frame.f_locals['self'])]}"
    return "the loss"
