"""BiGAN (Donahue et al. 2016) and ALI (Dumoulin et al. 2016): D judges pairs of a picture and a code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Annotated, Any, Literal

import torch
from torch import Tensor, nn

from ganzoo_autoencoders.game import Encoded
from ganzoo_autoencoders.networks import (
    DCGAN,
    Body,
    Dense,
    FromUnit,
    Shape,
    ToUnit,
    autoencoder,
    leaky,
    narrow,
    perceptron,
    refuse_empty,
)
from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator, initialise
from ganzoo_core.objectives import Batch, Optim, Phase, Player, Step, Terms, adam, nonsaturating


class BiGAN(Encoded):
    """BiGAN (Donahue et al. 2016, arXiv:1605.09782) and ALI (Dumoulin et al. 2016, arXiv:1606.00704).

    D:    -E log D(x, E(x)) - E log(1 - D(G(z), z))
    E, G: the same with the labels swapped, -E log(1 - D(x, E(x))) - E log D(G(z), z)

    ALI's E is stochastic: E(x) is then a draw from q(z|x). Where no D can tell the pairs apart, E inverts G.
    """

    D: Discriminator
    lr: Annotated[float, "Adam's step for both players, in the first half"] = 2e-4
    end_lr: Annotated[float, "Adam's step at the end; it falls to it exponentially"] = 1e-6
    decay: Annotated[float, "weight decay of both players"] = 2.5e-5
    images: Annotated[int, "length in real images: 400 epochs of MNIST"] = 24_000_000

    def phases(self) -> Sequence[Phase]:
        schedules = {"lr": self.falling}
        D = Player("D", [self.D], self.optim(), schedules)
        both = Player("EG", [self.E, self.G], self.optim(), schedules)
        return [Phase("main", [Step(D, self.d_loss), Step(both, self.eg_loss)], self.images)]

    def optim(self) -> Optim:
        return adam(self.lr, decay=self.decay)

    def falling(self, u: float) -> float:
        """1 in the first half of the run, then on an exponential to end_lr / lr."""
        factor: float = (self.end_lr / self.lr) ** max(0.0, 2 * u - 1)
        return factor

    def scores(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """D(x, E(x)) and D(G(z), z)."""
        z = self.G.prior(len(x))
        return self.D(x, self.E.draw(x)), self.D(self.G(z), z)

    def d_loss(self, batch: Batch) -> Terms:
        return nonsaturating.d(*self.scores(batch["x"]))

    def eg_loss(self, batch: Batch) -> Terms:
        encoded, generated = self.scores(batch["x"])
        return {"e": nonsaturating.g(-encoded, None), "g": nonsaturating.g(generated, None)}


class PairD(Discriminator):
    """(x, z) -> its score: what is seen of both goes through `joint`."""

    def __init__(self, of_x: nn.Module, of_z: nn.Module, joint: nn.Module) -> None:
        super().__init__()
        self.of_x, self.of_z, self.joint = of_x, of_z, joint

    def forward(self, x: Tensor, z: Tensor) -> Tensor:  # [N, C, H, W], [N, Z] -> [N]
        return self.joint(torch.cat([self.of_x(x), self.of_z(z)], 1)).flatten()


class Maxout(nn.Module):
    """The larger one of two maps.  [N, 2 f, ...] -> [N, f, ...]"""

    def forward(self, h: Tensor) -> Tensor:
        return h.reshape(len(h), -1, 2, *h.shape[2:]).amax(2)


@dataclass(frozen=True)
class ALI:
    """ALI's for 32 x 32: kernels without padding, 32 - 28 - 13 - 10 - 4 - 1. Widths are multiples of `width`."""

    shape: Shape
    width: int

    def __post_init__(self) -> None:
        if self.shape[1] != 32:
            raise GanzooError(f"image_size {self.shape[1]}: ALI's networks are for 32", "Give 32, or -c body=dcgan.")

    KERNELS = ((5, 1), (4, 2), (4, 1), (4, 2), (4, 1))  # and strides, from the picture on

    @property
    def widths(self) -> list[int]:
        return [self.width * times for times in (1, 2, 4, 8, 16)]

    def encoder(self, m: int) -> nn.Sequential:
        layers: list[nn.Module] = [ToUnit()]
        for (f, f_next), (kernel, stride) in zip(pairwise([self.shape[0], *self.widths]), self.KERNELS, strict=True):
            layers += [nn.Conv2d(f, f_next, kernel, stride, bias=False), nn.BatchNorm2d(f_next), nn.LeakyReLU(0.1)]
        last = self.widths[-1]
        layers += [nn.Conv2d(last, last, 1, bias=False), nn.BatchNorm2d(last), nn.LeakyReLU(0.1)]
        return nn.Sequential(*layers, nn.Conv2d(last, m, 1, bias=False), nn.Flatten()).apply(narrow)

    def decoder(self, n: int) -> nn.Sequential:
        f, widths = self.width, [8 * self.width, 4 * self.width, 2 * self.width, self.width, self.width]
        layers: list[nn.Module] = [nn.Unflatten(1, (n, 1, 1))]
        for (a, b), (kernel, stride) in zip(pairwise([n, *widths]), reversed(self.KERNELS), strict=True):
            layers += [nn.ConvTranspose2d(a, b, kernel, stride, bias=False), nn.BatchNorm2d(b), nn.LeakyReLU(0.1)]
        layers += [nn.Conv2d(f, f, 1, bias=False), nn.BatchNorm2d(f), nn.LeakyReLU(0.1)]
        out = Biased(nn.Conv2d(f, self.shape[0], 1, bias=False), self.shape)
        return nn.Sequential(*layers, out, FromUnit()).apply(narrow)

    def judge(self, z_dim: int) -> PairD:
        of_x: list[nn.Module] = [ToUnit()]
        for (f, f_next), (kernel, stride) in zip(pairwise([self.shape[0], *self.widths]), self.KERNELS, strict=True):
            of_x += [nn.Dropout(0.2), nn.Conv2d(f, 2 * f_next, kernel, stride), Maxout()]
        f = self.widths[-1]
        of_z = [*dropped(z_dim, 2 * f), Maxout(), *dropped(f, 2 * f), Maxout()]
        joint = [*dropped(2 * f, 4 * f), Maxout(), *dropped(2 * f, 4 * f), Maxout(), *dropped(2 * f, 1)]
        return PairD(nn.Sequential(*of_x, nn.Flatten()), nn.Sequential(*of_z), nn.Sequential(*joint)).apply(narrow)


class Biased(nn.Module):
    """A layer, and a bias for every pixel of its own."""

    def __init__(self, layer: nn.Module, shape: Shape) -> None:
        super().__init__()
        self.bias, self.layer = nn.Parameter(torch.zeros(shape)), layer

    def forward(self, h: Tensor) -> Tensor:
        out: Tensor = self.layer(h) + self.bias
        return out


def dropped(n: int, m: int) -> list[nn.Module]:
    return [nn.Dropout(0.2), nn.Linear(n, m)]


def dense_judge(body: Dense, z_dim: int) -> PairD:
    """The pair as one vector, through hidden layers like E's."""
    layers = perceptron([body.pixels + z_dim, *body.units, 1], body.e_act, body.normed)
    return PairD(nn.Sequential(ToUnit(), nn.Flatten()), nn.Identity(), nn.Sequential(*layers)).apply(narrow)


def dcgan_judge(body: DCGAN, z_dim: int, units: int) -> PairD:
    """DCGAN's D without norms down to `units`, z through a layer of as many, two more over both, with ALI's dropout."""
    of_x = [*replace(body, normed=False).encoder(units), leaky()]
    of_z = [nn.Linear(z_dim, units), leaky()]
    joint = [*dropped(2 * units, units), leaky(), *dropped(units, 1)]
    return PairD(*(nn.Sequential(*layers).apply(initialise) for layers in (of_x, of_z, joint)))


def networks(
    *,
    image_size: Annotated[int, "side of the square image; dcgan: 8, 16, 32, 64 ...; ali: 32"] = 28,
    channels: Annotated[int, "1 gray, 3 colour"] = 1,
    body: Annotated[Literal["dense", "dcgan", "ali"], "what the networks are made of"] = "dense",
    units: Annotated[tuple[int, ...], "dense: of the hidden layers; dcgan: of D behind picture and code, the first"] = (
        1024, 1024,
    ),
    width: Annotated[int, "dcgan, ali: channels next to the picture"] = 32,
    z_dim: Annotated[int, "length of z"] = 50,
    uniform: Annotated[bool, "z ~ U(-1, 1); else N(0, 1)"] = True,
    stochastic: Annotated[bool, "whether E makes q(z|x), a normal distribution: ALI; else z: BiGAN"] = False,
) -> dict[str, nn.Module]:  # fmt: skip
    """G, E, and D of pairs."""
    refuse_empty(width, z_dim, *units)
    shape = (channels, image_size, image_size)
    parts: Body
    if body == "dense":
        parts = Dense(shape, units, leaky, normed=True)
        judge = dense_judge(parts, z_dim)
    elif body == "ali":
        parts = ALI(shape, width)
        judge = parts.judge(z_dim)
    else:
        parts = DCGAN(shape, width)
        judge = dcgan_judge(parts, z_dim, units[0])
    made: dict[str, Any] = autoencoder(parts, z_dim, stochastic, uniform)
    return made | {"D": judge}
