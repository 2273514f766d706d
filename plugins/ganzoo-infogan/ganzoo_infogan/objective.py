"""The game of InfoGAN: G wants its codes to be read back from its images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated

from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ganzoo_core.objectives import Batch, Optim, Terms, TwoPlayer, adam, nonsaturating


class InfoGAN(TwoPlayer):
    """InfoGAN (Chen et al. 2016, arXiv:1606.03657), Sec. 5.

    min_{G,Q} max_D V(D, G) - lambda L_I(G, Q): Eq. 6, with L_I = E log Q(c|G(z, c)) + H(c) <= I(c; G(z, c)): Eq. 5.
    V is the first GAN's, Eq. 1, of which D descends -V.
    """

    Q: nn.Module
    lam: Annotated[float, "lambda of the categorical code"] = 1.0
    lam_u: Annotated[float, "lambda of the continuous codes, so that both are of a size"] = 0.1
    lr_d: Annotated[float, "Adam's, of D"] = 2e-4
    lr_g: Annotated[float, "Adam's, of G and Q"] = 1e-3
    images: Annotated[int, "length in real images: 100 epochs of MNIST"] = 6_000_000

    def optim(self, player: str) -> Optim:
        return adam(self.lr_d if player == "D" else self.lr_g)

    def nets(self, player: str) -> Sequence[nn.Module]:
        return [self.D] if player == "D" else [self.G, self.Q]

    def g_loss(self, batch: Batch) -> Terms:
        """V(D, G) in its form with a gradient - lambda L_I: Eq. 6, with L_I up to H(c), which is constant."""
        drawn = self.G.priors(len(batch["x"]))
        score, h = self.D.score_and_features(self.G(*drawn.values()))
        logits, mean, log_variance = self.Q(h)
        return {
            "adv": nonsaturating.g(score, None),
            "c": self.lam * cross_entropy(logits, drawn["c"]),
            "u": self.lam_u * gaussian_nll(drawn["u"], mean, log_variance),
        }


def gaussian_nll(u: Tensor, mean: Tensor, log_variance: Tensor) -> Tensor:
    """-E log N(u; mean, variance), summed over the codes: [N, U] each."""
    square = (u.float() - mean).square() / (log_variance.exp() + 1e-6)
    return 0.5 * (math.log(2 * math.pi) + log_variance + square).sum(1).mean()
