"""MDGAN (Che et al. 2016): pictures that an encoder brings back keep G near all of the data."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from torch import nn
from torch.nn.functional import mse_loss

from ganzoo_autoencoders.game import Encoded
from ganzoo_autoencoders.networks import DCGAN, PictureD, autoencoder, refuse_empty
from ganzoo_core.nn import Discriminator
from ganzoo_core.objectives import Batch, Phase, Player, Step, Terms, adam, nonsaturating


class MDGAN(Encoded):
    """Mode Regularized Generative Adversarial Networks (Che et al. 2016, arXiv:1612.02136), manifold and diffusion.

    x' = G(E(x)) and x_p = G(z), z ~ N(0, 1)

    D1, the manifold:   -log D1(x) - log(1 - D1(x'))
    E:                  -lam log D1(x') + mu |x - x'|^2
    D2, the diffusion:  -log D2(x') - log(1 - D2(x_p))
    G:                  E's, and -log D2(x_p)

    Every picture has a z that leads near it, so no mode is without samples of its own; D2 then spreads z over them.
    """

    D1: Discriminator
    D2: Discriminator
    lam: Annotated[float, "lambda, weight of pleasing D1"] = 0.01
    mu: Annotated[float, "weight of |x - x'|^2, a mean over pixels in [-1, 1]"] = 50.0
    lr: Annotated[float, "Adam's step for all players"] = 2e-4
    b1: Annotated[float, "Adam's beta_1"] = 0.5

    def phases(self) -> Sequence[Phase]:
        E, G, D1, D2 = (Player(name, [getattr(self, name)], adam(self.lr, self.b1)) for name in ("E", "G", "D1", "D2"))
        steps = [Step(D1, self.d1_loss), Step(E, self.e_loss), Step(D2, self.d2_loss), Step(G, self.g_loss)]
        return [Phase("main", steps, self.images)]

    def d1_loss(self, batch: Batch) -> Terms:
        x = batch["x"]
        return nonsaturating.d(self.D1(x), self.D1(self.again(x)))

    def e_loss(self, batch: Batch) -> Terms:
        x = batch["x"]
        again = self.again(x)
        pleased = nonsaturating.g(self.D1(again), None)
        return {"manifold": self.lam * pleased, "rec": self.mu * mse_loss(again.float(), x)}

    def d2_loss(self, batch: Batch) -> Terms:
        """What comes back stands in for the data: both are G's, so D2 cannot win by what no G draws."""
        x = batch["x"]
        return nonsaturating.d(self.D2(self.again(x)), self.D2(self.G(self.G.prior(len(x)))))

    def g_loss(self, batch: Batch) -> Terms:
        drawn = self.G(self.G.prior(len(batch["x"])))
        return {"adv": nonsaturating.g(self.D2(drawn), None), **self.e_loss(batch)}


def networks(
    *,
    image_size: Annotated[int, "side of the square image: 8, 16, 32, 64 ..."] = 64,
    channels: Annotated[int, "1 gray, 3 colour"] = 3,
    width: Annotated[int, "channels of E and G at half the side; they double at each stage towards 4x4"] = 64,
    d_width: Annotated[int, "likewise of D1 and D2"] = 64,
    z_dim: Annotated[int, "length of z ~ N(0, 1)"] = 128,
) -> dict[str, nn.Module]:
    """G, a deterministic E, and two discriminators of pictures."""
    refuse_empty(width, d_width, z_dim)
    shape = (channels, image_size, image_size)
    nets = autoencoder(DCGAN(shape, width), z_dim, stochastic=False)
    return nets | {name: PictureD(shape, d_width) for name in ("D1", "D2")}
