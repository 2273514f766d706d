"""The model of a run, written beside its checkpoints: a run that is stopped leaves one, and the best one is kept.

RUN/model is that of the newest checkpoint, or the best one where the run is scored; RUN/models/<images> are those that
were asked for; RUN/evals.jsonl has every score.
"""

from __future__ import annotations

import json
import math
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ganzoo_core.errors import ExternalError, tell_user

EVALS = "evals.jsonl"


class Grade(NamedTuple):
    """How good a model of a run is beside the others: a score without its protocol."""

    name: str  # with its extractor: fid[mnist-cnn]
    value: float
    higher: bool  # whether more is better


class Publisher:
    """Is told of every checkpoint; this one does nothing with it."""

    def __call__(self, images: int) -> None:
        """The game stands at `images`, and has been saved."""


class ModelPublisher(Publisher):
    """Writes model directories whole: aside, then renamed."""

    def __init__(
        self,
        run: Path,
        write: Callable[[Path, int], None],
        at: Sequence[int] = (),
        eval_every: int = 0,
        score: Callable[[Path], Grade] | None = None,
        begins: int = 0,  # images at which this part of the run begins
    ) -> None:
        self.run, self.write, self.at, self.every, self.score = run, write, at, eval_every, score
        self.before = begins

    def __call__(self, images: int) -> None:
        """Errors: ExternalError for a disk that refuses; the checkpoint is there already."""
        try:
            self.publish(images)
        except OSError as fault:
            hint = "The checkpoint is intact: free some space, then --resume."
            raise ExternalError(f"model of {self.run}: {fault.strerror}", hint) from fault

    def publish(self, images: int) -> None:
        aside = self.run / ".model.tmp"
        shutil.rmtree(aside, ignore_errors=True)
        self.write(aside, images)
        if any(self.before < asked <= images for asked in self.at):
            kept = self.run / "models" / f"{images:012d}"
            kept.parent.mkdir(exist_ok=True)
            replace(shutil.copytree(aside, aside.with_name(".kept.tmp"), dirs_exist_ok=True), kept)
        if self.wanted(aside, images):
            replace(aside, self.run / "model")
        shutil.rmtree(aside, ignore_errors=True)
        self.before = images

    def wanted(self, model: Path, images: int) -> bool:
        """Whether it is to be RUN/model: the newest, or where the run is scored the best; until then, the newest."""
        past = scores(self.run)
        if self.score is None:
            return True
        if images // self.every == self.before // self.every:
            return not past
        found = self.score(model)
        best = not any(better(row["value"], found) for row in past if row["name"] == found.name)
        row = {"images": images, "name": found.name, "value": found.value, "best": best}
        with open(self.run / EVALS, "a", encoding="utf-8") as file:
            print(json.dumps(row), file=file)
        tell_user(f"{found.name} {found.value:.6g} at {images:,} images{', the best so far' if best else ''}")
        return best


def better(value: float, found: Grade) -> bool:
    """Whether an earlier value is as good as what was found now, or better; any is better than none."""
    if math.isnan(found.value):
        return True
    return value >= found.value if found.higher else value <= found.value


def scores(run: Path) -> list[dict[str, Any]]:
    path = run / EVALS
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


def replace(made: Path, place: Path) -> None:
    """What is at `place` gives way to what was made; there is one of both at every moment but one."""
    old = place.with_name(f".{place.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if place.is_symlink():
        place.unlink()
    elif place.exists():
        os.rename(place, old)
    os.rename(made, place)
    shutil.rmtree(old, ignore_errors=True)


def sweep(run: Path) -> None:
    """What an interrupted writing left behind; a model that had given way and was not replaced comes back."""
    old = run / ".model.old"
    if old.exists() and not (run / "model").exists():
        os.rename(old, run / "model")
    for name in (".model.tmp", ".kept.tmp", ".model.old"):
        shutil.rmtree(run / name, ignore_errors=True)
