"""From a SOURCE to a model directory: an id, hf:owner/repo[@revision], or the path of a model or run directory."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from ganzoo_core.errors import GanzooError, escape
from ganzoo_core.hub import download
from ganzoo_core.registry import index
from ganzoo_core.registry.index import Index
from ganzoo_core.registry.plugins import path_of, registry, stdout_to_stderr
from ganzoo_core.weights import hashes
from ganzoo_core.weights.config import TRAINING
from ganzoo_core.weights.hashes import cache_hashes, snapshot


class Located(NamedTuple):
    """A model directory, and what its files must hash to besides what its config.json promises."""

    folder: Path
    pins: Mapping[str, str]


def locate(source: str) -> Located:
    """Where a SOURCE lies, fetched where it must be. A path wins over a plugin's answer, and that over an id.

    Errors: GanzooError for what is nowhere; ExternalError, IntegrityError from the Hub.
    """
    if "\0" in source or len(source) > 4096:
        raise GanzooError(f"source {escape(source, 60)!r}: neither an id nor a path")
    folder = of_path(source) or of_plugins(source) or of_hub(source) or of_id(source)
    return Located(folder, {**cache_hashes(folder), **registered(source)})


def of_path(source: str) -> Path | None:
    """A model directory, or that of a run."""
    path = Path(source)
    if source.startswith(download.PREFIX) or not os.path.isdir(source):  # which takes names of any length
        return None
    if (path / "config.json").exists():
        return path
    if (path / "model" / "config.json").exists():
        return path / "model"
    if (path / "run.json").exists():
        raise GanzooError(f"{escape(source)}: the run has no model yet", "Let it finish.")
    raise GanzooError(f"{escape(source)}: holds neither a model nor a run")


def of_plugins(source: str) -> Path | None:
    """What a plugin's ganzoo_resolve_weights says."""
    try:
        with stdout_to_stderr():
            found = registry().hooks.ganzoo_resolve_weights(source=source)
    except GanzooError:
        raise
    except Exception as fault:
        what = f"{escape(source)}: a plugin's ganzoo_resolve_weights: {type(fault).__name__}: {escape(fault)}"
        raise GanzooError(what, "`ganzoo plugins` shows who is there.") from None
    if found is not None and (not isinstance(found, Path) or not (found / "config.json").exists()):
        what = f"{escape(source)}: a plugin's ganzoo_resolve_weights: {escape(found)} is no model directory"
        raise GanzooError(what, "`ganzoo plugins` shows who is there.")
    return found


def with_discriminators(source: str, folder: Path) -> Path:
    """The same model directory with its discriminators and moments, fetched from the Hub where they were left there."""
    if source.startswith(download.PREFIX) and hashes.snapshot(folder / "config.json") is not None:
        repo = download.parse(source)._replace(revision=folder.name)
        return download.pull(repo, TRAINING)
    return folder


def of_hub(source: str) -> Path | None:
    """hf:owner/repo[@revision], for which no plugin has an answer of its own."""
    return download.pull(download.parse(source)) if source.startswith(download.PREFIX) else None


def of_id(source: str) -> Path:
    """The weights inside a plugin, or at the place on the Hub that registry.toml names."""
    row = index.load_index().weights.get(source)
    if row is not None and source not in registry().weights and row["where"].startswith(download.PREFIX):
        return download.pull(download.parse(row["where"]))
    if "/" in source or os.path.exists(source):
        there = download.meant(source) if not os.path.exists(source) else ""
        hint = f"A model on the Hub is called {there}." if there else ""
        raise GanzooError(f"{escape(source)}: no such model or run directory", hint)
    return path_of(source)


def registered(source: str) -> dict[str, str]:
    """The hashes that registry.toml has for the files of an id, unless its plugin is of another version here."""
    tables: Index = index.load_index()
    row = tables.weights.get(source)
    if row is None or source.startswith(download.PREFIX) or os.path.isdir(source):
        return {}
    plugin = index.installed().get(tables.families[row["family"]]["plugin"])
    if plugin is not None and not index.recorded(plugin):
        return {}
    return {name: file["sha256"] for name, file in row["files"].items()}


def pinned(source: str, folder: Path) -> str:
    """The source with the commit that it stands for, where it is one of the Hub's; else as it is."""
    if source.startswith(download.PREFIX) and snapshot(folder / "config.json") is not None:
        return str(download.parse(source)._replace(revision=folder.name))
    return source
