"""Where data sets' files are looked for, and what is said when they are not there."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from ganzoo_core.errors import GanzooError, escape

NAMED = 4  # files that are missing


def search_roots(root: Path | None) -> tuple[Path, ...]:
    """`root`, $GANZOO_DATA, ~/.cache/ganzoo/data: those that are given, in this order, whether they exist or not."""
    given = [root, _from_environment(), cache_root()]
    return tuple(dict.fromkeys(path for path in given if path is not None))


def cache_root() -> Path | None:
    try:
        return Path.home() / ".cache" / "ganzoo" / "data"
    except RuntimeError:  # nobody's home
        return None


def _from_environment() -> Path | None:
    text = os.environ.get("GANZOO_DATA", "")
    return Path(os.path.expanduser(text)) if text.strip() else None


def find(root: Path | None, candidates: Sequence[str]) -> Path | None:
    """The first regular file among `candidates` (relative paths), root by root."""
    for place in search_roots(root):
        for candidate in candidates:
            if is_file(place / candidate):
                return place / candidate
    return None


def is_file(path: Path) -> bool:
    """Whether there is a file, as far as anyone can tell."""
    try:
        return path.is_file()
    except (OSError, ValueError):  # a name too long, a folder that may not be entered
        return False


def missing(name: str, root: Path | None, files: Sequence[str]) -> GanzooError:
    """An error (2) that says which files to put where."""
    return GanzooError(f"data set {name}: its files were not found", where_to_put(root, files))


def where_to_put(root: Path | None, files: Sequence[str]) -> str:
    """One sentence: these files, the first of them if there are many, into one of these folders."""
    named = list(files) if len(files) <= NAMED else [*files[:1], f"{len(files) - 1} more like it"]
    places = [f"{escape(place)}{'' if _is_folder(place) else ' (no such folder yet)'}" for place in search_roots(root)]
    return f"Put {' and '.join(named)} into one of: {', '.join(places)}; or name another folder with --data-root."


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False
