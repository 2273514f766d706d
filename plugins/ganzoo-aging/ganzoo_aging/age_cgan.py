"""The game of Age-cGAN: first who is who, then the conditional GAN, then the way back from its pictures to z."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
from torch import Tensor
from torch.nn.functional import mse_loss

from ganzoo_aging.age_cgan_networks import G as Ageing
from ganzoo_core.nn import Discriminator
from ganzoo_core.objectives import (
    Batch,
    Objective,
    Phase,
    Player,
    Step,
    Terms,
    adam,
    halfway_to_zero,
    nonsaturating,
)

TEMPERATURE = 0.1  # of the identities' softmax


class AgeCGAN(Objective):
    """Age-cGAN (Antipov, Baccouche & Dugelay 2017, arXiv:1702.01983). x is a picture, y its age group.

    The conditional GAN: min_G max_D E log D(x, y) + E log(1 - D(G(z, y'), y')). Then E learns z of synthetic
    pairs, E |z - E(G(z, y), y)|^2. FR, of others in the paper, learns identities of the data before.
    """

    G: Ageing
    D: Discriminator
    lr: Annotated[float, "Adam's step for all players; from half of each phase on it falls to 0"] = 2e-4
    b1: Annotated[float, "Adam's beta_1"] = 0.5
    images: Annotated[int, "length of the GAN in real images: 100 epochs of 120,000"] = 12_000_000
    images_e: Annotated[int, "length of E's training in synthetic pairs"] = 10_000_000
    images_fr: Annotated[int, "length of FR's training in real images, where it has to learn"] = 1_200_000

    batchwise = True  # FR compares the pictures of a batch

    def __post_init__(self) -> None:
        self.taught = any(True for _ in self.G.FR.parameters())
        self.needs = frozenset({"x", "age", "identity"} if self.taught else {"x", "age"})

    def phases(self) -> Sequence[Phase]:
        gan = [Step(self.player("D"), self.d_loss), Step(self.player("G"), self.g_loss)]
        back = [Step(self.player("E"), self.e_loss)]
        identity = [Step(self.player("FR"), self.fr_loss)]
        return [
            *([Phase("identity", identity, self.images_fr)] if self.taught else []),
            Phase("gan", gan, self.images),
            Phase("encoder", back, self.images_e, on_start=self.settle),
        ]

    def player(self, name: str) -> Player:
        net = {"D": self.D, "G": self.G.G, "E": self.G.E, "FR": self.G.FR}[name]
        return Player(name, [net], adam(self.lr, self.b1), {"lr": halfway_to_zero})

    def settle(self) -> None:
        """G is what it will be: its batch norms no longer follow the batch."""
        self.G.G.eval()

    def drawn(self, y: Tensor) -> tuple[Tensor, Tensor]:
        """A latent for each y, and G's picture of both."""
        z = torch.randn(len(y), self.G.G.z_dim, device=y.device)
        return z, self.G.G(z, y)

    def d_loss(self, batch: Batch) -> Terms:
        """-E log D(x, y) - E log(1 - D(G(z, y), y))."""
        x, y = batch["x"], batch["age"]
        return nonsaturating.d(self.D(x, y), self.D(self.drawn(y)[1], y))

    def g_loss(self, batch: Batch) -> Terms:
        """-E log D(G(z, y), y), in the form that has a gradient when D wins."""
        y = batch["age"]
        return {"adv": nonsaturating.g(self.D(self.drawn(y)[1], y), None)}

    def e_loss(self, batch: Batch) -> Terms:
        """E |z - E(G(z, y), y)|^2 of pictures that G makes: there z is known."""
        y = batch["age"]
        z, x = self.drawn(y)
        return {"z": mse_loss(self.G.E(x, y).float(), z)}

    def fr_loss(self, batch: Batch) -> Terms:
        """Pictures of one identity are to be nearer than all others of the batch, whatever their ages."""
        return {"fr": together(self.G.FR(batch["x"]).float(), batch["identity"])}


def together(h: Tensor, identity: Tensor) -> Tensor:
    """Supervised contrast (Khosla et al. 2020, Eq. 2) of vectors h [N, d] of length 1: one's like among all others."""
    alone = torch.eye(len(h), dtype=torch.bool, device=h.device)
    alike = (identity[:, None] == identity[None]) & ~alone  # [N, N]
    logp = (h @ h.T / TEMPERATURE).masked_fill(alone, -torch.inf).log_softmax(1).masked_fill(alone, 0)
    each = -(logp * alike).sum(1) / alike.sum(1).clamp(min=1)  # 0 for who is alone of its kind
    return each.sum() / (alike.any(1).sum().clamp(min=1))
