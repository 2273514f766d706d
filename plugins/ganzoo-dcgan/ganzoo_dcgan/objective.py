"""The game of DCGAN: that of Goodfellow et al. 2014, played by convolutional networks with Adam."""

from __future__ import annotations

from collections.abc import Sequence

from ganzoo_core.losses import Terms, nonsaturating
from ganzoo_core.networks import Discriminator, Generator
from ganzoo_core.objective import Batch, Objective, Phase, Player, Step, adam


class DCGAN(Objective):
    """Unsupervised Representation Learning with Deep Convolutional GANs (Radford et al. 2015, arXiv:1511.06434).

    x is an image, z a latent, D(x) the score whose sigmoid is the paper's probability that x is real.
    """

    def __init__(
        self,
        G: Generator,
        D: Discriminator,
        *,
        lr: float = 2e-4,  # Adam's step for both players (Sec. 4: 1e-3 was too high)
        b1: float = 0.5,  # Adam's momentum (Sec. 4: at 0.9 training oscillated)
        images: int = 15_000_000,  # length in real images: five epochs of LSUN's bedrooms (Fig. 3)
    ) -> None:
        super().__init__()
        self.G, self.D = G, D
        self.lr, self.b1, self.images = lr, b1, images

    def phases(self) -> Sequence[Phase]:
        D = Player("D", [self.D], adam(self.lr, self.b1))
        G = Player("G", [self.G], adam(self.lr, self.b1))
        return [Phase("main", [Step(D, self.d_loss), Step(G, self.g_loss)], self.images)]

    def d_loss(self, batch: Batch) -> Terms:
        """-E log D(x) - E log(1 - D(G(z))): Goodfellow et al. 2014, Eq. 1.

        D sees real and fake images in separate batches, each with batch statistics of its own.
        """
        x = batch["x"]
        return nonsaturating.d(self.D(x), self.D(self.G(self.G.prior(len(x)))))

    def g_loss(self, batch: Batch) -> Terms:
        """-E log D(G(z)): Goodfellow et al. 2014, Sec. 3, on fresh z as in its Alg. 1."""
        fake = self.G(self.G.prior(len(batch["x"])))
        return {"adv": nonsaturating.g(self.D(fake), None)}
