"""When to save a run and when to end it: the same decision on every process."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch

from ganzoo_core.errors import DivergenceError, GanzooError, Stopped, escape, tell_user
from ganzoo_core.objectives.objective import Objective
from ganzoo_core.training import checkpoint
from ganzoo_core.training.distributed import Processes
from ganzoo_core.training.signals import Signals
from ganzoo_core.training.trainer import Report

CHECK_EVERY = 50  # iterations between looks at whether the losses are finite: each look waits for the device
CHECKPOINTS = 20  # in a run, where the user says nothing
PATIENCE = 600.0  # seconds of work that may be lost


class CheckpointCallback:
    """Decides after every iteration whether to save and whether to end, the same on every process."""

    def __init__(
        self,
        folder: Path | None,
        objective: Objective,
        every: int,
        processes: Processes,
        heard: Signals,
        publish: Callable[[int], None] = lambda images: None,  # what is done with the model after each save
        also_every: int = 0,  # in images: further saves
        at: Sequence[int] = (),  # image counts of further saves
    ) -> None:
        self.folder, self.every, self.processes, self.heard = folder, every, processes, heard
        self.objective, self.publish, self.also_every, self.at = objective, publish, also_every, at
        self.recent: list[Report] = []
        self.saved = time.monotonic()
        self.last: Report | None = None  # that was saved

    def on_report(self, report: Report) -> None:
        """Errors: DivergenceError where a loss or a weight is not finite, Stopped where a signal ends the run."""
        self.recent.append(report)
        late = self.folder is not None and time.monotonic() - self.saved > PATIENCE
        ending, saving = self.processes.all_reduce_max([self.heard.ending, int(self.heard.saving or late)])
        wanted = bool(ending or saving or self.due(report))
        if wanted or len(self.recent) == CHECK_EVERY:
            refuse_infinite(self.recent, self.processes)
            self.recent = []
        if wanted and self.folder is not None:
            self.heard.saving = False
            self.save(report)
        if ending:
            raise stopped(ending, self.folder, report)

    def due(self, report: Report) -> bool:
        every = self.every or max(report.total // CHECKPOINTS, 1)
        after = report.position.images
        before = after - report.drawn
        asked = any(before < images <= after for images in self.at)
        paces = [pace for pace in (every, self.also_every) if pace]
        return asked or any(before // pace != after // pace for pace in paces) or after >= report.total

    def save(self, report: Report) -> None:
        assert self.folder is not None
        whole = report.checkpoint()
        for name, value in whole.objective.items():
            if value.is_floating_point() and not bool(value.isfinite().all()):
                raise DivergenceError(
                    f"training diverged: {name} is not finite after {report.position.images:,} images",
                    "The last checkpoint is intact. Lower the learning rate, or try --precision fp32.",
                )
        buffers = frozenset(name for name, _ in self.objective.named_buffers())
        checkpoint.save(self.folder / "checkpoints", whole, buffers, self.processes)
        if self.processes.rank == 0:
            self.publish(report.position.images)
        self.saved, self.last = time.monotonic(), report

    def abandon(self, report: Report) -> None:
        """The caller iterates no further: what has been reached is saved, where one process may decide that alone."""
        if self.folder is None or self.last is report or self.processes.world > 1 or sys.is_finalizing():
            return
        try:
            refuse_infinite(self.recent, self.processes)
            self.save(report)
        except GanzooError as fault:
            tell_user(f"warning: not saved: {escape(fault)}")


def stopped(signum: int, folder: Path | None, report: Report) -> Stopped:
    by = "Ctrl-C" if signum == signal.SIGINT else signal.Signals(signum).name
    at = f"stopped by {by} at {report.position.images:,} of {report.total:,} images"
    goes_on = f"--resume --out {folder} goes on; `ganzoo sample {folder}` shows what it has learnt."
    return Stopped(signum, f"{at}, saved" if folder else at, goes_on if folder else "")


def refuse_infinite(reports: list[Report], processes: Processes) -> None:
    """The first term of the reports that is not finite, on whatever process, stops all of them by name."""
    names = [(report, name) for report in reports for name in report.losses]
    values = [report.losses[name].float() for report, name in names]
    finite = torch.stack(values).isfinite().tolist() if values else []
    bad = next((where for where, good in zip(names, finite, strict=True) if not good), None)
    mine = bad and (
        f"training diverged: loss {bad[1]} is not finite in iteration {bad[0].iteration} of phase {bad[0].phase}, "
        f"after {bad[0].position.images:,} images"
    )
    found = next(filter(None, processes.gather(mine)), None)
    if found:
        raise DivergenceError(found, "Lower the learning rate, or try --precision fp32.")
