"""The game of DANN, in one step of descent: what is passed back from D to the features is turned round."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, Any

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, softplus

from ganzoo_adapt.features import Classifier
from ganzoo_core.nn import Discriminator
from ganzoo_core.objectives import Batch, Objective, Phase, Player, Step, Terms, sgd, to_float32


class Reversed(torch.autograd.Function):
    """R_lambda: R(x) = x, dR/dx = -lambda I (Eqs. 16, 17)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, lam: Tensor) -> Tensor:
        ctx.save_for_backward(lam)
        return x.view_as(x)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        (lam,) = ctx.saved_tensors
        return -lam * grads[0], None


def reversed_gradient(x: Tensor, lam: Tensor) -> Tensor:
    """x, whose gradient comes back -lambda times as long; lam [] is a number."""
    made: Tensor = Reversed.apply(x, lam)
    return made


class DANN(Objective):
    """Domain-Adversarial Training of Neural Networks (Ganin et al. 2016, arXiv:1505.07818; 1409.7495 before it).

    E = L_y(T(a), y) + L_d(D(R_lambda(F(a))), 0) + L_d(D(R_lambda(F(b))), 1), F the encoder of T (Eq. 18): D descends
    its loss, F climbs lambda times the same one, both in one step. S learns the labels from the source alone.
    """

    T: Classifier
    S: Classifier
    D: Discriminator

    lam: Annotated[float, "lambda at the end: the weight of what is passed back from D"] = 1.0
    gamma: Annotated[float, "how fast lambda rises: lambda_p = 2 / (1 + exp(-gamma p)) - 1 of it, p the course"] = 10.0
    lr: Annotated[float, "mu_0, the first step of gradient descent with momentum 0.9"] = 0.01
    images: Annotated[int, "length in pictures of the source: 100 epochs of MNIST"] = 6_000_000

    needs = frozenset({"a", "b", "label"})
    exported = ("T", "S")

    def __post_init__(self) -> None:
        super().__post_init__()
        self.register_buffer("lambda_p", torch.zeros(()))
        self.lambda_p: Tensor

    def phases(self) -> Sequence[Phase]:
        T = Player("T", [self.T, self.D], sgd(self.lr, 0.9), {"lr": annealed})
        S = Player("S", [self.S], sgd(self.lr, 0.9), {"lr": annealed})
        return [Phase("main", [Step(T, self.t_loss), Step(S, self.s_loss)], self.images, on_step_end=self.rise)]

    def rise(self, u: float) -> None:
        """lambda_p = 2 / (1 + exp(-10 p)) - 1, p = u (Sec. 5.2.2): at first D knows nothing worth hearing."""
        self.lambda_p.fill_(self.lam * (2 / (1 + math.exp(-self.gamma * u)) - 1))

    def t_loss(self, batch: Batch) -> Terms:
        """CE(T(a), y) - log D(R(F(a))) - log(1 - D(R(F(b)))), means each."""
        f_a, f_b = self.T.encoder(batch["a"]), self.T.encoder(batch["b"])
        of_a, of_b = (to_float32(self.D(reversed_gradient(f, self.lambda_p))) for f in (f_a, f_b))
        return {
            "task": cross_entropy(self.T.head(f_a).float(), batch["label"]),
            "source": softplus(-of_a).mean(),
            "target": softplus(of_b).mean(),
        }

    def s_loss(self, batch: Batch) -> Terms:
        """CE(S(a), y)."""
        return {"source": self.S.loss(batch["a"], batch["label"])}


def annealed(u: float) -> float:
    """mu_p = mu_0 / (1 + 10 p)^0.75 (Sec. 5.2.2)."""
    return float((1 + 10 * u) ** -0.75)
