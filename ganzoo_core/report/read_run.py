"""What a run directory holds, read with tolerance: what is missing or damaged is left out and counted."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ganzoo_core.errors import GanzooError, escape

POINTS = 500  # of a log that are kept, at least
DOCUMENT = 8 * 2**20  # bytes of the largest JSON file that is read
SOUND = 2**20  # bytes of the largest recording that is embedded
PICTURE = 8 * 2**20  # bytes of the largest picture that is embedded
LINE = 2**20  # characters of the longest line of a log that is read


@dataclass(frozen=True)
class Entry:
    """One line of log.jsonl."""

    images: int
    phase: str
    losses: Mapping[str, float]


@dataclass(frozen=True)
class Grid:
    """A picture of samples/."""

    images: int
    path: Path
    size: tuple[int, int]
    bytes: int
    heard: Path | None = None  # what can be heard of it, a WAV file


@dataclass(frozen=True)
class Found:
    """All that a report tells."""

    folder: Path
    run: Mapping[str, Any]  # run.json
    log: Sequence[Entry]
    damaged: int  # lines of the log that could not be read
    looks: Sequence[Mapping[str, Any]] | None  # health.jsonl; None: there is none
    grids: Mapping[str, Sequence[Grid]]  # by the name of what is shown
    metrics: Sequence[Mapping[str, Any]]
    checkpoints: Sequence[tuple[int, int]]  # images, bytes
    evals: Sequence[Mapping[str, Any]]  # evals.jsonl: images, name, value
    has_model: bool  # that of its newest checkpoint, or the best one

    @property
    def warnings(self) -> list[tuple[int, str]]:
        """What Health said, and after how many images."""
        return [(look["images"], str(said)) for look in self.looks or () for said in listed(look.get("warnings"))]


def read(folder: Path) -> Found:
    """Errors: GanzooError where `folder` is no run directory. Everything but run.json may be missing or damaged."""
    run = description(folder)
    log, damaged = entries(folder / "log.jsonl")
    measured = document(folder / "model" / "metrics.json")
    return Found(
        folder, run, log, damaged,
        looks=looks(folder / "health.jsonl"),
        grids=grids(folder / "samples"),
        metrics=[m for m in listed(tabled(measured).get("metrics", measured)) if isinstance(m, dict)],
        checkpoints=checkpoints(folder / "checkpoints"),
        evals=looks(folder / "evals.jsonl") or [],
        has_model=exists(folder / "model" / "config.json"),
    )  # fmt: skip


def description(folder: Path) -> Mapping[str, Any]:
    """run.json."""
    path = folder / "run.json"
    try:
        if path.stat().st_size > DOCUMENT:
            raise GanzooError(f"{escape(path)}: is larger than any run.json", "Name a run directory.")
        run = json.loads(path.read_text("utf-8"))
    except OSError as fault:
        raise GanzooError(f"{escape(path)}: {fault.strerror}", "Name a run directory.") from None
    except (ValueError, RecursionError) as fault:
        raise GanzooError(f"{escape(path)}: {escape(fault)}", "The file is damaged.") from None
    if not isinstance(run, dict) or "recipe" not in run:
        raise GanzooError(f"{escape(path)}: describes no run", "Name a run directory.")
    return run


def document(path: Path) -> Any:
    """A JSON document that may be missing, damaged or too large: then it is None."""
    try:
        return json.loads(path.read_text("utf-8")) if path.stat().st_size <= DOCUMENT else None
    except (OSError, ValueError, RecursionError):
        return None


def lines(path: Path) -> Iterator[dict[str, Any] | None]:
    """The objects of a file of JSON lines, one at a time; None for a line that is none."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            while line := file.readline(LINE):
                try:
                    value = json.loads(line)
                except (ValueError, RecursionError):
                    value = None
                yield value if isinstance(value, dict) else None
    except OSError:
        return


def entries(path: Path) -> tuple[list[Entry], int]:
    """log.jsonl in at most twice POINTS entries, and how many lines of it are damaged."""
    damaged = 0

    def readable() -> Iterator[Entry]:
        nonlocal damaged
        for line in lines(path):
            images = line and counted(line.get("images"))
            if not line or not images:
                damaged += 1
                continue
            losses = {str(k): float(v) for k, v in tabled(line.get("losses")).items() if is_number(v)}
            yield Entry(images, str(line.get("phase", "")), losses)

    return thinned(readable()), damaged


def looks(path: Path) -> list[dict[str, Any]] | None:
    """health.jsonl; None where there is none."""
    return thinned(look for look in lines(path) if look and counted(look.get("images"))) if exists(path) else None


def thinned(items: Iterable[Any]) -> list[Any]:
    """Every n-th item, at most twice POINTS of them, and the last; memory does not grow with their number."""
    kept: list[Any] = []
    step, last = 1, None
    for i, item in enumerate(items):
        last = item
        if i % step == 0:
            kept.append(item)
        if len(kept) > 2 * POINTS:
            kept, step = kept[::2], 2 * step
    return kept if not kept or kept[-1] is last else [*kept, last]


def grids(folder: Path) -> dict[str, list[Grid]]:
    """samples/<images>-<name>.png in order, by name."""
    found: dict[str, list[Grid]] = {}
    for path in sorted(folder.glob("*.png")):
        match = re.fullmatch(r"(\d{1,15})-(.{1,80})\.png", path.name)
        size = png_size(path) if match else None
        if match and size:
            grid = Grid(int(match[1]), path, size, path.stat().st_size, heard(path.with_suffix(".wav")))
            found.setdefault(match[2], []).append(grid)
    return {name: sorted(group, key=lambda g: g.images) for name, group in found.items()}


def heard(path: Path) -> Path | None:
    """A WAV file; None where it is none, or a large one."""
    try:
        with open(path, "rb") as file:
            head = file.read(12)
        small = path.stat().st_size <= SOUND
    except OSError:
        return None
    return path if head[:4] == b"RIFF" and head[8:] == b"WAVE" and small else None


def png_size(path: Path) -> tuple[int, int] | None:
    """Width and height from a PNG's header; None where it is no PNG, or a huge one."""
    try:
        with open(path, "rb") as file:
            head = file.read(24)
        small = path.stat().st_size <= PICTURE
    except OSError:
        return None
    size = int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
    good = head[:8] == b"\x89PNG\r\n\x1a\n" and head[12:16] == b"IHDR" and min(size) > 0 and max(size) < 2**15
    return size if good and small else None


def checkpoints(folder: Path) -> list[tuple[int, int]]:
    """Image counts and sizes of the finished ones."""
    paths = [path for path in sorted(folder.glob("[0-9]*")) if re.fullmatch(r"\d{1,15}", path.name) and path.is_dir()]
    return [(int(path.name), sum(f.stat().st_size for f in path.iterdir() if f.is_file())) for path in paths]


def exists(path: Path) -> bool:
    return os.path.isfile(path)


def counted(value: Any) -> int:
    """An image count, or 0."""
    return value if type(value) is int and 0 < value < 10**15 else 0


def is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) < 1e300  # NaN is not less than anything


def tabled(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else []
