"""What a plugin may contribute. Each hook is optional; each returns an iterable of frozen records.

A plugin's module imports neither torch, numpy nor torchvision: its records name code by lazy references.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pluggy

from ganzoo_core.plugin.records import (
    BatchKey,
    CallbackEntry,
    Command,
    DatasetEntry,
    Family,
    KindEntry,
    Layout,
    Metric,
    Task,
    View,
    Weights,
)

hookspec = pluggy.HookspecMarker("ganzoo")
hookimpl = pluggy.HookimplMarker("ganzoo")


@hookspec
def ganzoo_families() -> Iterable[Family]:  # type: ignore[empty-body]
    """GAN families: networks, an objective and presets under one name."""


@hookspec
def ganzoo_weights() -> Iterable[Weights]:  # type: ignore[empty-body]
    """Trained models that lie elsewhere than in weights/ID beside the plugin's module, where they are found anyway."""


@hookspec
def ganzoo_datasets() -> Iterable[DatasetEntry]:  # type: ignore[empty-body]
    """Data sets by name, for --data."""


@hookspec
def ganzoo_metrics() -> Iterable[Metric]:  # type: ignore[empty-body]
    """Metrics by name, for ganzoo eval."""


@hookspec
def ganzoo_callbacks() -> Iterable[CallbackEntry]:  # type: ignore[empty-body]
    """Callbacks that watch every run: loggers, trackers, live views."""


@hookspec
def ganzoo_commands() -> Iterable[Command]:  # type: ignore[empty-body]
    """Verbs of the command line."""


@hookspec
def ganzoo_kinds() -> Iterable[KindEntry]:  # type: ignore[empty-body]
    """Kinds of what generators take and make: waveforms, token sequences, tables ..."""


@hookspec
def ganzoo_batch_keys() -> Iterable[BatchKey]:  # type: ignore[empty-body]
    """Keys of batches, each with a maker of synthetic ones for the conformance suite."""


@hookspec
def ganzoo_views() -> Iterable[View]:  # type: ignore[empty-body]
    """Views of data: NAME:DATA."""


@hookspec
def ganzoo_tasks() -> Iterable[Task]:  # type: ignore[empty-body]
    """Tasks beyond the core's."""


@hookspec
def ganzoo_layouts() -> Iterable[Layout]:  # type: ignore[empty-body]
    """How others call the tensors of a family's networks, for ganzoo import."""


@hookspec(firstresult=True)
def ganzoo_resolve_weights(source: str) -> Path | None:
    """Where a SOURCE's model directory lies, for mirrors and air-gapped stores; None leaves it to the next."""
