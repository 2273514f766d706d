"""What a model makes of an input beside what it should have made of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from torch import Tensor
from torchmetrics.functional.image import peak_signal_noise_ratio, structural_similarity_index_measure

from ganzoo_core.errors import GanzooError
from ganzoo_core.metrics import Subject

Found = Iterator[tuple[str, float, dict[str, Any]]]
RANGE = 2.0  # of pixels in [-1, 1]


def psnr(subject: Subject) -> Found:
    """10 log10(peak^2 / mean squared error) in dB, of each image, averaged over images."""
    yield "psnr", mean(subject, each_psnr), about(subject)


def ssim(subject: Subject) -> Found:
    """Wang et al. 2004, Eq. 13, Gaussian window of 11 pixels, averaged over images."""
    yield "ssim", mean(subject, each_ssim), about(subject)


def each_psnr(made: Tensor, target: Tensor) -> Tensor:
    return peak_signal_noise_ratio(made, target, data_range=RANGE, reduction="none", dim=(1, 2, 3))  # [m]


def each_ssim(made: Tensor, target: Tensor) -> Tensor:
    result = structural_similarity_index_measure(made, target, data_range=RANGE, reduction="none")
    assert isinstance(result, Tensor)
    return result  # [m]


def mean(subject: Subject, each: Callable[[Tensor, Tensor], Tensor]) -> float:
    total, n = 0.0, shown(subject)
    for batch in subject.generated(n):
        if "target" not in batch:
            raise GanzooError(f"{subject.model}: takes nothing from the data, so there is nothing to compare with")
        total += float(each(batch["x"].cpu(), batch["target"]).double().sum())
    return total / n


def shown(subject: Subject) -> int:
    """Every pair once at most."""
    return min(subject.n, len(subject.source))


def about(subject: Subject) -> dict[str, Any]:
    return {"n": shown(subject), "n_real": shown(subject)}
