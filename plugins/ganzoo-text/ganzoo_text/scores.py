"""How likely words are: samples to the oracle, the data to the model; and how much lines share with others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from ganzoo_core.errors import GanzooError, escape
from ganzoo_core.metrics import EvalContext
from ganzoo_text.bleu import Line, References
from ganzoo_text.data import Tokens, numbered
from ganzoo_text.kinds import Lines

Scores = Iterator[tuple[str, float, Mapping[str, Any]]]
BLOCK, ORDERS, HELD = 512, (2, 3, 4, 5), 1_000  # lines at once; words of an n-gram; lines that are held against others


def told(context: EvalContext) -> Tensor:
    """The data in the model's words, int64 [n, L].

    Errors: GanzooError for data that are no text, and for sequences of another oracle.
    """
    source, made = context.source, context.net.output
    if not isinstance(source, Tokens) or not isinstance(made, Lines):
        raise GanzooError(f"{escape(source.info.name)}: is no text", "Give lines:FILE.txt or oracle.")
    if source.tokenizer == made.tokenizer and source.tokens.shape[1:] == made.shape:
        return source.tokens
    if not (source.lines and made.tokenizer):
        raise GanzooError(f"{escape(source.info.name)}: has other words than the model", "Give what it was trained on.")
    try:
        return numbered(source.lines, made.tokenizer, made.shape[0] or 0)
    except ValueError as fault:
        raise GanzooError(f"{escape(source.info.name)}: {escape(fault)}", "Give what it was trained on.") from None


def samples(context: EvalContext) -> Tensor:
    """int64 [n, L]"""
    return torch.cat([block["x"].long().cpu() for block in context.generated()])


def nll_oracle(context: EvalContext) -> Scores:
    """-log p of a word of samples, by the oracle; beside that of its own sequences. Nothing for other data."""
    told(context)
    oracle = context.source.oracle  # type: ignore[attr-defined]
    if oracle is None:
        raise GanzooError(
            f"{escape(context.source.info.name)}: has no oracle", "Choose --metric nll, or --data oracle."
        )
    yield "nll_oracle", oracle.nll(context.cached(samples)), {}
    yield "nll_oracle[data]", oracle.nll(context.source.tokens), {}  # type: ignore[attr-defined]


@torch.no_grad()
def nll(context: EvalContext) -> Scores:
    """-log p of a word of the data, by the model: NLL-gen where they are held out."""
    total, tokens = 0.0, told(context)
    for x in torch.split(tokens, BLOCK):
        x = x.to(context.device)
        total += float(cross_entropy(context.net.language.told(x).flatten(0, 1), x.flatten())) * len(x)  # type: ignore[operator,union-attr]
    yield "nll", total / len(tokens), {}


def bleu(context: EvalContext) -> Scores:
    """BLEU-2 ... 5, means over the first 1,000 samples, against all the data."""
    made = context.net.output
    assert isinstance(made, Lines)
    references = References(made.rows(told(context)), ORDERS[-1])
    lines = made.rows(context.cached(samples))[:HELD]
    yield from named("bleu", [references.bleu(line) for line in lines], {"n_real": len(told(context))})


def self_bleu(context: EvalContext) -> Scores:
    """The same against the other samples: how alike they are (Zhu et al. 2018); `[data]`: how alike the data are."""
    made = context.net.output
    assert isinstance(made, Lines)
    for of, tokens in (("", context.cached(samples)), (",data", told(context))):
        lines = made.rows(tokens[: context.n])
        yield from named("self_bleu", alike(lines), {"n": len(lines), "n_real": 0}, of)


def alike(lines: Sequence[Line]) -> list[list[float]]:
    """BLEU of each of the first 1,000 lines against all others."""
    if len(lines) < 2:
        raise GanzooError("self_bleu: a line alone is like no other", "Measure two samples or more: -n.")
    references = References(lines, ORDERS[-1])
    return [references.bleu(line, place) for place, line in enumerate(lines[:HELD])]


def named(name: str, each: Sequence[Sequence[float]], how: Mapping[str, Any], of: str = "") -> Scores:
    """Means by the orders."""
    for n in ORDERS:
        yield f"{name}[{n}{of}]", sum(line[n - 1] for line in each) / len(each), {**how, "held": len(each)}
