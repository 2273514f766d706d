"""What a plugin declares: frozen records, and the hooks through which it contributes them. Public.

It imports errors only: a plugin's module is read without torch, and names its code by references that are resolved when
it is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ganzoo_core.lazy import lazy

if TYPE_CHECKING:
    from ganzoo_core.plugin.hooks import hookimpl as hookimpl
    from ganzoo_core.plugin.infos import FamilyInfo as FamilyInfo
    from ganzoo_core.plugin.infos import ModelInfo as ModelInfo
    from ganzoo_core.plugin.records import BatchKey as BatchKey
    from ganzoo_core.plugin.records import CallbackEntry as CallbackEntry
    from ganzoo_core.plugin.records import Command as Command
    from ganzoo_core.plugin.records import DatasetEntry as DatasetEntry
    from ganzoo_core.plugin.records import Family as Family
    from ganzoo_core.plugin.records import JoinedLayout as JoinedLayout
    from ganzoo_core.plugin.records import KindEntry as KindEntry
    from ganzoo_core.plugin.records import Layout as Layout
    from ganzoo_core.plugin.records import Metric as Metric
    from ganzoo_core.plugin.records import Paper as Paper
    from ganzoo_core.plugin.records import Preset as Preset
    from ganzoo_core.plugin.records import Task as Task
    from ganzoo_core.plugin.records import View as View
    from ganzoo_core.plugin.records import Weights as Weights
    from ganzoo_core.plugin.records import resolve as resolve

_HOMES = {
    "BatchKey": "ganzoo_core.plugin.records",
    "CallbackEntry": "ganzoo_core.plugin.records",
    "Command": "ganzoo_core.plugin.records",
    "DatasetEntry": "ganzoo_core.plugin.records",
    "Family": "ganzoo_core.plugin.records",
    "FamilyInfo": "ganzoo_core.plugin.infos",
    "JoinedLayout": "ganzoo_core.plugin.records",
    "KindEntry": "ganzoo_core.plugin.records",
    "Layout": "ganzoo_core.plugin.records",
    "Metric": "ganzoo_core.plugin.records",
    "ModelInfo": "ganzoo_core.plugin.infos",
    "Paper": "ganzoo_core.plugin.records",
    "Preset": "ganzoo_core.plugin.records",
    "Task": "ganzoo_core.plugin.records",
    "View": "ganzoo_core.plugin.records",
    "Weights": "ganzoo_core.plugin.records",
    "hookimpl": "ganzoo_core.plugin.hooks",
    "resolve": "ganzoo_core.plugin.records",
}
__all__ = list(_HOMES)
__getattr__ = lazy(__name__, _HOMES)
