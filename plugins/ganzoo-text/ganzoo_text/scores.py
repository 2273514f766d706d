"""How likely words are: samples to the oracle, the data to the model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch.nn.functional import cross_entropy

from ganzoo_core.errors import GanzooError, escape
from ganzoo_core.metrics import EvalContext
from ganzoo_text.data import Tokens

Scores = Iterator[tuple[str, float, Mapping[str, Any]]]


def tokens_of(context: EvalContext) -> Tokens:
    """Errors: GanzooError for data whose words are not the model's."""
    source, made = context.source, context.net.output
    if not isinstance(source, Tokens):
        raise GanzooError(f"{escape(source.info.name)}: is no text", "Give lines:FILE.txt or oracle.")
    if source.vocabulary != made.vocabulary or source.tokens.shape[1:] != made.shape:  # type: ignore[attr-defined]
        raise GanzooError(f"{escape(source.info.name)}: has other words than the model", "Give what it was trained on.")
    return source


def nll_oracle(context: EvalContext) -> Scores:
    """-log p of a word of samples, by the oracle; beside that of its own sequences. Nothing for other data."""
    source = tokens_of(context)
    if source.oracle is None:
        raise GanzooError(f"{escape(source.info.name)}: has no oracle", "Choose --metric nll, or --data oracle.")
    made = torch.cat([block["x"].long().cpu() for block in context.generated()])
    yield "nll_oracle", source.oracle.nll(made), {}
    yield "nll_oracle[data]", source.oracle.nll(source.tokens), {}


@torch.no_grad()
def nll(context: EvalContext) -> Scores:
    """-log p of a word of the data, by the model."""
    tokens_of(context)
    total, n = 0.0, 0
    for block in context.real():
        x = block["x"].to(context.device)
        total += float(cross_entropy(context.net.language.told(x).flatten(0, 1), x.flatten())) * len(x)  # type: ignore[operator,union-attr]
        n += len(x)
    yield "nll", total / n, {}
