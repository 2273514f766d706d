"""What measuring costs beside torchmetrics' and torch-fidelity's own loops, on the same features; prints ratios.

    python tests/benchmarks/bench_metrics.py [N]     # default 10,000

All see the same batches of random features, so only their own work is compared: ours keeps moments and rows, theirs
features or moments. Then the whole of `ganzoo eval` on N samples of dcgan.mnist, sampling apart, if MNIST is there.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable

import torch
from ganzoo_metrics.features import Kept, Moments
from ganzoo_metrics.fidelity import frechet, squared_mmd
from ganzoo_metrics.manifolds import manifold
from torch import Tensor, nn
from torch_fidelity.metric_fid import fid_features_to_statistics, fid_statistics_to_metric
from torch_fidelity.metric_kid import kid_features_to_metric
from torch_fidelity.metric_prc import prc_features_to_metric
from torchmetrics.image.fid import FrechetInceptionDistance
from torchmetrics.image.kid import KernelInceptionDistance

import ganzoo_core as gz
from ganzoo_core.errors import GanzooError
from ganzoo_core.metrics import EvalConfig, evaluate

DIM, BATCH, ROWS = 128, 500, 10_000
Batches = list[Tensor]


def moments(batches: Batches) -> tuple[Tensor, Tensor]:
    found = Moments(DIM)
    for batch in batches:
        found.add(batch)
    return found.mean, found.cov


def rows(batches: Batches) -> Tensor:
    kept = Kept(torch.arange(ROWS))
    for batch in batches:
        kept.add(batch)
    return kept.all


def our_fid(fake: Batches, real: Batches) -> float:
    return frechet(*moments(fake), *moments(real))


def fidelity_fid(fake: Batches, real: Batches) -> float:
    statistics = (fid_features_to_statistics(torch.cat(x)) for x in (fake, real))
    return float(fid_statistics_to_metric(*statistics, verbose=False)["frechet_inception_distance"])


def seen_by(metric: FrechetInceptionDistance | KernelInceptionDistance, fake: Batches, real: Batches) -> object:
    for batch in fake:
        metric.update(batch, real=False)
    for batch in real:
        metric.update(batch, real=True)
    return metric.compute()


def identity() -> nn.Module:
    features = nn.Identity()
    features.num_features = DIM
    return features


def torchmetrics_fid(fake: Batches, real: Batches) -> float:
    return float(seen_by(FrechetInceptionDistance(feature=identity()), fake, real))  # type: ignore[arg-type]


def torchmetrics_kid(fake: Batches, real: Batches) -> float:
    return float(seen_by(KernelInceptionDistance(feature=identity(), subset_size=1000), fake, real)[0])  # type: ignore[index]


def our_kid(fake: Batches, real: Batches) -> float:
    return squared_mmd(rows(fake), rows(real), 1000)


def fidelity_kid(fake: Batches, real: Batches) -> float:
    return float(
        kid_features_to_metric(torch.cat(fake), torch.cat(real), verbose=False)["kernel_inception_distance_mean"]
    )


def our_precision(fake: Batches, real: Batches) -> float:
    return manifold(rows(fake), rows(real)).precision


def fidelity_precision(fake: Batches, real: Batches) -> float:
    return float(prc_features_to_metric(torch.cat(fake), torch.cat(real), verbose=False)["precision"])


def timed(score: Callable[[Batches, Batches], float], fake: Batches, real: Batches) -> tuple[float, float]:
    start = time.perf_counter()
    value = score(fake, real)
    return value, time.perf_counter() - start


def beyond_sampling(n: int) -> None:
    """Seconds of `ganzoo eval dcgan.mnist -n N` that are not sampling, with the data's statistics in the cache."""
    model = gz.load("dcgan.mnist")
    evaluate(model, EvalConfig("mnist", ("fid",), 1000))  # the data's statistics
    sampling = 0.0
    original = model.generator.sample

    def sample(*args: int, **inputs: object) -> Tensor:
        nonlocal sampling
        start = time.perf_counter()
        made = original(*args, **inputs)  # type: ignore[arg-type]
        sampling += time.perf_counter() - start
        return made

    model.generator.sample = sample  # type: ignore[method-assign]
    start = time.perf_counter()
    scores = evaluate(model, EvalConfig("mnist", (), n))
    whole = time.perf_counter() - start
    print(f"ganzoo eval dcgan.mnist -n {n}, {len(scores)} scores: {whole:.1f} s, of which sampling {sampling:.1f} s")


def main() -> None:
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    rng = torch.Generator().manual_seed(0)
    fake = list(torch.randn(n, DIM, generator=rng).relu().split(BATCH))
    real = list((1.1 * torch.randn(n, DIM, generator=rng)).relu().split(BATCH))
    print(f"{n:,} feature vectors of {DIM} on each side, {torch.get_num_threads()} threads")
    for ours, *theirs in (
        (our_fid, torchmetrics_fid, fidelity_fid),
        (our_kid, torchmetrics_kid, fidelity_kid),
        (our_precision, fidelity_precision),
    ):
        value, seconds = timed(ours, fake, real)
        print(f"{ours.__name__:20} {value:10.5f} {seconds:7.2f} s")
        for other in theirs:
            value, took = timed(other, fake, real)
            print(f"{other.__name__:20} {value:10.5f} {took:7.2f} s: {took / seconds:.2f} times ours")
    try:
        beyond_sampling(n)
    except GanzooError as fault:
        print(f"ganzoo eval: not measured: {fault}")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10:.0f} MiB")


if __name__ == "__main__":
    main()
