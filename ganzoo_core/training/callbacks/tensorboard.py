"""A callback that writes for TensorBoard: `ganzoo train ... --tensorboard`, then `tensorboard --logdir RUN`."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np

from ganzoo_core.errors import GanzooError
from ganzoo_core.training.callbacks.base import Callback, Run, due, logged, numbers, pictures
from ganzoo_core.training.trainer import Report

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


def require() -> None:
    """Errors: GanzooError where TensorBoard is not installed."""
    if find_spec("tensorboard") is None:
        raise GanzooError("--tensorboard: TensorBoard is not installed", "pip install 'ganzoo-core[tensorboard]'")


class TensorBoardCallback(Callback):
    """RUN/tensorboard: losses and grids over real images, as often as log.jsonl and samples/ have them."""

    def __init__(self, run: Run) -> None:
        require()
        if run.folder is None:
            raise GanzooError("TensorBoard: the run has no directory to write into", "Give one: out=...")
        self.run, self.folder = run, run.folder / "tensorboard"
        self.writer: SummaryWriter | None = None

    def on_report(self, report: Report) -> None:
        if self.writer is None:
            self.writer = self.open(report.position.images - report.drawn)
        images = report.position.images
        if logged(report):
            for name, value in numbers(report).items():
                self.writer.add_scalar(name, value, images)
        if due(report, 20):
            for name, picture in pictures(self.run).items():
                sheet = np.asarray(picture.convert("RGB"))
                self.writer.add_image(f"samples/{name}", sheet, images, dataformats="HWC")

    def open(self, start: int) -> SummaryWriter:
        """A writer of what comes after `start` images; events that a resumed run writes again are hidden."""
        from torch.utils.tensorboard import SummaryWriter

        return SummaryWriter(str(self.folder), purge_step=start + 1 if start else None)

    def close(self) -> None:
        if self.writer is not None:
            self.writer.close()
