"""What no GAN is needed for: series drawn from the normal distribution that has the data's means and covariances.

python plugins/ganzoo-series/experiments/gaussian.py [sines | sines:waves]
"""

from __future__ import annotations

import sys

import torch
from ganzoo_series.data import open_sines
from ganzoo_series.scores import D_ITERATIONS, P_ITERATIONS, foretold, told_apart
from torch import Tensor


def gaussian(x: Tensor, seed: int) -> Tensor:
    """As many series [n, T, C], each a vector of T C numbers; what leaves [0, 1] is cut."""
    flat = x.flatten(1).double()
    covariance = torch.cov(flat.T) + 1e-6 * torch.eye(flat.shape[1], dtype=torch.double)
    torch.manual_seed(seed)
    drawn = torch.distributions.MultivariateNormal(flat.mean(0), covariance).sample((len(x),))
    return drawn.clamp(0, 1).float().view_as(x)


def main(name: str) -> None:
    source = open_sines(None, name.partition(":")[2])
    real = (source.fetch(range(len(source)))["series"] + 1) / 2
    for seed in range(3):
        made = gaussian(real, seed)
        apart = abs(0.5 - told_apart(real, made, seed, D_ITERATIONS))
        print(f"{name}: discriminative {apart:.3f}, predictive {foretold(made, real, seed, P_ITERATIONS):.3f}")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "sines")
