"""Do samples show what they were asked to show? A classifier that no training has used says so."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from ganzoo_core.errors import GanzooError
from ganzoo_core.metrics import Subject
from ganzoo_metrics.features import extractor, named, of_samples, protocol

Found = Iterator[tuple[str, float, dict[str, Any]]]


def label_accuracy(subject: Subject) -> Found:
    """The share of samples, their labels evenly cycled, that the classifier gives the label that they were given."""
    samples, looking = subject.once(of_samples), subject.once(extractor)
    name = input_of(subject, "label", "label_accuracy")
    given = samples.conditions[name]
    if int(given.max()) >= len(looking.classes):
        raise GanzooError(f"label_accuracy: {looking.name} knows {len(looking.classes)} classes, the model more")
    right = float((samples.predicted == given).double().mean())
    yield named("label_accuracy", subject), right, protocol(subject, labels="evenly cycled", n_real=0)


def code_purity(subject: Subject) -> Found:
    """The share of samples that show the class that most samples of their code show (InfoGAN, Sec. 7.2)."""
    samples = subject.once(of_samples)
    codes = samples.conditions[input_of(subject, "category", "code_purity")]
    yield (
        named("code_purity", subject),
        purity(codes, samples.predicted),
        protocol(subject, codes="evenly cycled", n_real=0),
    )


def purity(codes: Tensor, classes: Tensor) -> float:
    """Every code stands for its most frequent class: the share of samples of which that is true. [N], [N]"""
    table = torch.zeros(int(codes.max()) + 1, int(classes.max()) + 1)
    table.index_put_((codes, classes), torch.ones(len(codes)), accumulate=True)
    return float(table.max(1).values.sum() / len(codes))


def input_of(subject: Subject, kind: str, metric: str) -> str:
    for name, declared in subject.net.inputs.items():
        if declared.kind == kind:
            return name
    raise GanzooError(f"{metric}: {subject.model} takes no {kind}", "Ask for another --metric.")
