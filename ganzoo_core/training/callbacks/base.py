"""What every callback is: it sees every report of a run, and changes nothing."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from PIL.Image import Image

from ganzoo_core.nn.generator import Generator
from ganzoo_core.nn.inputs import Pictures
from ganzoo_core.nn.outputs import OUTPUTS, Output
from ganzoo_core.nn.state import evaluation_mode, preserve_rng, reseed
from ganzoo_core.objectives.objective import Batch, Objective
from ganzoo_core.training.trainer import Report

LOGGED = 500  # losses in a run, as log.jsonl has them


@dataclass(frozen=True)
class Run:
    """What a callback may know of the run that it watches."""

    objective: Objective
    preview: Batch  # real examples, the same in every run of a seed
    folder: Path | None  # None: nothing is written
    name: str  # of the family, for messages
    about_data: tuple[str, ...] = ()  # lines on what is trained on, for people


class Callback(ABC):
    """Sees every report of a run; `close` is called once, however the run ends."""

    @abstractmethod
    def on_report(self, report: Report) -> None: ...

    def close(self) -> None:
        """The run is over."""
        return


FIRST = 64  # images after which a run is looked at for the first time
EARLY = 8  # log entries, from then on, in which the images double, until the even pace is slower


def due(report: Report, times: int, early: int = 1) -> bool:
    """Whether this report is one of about `times` that are spread evenly over the run, or its last.

    Before the first of these it is one of `early` in which the images double: the first minute says something, too.
    """
    after, before = report.position.images, report.position.images - report.drawn
    return crossed(before, after, max(1, report.total // times), early) or after >= report.total


def crossed(before: int, after: int, every: int, early: int) -> bool:
    """Whether a look lies in (before, after]: on the way to `every` images doublings of FIRST, then each `every`."""
    return before // every != after // every or (
        FIRST <= after < every and octave(before, early) != octave(after, early)
    )


def octave(images: int, parts: int) -> int:
    """In which part of which doubling of FIRST; -1 before it."""
    return math.floor(parts * math.log2(images / FIRST)) if images >= FIRST else -1


def logged(report: Report) -> bool:
    """Whether the losses are written down: some LOGGED times in a run, and likewise when every step has been taken."""
    if due(report, LOGGED, EARLY):
        return True
    after, before = report.position.images, report.position.images - report.drawn * report.cycle
    whole = report.iteration % report.cycle == 0
    return whole and crossed(max(before, 0), after, max(1, report.total // LOGGED), EARLY)


def preview(run: Run) -> dict[str, torch.Tensor]:
    """The objective's own samples, made without leaving a trace in it or in the random generators."""
    with evaluation_mode(run.objective), preserve_rng(), torch.no_grad():
        reseed(0)
        return run.objective.sample(run.preview)


def shown(run: Run) -> Iterator[tuple[str, Output, torch.Tensor]]:
    """The same samples by name, each with the kind that shows it."""
    nets = {k: net for k, net in run.objective.exported_networks().items() if isinstance(net, Generator)}
    for name, samples in preview(run).items():
        given = next((net.inputs[name] for net in nets.values() if name in net.inputs), None)
        maker = nets.get(name, next(iter(nets.values()), None))
        if isinstance(given, Pictures) and given.flag == "--input":
            yield name, OUTPUTS[given.shown_as](given.shape), samples  # type: ignore[call-arg]
        elif maker is not None and samples.ndim == len(maker.output.shape) + 1:
            yield name, maker.output, samples


def pictures(run: Run) -> dict[str, Image]:
    """The same samples as pictures by name, each as its kind is shown."""
    return {name: output.picture(samples) for name, output, samples in shown(run)}


def posters(run: Run) -> dict[str, bytes]:
    """Likewise as the bytes of PNG files, in which clips move."""
    return {name: output.poster(samples) for name, output, samples in shown(run)}


def recordings(run: Run) -> dict[str, bytes]:
    """Likewise as the bytes of WAV files, of what can be heard."""
    heard = {name: output.recording(samples) for name, output, samples in shown(run)}
    return {name: data for name, data in heard.items() if data}


def numbers(report: Report) -> Mapping[str, float]:
    """The losses as numbers, in one transfer from the device."""
    if not report.losses:  # no step was due
        return {}
    values: list[Any] = torch.stack([value.float() for value in report.losses.values()]).tolist()
    return dict(zip(report.losses, values, strict=True))
