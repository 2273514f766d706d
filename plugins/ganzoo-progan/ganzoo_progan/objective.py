"""The game of ProGAN: at every resolution a phase of fading in, and one to settle."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from ganzoo_core.nn import Growing
from ganzoo_core.objectives import (
    Batch,
    GrowingObjective,
    Player,
    Step,
    Terms,
    adam,
    gradient_penalty,
    to_float32,
    wasserstein,
)
from ganzoo_progan import networks

BATCHES = (16, 16, 16, 16, 16, 16, 14, 6, 3)  # at 4, 8 ... 1024 px, on one device of the authors'


class ProGAN(GrowingObjective):
    """Progressive Growing of GANs (Karras et al. 2017, arXiv:1710.10196): WGAN-GP's game, App. A.1."""

    batchwise = True
    G: networks.G
    D: networks.D
    lam: Annotated[float, "lambda, the weight of the gradient penalty"] = 10.0
    drift: Annotated[float, "eps_drift, which keeps scores of real images near 0"] = 0.001
    lr: Annotated[float, "Adam's, of both players; begun afresh at each resolution"] = 1e-3
    batches = BATCHES

    @property
    def depths(self) -> range:
        return range(len(self.G.to_rgb))

    def growing(self) -> Sequence[Growing]:
        return self.G, self.D

    def steps(self, depth: int) -> Sequence[Step]:
        D, G = (Player(name, [net], adam(self.lr, 0.0, 0.99)) for name, net in (("D", self.D), ("G", self.G)))
        return [Step(D, self.d_loss), Step(G, self.g_loss)]

    def d_loss(self, batch: Batch) -> Terms:
        """E D(G(z)) - E D(x) + lambda E (||grad D|| - 1)^2 + eps_drift E D(x)^2."""
        x = self.faded(batch["x"])
        fake = self.G(self.G.prior(len(x)))
        score = self.D(x)
        return wasserstein.d(score, self.D(fake)) | {
            "gp": self.lam * gradient_penalty(self.D, x, fake),
            "drift": self.drift * to_float32(score).square().mean(),
        }

    def g_loss(self, batch: Batch) -> Terms:
        """-E D(G(z))."""
        return {"adv": wasserstein.g(self.D(self.G(self.G.prior(len(batch["x"])))), None)}
