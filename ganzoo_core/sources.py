"""From a SOURCE to a model directory: an id, hf:owner/repo[@revision], or the path of a model or run directory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from ganzoo_core import catalogue, hub
from ganzoo_core.catalogue import Register
from ganzoo_core.errors import GanzooError, plain
from ganzoo_core.pins import snapshot, witnesses
from ganzoo_core.registry import path_of, registry, stdout_to_stderr


class Located(NamedTuple):
    """A model directory, and what its files must hash to besides what its config.json promises."""

    folder: Path
    pins: Mapping[str, str]


def locate(source: str) -> Located:
    """Where a SOURCE lies, fetched where it must be. A path wins over a plugin's answer, and that over an id.

    Errors: GanzooError for what is nowhere; OutsideFault, IntegrityError from the Hub.
    """
    if "\0" in source or len(source) > 4096:
        raise GanzooError(f"source {plain(source, 60)!r}: neither an id nor a path")
    folder = of_path(source) or of_plugins(source) or of_id(source)
    return Located(folder, {**witnesses(folder), **registered(source)})


def of_path(source: str) -> Path | None:
    """A model directory, or that of a run."""
    path = Path(source)
    if source.startswith(hub.PREFIX) or not path.is_dir():
        return None
    if (path / "config.json").exists():
        return path
    if (path / "model" / "config.json").exists():
        return path / "model"
    if (path / "run.json").exists():
        raise GanzooError(f"{plain(source)}: the run has no model yet", "Let it finish.")
    raise GanzooError(f"{plain(source)}: holds neither a model nor a run")


def of_plugins(source: str) -> Path | None:
    """What a plugin's ganzoo_resolve_weights says, or else the Hub's own."""
    try:
        with stdout_to_stderr():
            found = registry().hooks.ganzoo_resolve_weights(source=source)
    except GanzooError:
        raise
    except Exception as fault:
        what = f"{plain(source)}: a plugin's ganzoo_resolve_weights: {type(fault).__name__}: {plain(fault)}"
        raise GanzooError(what, "`ganzoo plugins` shows who is there.") from None
    if found is not None and (not isinstance(found, Path) or not (found / "config.json").exists()):
        what = f"{plain(source)}: a plugin's ganzoo_resolve_weights: {plain(found)} is no model directory"
        raise GanzooError(what, "`ganzoo plugins` shows who is there.")
    return found


def of_id(source: str) -> Path:
    """The weights inside a plugin, or at the place on the Hub that registry.toml names."""
    row = catalogue.register().weights.get(source)
    if row is not None and source not in registry().weights and row["where"].startswith(hub.PREFIX):
        return hub.pull(hub.parse(row["where"]))
    if "/" in source or Path(source).exists():
        raise GanzooError(f"{plain(source)}: no such model or run directory")
    return path_of(source)


def registered(source: str) -> dict[str, str]:
    """The hashes that registry.toml has for the files of an id, unless its plugin is of another version here."""
    tables: Register = catalogue.register()
    row = tables.weights.get(source)
    if row is None or source.startswith(hub.PREFIX) or Path(source).is_dir():
        return {}
    plugin = catalogue.installed().get(tables.families[row["family"]]["plugin"])
    if plugin is not None and not catalogue.recorded(plugin):
        return {}
    return {name: file["sha256"] for name, file in row["files"].items()}


def pinned(source: str, folder: Path) -> str:
    """The source with the commit that it stands for, where it is one of the Hub's; else as it is."""
    if source.startswith(hub.PREFIX) and snapshot(folder / "config.json") is not None:
        return str(hub.parse(source)._replace(revision=folder.name))
    return source
