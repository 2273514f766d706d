"""log.jsonl: the losses of a run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TextIO

from ganzoo_core.training.callbacks.base import Callback, logged, numbers
from ganzoo_core.training.trainer import Report


class LogCallback(Callback):
    """log.jsonl: some 500 entries without times, so that a resumed run's log equals an unbroken one's."""

    def __init__(self, folder: Path) -> None:
        self.file: TextIO = open(folder / "log.jsonl", "a", encoding="utf-8")  # noqa: SIM115 (closed in close)

    def on_report(self, report: Report) -> None:
        if not logged(report):
            return
        losses = {name: float(f"{value:.6g}") for name, value in numbers(report).items()}
        place = {"images": report.position.images, "phase": report.phase, "iteration": report.iteration}
        print(json.dumps({**place, "losses": losses}), file=self.file, flush=True)

    def close(self) -> None:
        self.file.close()
