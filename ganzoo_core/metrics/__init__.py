"""Scores with their protocol: a model beside the data that it should resemble. Public: what a metric is given.

It imports models, data and the registry. How something is measured is said by the metrics of plugins.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ganzoo_core.metrics.evaluate import EvalConfig as EvalConfig
    from ganzoo_core.metrics.evaluate import EvalContext as EvalContext
    from ganzoo_core.registry.plugins import registry as registry

_HOMES = {
    "EvalConfig": "ganzoo_core.metrics.evaluate",
    "EvalContext": "ganzoo_core.metrics.evaluate",
    "registry": "ganzoo_core.registry.plugins",
}
__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
