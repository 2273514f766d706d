"""The game of StyleGAN2: the logistic loss, with R1 and path lengths as steps of their own that are seldom taken."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated

import torch
from torch import Tensor

from ganzoo_core.nn import Discriminator
from ganzoo_core.objectives import (
    Batch,
    Objective,
    Optim,
    Phase,
    Player,
    Step,
    Terms,
    adam,
    nonsaturating,
    r1,
    to_float32,
)
from ganzoo_stylegan.styles import Styled, mixed


class StyleGAN2(Objective):
    """Analyzing and Improving the Image Quality of StyleGAN (Karras et al. 2019, arXiv:1912.04958), App. B."""

    batchwise = True
    a: Tensor  # the moving average of path lengths

    G: Styled
    D: Discriminator
    gamma: Annotated[float, "weight of R1"] = 10.0
    r1_every: Annotated[int, "iterations from one step of R1 to the next (lazy regularisation, Sec. 3.1)"] = 16
    pl_weight: Annotated[float, "weight of the path lengths"] = 2.0
    pl_every: Annotated[int, "iterations from one step of path lengths to the next"] = 4
    pl_decay: Annotated[float, "how fast a follows the lengths"] = 0.01
    pl_shrink: Annotated[int, "path lengths are measured on a batch so much smaller"] = 2
    mixing: Annotated[float, "share of pictures made of two w"] = 0.9
    lr: Annotated[float, "Adam's, of both"] = 2e-3
    images: Annotated[int, "length in real images"] = 25_000_000

    def __post_init__(self) -> None:
        super().__post_init__()
        self.register_buffer("a", torch.tensor(0.0))

    def phases(self) -> Sequence[Phase]:
        G = Player("G", [self.G], lazy(self.lr, self.pl_every))
        D = Player("D", [self.D], lazy(self.lr, self.r1_every))
        steps = [
            Step(G, self.g_loss),
            Step(G, self.pl_loss, every=self.pl_every),
            Step(D, self.d_loss),
            Step(D, self.r1_loss, every=self.r1_every),
        ]
        return [Phase("main", steps, self.images)]

    def g_loss(self, batch: Batch) -> Terms:
        """softplus(-D(G(z)))."""
        return {"adv": nonsaturating.g(self.D(self.G.synthesis(self.styles(len(batch["x"])))), None)}

    def pl_loss(self, batch: Batch) -> Terms:
        """E (||J_w^T y||_2 - a)^2, Eq. 4: steps in W of a fixed size are to change the picture by a fixed amount."""
        w = self.styles(max(1, len(batch["x"]) // self.pl_shrink)).requires_grad_()
        lengths = path_lengths(self.G.synthesis(w), w)
        self.a.lerp_(lengths.detach().mean(), self.pl_decay)
        return {"pl": self.pl_weight * self.pl_every * (lengths - self.a.clone()).square().mean()}

    def d_loss(self, batch: Batch) -> Terms:
        """softplus(D(G(z))) + softplus(-D(x))."""
        x = batch["x"]
        return nonsaturating.d(self.D(x), self.D(self.G.synthesis(self.styles(len(x)))))

    def r1_loss(self, batch: Batch) -> Terms:
        """gamma / 2 E ||grad D(x)||^2 (Mescheder et al. 2018, Eq. 9), as much stronger as it is rarer."""
        return {"r1": self.gamma / 2 * self.r1_every * r1(self.D, batch["x"])}

    def styles(self, n: int) -> Tensor:
        """Some of one w, most of two.  [n, layers, w]"""
        return mixed(self.G, self.G.prior(n), self.mixing, self.G.synthesis.layers)


def path_lengths(x: Tensor, w: Tensor) -> Tensor:
    """||J_w^T y||_2 of every sample, y ~ N(0, 1) over the pixels, w for each layer: a mean over layers.  [N]

    J_w^T y = grad_w (g(w) . y), App. B; y is divided by the root of the number of pixels, so that lengths do not grow
    with the picture.
    """
    y = torch.randn_like(x) / math.sqrt(x.shape[2] * x.shape[3])
    (Jy,) = torch.autograd.grad((to_float32(x) * y).sum(), w, create_graph=True)  # [N, layers, w]
    return to_float32(Jy).square().sum(2).mean(1).sqrt()


def lazy(lr: float, every: int) -> Optim:
    """Adam(lr, 0, 0.99) for one more step every so many: lr^c, beta^c with c = every / (every + 1) (App. B)."""
    c = every / (every + 1)
    return adam(c * lr, 0.0, 0.99**c)
