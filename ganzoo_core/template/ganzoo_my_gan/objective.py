"""The game of MyGAN."""

from __future__ import annotations

from collections.abc import Sequence

from ganzoo_core.losses import Terms, nonsaturating
from ganzoo_core.networks import Discriminator, Generator
from ganzoo_core.objective import Batch, Objective, Phase, Player, Step, adam
from ganzoo_core.penalties import r1


class MyGAN(Objective):
    """MyGAN (whose idea, year, arXiv). x is an image, z a latent, D(x) a score."""

    def __init__(
        self,
        G: Generator,
        D: Discriminator,
        *,
        lr: float = 2e-4,  # Adam's step for both players
        gamma: float = 1.0,  # weight of the penalty on D's slope at the data
        images: int = 5_000_000,  # length in real images
    ) -> None:
        super().__init__()
        self.G, self.D = G, D
        self.lr, self.gamma, self.images = lr, gamma, images

    def phases(self) -> Sequence[Phase]:
        D = Player("D", [self.D], adam(self.lr, 0.0, 0.99))
        G = Player("G", [self.G], adam(self.lr, 0.0, 0.99))
        return [Phase("main", [Step(D, self.d_loss), Step(G, self.g_loss)], self.images)]

    def d_loss(self, batch: Batch) -> Terms:
        """-E log D(x) - E log(1 - D(G(z))) + gamma / 2 E ||grad D(x)||^2."""
        x = batch["x"]
        fake = self.G(self.G.prior(len(x)))
        return nonsaturating.d(self.D(x), self.D(fake)) | {"r1": self.gamma / 2 * r1(self.D, x)}

    def g_loss(self, batch: Batch) -> Terms:
        """-E log D(G(z))."""
        fake = self.G(self.G.prior(len(batch["x"])))
        return {"adv": nonsaturating.g(self.D(fake), None)}
