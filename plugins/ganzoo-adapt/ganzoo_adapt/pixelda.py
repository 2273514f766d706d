"""The game of PixelDA: a is a labelled picture of the source, y its label, b one of the target, z noise."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from torch import nn
from torch.nn.functional import cross_entropy

from ganzoo_core.nn import Discriminator, Generator
from ganzoo_core.objectives import Batch, Objective, Phase, Player, Step, Terms, adam, least_squares


class PixelDA(Objective):
    """Unsupervised Pixel-Level Domain Adaptation with GANs (Bousmalis et al. 2016, arXiv:1612.05424).

    min over G and T, max over D of alpha L_d(D, G) + beta L_t(G, T). S learns what T learns, from the source alone:
    what adaptation is worth is the difference of the two.
    """

    G: Generator
    D: Discriminator
    T: nn.Module
    S: nn.Module

    alpha: Annotated[float, "weight of D's verdict"] = 1.0
    beta: Annotated[float, "weight of the task"] = 0.1
    lr: Annotated[float, "Adam's step for all players"] = 2e-4
    images: Annotated[int, "length in pictures of the source"] = 12_000_000

    needs = frozenset({"a", "b", "label"})
    exported = ("G", "T", "S")

    def phases(self) -> Sequence[Phase]:
        G = Player("G", [self.G, self.T], adam(self.lr, 0.5))
        D, S = Player("D", [self.D], adam(self.lr, 0.5)), Player("S", [self.S], adam(self.lr, 0.5))
        return [Phase("main", [Step(G, self.g_loss), Step(D, self.d_loss), Step(S, self.s_loss)], self.images)]

    def g_loss(self, batch: Batch) -> Terms:
        """alpha E (D(G(a, z)) - 1)^2 + beta (CE(T(G(a, z)), y) + CE(T(a), y)) / 2."""
        a, y = batch["a"], batch["label"]
        fake = self.G(a, self.G.prior(len(a)))
        return {
            "adv": 2 * self.alpha * least_squares.g(self.D(fake), None),
            "task": self.beta * cross_entropy(self.T(fake).float(), y) / 2,
            "task_source": self.beta * cross_entropy(self.T(a).float(), y) / 2,
        }

    def d_loss(self, batch: Batch) -> Terms:
        """1/2 E (D(b) - 1)^2 + 1/2 E D(G(a, z))^2."""
        a = batch["a"]
        return least_squares.d(self.D(batch["b"]), self.D(self.G(a, self.G.prior(len(a)))))

    def s_loss(self, batch: Batch) -> Terms:
        """CE(S(a), y)."""
        return {"source": cross_entropy(self.S(batch["a"]).float(), batch["label"])}
