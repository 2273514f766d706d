"""The game of Triple-GAN: whoever labels pictures need not be whoever tells real pairs from made ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, softplus

from ganzoo_core.nn import Discriminator, Generator
from ganzoo_core.objectives import Batch, Objective, Phase, Player, Step, Terms, adam, nonsaturating, to_float32
from ganzoo_semi import networks


class TripleGAN(Objective):
    """Triple Generative Adversarial Nets (Li et al. 2017, arXiv:1703.02291).

    min_{C, G} max_D E log D(x, y) + alpha E log(1 - D(x, y_c)) + (1 - alpha) E log(1 - D(G(y, z), y)), y_c ~ C(x),
    and C has the cross-entropies of the labelled pictures and of G's.
    """

    G: Generator
    C: networks.C
    D: Discriminator
    alpha: Annotated[float, "share of C's pairs among those that D is to see through"] = 0.5
    lam_pseudo: Annotated[float, "alpha_P, the weight of C's being right about G's pictures"] = 0.1
    lr: Annotated[float, "Adam's step for all players"] = 2e-4
    b1: Annotated[float, "Adam's beta_1"] = 0.5
    warm_up: Annotated[int, "length in real images of the first stretch, in which C learns nothing from G"] = 3_000_000
    images: Annotated[int, "length of the second, in which it does"] = 5_000_000

    needs = frozenset({"x", "x_labelled", "label"})
    exported = ("G", "C")

    def phases(self) -> Sequence[Phase]:
        D, C, G = (
            Player(name, [net], adam(self.lr, self.b1)) for name, net in (("D", self.D), ("C", self.C), ("G", self.G))
        )
        first, g_step = Step(D, self.d_loss), Step(G, self.g_loss)
        return [
            Phase("warm_up", [first, Step(C, self.c_loss), g_step], self.warm_up),
            Phase("main", [first, Step(C, self.c_pseudo_loss), g_step], self.images),
        ]

    def d_loss(self, batch: Batch) -> Terms:
        """-E log D(x, y) - alpha E log(1 - D(x, y_c)) - (1 - alpha) E log(1 - D(G(y, z), y)).

        Labelled pictures are few, so that as many others, with the labels that C finds likeliest, pass for real.
        """
        x, y = batch["x"], batch["label"]
        logits = self.C(x)
        pictures, labels = torch.cat([batch["x_labelled"], x]), torch.cat([y, logits.argmax(1)])
        real = self.D(pictures, labels)
        by_c, by_g = (softplus(to_float32(s)).mean() for s in (self.D(x, drawn(logits)), self.D(self.fake(y), y)))
        return {"real": softplus(-to_float32(real)).mean(), "c": self.alpha * by_c, "g": (1 - self.alpha) * by_g}

    def c_loss(self, batch: Batch) -> Terms:
        """alpha E C(y_c | x) log(1 - D(x, y_c)) - E log C(y | x), the latter of labelled pictures."""
        x, logits = batch["x"], self.C(batch["x"])
        y_c = drawn(logits)
        p = logits.float().softmax(1).gather(1, y_c[:, None])[:, 0]
        return {
            "adv": -self.alpha * (p * softplus(to_float32(self.D(x, y_c)))).mean(),
            "label": cross_entropy(self.C(batch["x_labelled"]).float(), batch["label"]),
        }

    def c_pseudo_loss(self, batch: Batch) -> Terms:
        """That, and alpha_P times the pseudo-discriminative loss, -E log C(y | G(y, z))."""
        y = batch["label"]
        pseudo = cross_entropy(self.C(self.fake(y)).float(), y)
        return {**self.c_loss(batch), "pseudo": self.lam_pseudo * pseudo}

    def g_loss(self, batch: Batch) -> Terms:
        """-(1 - alpha) E log D(G(y, z), y): what does not saturate, in place of log(1 - D)."""
        y = batch["label"]
        return {"adv": (1 - self.alpha) * nonsaturating.g(self.D(self.fake(y), y), None)}

    def fake(self, y: Tensor) -> Tensor:
        """G(y, z) for fresh z."""
        return self.G(self.G.prior(len(y)), y)


def drawn(logits: Tensor) -> Tensor:
    """A label of each picture by the classifier's probabilities.  [N, K] -> int64 [N]"""
    return torch.multinomial(logits.float().softmax(1), 1)[:, 0]
