"""Games in which the discriminator pays for what it makes of its samples within, not for its slope alone.

h is what D's last hidden layer has, `Discriminator.features`; r = D(x) and s = D(G(z)) are scores.
"""

from __future__ import annotations

from typing import Annotated

import torch
from ganzoo_dcgan.objective import DCGAN
from torch import Tensor
from torch.nn.functional import relu

from ganzoo_core.objectives import Batch, Terms, gradient_penalty, to_float32, wasserstein
from ganzoo_objectives import penalties
from ganzoo_objectives.adversary import Weighted


class CTGAN(Weighted):
    """Improving the Improved Training of Wasserstein GANs (Wei et al. 2018, arXiv:1803.01541), CT-GAN.

    d = -E r + E s + lambda_1 E (||grad D(x^)|| - 1)^2 + lambda_2 CT,  g = -E s
    CT = E max(0, (D(x') - D(x''))^2 + 0.1 |D_(x') - D_(x'')|^2 - M'), x' and x'' the same picture under two dropouts
    """

    loss, slopes = wasserstein, True
    lam: Annotated[float, "lambda_1, the weight of the penalty on slopes"] = 10.0
    consistency: Annotated[float, "lambda_2, the weight of the consistency term"] = 2.0
    margin: Annotated[float, "M', the inconsistency that costs nothing"] = 0.0

    def penalty(self, x: Tensor, fake: Tensor) -> Terms:
        gp = gradient_penalty(self.D, x, fake)
        return {"gp": self.lam * gp, "ct": self.consistency * self.inconsistency(x)}

    def inconsistency(self, x: Tensor) -> Tensor:
        """CT. |.|^2 of the features D_ is a mean over them."""
        (r1, h1), (r2, h2) = (self.D.score_and_features(x) for _ in range(2))
        apart = (to_float32(r1) - to_float32(r2)).square()
        within = (to_float32(h1) - to_float32(h2)).square().mean(1)
        return relu(apart + 0.1 * within - self.margin).mean()


class BRE(Weighted):
    """Binarized Representation Entropy regularisation (Cao et al. 2018, arXiv:1805.03644).

    d = DCGAN's + lambda (R_ME + R_AC), over both batches,  g = DCGAN's: which of D's units fire is to differ from
    picture to picture as much as it can
    """

    batchwise = True
    lam: Annotated[float, "weight of both terms"] = 1.0

    def d_loss(self, batch: Batch) -> Terms:
        x = batch["x"]
        (r, h), (s, h_) = (self.D.score_and_features(seen) for seen in (x, self.fake(len(x))))
        signs = [penalties.soft_signs(features) for features in (h, h_)]
        me, ac = (torch.stack([term(s) for s in signs]).mean() for term in (penalties.marginal, penalties.alike))
        return self.loss.d(r, s) | {"me": self.lam * me, "ac": self.lam * ac}


class ICR(DCGAN):
    """Improved Consistency Regularization for GANs (Zhao et al. 2020, arXiv:2002.04724): DCGAN's game.

    What the paper adds, bCR and zCR, are regularisers of the core that any game takes; the presets ask for both.
    """
