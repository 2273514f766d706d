"""Modes of a column of numbers: a variational mixture of normals, whose needless components die out.

Xu et al. 2019, Sec. 4.2.
"""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

COMPONENTS = 10  # at most
LEAST = 0.005  # share of a component that is kept
ENOUGH = 10_000  # rows that a mixture is fitted to


def modes_of(values: NDArray[np.float64]) -> tuple[tuple[float, float, float], ...]:
    """(share, mean, deviation) of each mode of finite values [n], the most frequent first."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import BayesianGaussianMixture

    values = values if len(values) <= ENOUGH else np.random.default_rng(0).choice(values, ENOUGH, replace=False)
    scale, middle = float(values.std()) or 1.0, float(values.mean())
    mixture = BayesianGaussianMixture(
        n_components=min(COMPONENTS, len(np.unique(values))),
        weight_concentration_prior_type="dirichlet_process",
        weight_concentration_prior=0.001,
        random_state=0,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        mixture.fit((values[:, None] - middle) / scale)
    found = zip(mixture.weights_, mixture.means_[:, 0], mixture.covariances_[:, 0, 0], strict=True)
    kept = sorted(((w, m, v) for w, m, v in found if w >= LEAST), reverse=True)
    total = sum(w for w, _, _ in kept)
    return tuple((rounded(w / total), rounded(m * scale + middle), rounded(np.sqrt(v) * scale)) for w, m, v in kept)


def rounded(value: float) -> float:
    """Seven digits, as many as a float32 has."""
    return float(f"{value:.7g}")
