"""The game of Twin Auxiliary Classifiers GAN: a second classifier takes back what AC-GAN's teaches G too much."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from ganzoo_sngan.objective import Hinge
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ganzoo_core.objectives import Batch, Optim, Terms, adam, hinge


class TwinACGAN(Hinge):
    """Twin Auxiliary Classifiers GAN (Gong et al. 2019, arXiv:1907.02690).

    min_{G, C} max_{D, C_mi}: the hinge's + lambda (-E log C(y | x) - E log C(y | G(z, y)) + E log C_mi(y | G(z, y))).
    AC-GAN's G makes what is easy to name, for E log C(y | G) is more than the likeness of p(y | x): it lowers the
    entropy of G's classes, too. C_mi, which sees samples only, measures that entropy, and G raises it again
    """

    C: nn.Module
    C_mi: nn.Module
    lam: Annotated[float, "lambda, the weight of both classifiers"] = 1.0
    n_dis: Annotated[int, "updates of D for each of G"] = 4
    lr: Annotated[float, "Adam's step for both players"] = 2e-4
    b1: Annotated[float, "Adam's beta_1"] = 0.0
    b2: Annotated[float, "Adam's beta_2"] = 0.999
    images: Annotated[int, "length in real images: 50,000 updates of G at 4 batches of 64"] = 12_800_000

    def optim(self, player: str) -> Optim:
        return adam(self.lr, self.b1, self.b2)

    def nets(self, player: str) -> Sequence[nn.Module]:
        return [self.D, self.C, self.C_mi] if player == "D" else [self.G]

    def d_loss(self, batch: Batch) -> Terms:
        x, y = batch["x"], batch["label"]
        (r, h), (s, h_fake) = self.D.score_and_features(x), self.D.score_and_features(self.fake(len(y), y))
        named = {"class": self.lam * unnamed(self.C, h, y), "class_fake": self.lam * unnamed(self.C, h_fake, y)}
        return hinge.d(r, s) | named | {"twin": self.lam * unnamed(self.C_mi, h_fake, y)}

    def g_loss(self, batch: Batch) -> Terms:
        y = batch["label"]
        s, h = self.D.score_and_features(self.fake(len(y), y))
        named = self.lam * (unnamed(self.C, h, y) - unnamed(self.C_mi, h, y))
        return {"adv": hinge.g(s, None), "class": named}


def unnamed(C: nn.Module, h: Tensor, y: Tensor) -> Tensor:
    """-E log C(y | h)."""
    return cross_entropy(C(h).float(), y)
