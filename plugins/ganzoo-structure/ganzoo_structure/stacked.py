"""The game of a stacked GAN: the encoder, each level by itself, then all together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, mse_loss

from ganzoo_core.objectives import Batch, Objective, Phase, Player, Step, Terms, adam, nonsaturating
from ganzoo_structure import stacked_networks as networks


class StackedGAN(Objective):
    """Stacked Generative Adversarial Networks (Huang et al. 2016, arXiv:1612.04357).

    At each level i: L_adv against D_i, L_cond = how far E is from reading h_(i+1) back, L_ent = -E log Q_i(z_i | h_i).
    """

    G: networks.G
    E: networks.E
    D1: networks.D1
    D0: networks.D0
    Q1: nn.Linear
    Q0: nn.Linear
    lam_cond: Annotated[float, "weight of L_cond"] = 1.0
    lam_ent: Annotated[float, "weight of L_ent"] = 1.0
    lr: Annotated[float, "Adam's step for all players"] = 2e-4
    b1: Annotated[float, "Adam's beta_1"] = 0.5
    images: Annotated[int, "length of the joint training in real images"] = 3_000_000
    images_alone: Annotated[int, "length of the training of each level by itself"] = 3_000_000
    images_e: Annotated[int, "length of the encoder's training"] = 600_000

    needs = frozenset({"x", "label"})

    def phases(self) -> Sequence[Phase]:
        D1, D0 = self.player("D1"), self.player("D0")
        G1, G0, both = self.player("G1"), self.player("G0"), self.player("G")
        alone = [
            Step(D1, self.d1_loss), Step(G1, self.g1_loss), Step(D0, self.d0_alone_loss), Step(G0, self.g0_alone_loss),
        ]  # fmt: skip
        together = [Step(D1, self.d1_loss), Step(D0, self.d0_loss), Step(both, self.g_loss)]
        return [
            Phase("encoder", [Step(self.player("E"), self.e_loss)], self.images_e),
            Phase("alone", alone, self.images_alone),
            Phase("joint", together, self.images),
        ]

    def player(self, name: str) -> Player:
        nets: dict[str, list[nn.Module]] = {
            "E": [self.E], "D1": [self.D1], "D0": [self.D0], "G1": [self.G.G1, self.Q1], "G0": [self.G.G0, self.Q0],
            "G": [self.G, self.Q1, self.Q0],
        }  # fmt: skip
        return Player(name, nets[name], adam(self.lr, self.b1))

    def e_loss(self, batch: Batch) -> Terms:
        """-E log p(y | x)."""
        return {"class": cross_entropy(self.E(batch["x"]).float(), batch["label"])}

    def d1_loss(self, batch: Batch) -> Terms:
        """Features of pictures against features of classes."""
        y = batch["label"]
        return nonsaturating.d(self.D1(self.read(batch["x"])), self.D1(self.G.h1(y, self.z("z1", y))))

    def g1_loss(self, batch: Batch) -> Terms:
        """L_adv + L_cond + L_ent of features."""
        y = batch["label"]
        z1 = self.z("z1", y)
        return self.g1_terms(self.G.h1(y, z1), y, z1)

    def g1_terms(self, h1: Tensor, y: Tensor, z1: Tensor) -> Terms:
        score, features = self.D1.score_and_features(h1)
        return self.terms("1", (score, self.Q1(features)), cross_entropy(self.E.to_y(h1).float(), y), z1)

    def d0_alone_loss(self, batch: Batch) -> Terms:
        """Pictures against pictures of the same ones' features."""
        x = batch["x"]
        return nonsaturating.d(self.D0(x), self.D0(self.G.x(self.read(x), self.z("z0", x))))

    def g0_alone_loss(self, batch: Batch) -> Terms:
        """L_adv + L_cond + L_ent of pictures, from features of real ones."""
        h1, z0 = self.read(batch["x"]), self.z("z0", batch["x"])
        return self.g0_terms(self.G.x(h1, z0), h1, z0)

    def g0_terms(self, x: Tensor, h1: Tensor, z0: Tensor) -> Terms:
        score, features = self.D0.score_and_features(x)
        return self.terms("0", (score, self.Q0(features)), mse_loss(self.E.to_h1(x), h1), z0)

    def d0_loss(self, batch: Batch) -> Terms:
        """Pictures against pictures of classes."""
        y = batch["label"]
        return nonsaturating.d(self.D0(batch["x"]), self.D0(self.G(self.z("z1", y), self.z("z0", y), y)))

    def g_loss(self, batch: Batch) -> Terms:
        """The terms of both levels, each made from the one above."""
        y = batch["label"]
        z1, z0 = self.z("z1", y), self.z("z0", y)
        h1 = self.G.h1(y, z1)
        return {**self.g1_terms(h1, y, z1), **self.g0_terms(self.G.x(h1, z0), h1, z0)}

    def terms(self, level: str, judged: tuple[Tensor, Tensor], off: Tensor, z: Tensor) -> Terms:
        """Of one level; Q is a normal law about its guess, whose log is a squared distance but for constants."""
        score, guess = judged
        return {
            f"adv{level}": nonsaturating.g(score, None),
            f"cond{level}": self.lam_cond * off,
            f"ent{level}": self.lam_ent * mse_loss(guess, z),
        }

    @torch.no_grad()
    def read(self, x: Tensor) -> Tensor:
        """h1 of pictures."""
        h1: Tensor = self.E.to_h1(x)
        return h1

    def z(self, name: str, beside: Tensor) -> Tensor:
        """Fresh latents, one for each of a batch."""
        return self.G.inputs[name].draw(len(beside), None, beside.device)
