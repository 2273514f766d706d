"""The game of MSG-GAN: one D looks at all scales at once, so that gradients reach all of G from the first step."""

from __future__ import annotations

from typing import Annotated

from ganzoo_objectives.losses import rahinge

from ganzoo_core.objectives import Batch, Terms, TwoPlayerAdam
from ganzoo_structure import msggan_networks as networks


class MSGGAN(TwoPlayerAdam):
    """MSG-GAN: Multi-Scale Gradients for Generative Adversarial Networks (Karnewar & Wang 2020, arXiv:1903.06048).

    The relativistic average hinge, as the authors' code has it, between pyramids of pictures: a real one and its
    smaller copies, and what G makes of one z at every scale.
    """

    G: networks.G
    D: networks.D
    loss = rahinge
    lr: Annotated[float, "Adam's step for both players"] = 3e-3
    b1: Annotated[float, "Adam's beta_1"] = 0.0
    b2: Annotated[float, "Adam's beta_2"] = 0.99

    batchwise = True  # D sees how the pictures of a batch differ

    def d_loss(self, batch: Batch) -> Terms:
        """max(0, 1 - (r - E s)) + max(0, 1 + (s - E r)), in means; r and s are the scores of real and fake pyramids."""
        x = batch["x"]
        return self.loss.d(self.D(x), self.D.judge(self.G.pyramid(self.G.prior(len(x)))))

    def g_loss(self, batch: Batch) -> Terms:
        """The same with real and fake exchanged."""
        x = batch["x"]
        fake = self.D.judge(self.G.pyramid(self.G.prior(len(x))))
        return {"adv": self.loss.g(fake, self.D(x))}
