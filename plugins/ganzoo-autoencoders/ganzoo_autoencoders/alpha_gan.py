"""alpha-GAN (Rosca et al. 2017): a VAE whose two densities are both ratios that discriminators estimate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from torch import Tensor, nn
from torch.nn.functional import l1_loss

from ganzoo_autoencoders.game import Encoded
from ganzoo_autoencoders.networks import DCGAN, CodeD, PictureD, autoencoder, leaky, refuse_empty
from ganzoo_core.nn import Discriminator, initialise
from ganzoo_core.objectives import Batch, Phase, Player, Step, Terms, adam, nonsaturating


class AlphaGAN(Encoded):
    """Variational Approaches for Auto-Encoding Generative Adversarial Networks (Rosca et al. 2017, arXiv:1706.04987).

    z = E(x), x' = G(z), z_p ~ N(0, 1), x_p = G(z_p); R(d) = -log d + log(1 - d), a ratio of densities:

    E:  lam |x - x'| + R(C(z))
    G:  lam |x - x'| + R(D(x')) + R(D(x_p))
    D:  -log D(x) - log(1 - D(x')) - log(1 - D(x_p))
    C:  -log C(z_p) - log(1 - C(z))
    """

    D: Discriminator
    C: Discriminator
    lam: Annotated[float, "weight of the mean absolute difference of pixels in [-1, 1]"] = 20.0
    lr: Annotated[float, "Adam's step for all players"] = 2e-4
    k: Annotated[int, "updates of E, and of G, for each of D and of C"] = 1

    def phases(self) -> Sequence[Phase]:
        E, G, D, C = (Player(name, [getattr(self, name)], adam(self.lr)) for name in ("E", "G", "D", "C"))
        steps = [Step(E, self.e_loss, repeat=self.k), Step(G, self.g_loss, repeat=self.k)]
        return [Phase("main", [*steps, Step(D, self.d_loss), Step(C, self.c_loss)], self.images)]

    def e_loss(self, batch: Batch) -> Terms:
        x = batch["x"]
        z = self.E(x)
        return {"rec": self.lam * l1_loss(self.G(z).float(), x), "code": ratio(self.C(z))}

    def g_loss(self, batch: Batch) -> Terms:
        x = batch["x"]
        again, drawn = self.again(x), self.G(self.G.prior(len(x)))
        return {
            "rec": self.lam * l1_loss(again.float(), x),
            "again": ratio(self.D(again)),
            "adv": ratio(self.D(drawn)),
        }

    def d_loss(self, batch: Batch) -> Terms:
        x = batch["x"]
        judged = nonsaturating.d(self.D(x), self.D(self.G(self.G.prior(len(x)))))
        return judged | {"again": nonsaturating.d(self.D(x), self.D(self.again(x)))["fake"]}

    def c_loss(self, batch: Batch) -> Terms:
        z = self.E(batch["x"])
        return nonsaturating.d(self.C(self.G.prior(len(z))), self.C(z))


def ratio(score: Tensor) -> Tensor:
    """R(d) = -log d + log(1 - d) of d = sigmoid(score): the score itself, with its sign turned."""
    return -score.float().mean()


def networks(
    *,
    image_size: Annotated[int, "side of the square image: 8, 16, 32, 64 ..."] = 64,
    channels: Annotated[int, "1 gray, 3 colour"] = 3,
    width: Annotated[int, "channels of E and G at half the side; they double at each stage towards 4x4"] = 64,
    d_width: Annotated[int, "likewise of D"] = 64,
    c_units: Annotated[tuple[int, ...], "of the hidden layers of C"] = (750, 750),
    z_dim: Annotated[int, "length of z ~ N(0, 1)"] = 128,
) -> dict[str, nn.Module]:
    """G, a deterministic E, the discriminator D of pictures and C of codes."""
    refuse_empty(width, d_width, z_dim, *c_units)
    shape = (channels, image_size, image_size)
    nets = autoencoder(DCGAN(shape, width), z_dim, stochastic=False)
    return nets | {"D": PictureD(shape, d_width), "C": CodeD(z_dim, c_units, leaky).apply(initialise)}
