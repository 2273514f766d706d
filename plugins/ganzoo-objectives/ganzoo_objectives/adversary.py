"""The game of Goodfellow et al. 2014 with its losses left open: a family fills in `loss`, `penalty` or both."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import torch
from torch import Tensor

from ganzoo_core.losses import Adversarial, Terms, nonsaturating, single, wasserstein
from ganzoo_core.networks import Discriminator, Generator
from ganzoo_core.objective import Batch, Objective, Phase, Player, Step, adam
from ganzoo_core.penalties import judges_one_by_one


class Adversary(Objective):
    """Goodfellow et al. 2014, Alg. 1, for any pair of losses.

    x is an image, z a latent; r = D(x) and s = D(G(z)) are scores, higher = more real.
    """

    loss: Adversarial = nonsaturating
    slopes: ClassVar[bool] = False  # whether D pays for its slope, and so has to judge samples one by one

    def __init__(
        self,
        G: Generator,
        D: Discriminator,
        *,
        lr: float = 2e-4,  # Adam's step for both players
        b1: float = 0.5,  # Adam's beta_1
        b2: float = 0.999,  # Adam's beta_2
        k: int = 1,  # updates of D for each of G
        images: int = 15_000_000,  # length in real images: that of DCGAN's own game
    ) -> None:
        super().__init__()
        if self.slopes:
            judges_one_by_one(D)
        self.G, self.D = G, D
        self.lr, self.b1, self.b2, self.k, self.images = lr, b1, b2, k, images

    def phases(self) -> Sequence[Phase]:
        D = Player("D", [self.D], adam(self.lr, self.b1, self.b2), project=self.project)
        G = Player("G", [self.G], adam(self.lr, self.b1, self.b2))
        return [Phase("main", [Step(D, self.d_loss, repeat=self.k), Step(G, self.g_loss)], self.images)]

    def d_loss(self, batch: Batch) -> Terms:
        """`loss.d`, and the penalty."""
        x = batch["x"]
        fake = self.fake(x)
        return self.loss.d(self.D(x), self.D(fake)) | self.penalty(x, fake)

    def g_loss(self, batch: Batch) -> Terms:
        """`loss.g`, on fresh z; where it is relative, against the scores of the real batch."""
        x = batch["x"]
        real = self.D(x) if self.loss.relative else None
        return {"adv": self.loss.g(self.D(self.fake(x)), real)}

    def penalty(self, x: Tensor, fake: Tensor) -> Terms:
        """What D pays beyond its loss."""
        return {}

    def project(self) -> None:
        """What is done after each update of D."""

    def fake(self, x: Tensor) -> Tensor:
        """As many samples as there are images."""
        return self.G(self.G.prior(len(x)))


class Weighted(Adversary):
    """With one coefficient of its own."""

    def __init__(
        self,
        G: Generator,
        D: Discriminator,
        *,
        lam: float = 10.0,  # the paper's lambda, gamma, k, tau or rho: weight of a penalty, or scale of the loss
        lr: float = 2e-4,  # Adam's step for both players
        b1: float = 0.5,  # Adam's beta_1
        b2: float = 0.999,  # Adam's beta_2
        k: int = 1,  # updates of D for each of G
        images: int = 15_000_000,  # length in real images: that of DCGAN's own game
    ) -> None:
        super().__init__(G, D, lr=lr, b1=b1, b2=b2, k=k, images=images)
        self.lam = lam


class Lagrangian(Weighted):
    """max_D min_m E r - E s + m (1 - Omega) - rho/2 (1 - Omega)^2: a distance under the constraint Omega(D) = 1.

    rho is our `lam`, m the multiplier (the papers' lambda), which descends at the rate rho after each update of D.
    """

    loss = wasserstein

    def __init__(
        self,
        G: Generator,
        D: Discriminator,
        *,
        lam: float = 1e-6,  # rho: weight of the squared violation, and rate of the multiplier
        lr: float = 2e-4,  # Adam's step for both players
        b1: float = 0.5,  # Adam's beta_1
        b2: float = 0.999,  # Adam's beta_2
        k: int = 1,  # updates of D for each of G
        images: int = 15_000_000,  # length in real images: that of DCGAN's own game
    ) -> None:
        super().__init__(G, D, lam=lam, lr=lr, b1=b1, b2=b2, k=k, images=images)
        self.register_buffer("multiplier", torch.zeros(()))  # m
        self.register_buffer("violation", torch.zeros(()))  # Omega - 1 of the last batch

    @abstractmethod
    def omega(self, x: Tensor, fake: Tensor, r: Tensor, s: Tensor) -> Tensor:
        """What must be 1."""

    def d_loss(self, batch: Batch) -> Terms:
        x = batch["x"]
        fake = self.fake(x)
        r, s = single(self.D(x)), single(self.D(fake))
        omega = self.omega(x, fake, r, s)
        self.violation.copy_(omega.detach() - 1)
        cost = self.multiplier * (omega - 1) + self.lam / 2 * (omega - 1).square()
        return self.loss.d(r, s) | {"constraint": cost, "omega": omega.detach()}

    def project(self) -> None:
        """m <- m - rho (1 - Omega)."""
        self.multiplier.add_(self.violation, alpha=self.lam)
