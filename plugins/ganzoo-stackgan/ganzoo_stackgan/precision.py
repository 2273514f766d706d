"""R-precision (Xu et al. 2018, AttnGAN, Sec. 4): does a picture fit its own caption best of a hundred?

It is judged by the encoders that the model was trained with, so only figures of one model compare with each other: the
score of what it draws beside that of real pictures, and beside chance.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import normalize

from ganzoo_core.errors import GanzooError
from ganzoo_core.metrics import EvalContext
from ganzoo_stackgan.speaking import Speaking
from ganzoo_stackgan.words import padded

OTHERS = 99
Found = Iterator[tuple[str, float, dict[str, Any]]]


@torch.no_grad()
def r_precision(context: EvalContext) -> Found:
    """Of what is drawn, and of real pictures."""
    net, V = context.net, context.model.networks.get("V")
    if not isinstance(net, Speaking) or V is None:
        raise GanzooError(f"r_precision: {context.model} has no encoders of words and of pictures")
    made, real, text = [], [], []
    for batch in context.generated():
        x, words = batch["x"], padded(batch["text"])
        made.append(V(x))
        real.append(V(batch["target"].to(x.device)))
        text.append(words)
    every = torch.cat(text)
    said = every.unique(dim=0)  # type: ignore[no-untyped-call]
    others = min(OTHERS, len(said) - 1)
    if others < 1:
        raise GanzooError("r_precision: all captions are the same", "It needs two at least.")
    more = {"candidates": others + 1, "chance": 1 / (others + 1), "encoders": "the model's own", "resize": "none"}
    meant = normalize(net.T(said.to(net.T.last.weight.device)), dim=1).cpu()
    for name, found in (("r_precision", made), ("r_precision[real]", real)):
        yield name, precision(normalize(torch.cat(found), dim=1).cpu(), every, said, meant, others), more


def precision(v: Tensor, text: Tensor, said: Tensor, meant: Tensor, others: int) -> float:
    """The share of pictures v [N, d] whose caption fits better than `others` that are drawn at random."""
    rng = torch.Generator().manual_seed(0)
    right = 0
    for i, words in enumerate(text):
        own = int((said == words).all(1).nonzero()[0])
        rest = [k for k in torch.randperm(len(said), generator=rng).tolist() if k != own][:others]
        right += bool(meant[own] @ v[i] > (meant[rest] @ v[i]).max())
    return right / len(text)
