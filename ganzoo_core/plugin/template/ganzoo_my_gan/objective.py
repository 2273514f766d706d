"""The game of MyGAN."""

from typing import Annotated

from torch import Tensor

from ganzoo_core.objectives import Terms, TwoPlayerAdam, nonsaturating, r1


class MyGAN(TwoPlayerAdam):
    """MyGAN (whose idea, year, arXiv). x is an image, z a latent, D(x) a score.

    d = -E log D(x) - E log(1 - D(G(z))) + gamma / 2 E ||grad D(x)||^2,  g = -E log D(G(z))
    """

    loss, slopes, b1, b2 = nonsaturating, True, 0.0, 0.99
    gamma: Annotated[float, "weight of the penalty on D's slope at the data"] = 1.0

    def penalty(self, x: Tensor, fake: Tensor) -> Terms:
        return {"r1": self.gamma / 2 * r1(self.D, x)}
