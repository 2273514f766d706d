"""What watches a run: its progress on the terminal, its log, its pictures over time. None of it changes the run."""

from __future__ import annotations

import json
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import torch

from ganzoo_core import pictures
from ganzoo_core.networks import evaluating, forked
from ganzoo_core.objective import Batch, Objective
from ganzoo_core.trainer import Report


@dataclass(frozen=True)
class Run:
    """What an observer may know of the run that it watches."""

    objective: Objective
    preview: Batch  # real examples, the same in every run of a seed
    folder: Path | None  # None: nothing is written
    name: str  # for people


class Watcher(ABC):
    """Sees every report; `close` is called once, however the run ends."""

    @abstractmethod
    def see(self, report: Report) -> None: ...

    def close(self) -> None:
        """The run is over."""
        return


def due(report: Report, times: int) -> bool:
    """Whether this report is one of about `times` that are spread evenly over the run, or its last."""
    after, before = report.position.images, report.position.images - report.drawn
    every = max(1, report.total // times)
    return before // every != after // every or after >= report.total


class JsonLog(Watcher):
    """log.jsonl: some 500 entries without times, so that a resumed run's log equals an unbroken one's."""

    def __init__(self, folder: Path) -> None:
        self.file: TextIO = open(folder / "log.jsonl", "a", encoding="utf-8")  # noqa: SIM115 (closed in close)

    def see(self, report: Report) -> None:
        if not due(report, 500):
            return
        losses = {name: float(f"{value:.6g}") for name, value in numbers(report).items()}
        place = {"images": report.position.images, "phase": report.phase, "iteration": report.iteration}
        print(json.dumps({**place, "losses": losses}), file=self.file, flush=True)

    def close(self) -> None:
        self.file.close()


class Grids(Watcher):
    """samples/<images>-<name>.png, some 20 over the run: what it makes of the same latents every time."""

    def __init__(self, run: Run, folder: Path) -> None:
        self.run, self.folder = run, folder / "samples"
        self.folder.mkdir(exist_ok=True)

    def see(self, report: Report) -> None:
        if not due(report, 20):
            return
        for name, images in preview(self.run).items():
            if pictures.is_picture(images):
                path = self.folder / f"{report.position.images:010d}-{name}.png"
                pictures.save(pictures.grid(images), path)


def preview(run: Run) -> dict[str, torch.Tensor]:
    """The objective's own samples, made without leaving a trace in it or in the random generators."""
    with evaluating(run.objective), forked(), torch.no_grad():
        torch.manual_seed(0)
        return run.objective.sample(run.preview)


class Lines(Watcher):
    """Progress as plain lines, at most one every few seconds."""

    def __init__(self, run: Run, seconds: float = 10.0) -> None:
        self.name, self.seconds = run.name, seconds
        self.start = self.last = time.monotonic()
        self.first: int | None = None

    def see(self, report: Report) -> None:
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


class Bar(Watcher):
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

    def see(self, report: Report) -> None:
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


def progress(run: Run) -> Watcher:
    """The watcher that suits stderr."""
    return Bar(run) if sys.stderr.isatty() else Lines(run)


def numbers(report: Report) -> Mapping[str, float]:
    """The losses as numbers, in one transfer from the device."""
    values: list[Any] = torch.stack([value.float() for value in report.losses.values()]).tolist()
    return dict(zip(report.losses, values, strict=True))
