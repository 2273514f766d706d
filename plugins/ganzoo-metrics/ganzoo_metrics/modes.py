"""How many modes of a known mixture do samples find, and how evenly? (Metz et al. 2017; Srivastava et al. 2017)."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

STDS = 3.0  # a sample within so many standard deviations of a mode belongs to it


class Modes(NamedTuple):
    """What samples find of a mixture of Gaussians."""

    found: int  # modes with one good sample at least
    good: float  # share of samples within 3 standard deviations of a mode
    kl: float  # KL of the good samples' shares of the modes to uniform, in nats; log(modes) where there is none


def modes(samples: Tensor, means: Tensor, std: float) -> Modes:
    """Count modes: `samples` [N, 2] against the `means` [K, 2] of equal Gaussians of standard deviation `std`."""
    distance, nearest = torch.cdist(samples.double(), means.double()).min(1)  # [N]
    good = distance <= STDS * std
    counts = torch.bincount(nearest[good], minlength=len(means)).double()
    if not good.any():
        return Modes(0, 0.0, float(torch.tensor(float(len(means))).log()))
    share = counts / counts.sum()
    kl = torch.special.xlogy(share, share * len(means)).sum()  # sum p log (p / (1/K))
    return Modes(int((counts > 0).sum()), float(good.double().mean()), float(kl))
