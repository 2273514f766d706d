"""The game of McGan: the means and the covariances of features are to match."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor

from ganzoo_core.objectives import Batch, Optim, Terms, clip_weights, rmsprop
from ganzoo_moments.embedding import EmbeddingGame


class McGan(EmbeddingGame):
    """McGan: Mean and Covariance Feature Matching GAN (Mroueh, Sercu & Goel 2017, arXiv:1702.08398).

    g = -d = mean * |mu(P) - mu(Q)|_2 + cov * |[Sigma(P) - Sigma(Q)]_k|_*,  mu = E h, Sigma = E h h^T

    P are pictures, Q samples; |[.]_k|_* is the sum of the k largest singular values, which is what the best pair of
    k orthonormal directions on either side finds. D's weights are clipped, so that features stay bounded.
    """

    lr: Annotated[float, "RMSProp's step for both players"] = 5e-5
    clip: Annotated[float, "bound on every weight of the critic"] = 0.01
    mean: Annotated[float, "weight of the distance of means; 0: covariances alone"] = 1.0
    cov: Annotated[float, "weight of the distance of covariances; 0: means alone"] = 1.0
    k: Annotated[int, "singular values of the covariances' difference that count"] = 16
    n_critic: Annotated[int, "updates of the critic for each of G"] = 5

    def optim(self, player: str) -> Optim:
        return rmsprop(self.lr)

    def d_updates(self) -> int:
        return self.n_critic

    def project(self) -> None:
        """Every weight back into its box."""
        clip_weights(self.D, self.clip)

    def d_loss(self, batch: Batch) -> Terms:
        return {name: -distance for name, distance in self.g_loss(batch).items()}

    def g_loss(self, batch: Batch) -> Terms:
        x = batch["x"]
        a, b = self.h(x), self.h(self.fake(len(x)))
        return {"mean": self.mean * mean_distance(a, b), "cov": self.cov * covariance_distance(a, b, self.k)}


def mean_distance(a: Tensor, b: Tensor) -> Tensor:
    """|E a - E b|_2 of points [N, F]."""
    return torch.linalg.vector_norm(a.mean(0) - b.mean(0))


def covariance_distance(a: Tensor, b: Tensor, k: int) -> Tensor:
    """The sum of the k largest singular values of E a a^T - E b b^T, of points [N, F]; the moments are not centred.

    The difference is symmetric, so these are its largest eigenvalues in size.
    """
    difference = a.T @ a / len(a) - b.T @ b / len(b)
    sizes = torch.linalg.eigvalsh(difference).abs()
    return sizes.topk(min(k, len(sizes))).values.sum()
