"""The game of AttGAN: what is asked for must be seen, what is not must stay, and nothing must look edited."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, l1_loss, one_hot

from ganzoo_core.objectives import Batch, Objective, Phase, Player, Step, Terms, adam, gradient_penalty, wasserstein
from ganzoo_couples.attgan_networks import D, G
from ganzoo_couples.stargan import elsewhere

PREVIEW = 16  # pictures that are edited for the progress grid


class AttGAN(Objective):
    """AttGAN: Facial Attribute Editing by Only Changing What You Want (He et al. 2017, arXiv:1711.10678).

    x is a picture with attributes a, b are those that it is to have; C is the classifier beside D.
    """

    G: G
    D: D
    lam_rec: Annotated[float, "lambda_1, the weight of making x again of its own attributes"] = 100.0
    lam_cls: Annotated[float, "lambda_2, the weight of G's attributes being seen"] = 10.0
    lam_cls_d: Annotated[float, "lambda_3, the weight of C's being right about x"] = 1.0
    lam_gp: Annotated[float, "weight of the penalty on D's slope"] = 10.0
    n_critic: Annotated[int, "updates of D for one of G"] = 5
    lr: Annotated[float, "Adam's step for both players; a tenth of it in the second half"] = 2e-4
    images: Annotated[int, "length in pictures that D sees"] = 20_000_000

    needs = frozenset({"x", "label"})

    def phases(self) -> Sequence[Phase]:
        D, G = (Player(name, [net], adam(self.lr, 0.5), {"lr": tenth}) for name, net in (("D", self.D), ("G", self.G)))
        return [Phase("main", [Step(D, self.d_loss, repeat=self.n_critic), Step(G, self.g_loss)], self.images)]

    def d_loss(self, batch: Batch) -> Terms:
        """-E D(x) + E D(G(x, b)) + 10 E (||grad D(x^)||_2 - 1)^2 + lambda_3 H(a, C(x))."""
        x, a = batch["x"], batch["label"]
        fake = self.G(x, elsewhere(a))
        score, h = self.D.score_and_features(x)
        return {
            **wasserstein.d(score, self.D(fake)),
            "gp": self.lam_gp * gradient_penalty(self.D, x, fake),
            "cls": self.lam_cls_d * unlike(self.D.cls(h), a),
        }

    def g_loss(self, batch: Batch) -> Terms:
        """-E D(G(x, b)) + lambda_2 H(b, C(G(x, b))) + lambda_1 E ||x - G(x, a)||_1."""
        x, a = batch["x"], batch["label"]
        b = elsewhere(a)
        score, h = self.D.score_and_features(self.G(x, b))
        return {
            "adv": wasserstein.g(score, None),
            "cls": self.lam_cls * unlike(self.D.cls(h), b),
            "rec": self.lam_rec * l1_loss(self.G(x, a).float(), x),
        }

    @torch.no_grad()
    def sample(self, batch: Batch) -> dict[str, Tensor]:
        """Pictures, and what they are with each attribute in turn."""
        x, net = batch["x"][:PREVIEW], self.exported_networks()["G"]
        assert isinstance(net, G)
        return {"x": x} | {f"G{k}": net.sample(len(x), seed=0, x=x, label=k) for k in range(net.classes)}


def unlike(logits: Tensor, label: Tensor) -> Tensor:
    """Cross-entropy of each attribute by itself, the mean over all.  [N, classes], [N]"""
    return binary_cross_entropy_with_logits(logits.float(), one_hot(label, logits.shape[1]).float())


def tenth(u: float) -> float:
    """1 for the first half of the course, 0.1 for the second."""
    return 1.0 if u < 0.5 else 0.1
