"""The game of InfoGAN: G wants its codes to be read back from its images."""

from __future__ import annotations

import math
from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ganzoo_core.losses import Terms, nonsaturating
from ganzoo_core.networks import Discriminator, Generator
from ganzoo_core.objective import Batch, Objective, Phase, Player, Step, adam


class InfoGAN(Objective):
    """InfoGAN (Chen et al. 2016, arXiv:1606.03657), Sec. 5.

    min_{G,Q} max_D V(D, G) - lambda L_I(G, Q): Eq. 6, with L_I = E log Q(c|G(z, c)) + H(c) <= I(c; G(z, c)): Eq. 5.
    """

    def __init__(
        self,
        G: Generator,
        D: Discriminator,
        Q: nn.Module,
        *,
        lam: float = 1.0,  # lambda of the categorical code
        lam_u: float = 0.1,  # lambda of the continuous codes, so that both are of a size
        lr_d: float = 2e-4,  # Adam's, of D
        lr_g: float = 1e-3,  # Adam's, of G and Q
        images: int = 6_000_000,  # length in real images: 100 epochs of MNIST
    ) -> None:
        super().__init__()
        self.G, self.D, self.Q = G, D, Q
        self.lam, self.lam_u, self.lr_d, self.lr_g, self.images = lam, lam_u, lr_d, lr_g, images

    def phases(self) -> Sequence[Phase]:
        D = Player("D", [self.D], adam(self.lr_d))
        G = Player("G", [self.G, self.Q], adam(self.lr_g))
        return [Phase("main", [Step(D, self.d_loss), Step(G, self.g_loss)], self.images)]

    def d_loss(self, batch: Batch) -> Terms:
        """-V(D, G): Eq. 1."""
        x = batch["x"]
        fake = self.G(*self.G.priors(len(x)).values())
        return nonsaturating.d(self.D(x), self.D(fake))

    def g_loss(self, batch: Batch) -> Terms:
        """V(D, G) in its form with a gradient - lambda L_I: Eq. 6, with L_I up to H(c), which is constant."""
        drawn = self.G.priors(len(batch["x"]))
        score, h = self.D.judged(self.G(*drawn.values()))
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
