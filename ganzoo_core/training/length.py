"""How many images a run of so many minutes has: every phase is played for some iterations, on a copy, and timed."""

from __future__ import annotations

import copy
import time
from collections.abc import Sequence
from dataclasses import replace
from statistics import median

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn.state import preserve_rng
from ganzoo_core.objectives.objective import Objective, Phase
from ganzoo_core.training.trainer import Alternating, Loader, PhasePlan

ITERATIONS = 6  # of each phase; the first ones pay for what is done once
SHARE = 0.9  # of the time; pictures, checkpoints and looks at the health have the rest


class Trial(Alternating):
    """Plays the first iterations of every phase."""

    whole: Sequence[PhasePlan] = ()  # as they would be played

    def plan(self, phases: Sequence[Phase]) -> list[PhasePlan]:
        self.whole = super().plan(phases)
        return [replace(planned, iterations=min(planned.iterations, ITERATIONS)) for planned in self.whole]


def images_in(minutes: float, objective: Objective, loader: Loader, trial: Trial) -> int:
    """Real images of a run that takes about `minutes`, its phases in proportion. Leaves the objective as it is.

    Errors: GanzooError where not even one batch could be drawn.
    """
    with preserve_rng():
        times = timed(copy.deepcopy(objective), loader, trial)
    needed = sum(planned.iterations * median(times[i]) for i, planned in enumerate(trial.whole) if i in times)
    total = sum(planned.iterations * planned.images for planned in trial.whole)
    [slowest] = trial.processes.all_reduce_max([round(1000 * needed)])
    images = int(total * minutes * 60_000 * SHARE / max(slowest, 1))
    if images < trial.whole[-1].images:
        raise GanzooError(f"--minutes {minutes:g}: is over before the first step", "Give more.")
    return images


def timed(objective: Objective, loader: Loader, trial: Trial) -> dict[int, list[float]]:
    """Seconds of each iteration but the first ones, by phase."""
    times: dict[int, list[float]] = {}
    last = time.perf_counter()
    for report in trial.run(objective, loader):
        for value in report.losses.values():
            float(value)  # waits for the device
        now = time.perf_counter()
        times.setdefault(report.position.phase, []).append(now - last)
        last = now
    return {phase: seconds[2:] or seconds for phase, seconds in times.items()}
