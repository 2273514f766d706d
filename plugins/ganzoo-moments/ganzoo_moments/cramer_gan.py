"""The game of the Cramer GAN: the energy distance of a learnt space, whose gradients on samples are unbiased."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor

from ganzoo_core.objectives import Batch, Optim, Terms, adam, gradient_penalty
from ganzoo_moments.embedding import EmbeddingGame


class CramerGAN(EmbeddingGame):
    """The Cramer Distance as a Solution to Biased Wasserstein Gradients (Bellemare et al. 2017, arXiv:1705.10743).

    d = -(E f(x) - E f(G(z))) + lambda E (|grad f(x^)| - 1)^2,  f(x) = E |h(x) - h(G(z'))| - |h(x)|,
    g = E |h(x) - h(G(z))| + E |h(x) - h(G(z'))| - E |h(G(z)) - h(G(z'))|

    h(x) are D's outputs, z and z' two latents, x^ a point between a picture and a sample. g is the energy distance
    of the two laws in h's space but for what does not depend on G; in d |h(x)| stands in for a second picture.
    """

    slopes, batchwise = True, False  # one z' for each picture: rows, not batches

    lam: Annotated[float, "lambda, weight of the gradient penalty"] = 10.0
    lr: Annotated[float, "Adam's step for both players"] = 1e-4
    b1: Annotated[float, "Adam's beta_1"] = 0.5
    b2: Annotated[float, "Adam's beta_2"] = 0.9
    k: Annotated[int, "updates of the critic for each of G"] = 5

    def optim(self, player: str) -> Optim:
        return adam(self.lr, self.b1, self.b2)

    def d_updates(self) -> int:
        return self.k

    def d_loss(self, batch: Batch) -> Terms:
        x = batch["x"]
        fake = self.fake(len(x))
        other = self.h(self.fake(len(x)))  # h(G(z'))

        def f(x: Tensor) -> Tensor:
            return critic(self.h(x), other)

        return {"real": -f(x).mean(), "fake": f(fake).mean(), "gp": self.lam * gradient_penalty(f, x, fake)}

    def g_loss(self, batch: Batch) -> Terms:
        x = batch["x"]
        return {"cramer": cramer(self.h(x), self.h(self.fake(len(x))), self.h(self.fake(len(x))))}


def critic(h: Tensor, other: Tensor) -> Tensor:
    """f = |h - h'| - |h|, row by row of points [N, F], the h' in the place of an expectation.  [N]"""
    return norm(h - other) - norm(h)


def cramer(a: Tensor, b: Tensor, b_too: Tensor) -> Tensor:
    """E |a - b| + E |a - b'| - E |b - b'|, over the rows of points [N, F]: the energy distance plus E |a - a'|."""
    return (norm(a - b) + norm(a - b_too) - norm(b - b_too)).mean()


def norm(h: Tensor) -> Tensor:
    """|h|_2 of points [N, F], with a slope of 0 at 0.  [N]"""
    sizes: Tensor = torch.linalg.vector_norm(h, dim=1)
    return sizes
