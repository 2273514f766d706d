"""Every loss of every phase once, before the first step: what does not fit is one line, not a late traceback."""

from __future__ import annotations

import copy
import traceback
from collections.abc import Callable
from typing import Any

from torch import Tensor

from ganzoo_core.errors import GanzooError, plain
from ganzoo_core.feeds import Feed
from ganzoo_core.networks import forked
from ganzoo_core.objective import Batch, Objective


def rehearse(objective: Objective, feed: Feed) -> int:
    """Every loss of every phase once, on two samples and on a copy: a misfit shows before the first step.

    Returns how long the phases say they are, in real images: some know it only once they have seen data.
    """
    stage = copy.deepcopy(objective).train()
    with forked():
        if stage.prepare_on:
            stage.prepare(next(feed(start=0, batch_size=stage.prepare_on)))
        phases = stage.phases()
        for phase in phases:
            phase.enter()
            batch = next(feed(start=0, batch_size=2, **{k: v for k, v in phase.data.items() if k != "batch_size"}))
            for step in phase.steps:
                rehearse_step(stage, step.loss, batch)
    return sum(phase.images for phase in phases)


def rehearse_step(stage: Objective, loss: Callable[[Batch], Any], batch: Batch) -> None:
    try:
        terms = loss(batch)
    except GanzooError:
        raise
    except (RuntimeError, TypeError, ValueError, KeyError, IndexError, AttributeError) as fault:
        shapes = ", ".join(f"{k} {list(v.shape)}" for k, v in batch.items())
        raise GanzooError(
            f"{type(stage).__name__}.{getattr(loss, '__name__', 'loss')}: {culprit(stage, fault)} does not fit "
            f"a batch of {shapes}: {plain(fault)}",
            "Check image_size, channels and the networks.",
        ) from fault
    if not isinstance(terms, dict) or not all(isinstance(v, Tensor) and v.ndim == 0 for v in terms.values()):
        name = f"{type(stage).__name__}.{getattr(loss, '__name__', 'loss')}"
        raise GanzooError(f"{name}: returns {plain(repr(terms), 80)}", "A loss returns named scalars: {name: tensor}.")


def culprit(stage: Objective, fault: BaseException) -> str:
    """The network in which the fault happened."""
    names = {id(child): name for name, child in stage.named_children()}
    for frame, _ in traceback.walk_tb(fault.__traceback__):
        if id(frame.f_locals.get("self")) in names:
            return f"network {names[id(frame.f_locals['self'])]}"
    return "the loss"
