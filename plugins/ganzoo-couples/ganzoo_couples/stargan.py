"""The game of StarGAN: one G for all pairs of domains, and a D that says which domain a picture is of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, l1_loss

from ganzoo_core.objectives import (
    Batch,
    Objective,
    Phase,
    Player,
    Step,
    Terms,
    adam,
    gradient_penalty,
    halfway_to_zero,
    wasserstein,
)
from ganzoo_couples.stargan_networks import D, G

PREVIEW = 16  # pictures that are translated for the progress grid


class StarGAN(Objective):
    """StarGAN: Unified Generative Adversarial Networks for Multi-Domain Image-to-Image Translation (Choi et al. 2017).

    arXiv:1711.09020. x is a picture of domain c', c the domain that it is to be of.

    L_D = -L_adv + lambda_cls L_cls^r, L_G = L_adv + lambda_cls L_cls^f + lambda_rec L_rec
    """

    G: G
    D: D
    lam_cls: Annotated[float, "lambda_cls, the weight of being of the right domain"] = 1.0
    lam_rec: Annotated[float, "lambda_rec, the weight of the way there and back"] = 10.0
    lam_gp: Annotated[float, "lambda_gp, the weight of the penalty on D's slope"] = 10.0
    n_critic: Annotated[int, "updates of D for one of G"] = 5
    lr: Annotated[float, "Adam's step for both players; from half the course on it falls to 0"] = 1e-4
    images: Annotated[int, "length in pictures that D sees: 200,000 batches of 16"] = 3_200_000

    needs = frozenset({"x", "label"})

    def phases(self) -> Sequence[Phase]:
        D, G = (
            Player(name, [net], adam(self.lr, 0.5), {"lr": halfway_to_zero})
            for name, net in (("D", self.D), ("G", self.G))
        )
        return [Phase("main", [Step(D, self.d_loss, repeat=self.n_critic), Step(G, self.g_loss)], self.images)]

    def d_loss(self, batch: Batch) -> Terms:
        """-E D_src(x) + E D_src(G(x, c)) + lambda_gp E (||grad D_src(x^)||_2 - 1)^2 - lambda_cls E log D_cls(c'|x)."""
        x, own = batch["x"], batch["label"]
        fake = self.G(x, elsewhere(own))
        score, h = self.D.score_and_features(x)
        return {
            **wasserstein.d(score, self.D(fake)),
            "gp": self.lam_gp * gradient_penalty(self.D, x, fake),
            "cls": self.lam_cls * cross_entropy(self.D.cls(h).float(), own),
        }

    def g_loss(self, batch: Batch) -> Terms:
        """-E D_src(G(x, c)) - lambda_cls E log D_cls(c|G(x, c)) + lambda_rec E ||x - G(G(x, c), c')||_1."""
        x, own = batch["x"], batch["label"]
        c = elsewhere(own)
        fake = self.G(x, c)
        score, h = self.D.score_and_features(fake)
        return {
            "adv": wasserstein.g(score, None),
            "cls": self.lam_cls * cross_entropy(self.D.cls(h).float(), c),
            "rec": self.lam_rec * l1_loss(self.G(fake, own).float(), x),
        }

    @torch.no_grad()
    def sample(self, batch: Batch) -> dict[str, Tensor]:
        """Pictures, and what they are in each domain in turn."""
        x, net = batch["x"][:PREVIEW], self.exported_networks()["G"]
        assert isinstance(net, G)
        return {"x": x} | {f"G{k}": net.sample(len(x), seed=0, x=x, label=k) for k in range(net.classes)}


def elsewhere(own: Tensor) -> Tensor:
    """Where pictures are to go: the domains of the batch in another order, so each is as frequent as in the data."""
    return own[torch.randperm(len(own), device=own.device)]
