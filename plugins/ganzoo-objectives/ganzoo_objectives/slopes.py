"""Games in which the discriminator's slope is bounded in other ways.

r = D(x) and s = D(G(z)) are scores, higher = more real; x^ lies on the line between an image and a sample.
"""

from __future__ import annotations

from typing import Annotated

from torch import Tensor

from ganzoo_core.objectives import (
    Adversarial,
    Batch,
    Terms,
    TwoPlayerAdam,
    gradient_penalty,
    hinge,
    minimax_d,
    wasserstein_g,
)
from ganzoo_objectives import penalties
from ganzoo_objectives.adversary import Weighted


class GANGP(Weighted):
    """Many Paths to Equilibrium (Fedus et al. 2017, arXiv:1710.08446): WGAN-GP's penalty in DCGAN's game.

    d = DCGAN's + lambda E (||grad D(x^)|| - 1)^2,  g = DCGAN's
    """

    slopes = True

    def penalty(self, x: Tensor, fake: Tensor) -> Terms:
        return {"gp": self.lam * gradient_penalty(self.D, x, fake)}


class LipschitzGAN(Weighted):
    """Lipschitz Generative Adversarial Nets (Zhou et al. 2019, arXiv:1902.05687), with phi(s) = -log sigmoid(-s).

    d = DCGAN's + lambda max ||grad D(x^)||^2,  g = -E s: the steepest place alone costs, however flat the others are
    """

    loss, slopes, batchwise = Adversarial(minimax_d, wasserstein_g), True, True
    lam: Annotated[float, "lambda, the weight of the squared greatest slope"] = 0.1

    def penalty(self, x: Tensor, fake: Tensor) -> Terms:
        return {"max_gp": self.lam * penalties.steepest(self.D, x, fake).square()}


class GNGAN(TwoPlayerAdam):
    """Gradient Normalization for GANs (Wu et al. 2021, arXiv:2109.02235): D's score is divided by its own slope.

    D^(x) = D(x) / (||grad D(x)|| + |D(x)|): its slope is at most 1 where D is piecewise linear, and |D^| < 1
    """

    loss, slopes = hinge, True

    def d_loss(self, batch: Batch) -> Terms:
        x = batch["x"]
        r, s = (penalties.normalised(self.D, seen) for seen in (x, self.fake(len(x))))
        return self.loss.d(r, s)

    def g_loss(self, batch: Batch) -> Terms:
        return {"adv": self.loss.g(penalties.normalised(self.D, self.fake(len(batch["x"]))), None)}
