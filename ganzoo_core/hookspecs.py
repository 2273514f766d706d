"""What a plugin may contribute. Each hook is optional; each returns an iterable of frozen records (ganzoo_core.specs).

A plugin's module imports neither torch, numpy nor torchvision: its records name code by lazy references.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pluggy

from ganzoo_core.specs import Command, Dataset, Family, Metric, Observer, Weights

hookspec = pluggy.HookspecMarker("ganzoo")
hookimpl = pluggy.HookimplMarker("ganzoo")


@hookspec
def ganzoo_families() -> Iterable[Family]:  # type: ignore[empty-body]
    """GAN families: networks, an objective and presets under one name."""


@hookspec
def ganzoo_weights() -> Iterable[Weights]:  # type: ignore[empty-body]
    """Trained models: ids and the model directories that hold them."""


@hookspec
def ganzoo_datasets() -> Iterable[Dataset]:  # type: ignore[empty-body]
    """Data sets by name, for --data."""


@hookspec
def ganzoo_metrics() -> Iterable[Metric]:  # type: ignore[empty-body]
    """Metrics by name, for ganzoo eval."""


@hookspec
def ganzoo_observers() -> Iterable[Observer]:  # type: ignore[empty-body]
    """Observers that watch every run: loggers, trackers, live views."""


@hookspec
def ganzoo_commands() -> Iterable[Command]:  # type: ignore[empty-body]
    """Verbs of the command line."""


@hookspec(firstresult=True)
def ganzoo_resolve_weights(source: str) -> Path | None:
    """Where a SOURCE's model directory lies, for mirrors and air-gapped stores; None leaves it to the next."""
