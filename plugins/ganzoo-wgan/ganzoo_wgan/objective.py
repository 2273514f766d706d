"""Two games in which D, the critic, measures the earth mover's distance from G's samples to the data."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from ganzoo_core.losses import Terms, wasserstein
from ganzoo_core.networks import Discriminator, Generator
from ganzoo_core.objective import Batch, Objective, Phase, Player, Step, adam, rmsprop
from ganzoo_core.penalties import clip_weights, gradient_penalty, judges_one_by_one
from ganzoo_core.schedules import linear


class WGAN(Objective):
    """Wasserstein GAN (Arjovsky et al. 2017, arXiv:1701.07875), Alg. 1.

    x is an image, z a latent, D(x) the paper's f_w(x): a critic whose weights w are kept in a box, so that it is
    Lipschitz and E D(x) - E D(G(z)), at its maximum, the distance (Eq. 2) up to a factor.
    """

    def __init__(
        self,
        G: Generator,
        D: Discriminator,
        *,
        lr: float = 5e-5,  # alpha, RMSProp's step for both players
        clip: float = 0.01,  # c, the bound on every weight of the critic
        n_critic: int = 5,  # updates of the critic for each of G
        n_warm: int = 100,  # the same in the warm-up
        warm_up: int = 160_000,  # real images of the warm-up: 25 updates of G at 100 batches of 64; 0: none
        images: int = 75_000_000,  # real images after it: 25 epochs of LSUN's bedrooms, as the authors' code runs
    ) -> None:
        super().__init__()
        self.G, self.D = G, D
        self.lr, self.clip, self.n_critic, self.n_warm = lr, clip, n_critic, n_warm
        self.warm_up, self.images = warm_up, images

    def phases(self) -> Sequence[Phase]:
        """The same two players throughout: the warm-up's RMSProp goes on in the main phase."""
        D = Player("D", [self.D], rmsprop(self.lr), project=self.project)
        G = Player("G", [self.G], rmsprop(self.lr))
        warm_up = Phase("warm_up", [Step(D, self.d_loss, repeat=self.n_warm), Step(G, self.g_loss)], self.warm_up)
        main = Phase("main", [Step(D, self.d_loss, repeat=self.n_critic), Step(G, self.g_loss)], self.images)
        return [warm_up, main] if self.warm_up else [main]

    def project(self) -> None:
        """w <- clip(w, -c, c): Alg. 1, line 7."""
        clip_weights(self.D, self.clip)

    def d_loss(self, batch: Batch) -> Terms:
        """-E f(x) + E f(G(z)): Alg. 1, line 5, with the sign that is descended."""
        x = batch["x"]
        return wasserstein.d(self.D(x), self.D(self.G(self.G.prior(len(x)))))

    def g_loss(self, batch: Batch) -> Terms:
        """-E f(G(z)): Alg. 1, line 10."""
        fake = self.G(self.G.prior(len(batch["x"])))
        return {"adv": wasserstein.g(self.D(fake), None)}


class WGANGP(Objective):
    """Improved Training of Wasserstein GANs (Gulrajani et al. 2017, arXiv:1704.00028), Alg. 1.

    The critic is made Lipschitz by a penalty on its slope, where WGAN has a box for its weights.
    """

    def __init__(
        self,
        G: Generator,
        D: Discriminator,
        *,
        lam: float = 10.0,  # lambda, the weight of the gradient penalty
        n_critic: int = 5,  # updates of the critic for each of G
        lr: float = 1e-4,  # alpha, Adam's first step for both players; it falls linearly to 0
        b1: float = 0.0,  # Adam's beta_1
        b2: float = 0.9,  # Adam's beta_2
        g_batches: int = 1,  # size of G's batch, in those of the critic (2 on CIFAR-10)
        noise: float = 1 / 128,  # real images are dequantised by U(0, noise), as in the authors' code; 0: they are not
        images: int = 32_000_000,  # length in real images: 100,000 updates of G at 5 batches of 64 (App. F)
    ) -> None:
        super().__init__()
        judges_one_by_one(D)
        self.G, self.D = G, D
        self.lam, self.n_critic, self.lr, self.b1, self.b2 = lam, n_critic, lr, b1, b2
        self.g_batches, self.noise, self.images = g_batches, noise, images

    def phases(self) -> Sequence[Phase]:
        decay = {"lr": linear(1, 0)}
        D = Player("D", [self.D], adam(self.lr, self.b1, self.b2), decay)
        G = Player("G", [self.G], adam(self.lr, self.b1, self.b2), decay)
        return [Phase("main", [Step(D, self.d_loss, repeat=self.n_critic), Step(G, self.g_loss)], self.images)]

    def d_loss(self, batch: Batch) -> Terms:
        """E D(x~) - E D(x) + lambda E (||grad D(x^)||_2 - 1)^2, with x~ = G(z): Eq. 3; Alg. 1, lines 4 to 7."""
        x = self.dequantised(batch["x"])
        fake = self.G(self.G.prior(len(x)))
        return wasserstein.d(self.D(x), self.D(fake)) | {"gp": self.lam * gradient_penalty(self.D, x, fake)}

    def g_loss(self, batch: Batch) -> Terms:
        """-E D(G(z)): Alg. 1, line 12."""
        fake = self.G(self.G.prior(self.g_batches * len(batch["x"])))
        return {"adv": wasserstein.g(self.D(fake), None)}

    def dequantised(self, x: Tensor) -> Tensor:
        """Each pixel somewhere within its level of 256."""
        return x + self.noise * torch.rand_like(x)
