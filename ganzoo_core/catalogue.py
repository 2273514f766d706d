"""What there is, without importing any of it: registry.toml and the plugins that are installed.

`list`, `info`, `--help` and completion read this. It imports no torch, no pluggy and no plugin: an installed plugin of
the version that registry.toml records is described by its rows, and only one of another version is imported.
"""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from ganzoo_core.errors import GanzooError, UnknownName, plain

GROUP = "ganzoo.plugins"
REGISTRY = Path(__file__).with_name("registry.toml")
MAX_REGISTER = 1 << 20
MAX_KEY = 500


class Installed(NamedTuple):
    """A plugin that is installed: an entry point of the group ganzoo.plugins."""

    name: str
    module: str
    dist: str
    version: str
    metadata: Path  # of its distribution


class FamilyInfo(NamedTuple):
    """A GAN family of the zoo, whether installed or not."""

    name: str
    summary: str
    task: str
    paper: str
    year: int
    arxiv: str
    plugin: str
    installed: bool
    weights: tuple[str, ...]


class ModelInfo(NamedTuple):
    """Trained weights."""

    id: str
    family: str
    task: str
    dataset: str
    licence: str
    dataset_licence: str
    bytes: int
    installed: bool
    metrics: tuple[Mapping[str, Any], ...]


class Register(NamedTuple):
    """registry.toml by name."""

    plugins: Mapping[str, Mapping[str, Any]]
    families: Mapping[str, Mapping[str, Any]]
    weights: Mapping[str, Mapping[str, Any]]


@cache
def register() -> Register:
    """The zoo's register, as shipped with the core."""
    return parse(REGISTRY)


def parse(path: Path) -> Register:
    """A register from its file. Errors: GanzooError for one that is no TOML, too large, or names something twice."""
    try:
        if not path.is_file() or path.stat().st_size > MAX_REGISTER:
            raise ValueError(f"is no file of at most {MAX_REGISTER:,} bytes")
        text = path.read_text("utf-8")
        # tomllib takes seconds over a key of thousands of dots, and recurses into brackets without end.
        if any(len(line.split("=", 1)[0]) > MAX_KEY for line in text.splitlines()) or "[" * MAX_KEY in text:
            raise ValueError("holds a key or a nesting that no register has")
        document = tomllib.loads(text)
        tables = [
            by_name(document, table, key) for table, key in (("plugin", "name"), ("family", "name"), ("weights", "id"))
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as fault:
        raise GanzooError(f"{path.name}: {plain(fault)}", "Make it anew with `ganzoo registry build`.") from None
    return Register(*tables)


def by_name(document: Mapping[str, Any], table: str, key: str) -> Mapping[str, Mapping[str, Any]]:
    rows: dict[str, Mapping[str, Any]] = {}
    for row in document.get(table, []):
        if row[key] in rows:
            raise ValueError(f"[[{table}]] {row[key]!r} stands there twice")
        rows[row[key]] = row
    return rows


@cache
def installed() -> Mapping[str, Installed]:
    """Installed plugins by entry-point name, a second of the same name as name@dist.

    $GANZOO_PLUGINS, a comma-separated list, admits only those it names.

    Reads the distributions' files directly: importlib.metadata alone would cost half of what `list` may.
    """
    allowed = os.environ.get("GANZOO_PLUGINS")
    found: dict[str, Installed] = {}
    for plugin in entry_points():
        if allowed is None or plugin.name in allowed.split(","):
            found[f"{plugin.name}@{plugin.dist}" if plugin.name in found else plugin.name] = plugin
    return dict(sorted(found.items()))


def entry_points() -> Iterator[Installed]:
    """Every entry point of the group on sys.path, in its order."""
    seen: set[str] = set()
    for folder in dict.fromkeys(sys.path):
        try:
            entries = [e.path for e in os.scandir(folder or ".") if e.name.endswith((".dist-info", ".egg-info"))]
        except OSError:
            continue
        for path in sorted(entries):
            dist, version = os.path.basename(path).rsplit(".", 1)[0].partition("-")[::2]
            if dist not in seen:  # an earlier folder hides the same distribution in a later one
                plugins = group_of(Path(path))
                seen |= {dist} if plugins else set()
                yield from (Installed(n, m, dist.replace("_", "-"), version, Path(path)) for n, m in plugins.items())


def group_of(metadata: Path) -> dict[str, str]:
    """Our group in one distribution's entry_points.txt: name -> module."""
    try:
        text = (metadata / "entry_points.txt").read_text("utf-8")
    except (OSError, ValueError):
        return {}
    if f"[{GROUP}]" not in text:
        return {}
    section = text.split(f"[{GROUP}]", 1)[1].split("\n[", 1)[0]
    pairs = [line.split("=", 1) for line in section.splitlines() if "=" in line]
    return {name.strip(): module.strip() for name, module in pairs}


def recorded(plugin: Installed) -> bool:
    """Whether registry.toml describes exactly this installed plugin."""
    row = register().plugins.get(plugin.name)
    return row is not None and (row["dist"], row["version"]) == (plugin.dist, plugin.version)


def families() -> dict[str, FamilyInfo]:
    """Every family that is installed or in the register; an installed plugin's own word wins."""
    rows = {name: info_of_row(row, row["plugin"] in installed()) for name, row in register().families.items()}
    if strangers():
        from ganzoo_core import registry  # pays for pluggy and the plugins' modules only where there are strangers

        rows = {k: v for k, v in rows.items() if v.plugin not in strangers()} | registry.family_infos(strangers())
    return dict(sorted(rows.items()))


def models() -> dict[str, ModelInfo]:
    """All trained weights, likewise."""
    tasks = {name: info.task for name, info in families().items()}
    plugins = {name: row["plugin"] for name, row in register().families.items()}
    rows = {
        name: model_of_row(row, tasks.get(row["family"], ""), plugins.get(row["family"]) in installed())
        for name, row in register().weights.items()
        if plugins.get(row["family"]) not in strangers()
    }
    if strangers():
        from ganzoo_core import registry

        rows |= registry.model_infos(strangers())
    return dict(sorted(rows.items()))


def strangers() -> frozenset[str]:
    """Installed plugins that the register does not know, or knows in another version."""
    return frozenset(name for name, plugin in installed().items() if not recorded(plugin))


def info_of_row(row: Mapping[str, Any], here: bool) -> FamilyInfo:
    weights = tuple(w["id"] for w in register().weights.values() if w["family"] == row["name"])
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


def install_hint(family: str) -> str:
    """How to get a family that the register knows and this machine does not; "" for any other."""
    row = register().families.get(family)
    if row is None or row["plugin"] in installed():
        return ""
    return f"It is in the zoo: ganzoo install {row['plugin']}"


def model_info(name: str) -> ModelInfo:
    """The trained weights of an id."""
    known = models()
    if name not in known:
        raise UnknownName("model", name, known, "`ganzoo list` shows all.")
    return known[name]
