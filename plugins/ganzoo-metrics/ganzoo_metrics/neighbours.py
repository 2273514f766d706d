"""The closest training image of every sample, in pixels: has the model learnt pictures by heart?"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor

from ganzoo_core.data import open_dataset
from ganzoo_core.metrics import EvalContext, registry

Found = Iterator[tuple[str, float, dict[str, Any]]]
SAMPLES = 1000


def nearest(context: EvalContext) -> Found:
    """The mean distance of a sample to its closest picture in the data, in grey levels per pixel (root mean square).

    Beside it, where the data set has a test part, the same of pictures held out: `nearest_held_out`. Samples much
    closer to the data than real pictures are to each other were learnt by heart; much farther, they look like none.
    """
    made = torch.cat([batch["x"] for batch in context.generated(min(context.n, SAMPLES))])
    distances = closest(made, (batch["x"] for batch in context.real()))
    yield "nearest", float(distances.mean()), {"n": len(made), "unit": "grey levels, rms"}
    held_out = test_part(context)
    if held_out is not None:
        distances = closest(held_out, (batch["x"] for batch in context.real()))
        yield "nearest_held_out", float(distances.mean()), {"n": len(held_out), "unit": "grey levels, rms"}


def closest(images: Tensor, data: Iterable[Tensor]) -> Tensor:
    """For each of `images` [n, C, H, W] the root mean square distance to the closest of the data, of 255 levels. [n]"""
    rows = images.flatten(1).float().cpu()
    best = torch.full((len(rows),), torch.inf)
    for x in data:
        best = torch.minimum(best, torch.cdist(rows, x.flatten(1).float()).min(1).values)
    return best.double() * 127.5 / rows.shape[1] ** 0.5


def test_part(context: EvalContext) -> Tensor | None:
    """As many held-out pictures as there are samples, where the data set has some and they were not measured on."""
    name = context.source.info.name
    datasets = dict(registry().datasets.items())
    if name not in datasets or "test" not in datasets[name].variants:
        return None
    info = context.source.info
    source = open_dataset(
        f"{name}:test", root=context.config.root, image_size=info.image_size, channels=info.channels,
        datasets=datasets,
    )  # fmt: skip
    return source.fetch(range(min(SAMPLES, len(source))))["x"]
