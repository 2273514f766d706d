"""Progress on the terminal."""

from __future__ import annotations

import sys
import time
from abc import abstractmethod
from collections import deque
from dataclasses import replace

from torch import Tensor

from ganzoo_core.training.callbacks.base import Callback, Run, numbers
from ganzoo_core.training.trainer import Report

SPAN = 60.0  # seconds over which the speed is measured


class Speed:
    """Images per second of late: what a run takes to start says nothing of how it goes on."""

    def __init__(self) -> None:
        self.seen: deque[tuple[float, int]] = deque()  # when, how many images

    def at(self, now: float, images: int) -> float:
        """Over the last SPAN seconds; 0 where nothing is known yet."""
        self.seen.append((now, images))
        while len(self.seen) > 2 and now - self.seen[1][0] >= SPAN:
            self.seen.popleft()
        (start, first), (end, last) = self.seen[0], self.seen[-1]
        return (last - first) / (end - start) if end > start else 0.0


class Progress(Callback):
    """What both kinds of progress know: the speed, what is left, and the last known value of every term."""

    def __init__(self, run: Run, seconds: float) -> None:
        self.name, self.seconds = run.name, seconds
        self.last = time.monotonic()
        self.speed, self.known, self.phase = Speed(), dict[str, Tensor](), ""

    def on_report(self, report: Report) -> None:
        if report.phase != self.phase:
            self.phase, self.known = report.phase, {}
        self.known |= report.losses
        now, images = time.monotonic(), report.position.images
        speed = self.speed.at(now, images)
        if now - self.last < self.seconds and images < report.total:
            return
        self.last = now
        self.show(report, speed, duration((report.total - images) / speed) if speed else "?")

    @abstractmethod
    def show(self, report: Report, speed: float, left: str) -> None: ...

    def losses(self, report: Report, digits: int) -> str:
        values = numbers(replace(report, losses=self.known))
        return "  ".join(f"{k} {v:.{digits}f}" for k, v in values.items())


def duration(seconds: float) -> str:
    """In the two largest units that say something."""
    whole = round(seconds)
    for unit, size, small, below in (("d", 86_400, "h", 3_600), ("h", 3_600, "min", 60), ("min", 60, "s", 1)):
        if whole >= size:
            return f"{whole // size} {unit} {whole % size // below} {small}"
    return f"{whole} s"


class ProgressLines(Progress):
    """Progress as plain lines, at most one every few seconds."""

    def __init__(self, run: Run, seconds: float = 10.0) -> None:
        super().__init__(run, seconds)

    def show(self, report: Report, speed: float, left: str) -> None:
        images = report.position.images
        share = f"{images:,}/{report.total:,} images ({100 * images / report.total:.0f} %)"
        line = f"{self.name} [{report.phase}] {share}  {speed:.0f} img/s  {left} left  {self.losses(report, 3)}"
        print(line, file=sys.stderr)


class ProgressBar(Progress):
    """Progress as a bar, on a terminal."""

    def __init__(self, run: Run) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as Bar

        super().__init__(run, 0.25)
        columns = (
            TextColumn("{task.description}", markup=False), BarColumn(None), TextColumn("{task.percentage:>3.0f} %"),
            TextColumn("{task.fields[left]}"), TextColumn("{task.fields[speed]}"), TextColumn("{task.fields[losses]}"),
        )  # fmt: skip
        self.bar = Bar(*columns, console=Console(stderr=True), refresh_per_second=4)
        self.task = self.bar.add_task(run.name, total=None, speed="", losses="", left="")
        self.bar.start()

    def show(self, report: Report, speed: float, left: str) -> None:
        self.bar.update(
            self.task, total=report.total, completed=report.position.images,
            description=f"{self.name} [{report.phase}]", speed=f"{speed:.0f} img/s", left=left,
            losses=self.losses(report, 2),
        )  # fmt: skip

    def close(self) -> None:
        self.bar.stop()


def progress(run: Run) -> Callback:
    """The watcher that suits stderr."""
    return ProgressBar(run) if sys.stderr.isatty() else ProgressLines(run)
