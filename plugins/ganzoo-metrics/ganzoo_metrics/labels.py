"""Do samples show what they were asked to show? A classifier that no training has used says so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from ganzoo_core.errors import GanzooError
from ganzoo_core.metrics import EvalContext
from ganzoo_core.nn import Category, Input, Label
from ganzoo_metrics.features import extractor, named, of_samples, protocol

Found = Iterator[tuple[str, float, dict[str, Any]]]


def label_accuracy(context: EvalContext) -> Found:
    """The share of samples, their labels as frequent as in the data, that the classifier gives their label."""
    samples, looking = context.cached(of_samples), context.cached(extractor)
    name = input_of(context, Label, "label_accuracy")
    given = samples.conditions[name]
    if int(given.max()) >= len(looking.classes):
        raise GanzooError(f"label_accuracy: {looking.name} knows {len(looking.classes)} classes, the model more")
    right = float((samples.predicted == given).double().mean())
    yield named("label_accuracy", context), right, protocol(context, labels="as in the data", n_real=0)


def code_purity(context: EvalContext) -> Found:
    """The share of samples that show the class that most samples of their code show (InfoGAN, Sec. 7.2)."""
    samples = context.cached(of_samples)
    codes = samples.conditions[input_of(context, Category, "code_purity")]
    yield (
        named("code_purity", context),
        purity(codes, samples.predicted),
        protocol(context, codes="evenly cycled", n_real=0),
    )


def purity(codes: Tensor, classes: Tensor) -> float:
    """Every code stands for its most frequent class: the share of samples of which that is true. [N], [N]"""
    table = torch.zeros(int(codes.max()) + 1, int(classes.max()) + 1)
    table.index_put_((codes, classes), torch.ones(len(codes)), accumulate=True)
    return float(table.max(1).values.sum() / len(codes))


def input_of(context: EvalContext, kind: type[Input], metric: str) -> str:
    for name, declared in context.net.inputs.items():
        if isinstance(declared, kind):
            return name
    raise GanzooError(f"{metric}: {context.model} takes no {kind.kind}", "Ask for another --metric.")
