"""zoo.toml: which models should ship, how each is trained, and what it must beat."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from ganzoo_core.errors import GanzooError, escape

ROOT = Path(__file__).parents[1]
MANIFEST = ROOT / "zoo.toml"
ID = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*")
MIB = 1 << 20


@dataclass(frozen=True)
class Target:
    """A score that a model must reach, and whose score it is that it beats."""

    metric: str  # fid[mnist-cnn]
    baseline: str  # who has the score to beat: dcgan.mnist, bicubic, nearest pixel ...
    below: float | None = None
    above: float | None = None

    def __post_init__(self) -> None:
        if (self.below is None) == (self.above is None):
            raise GanzooError(f"score {self.metric}: give one of below and above")

    def reached(self, value: float) -> bool:
        return value < self.below if self.below is not None else value > (self.above or 0.0)

    def __str__(self) -> str:
        return f"< {self.below:g}" if self.below is not None else f"> {self.above:g}"


@dataclass(frozen=True)
class Entry:
    """A model that should ship. What is frozen has been released: it is never trained again."""

    id: str
    frozen: bool = False
    family: str = ""
    preset: str = ""
    data: str = ""
    args: Mapping[str, Any] = field(default_factory=dict)  # -c
    flags: Mapping[str, Any] = field(default_factory=dict)  # of `ganzoo train`: ema-images, batch-size ...
    images: int = 0
    seed: int = 0
    precision: str = "auto"
    device: Literal["cpu", "cuda"] = "cpu"  # what it is meant for
    networks: str = ""
    eval_data: str = ""  # what it is measured on; "": what it is trained on
    eval_n: int = 10_000
    score: Target | None = None
    largest_mib: float = 1.0

    def train(self, run: Path) -> list[str]:
        """The arguments of `ganzoo` that train it in a run directory."""
        given = {"preset": self.preset, "networks": self.networks, "data": self.data, "images": self.images or ""}
        options = {**given, "seed": self.seed, "precision": self.precision, **self.flags}
        words = ["train", self.family, *(f"--{name}={value}" for name, value in options.items() if value != "")]
        for name, value in self.args.items():
            words += ["-c", f"{name}={value}"]
        return [*words, f"--out={run}"]

    def resume(self, run: Path) -> list[str]:
        return ["train", self.family, "--resume", f"--out={run}"]


def read(path: Path = MANIFEST) -> list[Entry]:
    """All entries, in the order in which they are trained. Errors: GanzooError for what is no manifest."""
    try:
        document = tomllib.loads(path.read_text())
    except (OSError, tomllib.TOMLDecodeError) as fault:
        raise GanzooError(f"{path}: {escape(fault)}") from None
    rows = document.get("model")
    if not isinstance(rows, list):
        raise GanzooError(f"{path}: expected [[model]] entries")
    entries = [entry_of(path, row) for row in rows]
    ids = [entry.id for entry in entries]
    twice = {id for id in ids if ids.count(id) > 1}
    if twice:
        raise GanzooError(f"{path}: {', '.join(sorted(twice))}: there twice")
    return entries


def entry_of(path: Path, row: Mapping[str, Any]) -> Entry:
    name, known = escape(row.get("id", "?"), 60), {f.name for f in fields(Entry)}
    if row.keys() - known or not ID.fullmatch(str(row.get("id", ""))):
        raise GanzooError(f"{path}: {name}: expected an id family.tag and {', '.join(sorted(known))}")
    score = Target(**row["score"]) if "score" in row else None
    entry = Entry(**{**row, "score": score})
    if not entry.frozen and not (entry.family and entry.data and score):
        raise GanzooError(f"{path}: {name}: what is trained has a family, data and a score to beat")
    return entry


def find(id: str, path: Path = MANIFEST) -> Entry:
    """One entry by its id. Errors: GanzooError."""
    for entry in read(path):
        if entry.id == id:
            return entry
    raise GanzooError(f"{escape(id, 60)}: is not in {path.name}")
