"""Progress on the terminal."""

from __future__ import annotations

import sys
import time

from ganzoo_core.training.callbacks.base import Callback, Run, numbers
from ganzoo_core.training.trainer import Report


class ProgressLines(Callback):
    """Progress as plain lines, at most one every few seconds."""

    def __init__(self, run: Run, seconds: float = 10.0) -> None:
        self.name, self.seconds = run.name, seconds
        self.start = self.last = time.monotonic()
        self.first: int | None = None

    def on_report(self, report: Report) -> None:
        now, images = time.monotonic(), report.position.images
        self.first = images if self.first is None else self.first
        if now - self.last < self.seconds and images < report.total:
            return
        self.last = now
        speed = (images - self.first) / max(now - self.start, 1e-9)
        left = (report.total - images) / speed if speed else 0.0
        terms = "  ".join(f"{k} {v:.3f}" for k, v in numbers(report).items())
        share = f"{images:,}/{report.total:,} images ({100 * images / report.total:.0f} %)"
        print(f"{self.name} [{report.phase}] {share}  {speed:.0f} img/s  {left:.0f} s left  {terms}", file=sys.stderr)


class ProgressBar(Callback):
    """Progress as a bar, on a terminal."""

    def __init__(self, run: Run) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            TextColumn("{task.description}", markup=False), BarColumn(None), TextColumn("{task.percentage:>3.0f} %"),
            TimeRemainingColumn(compact=True), TextColumn("{task.fields[speed]}"), TextColumn("{task.fields[losses]}"),
        )  # fmt: skip
        self.name = run.name
        self.bar = Progress(*columns, console=Console(stderr=True), refresh_per_second=4)
        self.task = self.bar.add_task(run.name, total=None, speed="", losses="")
        self.bar.start()
        self.start, self.last, self.first = time.monotonic(), 0.0, -1

    def on_report(self, report: Report) -> None:
        now, images = time.monotonic(), report.position.images
        self.first = images if self.first < 0 else self.first
        if now - self.last < 0.25 and images < report.total:
            return
        self.last = now
        losses = " ".join(f"{k} {v:.2f}" for k, v in numbers(report).items())
        speed = f"{(images - self.first) / max(now - self.start, 1e-9):.0f} img/s"
        self.bar.update(
            self.task, total=report.total, completed=images, description=f"{self.name} [{report.phase}]",
            speed=speed, losses=losses,
        )  # fmt: skip

    def close(self) -> None:
        self.bar.stop()


def progress(run: Run) -> Callback:
    """The watcher that suits stderr."""
    return ProgressBar(run) if sys.stderr.isatty() else ProgressLines(run)
