"""Is a picture as old as it was asked to be, and still of the same person? On mnist:thickness both can be measured."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from ganzoo_metrics.features import extractor, look, named, protocol
from torch import Tensor

from ganzoo_core.data import stroke_thickness
from ganzoo_core.errors import GanzooError, escape
from ganzoo_core.metrics import EvalContext

Found = Iterator[tuple[str, float, dict[str, Any]]]
NEEDED = {"x", "age", "identity"}


class Aged(NamedTuple):
    """Samples of which each was made of another example of the data; [n] each."""

    asked: Tensor  # the ages that they were asked for
    thickness: Tensor  # pixels
    given: Tensor  # the digits that went in
    seen: Tensor  # and those that a classifier sees


def age_rank(context: EvalContext) -> Found:
    """Spearman's rank correlation of the ages asked for and the thicknesses measured."""
    aged = context.cached(of_samples)
    yield "age_rank", spearman(aged.asked.float(), aged.thickness), {"ages": "as in the data", "n_real": 0}


def identity_kept(context: EvalContext) -> Found:
    """The share of samples in which the classifier sees the digit that was given."""
    aged = context.cached(of_samples)
    kept = float((aged.given == aged.seen).double().mean())
    yield named("identity_kept", context), kept, protocol(context, ages="as in the data", n_real=0)


def of_samples(context: EvalContext) -> Aged:
    """The data's examples in their order, each at one age; ages as often as in the data.

    Errors: GanzooError for data of which no age can be measured.
    """
    info = context.source.info
    if not info.name.startswith("mnist:thickness") or context.given != ["x"]:
        what = f"{escape(info.name)}: age is measured on mnist:thickness, of models that make pictures older"
        raise GanzooError(what, "Choose another --metric or --data.")
    looking, parts = context.cached(extractor), list[Aged]()
    for start in range(0, context.n, 512):
        which = range(start, min(start + 512, context.n))
        context.progress("sampling", start, context.n)
        batch = context.source.fetch(which)
        conditions = {**context.classes(which), **{k: batch[k] for k in ("x", "attribute") if k in context.net.inputs}}
        x = context.samples(which, conditions)
        seen = look(looking, x)[1].argmax(1).cpu()
        parts.append(Aged(conditions["age"], stroke_thickness(x), batch["identity"], seen))
    context.progress("sampling", context.n, context.n)
    return Aged(*(torch.cat(values) for values in zip(*parts, strict=True)))


def spearman(a: Tensor, b: Tensor) -> float:
    """Rank correlation of [n] and [n]: of equal values each has the mean of their ranks; 0 where all are equal."""
    x, y = (centred(ranks(values)) for values in (a, b))
    size = float(x.norm() * y.norm())
    return float(x @ y) / size if size else 0.0


def ranks(values: Tensor) -> Tensor:
    """Mean ranks, from 0.  float64 [n]"""
    _, inverse, counts = torch.unique(values, return_inverse=True, return_counts=True)
    last = counts.cumsum(0) - 1
    return (last - (counts - 1) / 2).double()[inverse]


def centred(values: Tensor) -> Tensor:
    return values - values.mean()
