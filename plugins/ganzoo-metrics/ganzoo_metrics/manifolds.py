"""Are samples where data are, and data where samples are? Balls around feature vectors, as far as the k-th neighbour.

Precision and recall: Kynkäänniemi et al. 2019, Eq. 1 and 2, k = 3. Density and coverage: Naeem et al. 2020, Eq. 4 and
6, k = 5. All are of at most 10,000 samples and 10,000 data.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ganzoo_core.metrics import EvalContext
from ganzoo_metrics.features import enough, named, of_data, of_samples, protocol

Found = Iterator[tuple[str, float, dict[str, Any]]]
K_RECALL, K_COVERAGE = 3, 5
ROWS = 1000  # of a matrix of distances that are held at once


class Manifold(NamedTuple):
    """The four scores of two clouds."""

    precision: float
    recall: float
    density: float
    coverage: float


def precision(context: EvalContext) -> Found:
    yield score("precision", context, K_RECALL)


def recall(context: EvalContext) -> Found:
    yield score("recall", context, K_RECALL)


def density(context: EvalContext) -> Found:
    yield score("density", context, K_COVERAGE)


def coverage(context: EvalContext) -> Found:
    yield score("coverage", context, K_COVERAGE)


def score(which: str, context: EvalContext, k: int) -> tuple[str, float, dict[str, Any]]:
    fake, real = context.cached(of_samples).seen.rows, context.cached(of_data).rows
    enough(min(len(fake), len(real)), K_COVERAGE + 1, which)
    more = {"k": k, "rows": len(fake), "rows_real": len(real)}
    return named(which, context), getattr(context.cached(compared), which), protocol(context, **more)


def compared(context: EvalContext) -> Manifold:
    return manifold(context.cached(of_samples).seen.rows, context.cached(of_data).rows)


def manifold(fake: Tensor, real: Tensor) -> Manifold:
    """All four of feature vectors [n, d] and [n', d], in blocks: one pass over the distances between the clouds."""
    radii_fake = radii(fake, (K_RECALL,))[0]  # [n]
    near, wide = radii(real, (K_RECALL, K_COVERAGE))  # [n'] each
    inside, held, recalled, covered = 0, 0, torch.zeros(len(real)).bool(), torch.zeros(len(real)).bool()
    for start in range(0, len(fake), ROWS):
        d = torch.cdist(fake[start : start + ROWS], real)  # [m, n']
        inside += int((d <= near).any(1).sum())
        held += int((d <= wide).sum())
        covered |= (d <= wide).any(0)
        recalled |= (d <= radii_fake[start : start + ROWS, None]).any(0)
    return Manifold(
        inside / len(fake),
        float(recalled.double().mean()),
        held / (K_COVERAGE * len(fake)),
        float(covered.double().mean()),
    )


def radii(rows: Tensor, ks: tuple[int, ...]) -> list[Tensor]:
    """For each k the distance of every vector to its k-th nearest other, [n]."""
    found = []
    for start in range(0, len(rows), ROWS):
        distances = torch.cdist(rows[start : start + ROWS], rows)  # [m, n]; to itself 0
        nearest = distances.topk(max(ks) + 1, largest=False).values
        found.append(nearest[:, list(ks)])
    return list(torch.cat(found).T)
