"""Every published score of the models that ship, measured anew and published: python docs/scores.py [ID ...]

By its own protocol, so the same metrics of the same data through the same extractor. Models of colour pictures are
looked at through lite0 as well, those of digits through mnist-lenet. Takes an hour of a core for all;
`ganzoo registry build` afterwards.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import ganzoo_core as gz
from ganzoo_core.errors import tell_user
from ganzoo_core.metrics import EvalConfig, evaluate
from ganzoo_core.metrics.published import question_of
from ganzoo_core.metrics.scores import publish
from ganzoo_core.weights.config import read_metrics

ROOT = Path(__file__).parents[1]
THROUGH = ("fid", "kid", "precision", "recall", "density", "coverage", "lpips_target")  # lite0, too
SECOND = ("fid", "precision", "recall")  # mnist-lenet, too
SAMPLES = 2_000  # that lite0 looks at, forty a second
PICTURES = ROOT.parent / "shared" / "data" / "single_images"  # singan's


def questions(folder: Path) -> Iterator[EvalConfig]:
    """What has been published of a model, each way of measuring once; of colours, through lite0 as well."""
    ways: dict[EvalConfig, list[str]] = {}
    for row in read_metrics(folder):
        names = ways.setdefault(question_of(row, PICTURES), [])
        names += [row["protocol"]["metric"]] * (row["protocol"]["metric"] not in names)
    for config, names in ways.items():
        more = ["psnr_y"] if any("bicubic" in row["name"] for row in read_metrics(folder)) else []
        yield replace(config, metrics=(*names, *(name for name in more if name not in names)))
        looked = tuple(name for name in names if name in THROUGH)
        if looked and config.extractor == "emoji-cnn":
            yield replace(config, metrics=looked, extractor="lite0", n=min(config.n, SAMPLES))
        if looked and config.extractor == "mnist-cnn":
            yield replace(config, metrics=tuple(name for name in looked if name in SECOND), extractor="mnist-lenet")
        if {"psnr", "l1"} & set(names) and not config.extractor:
            yield replace(config, metrics=("lpips_target",), extractor="lite0")


def main() -> None:
    for folder in sorted(ROOT.glob("plugins/*/*/weights/*")):
        if len(sys.argv) == 1 or folder.name in sys.argv[1:]:
            model = gz.load(folder)
            for config in dict.fromkeys(questions(folder)):
                scores = evaluate(model, config)
                publish(folder, scores)
                tell_user(f"{folder.name}: " + ", ".join(f"{score.name} {score.value:.4g}" for score in scores))


if __name__ == "__main__":
    main()
