"""Test error of a semi-supervised classifier: how many of the held-out images does D name wrongly?

python plugins/ganzoo-improved/experiments/errors.py improved.mnist mnist:test
"""

from __future__ import annotations

import sys

import torch

import ganzoo_core as gz
from ganzoo_core.data import DATASETS, open_dataset


@torch.no_grad()
def errors(model: str, data: str) -> tuple[int, int]:
    """(wrong, all)."""
    trained = gz.load(model)
    _, height, _ = trained.generator.output.shape
    source = open_dataset(data, image_size=height, datasets={d.name: d for d in DATASETS})
    wrong = 0
    for start in range(0, len(source), 1000):
        batch = source.fetch(range(start, min(start + 1000, len(source))))
        wrong += int((trained.networks["D"].logits(batch["x"]).argmax(1) != batch["label"]).sum())  # type: ignore[operator]
    return wrong, len(source)


if __name__ == "__main__":
    wrong, count = errors(*sys.argv[1:3])
    print(f"{wrong} of {count:,} wrong: {100 * wrong / count:.2f} %")
