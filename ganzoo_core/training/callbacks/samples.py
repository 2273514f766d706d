"""samples/: pictures over time."""

from __future__ import annotations

from pathlib import Path

from ganzoo_core.files import write_aside
from ganzoo_core.training.callbacks.base import Callback, Run, due, posters, recordings
from ganzoo_core.training.trainer import Report


class SamplesCallback(Callback):
    """samples/<images>-<name>.png, some 20 over the run: what it makes of the same latents every time; and .wav of what
    can be heard.
    """

    def __init__(self, run: Run, folder: Path) -> None:
        self.run, self.folder = run, folder / "samples"
        self.folder.mkdir(exist_ok=True)

    def on_report(self, report: Report) -> None:
        if not due(report, 20):
            return
        for suffix, files in ((".png", posters(self.run)), (".wav", recordings(self.run))):
            for name, data in files.items():
                write_aside(self.folder / f"{report.position.images:010d}-{name}{suffix}", data)
