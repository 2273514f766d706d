"""Scores with their protocol: a model beside the data that it should resemble. Public: what a metric is given.

It imports models, data and the registry. `evaluate` measures a model, `remeasure` what was published of it; how
something is measured is said by the metrics of plugins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganzoo_core.lazy import lazy

if TYPE_CHECKING:
    from ganzoo_core.metrics.context import EvalConfig as EvalConfig
    from ganzoo_core.metrics.context import EvalContext as EvalContext
    from ganzoo_core.metrics.during import scorer as scorer
    from ganzoo_core.metrics.published import remeasure as remeasure
    from ganzoo_core.metrics.scores import Score as Score
    from ganzoo_core.metrics.scores import evaluate as evaluate
    from ganzoo_core.registry.plugins import registry as registry

_HOMES = {
    "EvalConfig": "ganzoo_core.metrics.context",
    "EvalContext": "ganzoo_core.metrics.context",
    "Score": "ganzoo_core.metrics.scores",
    "evaluate": "ganzoo_core.metrics.scores",
    "remeasure": "ganzoo_core.metrics.published",
    "registry": "ganzoo_core.registry.plugins",
    "scorer": "ganzoo_core.metrics.during",
}
__all__ = list(_HOMES)
__getattr__ = lazy(__name__, _HOMES)
