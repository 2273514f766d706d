"""What adaptation is worth: how many pictures of the target a classifier names with it, and without."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from ganzoo_core.errors import GanzooError
from ganzoo_core.metrics import EvalContext

BLOCK = 1000
CLASSIFIERS = {"target_accuracy": "T", "target_accuracy[source only]": "S"}


def target_accuracy(context: EvalContext) -> Iterator[tuple[str, float, dict[str, Any]]]:
    """The shares of all pictures of the data that T and S give their label: after adaptation, and without.

    Errors: GanzooError for models without the two, and for data of other pictures than `x` with its `label`.
    """
    nets, keys = context.model.networks, context.source.info.keys
    if not {"T", "S"} <= nets.keys() or not {"x", "label"} <= keys or "x_labelled" in keys:
        what = "target_accuracy: of a classifier T and its twin S, on pictures x with labels"
        raise GanzooError(what, "Choose data of the target with labels, or another --metric.")
    right = named(context)
    for metric, name in CLASSIFIERS.items():
        yield metric, right[name] / len(context.source), {"n_real": len(context.source)}


@torch.no_grad()
def named(context: EvalContext) -> dict[str, int]:
    """How many pictures each classifier names."""
    right, total = dict.fromkeys(CLASSIFIERS.values(), 0), len(context.source)
    for start in range(0, total, BLOCK):
        context.progress("classifying", start, total)
        batch = context.source.fetch(range(start, min(start + BLOCK, total)))
        x = batch["x"].to(context.device)
        for name in right:
            net = context.model.networks[name]
            assert isinstance(net, nn.Module)
            right[name] += int((net(x).argmax(1).cpu() == batch["label"]).sum())
    context.progress("classifying", total, total)
    return right
