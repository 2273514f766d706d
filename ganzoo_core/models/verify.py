"""Is a model directory what it should be? Its files, read and hashed; no torch, no plugin."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ganzoo_core.errors import escape
from ganzoo_core.models.resolve import Located
from ganzoo_core.registry.index import how_to_get
from ganzoo_core.registry.listing import is_installed
from ganzoo_core.weights.config import FILE, FILES, parse_config, parse_metrics, read_tensors
from ganzoo_core.weights.hashes import read_pinned


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
    for name in config["files"]:
        if name == FILE or (folder / name).exists():
            read_tensors(folder, config, pins, name)
    return [checked(folder, name, pins, config) for name in FILES if (folder / name).exists()]


def read(folder: Path, name: str, pins: Mapping[str, str]) -> bytes:
    return read_pinned(folder / name, FILES[name], pins)


def checked(folder: Path, name: str, pins: Mapping[str, str], config: Mapping[str, Any]) -> Checked:
    data = read(folder, name, pins)
    by = "its own hash" if name in pins else "config.json" if name in config["files"] else ""
    return Checked(name, len(data), hashlib.sha256(data).hexdigest(), by)


def missing_plugin(config: Mapping[str, Any]) -> str:
    """What to install before a model can be loaded, or ""."""
    for part in ("objective", "networks"):
        family, plugin = config[part]["family"], escape(config[part]["plugin"], 80)
        if not is_installed(family):
            return f"needs the family {family} of {plugin}: {how_to_get(family, plugin)}"
    return ""
