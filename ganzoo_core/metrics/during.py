"""Scores of a run while it goes on: of each of its models by one metric, so that the best can be kept."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from ganzoo_core.metrics.context import EvalConfig
from ganzoo_core.metrics.scores import evaluate
from ganzoo_core.models.model import load
from ganzoo_core.registry.plugins import registry
from ganzoo_core.training.publishing import Grade


def scorer(
    metric: str, data: str, *, n: int = 2_000, device: str = "cpu", root: Path | None = None
) -> Callable[[Path], Grade]:
    """What scores a model directory by `metric` against `data`, with n samples: `gz.train(..., score=scorer(...))`.

    Errors: UnknownNameError for a metric that nobody has declared.
    """
    higher = registry().metrics[metric].higher
    return partial(scored, config=EvalConfig(data, (metric,), n, root=root), higher=higher, device=device)


def scored(model: Path, config: EvalConfig, higher: bool, device: str) -> Grade:
    """The first score that the metric yields."""
    found = evaluate(load(model, device=device), config)[0]
    return Grade(found.name, found.value, higher)
