"""AGE (Ulyanov et al. 2017): no discriminator; E and G play against each other on the sphere of codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

from torch import Tensor, nn
from torch.nn.functional import l1_loss, normalize

from ganzoo_autoencoders import networks as made
from ganzoo_autoencoders.game import Encoded
from ganzoo_autoencoders.networks import DCGAN, refuse_empty
from ganzoo_core.nn import Latent, Space
from ganzoo_core.objectives import Batch, Phase, Player, Schedule, Step, Terms, adam

EPS = 1e-8  # keeps the logarithm of a coordinate that does not move finite


class AGE(Encoded):
    """It Takes (Only) Two: Adversarial Generator-Encoder Networks (Ulyanov et al. 2017, arXiv:1704.02304).

    z is uniform on the sphere; KL is of N(0, 1) and the normal distribution that is fitted to a batch of codes:

    E:  KL(E(x)) - KL(E(G(z))) + mu |x - G(E(x))|
    G:  KL(E(G(z))) + lam (1 - cos(z, E(G(z))))
    """

    batchwise = True
    mu: Annotated[float, "of pictures that come back, mean absolute difference"] = 10.0
    lam: Annotated[float, "of codes that come back; cosines are means over all numbers, so a z_dim-th of this"] = 1000.0
    k: Annotated[int, "updates of G for each of E"] = 3
    lr: Annotated[float, "Adam's step for both players"] = 2e-4
    halved: Annotated[int, "how often it is halved in the run"] = 5

    def phases(self) -> Sequence[Phase]:
        schedules: dict[str, Schedule] = {"lr": self.halving}
        E, G = (Player(name, [getattr(self, name)], adam(self.lr), schedules) for name in ("E", "G"))
        return [Phase("main", [Step(E, self.e_loss), Step(G, self.g_loss, repeat=self.k)], self.images)]

    def halving(self, u: float) -> float:
        factor: float = 0.5 ** int(u * (self.halved + 1))
        return factor

    def e_loss(self, batch: Batch) -> Terms:
        """Real and made pictures go through E apart: each batch has norms of its own."""
        x = batch["x"]
        z = self.E(x)
        return {
            "kl": divergence(z),
            "kl_fake": -divergence(self.E(self.G(self.G.prior(len(x))))),
            "rec": self.mu * l1_loss(self.G(z).float(), x),
        }

    def g_loss(self, batch: Batch) -> Terms:
        z = on_sphere(self.G.prior(len(batch["x"])))
        back = self.E(self.G(z))
        apart = (1 - (z * back.float()).sum(1)) / z.shape[1]
        return {"kl_fake": divergence(back), "code": self.lam * apart.mean()}


def divergence(z: Tensor) -> Tensor:
    """KL(N(m, s^2) || N(0, 1)), m and s of each coordinate over the batch; a mean over coordinates.  [N, Z] -> []"""
    z = z.float()
    mean, variance = z.mean(0), z.var(0) + EPS
    return ((variance + mean.square() - 1 - variance.log()) / 2).mean()


def on_sphere(z: Tensor) -> Tensor:
    """z / |z|.  [N, Z]"""
    return normalize(z.float())


class E(made.E):
    """x -> z on the unit sphere."""

    def forward(self, x: Tensor) -> Tensor:
        return on_sphere(self.main(x))

    def draw(self, x: Tensor) -> Tensor:
        return self(x)


class G(made.G):
    """z ~ N(0, 1), of which only the direction counts: uniform on the sphere -> the picture."""

    def forward(self, z: Tensor) -> Tensor:
        return self.main(on_sphere(z))

    def spaces(self) -> dict[str, Space]:
        """Points lie on the sphere, as E's do."""
        return {name: replace(space, enter=on_sphere) for name, space in super().spaces().items()}


def networks(
    *,
    image_size: Annotated[int, "side of the square image: 8, 16, 32, 64 ..."] = 64,
    channels: Annotated[int, "1 gray, 3 colour"] = 3,
    width: Annotated[int, "channels at half the side; they double at each stage towards 4x4"] = 64,
    z_dim: Annotated[int, "length of z, uniform on the unit sphere"] = 64,
) -> dict[str, nn.Module]:
    """G and E, which is DCGAN's D with a code in place of the score."""
    refuse_empty(width, z_dim)
    body = DCGAN((channels, image_size, image_size), width)
    return {
        "G": G(body.shape, Latent((z_dim,)), body.decoder(z_dim)),
        "E": E(body.shape, z_dim, body.encoder(z_dim)),
    }
