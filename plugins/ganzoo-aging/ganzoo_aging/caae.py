"""The game of CAAE: an autoencoder against two discriminators, one of its codes and one of its pictures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, l1_loss, mse_loss

from ganzoo_aging.caae_networks import G as Autoencoder
from ganzoo_core.errors import GanzooError
from ganzoo_core.objectives import Batch, Objective, Phase, Player, Step, Terms, adam, nonsaturating

DISTANCES = {"l1": l1_loss, "l2": mse_loss}  # L


class CAAE(Objective):
    """CAAE (Zhang, Song & Qi 2017, arXiv:1702.08423).

    x is a picture, l its age and, where G is told it, attribute, z = E(x), z* a draw from the uniform prior on [-1, 1]:

        min_{E,G} max_{Dz,Dimg} L(x, G(z, l)) + lam_tv TV(G(z, l))
            + lam_z (E log Dz(z*) + E log(1 - Dz(z))) + lam_img (E log Dimg(x, l) + E log(1 - Dimg(G(z, l), l)))

    With lam_v a verifier V, which learns the attribute of the data, must see it in G's pictures at other ages, too
    (Xiao & Zhao 2021).
    """

    G: Autoencoder
    Dz: nn.Module
    Dimg: nn.Module
    V: nn.Module
    rec: Annotated[Literal["l1", "l2"], "distance of a picture and itself again: the authors' code, the paper"] = "l1"
    lam_img: Annotated[float, "weight of the pictures' adversarial term in the loss of E and G"] = 1e-4
    lam_z: Annotated[float, "weight of the codes' adversarial term"] = 0.0
    lam_tv: Annotated[float, "weight of the total variation"] = 0.0
    lam_v: Annotated[float, "weight of the verification that the attribute is kept; 0: there is no verifier"] = 0.0
    lr: Annotated[float, "Adam's step for all players"] = 2e-4
    b1: Annotated[float, "Adam's beta_1"] = 0.5
    images: Annotated[int, "length in real images: 50 epochs of UTKFace"] = 1_185_400

    def __post_init__(self) -> None:
        told = "attribute" in self.G.inputs
        if self.lam_v and not told:
            raise GanzooError(f"lam_v {self.lam_v:g}: no attribute to be kept", "Say -c attribute=true.")
        self.needs = frozenset({"x", "age", "attribute"} if told else {"x", "age"})

    def phases(self) -> Sequence[Phase]:
        """Three players, and the verifier where there is one."""
        optim = adam(self.lr, self.b1)
        steps = [
            Step(Player("Dz", [self.Dz], optim), self.dz_loss),
            Step(Player("Dimg", [self.Dimg], optim), self.dimg_loss),
            *([Step(Player("V", [self.V], optim), self.v_loss)] if self.lam_v else []),
            Step(Player("EG", [self.G], optim), self.eg_loss),
        ]
        return [Phase("main", steps, self.images)]

    def conditions(self, batch: Batch) -> list[Tensor]:
        """l: the age, and the attribute where G is told it."""
        return [batch[name] for name in ("age", "attribute") if name in self.needs]

    def dz_loss(self, batch: Batch) -> Terms:
        """-E log Dz(z*) - E log(1 - Dz(E(x)))."""
        z = self.G.E(batch["x"])
        return nonsaturating.d(self.Dz(2 * torch.rand_like(z) - 1), self.Dz(z))

    def dimg_loss(self, batch: Batch) -> Terms:
        """-E log Dimg(x, l) - E log(1 - Dimg(G(E(x), l), l))."""
        x, told = batch["x"], self.conditions(batch)
        return nonsaturating.d(self.Dimg(x, *told), self.Dimg(self.G(x, *told), *told))

    def v_loss(self, batch: Batch) -> Terms:
        """V learns the attribute from the data."""
        return {"v": cross_entropy(self.V(batch["x"]).float(), batch["attribute"])}

    def eg_loss(self, batch: Batch) -> Terms:
        """The picture again, smooth, real at its age, of a code that fills the cube."""
        x, told = batch["x"], self.conditions(batch)
        z = self.G.E(x)
        again = self.G.decode(z, *told)
        terms = {
            "rec": DISTANCES[self.rec](again.float(), x),
            "img": self.lam_img * nonsaturating.g(self.Dimg(again, *told), None),
            "z": self.lam_z * nonsaturating.g(self.Dz(z), None),
            "tv": self.lam_tv * total_variation(again),
        }
        return terms | (self.verification(z, batch) if self.lam_v else {})

    def verification(self, z: Tensor, batch: Batch) -> Terms:
        """V must see the same attribute whatever the age: here, somebody else's of the batch."""
        aged = self.G.decode(z, batch["age"].flip(0), batch["attribute"])
        return {"verify": self.lam_v * cross_entropy(self.V(aged).float(), batch["attribute"])}


def total_variation(x: Tensor) -> Tensor:
    """TV(x): mean squared differences of neighbours, halved as by TensorFlow's l2_loss.  [N, C, H, W]"""
    down, right = x[:, :, 1:] - x[:, :, :-1], x[..., 1:] - x[..., :-1]
    return (down.square().mean() + right.square().mean()) / 2
