"""From a run to the outbox: a complete model directory under its id, its scores, its sheet, and a verdict."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from PIL import Image

import ganzoo_core as gz
from ganzoo_core.errors import GanzooError
from ganzoo_core.metrics import EvalConfig, Score, evaluate
from ganzoo_core.metrics.scores import publish
from ganzoo_core.models.export import export
from ganzoo_core.weights.config import DISCRIMINATORS
from zoo.manifest import MIB, Entry
from zoo.places import Places

LICENCE = "Apache-2.0"


def finish(entry: Entry, places: Places) -> None:
    """Write outbox/ID whole or not at all."""
    aside = places.home / "outbox" / f".{entry.id}"
    shutil.rmtree(aside, ignore_errors=True)
    trained = gz.load(places.run(entry.id))
    stored = trained.save(aside / "stored", id=entry.id, licence=LICENCE, dtype="float16")
    light_enough(stored, entry)
    scores = measure(entry, stored)
    publish(stored, scores)
    export(str(stored), aside / "model")
    shutil.rmtree(stored)
    sheet(aside / "model", places.run(entry.id), aside / "sheet.png")
    (aside / "verdict.json").write_text(json.dumps(verdict(entry, scores, places), indent=2) + "\n")
    os.replace(aside, places.out(entry.id))


def light_enough(folder: Path, entry: Entry) -> None:
    """Leave the discriminators out where they would make it too large. Errors: GanzooError where that is not enough."""
    limit = entry.largest_mib * MIB
    if sum(file.stat().st_size for file in folder.glob("*.safetensors")) > limit:
        drop_discriminators(folder)
    size = sum(file.stat().st_size for file in folder.glob("*.safetensors"))
    if size > limit:
        raise GanzooError(f"{size / MIB:.2f} MiB of weights: more than {entry.largest_mib}", "Make it narrower.")


def drop_discriminators(folder: Path) -> None:
    (folder / DISCRIMINATORS).unlink(missing_ok=True)
    config = json.loads((folder / "config.json").read_text())
    config["files"].pop(DISCRIMINATORS, None)
    (folder / "config.json").write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n")


def measure(entry: Entry, folder: Path) -> list[Score]:
    """All scores that suit it, and the one to beat where that is none of them, or looks through another extractor."""
    model, config = gz.load(folder), EvalConfig(entry.eval_data or entry.data, n=entry.eval_n)
    scores = evaluate(model, config)
    assert entry.score is not None
    metric, _, through = entry.score.metric.rstrip("]").partition("[")
    if entry.score.metric not in {score.name for score in scores}:
        scores += evaluate(model, replace(config, metrics=(metric,), extractor=through or config.extractor))
    return scores


def sheet(model: Path, run: Path, path: Path) -> None:
    """What a person looks at: the 64 samples, or the run's last pictures where something has to be given."""
    if (model / "samples.png").exists():
        shutil.copyfile(model / "samples.png", path)
    elif pictures := sorted((run / "samples").glob("*.png")):
        step = pictures[-1].name.partition("-")[0]
        beside([picture for picture in pictures if picture.name.startswith(step)]).save(path)


def beside(paths: Sequence[Path]) -> Image.Image:
    """Inputs, outputs and whatever else there is of one step, in a row."""
    pictures = [Image.open(path).convert("RGB") for path in paths]
    row = Image.new("RGB", (sum(p.width for p in pictures), max(p.height for p in pictures)))
    left = 0
    for picture in pictures:
        row.paste(picture, (left, 0))
        left += picture.width
    return row


def verdict(entry: Entry, scores: Sequence[Score], places: Places) -> dict[str, Any]:
    """Whether it beat what it had to, with all that `make zoo-status` shows."""
    assert entry.score is not None
    values = {score.name: score.value for score in scores}
    if entry.score.metric not in values:
        raise GanzooError(f"{entry.score.metric}: was not measured; there are {', '.join(values)}")
    value = values[entry.score.metric]
    return {
        "id": entry.id, "metric": entry.score.metric, "value": value, "target": str(entry.score),
        "baseline": entry.score.baseline, "beats": entry.score.reached(value), "seconds": places.seconds(entry.id),
        "scores": values,
    }  # fmt: skip
