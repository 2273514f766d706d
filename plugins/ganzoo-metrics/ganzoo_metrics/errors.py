"""How often a classifier that was trained beside a generator names held-out pictures wrongly."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from ganzoo_core.errors import GanzooError
from ganzoo_core.metrics import EvalContext

BLOCK = 1000


@torch.no_grad()
def error_rate(context: EvalContext) -> Iterator[tuple[str, float, dict[str, Any]]]:
    """The share of all pictures of the data whose label is not that of the largest logit.

    Errors: GanzooError for models without a classifier, and for data without labels.
    """
    classifiers = [net.logits for net in context.model.networks.values() if hasattr(net, "logits")]
    keys = context.source.info.keys
    if not classifiers or "label" not in keys or "x_labelled" in keys:  # there x and label are of different pictures
        raise GanzooError("error_rate: of classifiers, on data with labels", "Choose another --metric or --data.")
    logits: Any = classifiers[0]
    wrong, total = 0, len(context.source)
    for start in range(0, total, BLOCK):
        context.progress("classifying", start, total)
        batch = context.source.fetch(range(start, min(start + BLOCK, total)))
        wrong += int((logits(batch["x"].to(context.device)).argmax(1).cpu() != batch["label"]).sum())
    context.progress("classifying", total, total)
    yield "error_rate", wrong / total, {"n_real": total}
