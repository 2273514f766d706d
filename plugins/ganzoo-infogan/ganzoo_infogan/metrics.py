"""Do the clusters that an encoder finds without labels agree with the classes?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import KMeans
from sklearn.metrics import adjusted_rand_score, confusion_matrix, normalized_mutual_info_score

from ganzoo_core.errors import GanzooError
from ganzoo_core.metrics import EvalContext
from ganzoo_infogan.clustergan import E as Encoder

BLOCK = 256  # pictures at a time
STARTS = 10  # of k-means, of which the best is taken
Numbers = NDArray[Any]


def cluster_ari(context: EvalContext) -> Iterator[tuple[str, float, dict[str, Any]]]:
    """K-means in the space that E leads to, beside k-means of the pixels: adjusted Rand index, normalised mutual
    information, purity (ACC in Mukherjee et al. 2019), accuracy where each cluster is a class of its own.

    Errors: GanzooError for a model without such an encoder, and for data without labels.
    """
    E = context.model.networks.get("E")
    if not isinstance(E, Encoder) or "label" not in context.source.info.keys:
        raise GanzooError(
            "cluster_ari: of encoders to clusters, on data with labels", "Choose another --metric or --data."
        )
    x, label = pictures(context)
    k, about = max(E.categories, int(label.max()) + 1), {"n": 0, "n_real": len(label), "k_means_starts": STARTS}
    for suffix, points in (("", encoded(context, E, x)), ("[pixels]", x.flatten(1).numpy())):
        found = KMeans(k, n_init=STARTS, random_state=context.seed).fit_predict(points)
        for name, value in agreement(found, label.numpy()).items():
            yield f"{name}{suffix}", value, about


def pictures(context: EvalContext) -> tuple[torch.Tensor, torch.Tensor]:
    """The first n pictures of the data and their labels.  [n, C, H, W], [n]"""
    batch = context.source.fetch(range(min(context.n, len(context.source))))
    return batch["x"], batch["label"]


@torch.inference_mode()
def encoded(context: EvalContext, E: Encoder, x: torch.Tensor) -> Numbers:
    """E(x).  [n, z_dim + K]"""
    rows = []
    for start in range(0, len(x), BLOCK):
        context.progress("encoding", start, len(x))
        rows.append(E(x[start : start + BLOCK].to(context.device)).cpu())
    context.progress("encoding", len(x), len(x))
    return torch.cat(rows).numpy()


def agreement(found: Numbers, classes: Numbers) -> dict[str, float]:
    """How well clusters agree with classes, both int64 [n]: 1 where they are the same, whatever their numbers."""
    table = confusion_matrix(classes, found)  # [a class, a cluster]
    one_to_one = table[linear_sum_assignment(-table)].sum()
    return {
        "cluster_ari": float(adjusted_rand_score(classes, found)),
        "cluster_nmi": float(normalized_mutual_info_score(classes, found)),
        "cluster_purity": float(table.max(0).sum() / len(found)),
        "cluster_accuracy": float(one_to_one / len(found)),
    }
