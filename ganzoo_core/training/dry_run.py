"""Every loss of every phase once, before the first step: what does not fit is one line, not a late traceback."""

from __future__ import annotations

import copy
import traceback
from collections.abc import Callable
from typing import Any

from torch import Tensor

from ganzoo_core.errors import GanzooError, escape
from ganzoo_core.nn.state import preserve_rng
from ganzoo_core.objectives.objective import Batch, Objective
from ganzoo_core.training.loaders import BatchLoader


def dry_run(objective: Objective, loader: BatchLoader) -> int:
    """Every loss of every phase once, on two samples and on a copy: a misfit shows before the first step.

    Returns how long the phases say they are, in real images: some know it only once they have seen data.
    """
    trial = copy.deepcopy(objective).train()
    with preserve_rng():
        if trial.prepare_on:
            trial.prepare(next(loader(start=0, batch_size=trial.prepare_on)))
        phases = trial.phases()
        for phase in phases:
            phase.on_start()
            batch = next(loader(start=0, batch_size=2, **{k: v for k, v in phase.data.items() if k != "batch_size"}))
            for step in phase.steps:
                dry_run_step(trial, step.loss, batch)
    return sum(phase.images for phase in phases)


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
