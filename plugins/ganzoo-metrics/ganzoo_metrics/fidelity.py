"""Distances between the features of samples and of data, by torch-fidelity's formulas on our own streams.

FID: Heusel et al. 2017, Eq. 6. KID: Bińkowski et al. 2018, Sec. 4. Inception Score: Salimans et al. 2016, Sec. 4.
Single-image FID: Rott Shaham et al. 2019, Sec. 4.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch_fidelity.metric_fid import KEY_METRIC_FID, fid_statistics_to_metric
from torch_fidelity.metric_kid import KEY_METRIC_KID_MEAN, kid_features_to_metric

from ganzoo_core.errors import GanzooError
from ganzoo_core.metrics import EvalContext
from ganzoo_core.nn import Image
from ganzoo_metrics.extractors import Extractor, to_channels
from ganzoo_metrics.features import Moments, enough, extractor, named, of_data, of_samples, protocol, seen

Found = Iterator[tuple[str, float, dict[str, Any]]]
SUBSETS, SUBSET = 100, 1000  # of KID


def fid(context: EvalContext) -> Found:
    """|m - m'|^2 + tr(C + C' - 2 (C C')^1/2): of all samples and all data."""
    fake, real = context.cached(of_samples).seen, context.cached(of_data)
    enough(min(fake.n, real.n), 2, "fid")
    yield named("fid", context), frechet(fake.mean, fake.cov, real.mean, real.cov), protocol(context)


def fid_identity(context: EvalContext) -> Found:
    """The same of the pictures that the model is given, as if they were its answers."""
    real, looking = context.cached(of_data), context.cached(extractor)
    inputs = context.net.inputs
    name = next((n for n in context.given if isinstance(inputs[n], Image) and inputs[n].shape[0] in (1, 3)), None)
    if name is None:
        raise GanzooError(f"fid_identity: {context.model} is given no pictures")
    given = seen(looking, (batch[name] for batch in context.real()), torch.arange(0))
    yield named("fid_identity", context), frechet(given.mean, given.cov, real.mean, real.cov), protocol(context)


def kid(context: EvalContext) -> Found:
    """Squared maximum mean discrepancy, unbiased, k(x, y) = (x.y / d + 1)^3: the mean over random subsets."""
    fake, real = context.cached(of_samples).seen, context.cached(of_data)
    size = min(SUBSET, len(fake.rows), len(real.rows))
    enough(size, 2, "kid")
    more = {"subsets": SUBSETS, "subset_size": size, "rows": len(fake.rows), "rows_real": len(real.rows)}
    yield named("kid", context), squared_mmd(fake.rows, real.rows, size), protocol(context, **more)


def inception(context: EvalContext) -> Found:
    """exp E_x KL(p(y|x) || p(y)), the mean over ten parts of the samples. It looks at no data."""
    enough(context.n, 100, "is")
    yield named("is", context), context.cached(of_samples).inception, protocol(context, splits=10, n_real=0)


def sifid(context: EvalContext) -> Found:
    """FID between places of one picture: shallow activations of the extractor at every place are the samples."""
    looking = context.cached(extractor)
    real = places(looking, next(iter(context.real()))["x"][:1])
    scores = [
        frechet(*places(looking, x[None]), *real) for batch in context.generated(min(context.n, 50)) for x in batch["x"]
    ]
    more = {"n": len(scores), "n_real": 1, "layer": looking.local_layer, "resize": "none"}
    yield named("sifid", context), sum(scores) / len(scores), protocol(context, **more)


@torch.inference_mode()
def places(looking: Extractor, x: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and covariance over places of the shallowest activations of one image [1, C, H, W], in its own size."""
    rows = looking.local(to_channels(x, looking.channels))[0].flatten(1).T  # [H' W', c]
    moments = Moments(rows.shape[1])
    moments.add(rows)
    return moments.mean, moments.cov


def frechet(mean: Tensor, cov: Tensor, mean_: Tensor, cov_: Tensor) -> float:
    """The Fréchet distance, squared, between two Gaussians."""
    one, other = ({"mu": m.numpy(), "sigma": c.numpy()} for m, c in ((mean, cov), (mean_, cov_)))
    return float(fid_statistics_to_metric(one, other, verbose=False)[KEY_METRIC_FID])


def squared_mmd(rows: Tensor, rows_: Tensor, size: int) -> float:
    """KID of feature vectors [n, d] and [n', d]."""
    options = {"kid_subsets": SUBSETS, "kid_subset_size": size, "verbose": False}
    return float(kid_features_to_metric(rows, rows_, **options)[KEY_METRIC_KID_MEAN])
