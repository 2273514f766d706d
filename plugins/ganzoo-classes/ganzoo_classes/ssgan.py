"""The game of SSGAN: D also says by how much a picture has been turned, which nobody needs to label."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
from ganzoo_sngan.objective import Hinge
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ganzoo_classes.networks import TURNS
from ganzoo_core.objectives import Batch, Optim, Terms, adam, hinge


class SSGAN(Hinge):
    """Self-Supervised GANs via Auxiliary Rotation Loss (Chen et al. 2018, arXiv:1811.11212).

    L_G = -E D(G(z)) - alpha E log Q(r | G(z)^r), L_D = the hinge's - beta E log Q(r | x^r), x^r a picture turned by r:
    what D knows to tell turns it does not forget while G changes, and both help each other
    """

    Q: nn.Module
    alpha: Annotated[float, "weight of G's part"] = 0.2
    beta: Annotated[float, "weight of D's part"] = 1.0
    n_dis: Annotated[int, "updates of D for each of G"] = 2
    lr: Annotated[float, "Adam's step for both players"] = 2e-4
    b1: Annotated[float, "Adam's beta_1"] = 0.0
    b2: Annotated[float, "Adam's beta_2"] = 0.9
    images: Annotated[int, "length in real images: 100,000 updates of G at 2 batches of 64"] = 12_800_000

    def optim(self, player: str) -> Optim:
        return adam(self.lr, self.b1, self.b2)

    def nets(self, player: str) -> Sequence[nn.Module]:
        return [self.D, self.Q] if player == "D" else [self.G]

    def d_loss(self, batch: Batch) -> Terms:
        return super().d_loss(batch) | {"turn": self.beta * self.turn_loss(batch["x"])}

    def g_loss(self, batch: Batch) -> Terms:
        fake = self.fake(len(batch["x"]))
        return {"adv": hinge.g(self.D(fake), None), "turn": self.alpha * self.turn_loss(fake)}

    def turn_loss(self, x: Tensor) -> Tensor:
        """-E log Q(r | x^r) over a quarter of the batch, each picture turned in all four ways."""
        few = x[: max(1, len(x) // TURNS)]
        turned, r = turns(few)
        return cross_entropy(self.Q(self.D.features(turned)).float(), r)


def turns(x: Tensor) -> tuple[Tensor, Tensor]:
    """Pictures turned by 0, 90, 180 and 270 degrees, and by how many quarters.  [4 N, C, S, S], [4 N]"""
    turned = torch.cat([torch.rot90(x, r, (2, 3)) for r in range(TURNS)])
    return turned, torch.arange(TURNS, device=x.device).repeat_interleave(len(x))
