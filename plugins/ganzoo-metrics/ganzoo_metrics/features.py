"""Samples and data as an extractor sees them, gone through once for all metrics: moments, some rows, classes.

What is kept does not grow with the number of images, but for a class (8 bytes) of each sample.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ganzoo_core.errors import GanzooError
from ganzoo_core.metrics import EvalContext
from ganzoo_metrics.extractors import Extractor, extractor_for, knows, load_extractor

ROWS = 10_000  # feature vectors that are kept for metrics that compare vectors with each other
SPLITS = 10  # parts that the Inception Score is averaged over (Salimans et al. 2016)


class Moments:
    """Mean and covariance of rows that come in batches, summed in float64."""

    def __init__(self, dim: int) -> None:
        self.n, self.sum, self.outer = 0, torch.zeros(dim).double(), torch.zeros(dim, dim).double()

    def add(self, rows: Tensor) -> None:  # [m, d]
        rows = rows.double().cpu()
        self.n += len(rows)
        self.sum += rows.sum(0)
        self.outer += rows.T @ rows

    @property
    def mean(self) -> Tensor:
        return self.sum / self.n

    @property
    def cov(self) -> Tensor:
        """Of a sample: divided by n - 1."""
        return (self.outer - self.n * torch.outer(self.mean, self.mean)) / (self.n - 1)


class Kept:
    """The feature vectors of `wanted` positions of a stream."""

    def __init__(self, wanted: Tensor) -> None:
        self.wanted, self.seen, self.rows = wanted, 0, list[Tensor]()

    def add(self, rows: Tensor) -> None:
        here = self.wanted[(self.wanted >= self.seen) & (self.wanted < self.seen + len(rows))]
        self.rows.append(rows[here - self.seen].float().cpu())
        self.seen += len(rows)

    @property
    def all(self) -> Tensor:
        return torch.cat(self.rows)


class Confidence:
    """What the Inception Score needs, by parts: sums over samples of p(y|x) and of sum_y p(y|x) log p(y|x)."""

    def __init__(self, n: int, classes: int) -> None:
        self.ends = torch.tensor([(i + 1) * n // SPLITS for i in range(SPLITS)])
        self.seen, self.p, self.plogp = 0, torch.zeros(SPLITS, classes).double(), torch.zeros(SPLITS).double()

    def add(self, logits: Tensor) -> None:  # [m, K]
        logp = logits.double().cpu().log_softmax(1)
        part = torch.searchsorted(self.ends, torch.arange(self.seen, self.seen + len(logp)), right=True)
        self.p.index_add_(0, part, logp.exp())
        self.plogp.index_add_(0, part, (logp.exp() * logp).sum(1))
        self.seen += len(logp)

    def score(self) -> float:
        """The mean over parts of exp E_x KL(p(y|x) || p(y))."""
        counts = torch.diff(self.ends, prepend=torch.zeros(1, dtype=torch.int64))
        q = self.p / counts[:, None]  # p(y)  [S, K]
        kl = self.plogp / counts - torch.special.xlogy(q, q).sum(1)
        return float(kl.exp().mean())


class Seen(NamedTuple):
    """A stream of images as an extractor saw it."""

    n: int
    mean: Tensor  # [d] float64
    cov: Tensor  # [d, d] float64
    rows: Tensor  # [min(n, ROWS), d] float32


class Samples(NamedTuple):
    """Likewise samples, with what else is asked of them."""

    seen: Seen
    inception: float
    predicted: Tensor  # the most likely class of each  [n]
    conditions: Mapping[str, Tensor]  # labels and categories that they were given, each [n]


def extractor(context: EvalContext) -> Extractor:
    """The extractor that was asked for, or the data set's own; on the model's device."""
    info = context.source.info
    name = context.config.extractor or extractor_for(info.name, info.channels or 3)
    return load_extractor(name, device=context.device)


def protocol(context: EvalContext, **more: Any) -> dict[str, Any]:
    """What a score through an extractor adds to its protocol."""
    looking = context.cached(extractor)
    shape = context.net.output.shape
    resized = len(shape) == 3 and shape[1:] != (looking.image_size, looking.image_size)
    resize = f"{looking.resizing}, to {looking.image_size}" if resized else "none"
    about = {"extractor": looking.name, "extractor_sha256": looking.sha256, "resize": resize, **more}
    if knows(looking.name, context.source.info.name):
        return about
    return {**about, "caution": f"{looking.name} has never seen such pictures"}


def named(metric: str, context: EvalContext) -> str:
    """fid[mnist-cnn]: a score is never called by its metric alone."""
    return f"{metric}[{context.cached(extractor).name}]"


@torch.inference_mode()
def look(looking: Extractor, x: Tensor) -> tuple[Tensor, Tensor]:
    """Features [m, d] and logits [m, K] of images [m, C, H, W] in [-1, 1]."""
    features, logits = looking(looking.prepared(x.to(next(looking.parameters()).device)))
    return features, logits


def of_samples(context: EvalContext) -> Samples:
    """All samples of a context, gone through once."""
    looking = context.cached(extractor)
    moments, kept = Moments(looking.dim), Kept(torch.arange(min(context.n, ROWS)))
    confidence, predicted = Confidence(context.n, len(looking.classes)), list[Tensor]()
    conditions: dict[str, list[Tensor]] = {}
    for batch in context.generated():
        features, logits = look(looking, batch["x"])
        for part, given in ((moments, features), (kept, features), (confidence, logits)):
            part.add(given)
        predicted.append(logits.argmax(1).cpu())
        for name in context.classes(range(0)):
            conditions.setdefault(name, []).append(batch[name])
    seen = Seen(context.n, moments.mean, moments.cov, kept.all)
    labels = {name: torch.cat(values) for name, values in conditions.items()}
    return Samples(seen, confidence.score(), torch.cat(predicted), labels)


def of_data(context: EvalContext) -> Seen:
    """All of the data, from the cache where this extractor has seen them before."""
    looking = context.cached(extractor)

    def make() -> dict[str, Tensor]:
        count = len(context.source)
        shuffled = torch.randperm(count, generator=torch.Generator().manual_seed(0))  # files may be sorted by class
        return as_table(seen(looking, (b["x"] for b in context.real()), shuffled[:ROWS].sort().values))

    which = "" if context.target == "x" else f" {context.target}"
    return Seen(len(context.source), **context.disk_cached(f"{looking.name} {looking.sha256} {ROWS}{which}", make))


def seen(looking: Extractor, images: Iterable[Tensor], wanted: Tensor) -> Seen:
    moments, kept = Moments(looking.dim), Kept(wanted)
    for x in images:
        features, _ = look(looking, x)
        moments.add(features)
        kept.add(features)
    return Seen(moments.n, moments.mean, moments.cov, kept.all)


def as_table(found: Seen) -> dict[str, Tensor]:
    return {"mean": found.mean, "cov": found.cov, "rows": found.rows}


def enough(n: int, least: int, metric: str) -> None:
    """Refuse to compute from too few images what would mean nothing."""
    if n < least:
        raise GanzooError(f"{metric}: {n} images are too few", f"It needs {least} at least: set -n.")
