"""The first adversarial game."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from ganzoo_core.objectives import (
    Batch,
    Optim,
    Schedule,
    TwoPlayer,
    adam,
    clip_rows,
    exponential,
    nonsaturating,
    saturating,
    sgd,
)
from ganzoo_gan.networks import G as Perceptron


class GAN(TwoPlayer):
    """Generative Adversarial Nets (Goodfellow et al. 2014, arXiv:1406.2661), Alg. 1.

    d = -E log D(x) - E log(1 - D(G(z))), Eq. 1
    g = -E log D(G(z)), Sec. 3, which gives a stronger gradient than Alg. 1's E log(1 - D(G(z)))

    x is an image, z a latent, D(x) the score whose sigmoid is the paper's probability that x is real.
    What the paper leaves to its code (rates, momentum, norms) is that of the authors' configuration for MNIST.
    """

    loss, prepare_on = nonsaturating, 1000

    k: Annotated[int, "updates of D for each of G"] = 1
    rule: Annotated[Literal["momentum", "adam"], "of learning: the published one, or Adam with b1 = 0.5"] = "momentum"
    lr: Annotated[float, "G's first step; D's is half of it"] = 0.1
    max_norm: Annotated[float, "bound on the norm of the weights into each unit of D; 0: none"] = 0.0
    images: Annotated[int, "length in real images: 500 epochs of MNIST's first 50,000"] = 25_000_000

    def prepare(self, batch: Batch) -> None:
        """A perceptron begins at the pixels' marginals, as in the authors' code; other networks as they are."""
        if isinstance(self.G, Perceptron):
            self.G.begin_at(batch["x"].mean(0))

    def d_updates(self) -> int:
        return self.k

    def optim(self, player: str) -> Optim:
        """The authors' code descends half of Alg. 1's loss of D: under momentum, the whole at half the rate."""
        lr = self.lr / 2 if player == "D" else self.lr
        return adam(lr) if self.rule == "adam" else sgd(lr, 0.5)

    def schedules(self, player: str) -> Mapping[str, Schedule]:
        """The rate is divided by 1.000004 at each update, down to 1e-6; momentum climbs to 0.7 in 250 epochs."""
        if self.rule == "adam":
            return {}
        updates, epochs = self.images / (100 * self.k), self.images / 50_000
        return {
            "lr": exponential(1.000004**-updates, floor=1e-6 / self.lr),
            "momentum": saturating(0.7 / 0.5, at=250 / epochs),
        }

    def project(self) -> None:
        if self.max_norm:
            clip_rows(self.D, self.max_norm)
