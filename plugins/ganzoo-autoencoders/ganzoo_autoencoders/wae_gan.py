"""WAE-GAN (Tolstikhin et al. 2018): an autoencoder whose codes are, all together, a draw from the prior."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated, Literal

from torch import nn

from ganzoo_autoencoders.game import Encoded, squared
from ganzoo_autoencoders.networks import DCGAN, Body, CodeD, FromUnit, Shape, ToUnit, autoencoder, narrow, refuse_empty
from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator
from ganzoo_core.objectives import Batch, Phase, Player, Schedule, Step, Terms, adam, nonsaturating


class WAEGAN(Encoded):
    """Wasserstein Auto-Encoders (Tolstikhin et al. 2018, arXiv:1711.01558), Alg. 1.

    min over E, G:  E c(x, G(E(x))) + lam D_Z(Q_Z, P_Z),  c(x, y) = |x - y|^2;  Q_Z: codes of data, P_Z = N(0, 1)

    The smallest c at Q_Z = P_Z is the cost of optimal transport from the data to G's samples (Th. 1). D finds D_Z:

    D:    lam (-E log D(z) - E log(1 - D(E(x)))),  z ~ P_Z
    E, G: cost E |x - G(E(x))|^2 - lam E log D(E(x))
    """

    D: Discriminator
    lam: Annotated[float, "lambda, weight of the codes' divergence"] = 10.0
    cost: Annotated[float, "weight of the squared distance of pictures with pixels in [0, 1] (0.05 in the code)"] = 0.05
    lr: Annotated[float, "Adam's first step for E and G"] = 1e-3
    d_lr: Annotated[float, "Adam's first step for D"] = 5e-4
    drops: Annotated[tuple[float, ...], "fractions of the run at which steps are halved, and divided by 5"] = (0.3, 0.5)

    def phases(self) -> Sequence[Phase]:
        schedules: dict[str, Schedule] = {"lr": self.drop}
        D = Player("D", [self.D], adam(self.d_lr), schedules)
        both = Player("EG", [self.E, self.G], adam(self.lr), schedules)
        return [Phase("main", [Step(D, self.d_loss), Step(both, self.eg_loss)], self.images)]

    def drop(self, u: float) -> float:
        """1, then 1/2, then 1/5."""
        passed = sum(u >= at for at in self.drops)
        return (1.0, 0.5, 0.2)[min(passed, 2)]

    def d_loss(self, batch: Batch) -> Terms:
        z = self.E.draw(batch["x"])
        terms = nonsaturating.d(self.D(self.G.prior(len(z))), self.D(z))
        return {name: self.lam * term for name, term in terms.items()}

    def eg_loss(self, batch: Batch) -> Terms:
        x = batch["x"]
        z = self.E.draw(x)
        return {"cost": self.cost * squared(self.G(z), x), "code": self.lam * nonsaturating.g(self.D(z), None)}


@dataclass(frozen=True)
class Authors:
    """The authors' for MNIST: 4x4 kernels of stride 2, from 28 down to 2, and from 7 up to 28. Widths halve upwards."""

    shape: Shape
    width: int  # next to the code, in both

    def __post_init__(self) -> None:
        if self.shape[1] % 4 or self.width % 8:
            what = f"image_size {self.shape[1]}, width {self.width}: no multiples of 4 and 8"
            raise GanzooError(what, "Choose others, or -c body=dcgan.")

    def encoder(self, m: int) -> nn.Sequential:
        layers: list[nn.Module] = [ToUnit()]
        side, f = self.shape[1], self.width
        for a, b in pairwise([self.shape[0], f // 8, f // 4, f // 2, f]):
            layers += [nn.ZeroPad2d((1, 1 + side % 2) * 2), nn.Conv2d(a, b, 4, 2), nn.BatchNorm2d(b), nn.ReLU()]
            side = (side + 1) // 2
        return nn.Sequential(*layers, nn.Flatten(), nn.Linear(f * side * side, m)).apply(narrow)

    def decoder(self, n: int) -> nn.Sequential:
        side, f = self.shape[1] // 4, self.width
        layers: list[nn.Module] = [nn.Linear(n, f * side * side), nn.Unflatten(1, (f, side, side)), nn.ReLU()]
        for a, b in pairwise([f, f // 2, f // 4]):
            layers += [nn.ConvTranspose2d(a, b, 4, 2, 1), nn.BatchNorm2d(b), nn.ReLU()]
        layers += [nn.ZeroPad2d((1, 2, 1, 2)), nn.Conv2d(f // 4, self.shape[0], 4)]
        return nn.Sequential(*layers, FromUnit()).apply(narrow)


def networks(
    *,
    image_size: Annotated[int, "side of the square image; dcgan: 8, 16, 32, 64 ..., authors: a multiple of 4"] = 28,
    channels: Annotated[int, "1 gray, 3 colour"] = 1,
    body: Annotated[Literal["authors", "dcgan"], "what E and G are made of"] = "authors",
    width: Annotated[int, "authors: channels next to the code; dcgan: next to the picture"] = 1024,
    d_units: Annotated[tuple[int, ...], "of the hidden layers of D"] = (512, 512, 512, 512),
    z_dim: Annotated[int, "length of z ~ N(0, 1)"] = 8,
) -> dict[str, nn.Module]:
    """G, a deterministic E, and the discriminator D of codes."""
    refuse_empty(width, z_dim, *d_units)
    shape = (channels, image_size, image_size)
    made: Body = Authors(shape, width) if body == "authors" else DCGAN(shape, width)
    return autoencoder(made, z_dim, stochastic=False) | {"D": CodeD(z_dim, d_units).apply(narrow)}
