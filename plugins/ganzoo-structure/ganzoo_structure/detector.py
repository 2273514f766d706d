"""What finds the odd one out: a network that makes a picture again as if it were like all others, and scores it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torchmetrics.functional.classification import binary_auroc

from ganzoo_core.errors import GanzooError, escape
from ganzoo_core.metrics import EvalContext
from ganzoo_core.nn import Generator, Image, Images

BLOCK = 256  # pictures that are scored at a time


class Detector(Generator):
    """A picture in; out comes what a network that knows only normal ones makes of it."""

    def __init__(self, shape: tuple[int, int, int]) -> None:
        super().__init__()
        self.inputs, self.output = {"x": Image(shape)}, Images(shape)

    @abstractmethod
    def score(self, x: Tensor) -> Tensor:
        """How odd pictures [N, C, H, W] are, [N]; higher = odder. No scale: scores of one network compare."""


def roc_auc(context: EvalContext) -> Iterator[tuple[str, float, dict[str, Any]]]:
    """The area under the curve of true over false alarms, as the threshold of the score falls: 0.5 is chance."""
    net, info = context.net, context.source.info
    if not isinstance(net, Detector) or info.class_names != ("normal", "novel"):
        what = f"{escape(info.name)}: what is odd is asked of detectors, with data that say what is"
        raise GanzooError(what, "Choose --data novel:CLASS:DATA, or another --metric.")
    scores, labels = list[Tensor](), list[Tensor]()
    for start in range(0, context.n, BLOCK):
        context.progress("scoring", start, context.n)
        batch = context.source.fetch(range(start, min(start + BLOCK, context.n)))
        scores.append(net.score(batch["x"].to(context.device)).float().cpu())
        labels.append(batch["label"])
    context.progress("scoring", context.n, context.n)
    yield "roc_auc", area(torch.cat(scores), torch.cat(labels)), {"n_real": 0}


def area(scores: Tensor, labels: Tensor) -> float:
    """The area of scores [N] on any scale and labels [N], 1 where novel.

    torchmetrics takes scores beyond [0, 1] for logits, and their sigmoids for the scores: all that are above 17 would
    be one. Their ranks have the same curve.
    """
    _, ranks = torch.unique(scores, return_inverse=True)
    return float(binary_auroc(ranks / ranks.max().clamp(min=1), labels))
