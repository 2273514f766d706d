"""What there is to look up: families and trained models, installed or not, in one list.

It reads the index. A plugin of a version that the index does not record is imported; its own word wins.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from ganzoo_core.errors import UnknownNameError
from ganzoo_core.plugin.infos import FamilyInfo, ModelInfo
from ganzoo_core.registry.index import installed, load_index, recorded


def families() -> dict[str, FamilyInfo]:
    """Every family that is installed or in the index; an installed plugin's own word wins."""
    weights: dict[str, list[str]] = {}
    for row in load_index().weights.values():
        weights.setdefault(row["family"], []).append(row["id"])
    rows = {
        name: info_of_row(row, tuple(weights.get(name, ())), row["plugin"] in installed())
        for name, row in load_index().families.items()
    }
    if unindexed():
        rows = {k: v for k, v in rows.items() if v.plugin not in unindexed()} | family_infos(unindexed())
    return dict(sorted(rows.items()))


def models() -> dict[str, ModelInfo]:
    """All trained weights, likewise."""
    tasks = {name: info.task for name, info in families().items()}
    plugins = {name: row["plugin"] for name, row in load_index().families.items()}
    rows = {
        name: model_of_row(row, tasks.get(row["family"], ""), plugins.get(row["family"]) in installed())
        for name, row in load_index().weights.items()
        if plugins.get(row["family"]) not in unindexed()
    }
    if unindexed():
        rows |= model_infos(unindexed())
    return dict(sorted(rows.items()))


def unindexed() -> frozenset[str]:
    """Installed plugins that the index does not know, or knows in another version."""
    return frozenset(name for name, plugin in installed().items() if not recorded(plugin))


def family_infos(plugins: frozenset[str]) -> dict[str, FamilyInfo]:
    """The families of some installed plugins as the index has them."""
    from ganzoo_core.registry.plugins import registry  # pays for pluggy and the plugins' modules only where it must

    zoo = registry()
    chosen = [loaded for loaded in zoo.loaded if loaded.plugin.name in plugins]
    return {
        family.name: FamilyInfo(
            family.name, family.summary, family.task, family.paper.title, family.paper.year, family.paper.arxiv,
            loaded.plugin.name, True, tuple(i for i in zoo.weights if i.partition(".")[0] == family.name),
        )
        for loaded in chosen
        for family in loaded.records["families"]
    }  # fmt: skip


def model_infos(plugins: frozenset[str]) -> dict[str, ModelInfo]:
    """Likewise their trained weights, from each one's own config.json."""
    from ganzoo_core.registry.plugins import registry
    from ganzoo_core.weights.config import model_info

    zoo = registry()
    tasks: Callable[[str], str] = lambda name: zoo.families[name].task if name in zoo.families else ""  # noqa: E731
    chosen = [w for loaded in zoo.loaded if loaded.plugin.name in plugins for w in loaded.records["weights"]]
    return {w.id: model_info(w.path, tasks(w.id.partition(".")[0])) for w in chosen}


def info_of_row(row: Mapping[str, Any], weights: tuple[str, ...], here: bool) -> FamilyInfo:
    facts = {key: row[key] for key in ("name", "summary", "task", "paper", "year", "arxiv", "plugin")}
    return FamilyInfo(**facts, installed=here, weights=weights)


def model_of_row(row: Mapping[str, Any], task: str, here: bool) -> ModelInfo:
    facts = {key: row[key] for key in ("id", "family", "dataset", "licence", "dataset_licence")}
    size = sum(file["bytes"] for file in row["files"].values())
    return ModelInfo(**facts, task=task, bytes=size, installed=here, metrics=tuple(row.get("metrics", ())))


def matching(name: str, patterns: tuple[str, ...]) -> bool:
    """Whether `name` matches any of the shell patterns, or there are none."""
    return not patterns or any(fnmatchcase(name, pattern) for pattern in patterns)


def having(info: NamedTuple, **facts: str) -> bool:
    """Whether a family or a model has these facts; an empty one admits everything."""
    return all(getattr(info, key) == value for key, value in facts.items() if value)


def model_info(name: str) -> ModelInfo:
    """The trained weights of an id."""
    known = models()
    if name not in known:
        raise UnknownNameError("model", name, known, "`ganzoo list` shows all.")
    return known[name]


def is_installed(family: str) -> bool:
    known = families().get(family)
    return known is not None and known.installed
