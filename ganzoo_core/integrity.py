"""Is a model directory what it should be? Its files, read and hashed; no torch, no plugin."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ganzoo_core.configs import FILE, parse_config, parse_metrics, read_tensors
from ganzoo_core.errors import plain
from ganzoo_core.hub import FILES
from ganzoo_core.hubsearch import how_to_get, is_installed
from ganzoo_core.pins import read_pinned
from ganzoo_core.sources import Located


class Checked(NamedTuple):
    """A file that was read."""

    name: str
    bytes: int
    sha256: str
    pinned: str  # by what its hash is known: the register or the Hub, config.json, or nothing


def examine(located: Located) -> list[Checked]:
    """Every file of a model directory that is there. Errors: GanzooError for one that is damaged, IntegrityError."""
    folder, pins = located
    config = parse_config(folder / "config.json", read(folder, "config.json", pins))
    if (folder / "metrics.json").exists():
        parse_metrics(folder / "metrics.json", read(folder, "metrics.json", pins))
    read_tensors(folder, config, pins)
    return [checked(folder, name, pins) for name in FILES if (folder / name).exists()]


def read(folder: Path, name: str, pins: Mapping[str, str]) -> bytes:
    return read_pinned(folder / name, FILES[name], pins)


def checked(folder: Path, name: str, pins: Mapping[str, str]) -> Checked:
    data = read(folder, name, pins)
    by = "its own hash" if name in pins else "config.json" if name == FILE else ""
    return Checked(name, len(data), hashlib.sha256(data).hexdigest(), by)


def missing_plugin(config: Mapping[str, Any]) -> str:
    """What to install before a model can be loaded, or ""."""
    for part in ("objective", "networks"):
        family, plugin = config[part]["family"], plain(config[part]["plugin"], 80)
        if not is_installed(family):
            return f"needs the family {family} of {plugin}: {how_to_get(family, plugin)}"
    return ""
