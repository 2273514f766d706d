"""Two games in which D, the critic, measures the earth mover's distance from G's samples to the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated

import torch
from torch import Tensor

from ganzoo_core.objectives import (
    Batch,
    Optim,
    Phase,
    Schedule,
    Terms,
    TwoPlayer,
    adam,
    clip_weights,
    gradient_penalty,
    linear,
    rmsprop,
    wasserstein,
)


class WGAN(TwoPlayer):
    """Wasserstein GAN (Arjovsky et al. 2017, arXiv:1701.07875), Alg. 1.

    x is an image, z a latent, D(x) the paper's f_w(x): a critic whose weights w are kept in a box, so that it is
    Lipschitz and E D(x) - E D(G(z)), at its maximum, the distance (Eq. 2) up to a factor.

    d = -E f(x) + E f(G(z)), Alg. 1, line 5, with the sign that is descended;  g = -E f(G(z)), line 10
    """

    loss = wasserstein

    lr: Annotated[float, "alpha, RMSProp's step for both players"] = 5e-5
    clip: Annotated[float, "c, the bound on every weight of the critic"] = 0.01
    n_critic: Annotated[int, "updates of the critic for each of G"] = 5
    n_warm: Annotated[int, "the same in the warm-up"] = 100
    warm_up: Annotated[int, "real images of the warm-up: 25 updates of G at 100 batches of 64; 0: none"] = 160_000
    images: Annotated[int, "real images after it: 25 epochs of LSUN's bedrooms, as the authors' code runs"] = 75_000_000

    def optim(self, player: str) -> Optim:
        return rmsprop(self.lr)

    def d_updates(self) -> int:
        return self.n_critic

    def phases(self) -> Sequence[Phase]:
        """The same two players throughout: the warm-up's RMSProp goes on in the main phase."""
        (main,) = super().phases()
        d_step, g_step = main.steps
        warm_up = Phase("warm_up", [replace(d_step, repeat=self.n_warm), g_step], self.warm_up)
        return [warm_up, main] if self.warm_up else [main]

    def project(self) -> None:
        """w <- clip(w, -c, c): Alg. 1, line 7."""
        clip_weights(self.D, self.clip)


class WGANGP(TwoPlayer):
    """Improved Training of Wasserstein GANs (Gulrajani et al. 2017, arXiv:1704.00028), Alg. 1.

    The critic is made Lipschitz by a penalty on its slope, where WGAN has a box for its weights.
    """

    loss, slopes = wasserstein, True

    lam: Annotated[float, "lambda, the weight of the gradient penalty"] = 10.0
    n_critic: Annotated[int, "updates of the critic for each of G"] = 5
    lr: Annotated[float, "alpha, Adam's first step for both players; it falls linearly to 0"] = 1e-4
    b1: Annotated[float, "Adam's beta_1"] = 0.0
    b2: Annotated[float, "Adam's beta_2"] = 0.9
    g_batches: Annotated[int, "size of G's batch, in those of the critic (2 on CIFAR-10)"] = 1
    noise: Annotated[float, "real images are dequantised by U(0, noise), as in the authors' code; 0: they are not"] = (
        1 / 128
    )
    images: Annotated[int, "length in real images: 100,000 updates of G at 5 batches of 64 (App. F)"] = 32_000_000

    def optim(self, player: str) -> Optim:
        return adam(self.lr, self.b1, self.b2)

    def schedules(self, player: str) -> Mapping[str, Schedule]:
        return {"lr": linear(1, 0)}

    def d_updates(self) -> int:
        return self.n_critic

    def d_loss(self, batch: Batch) -> Terms:
        """E D(x~) - E D(x) + lambda E (||grad D(x^)||_2 - 1)^2, with x~ = G(z): Eq. 3; Alg. 1, lines 4 to 7."""
        x = self.dequantised(batch["x"])
        fake = self.fake(len(x))
        return wasserstein.d(self.D(x), self.D(fake)) | {"gp": self.lam * gradient_penalty(self.D, x, fake)}

    def g_loss(self, batch: Batch) -> Terms:
        """-E D(G(z)): Alg. 1, line 12."""
        fake = self.fake(self.g_batches * len(batch["x"]))
        return {"adv": wasserstein.g(self.D(fake), None)}

    def dequantised(self, x: Tensor) -> Tensor:
        """Each pixel somewhere within its level of 256."""
        return x + self.noise * torch.rand_like(x)
