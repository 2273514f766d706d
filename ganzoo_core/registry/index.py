"""What there is, without importing any of it: the index of registry.toml, and the plugins that are installed.

`list`, `info`, `--help` and completion read this. It imports no torch, no pluggy and no plugin: an installed plugin of
the version that the index records is described by its rows, and only one of another version is imported.

index.json holds the rows of registry.toml, which takes far longer to parse; `ganzoo registry build` writes both.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from ganzoo_core.errors import GanzooError, escape

GROUP = "ganzoo.plugins"
REGISTRY = Path(__file__).parents[1] / "registry.toml"
INDEX = Path(__file__).with_name("index.json")
MAX_REGISTER = 1 << 20
MAX_KEY = 500


class Installed(NamedTuple):
    """A plugin that is installed: an entry point of the group ganzoo.plugins."""

    name: str
    module: str
    dist: str
    version: str
    metadata: Path  # of its distribution


class Index(NamedTuple):
    """The rows of registry.toml by name."""

    plugins: Mapping[str, Mapping[str, Any]]
    families: Mapping[str, Mapping[str, Any]]
    weights: Mapping[str, Mapping[str, Any]]


@cache
def load_index() -> Index:
    """What the zoo's registry says, as shipped with the core. Errors: GanzooError for a damaged index."""
    try:
        tables = json.loads(INDEX.read_bytes())
        return Index(tables["plugins"], tables["families"], tables["weights"])
    except (OSError, ValueError, KeyError, TypeError) as fault:
        raise GanzooError(f"{INDEX.name}: {escape(fault)}", "Make it anew with `ganzoo registry build`.") from None


def parse(path: Path) -> Index:
    """A registry.toml. Errors: GanzooError for one that is no TOML, too large, or names something twice."""
    import tomllib

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
        raise GanzooError(f"{path.name}: {escape(fault)}", "Make it anew with `ganzoo registry build`.") from None
    return Index(*tables)


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
    row = load_index().plugins.get(plugin.name)
    return row is not None and (row["dist"], row["version"]) == (plugin.dist, plugin.version)


def install_hint(family: str) -> str:
    """How to get a family that the register knows and this machine does not; "" for any other."""
    row = load_index().families.get(family)
    if row is None or row["plugin"] in installed():
        return ""
    return f"It is in the zoo: ganzoo install {row['plugin']}"


def how_to_get(family: str, plugin: str) -> str:
    """The line that installs a family's plugin. One that the zoo does not know is a stranger's code: that is said."""
    row = load_index().families.get(family)
    if row is not None:
        return f"ganzoo install {row['plugin']}"
    return f"ganzoo install --yes {plugin} (not of the zoo: a stranger's code)" if plugin else ""
