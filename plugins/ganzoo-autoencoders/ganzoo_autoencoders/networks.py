"""What the members share: an encoder E beside a generator G, and the layers that both can be made of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple, Protocol

import torch
from torch import Tensor, nn

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator, Generator, Image, Images, Latent, Points, doublings, initialise

Shape = tuple[int, int, int]  # C, H, W


class Posterior(NamedTuple):
    """q(z|x) = N(mean, exp(log_variance)), coordinate by coordinate."""

    mean: Tensor  # [N, Z]
    log_variance: Tensor  # [N, Z]

    def draw(self) -> Tensor:
        """z = mean + sigma e, e ~ N(0, 1): gradients reach both.  [N, Z]"""
        return self.mean + (self.log_variance / 2).exp() * torch.randn_like(self.mean)

    def kl(self) -> Tensor:
        """KL(q || N(0, 1)), a sum over coordinates.  [N]"""
        return 0.5 * (self.mean.square() + self.log_variance.exp() - 1 - self.log_variance).sum(1)


class E(Generator):
    """x -> its code: z of a deterministic encoder, the mean of q(z|x) of a stochastic one.

    `main` makes [N, Z], or [N, 2 Z] where the second half are log-variances.
    """

    def __init__(self, shape: Shape, z_dim: int, main: nn.Module) -> None:
        super().__init__()
        self.inputs, self.output = {"x": Image(shape)}, Points((z_dim,))
        self.z_dim, self.main = z_dim, main

    def forward(self, x: Tensor) -> Tensor:  # [N, C, H, W] -> [N, Z]
        return self.main(x)[:, : self.z_dim]

    def code(self, x: Tensor) -> tuple[Tensor, ...]:
        """All that G takes to draw x again."""
        return (self(x),)

    def posterior(self, x: Tensor) -> Posterior:
        """q(z|x) of a stochastic encoder."""
        return Posterior(*self.main(x).float().split(self.z_dim, 1))

    def draw(self, x: Tensor) -> Tensor:
        """z ~ q(z|x); of a deterministic encoder its z.  [N, Z]"""
        made = self.main(x).float()
        return made if made.shape[1] == self.z_dim else Posterior(*made.split(self.z_dim, 1)).draw()


class G(Generator):
    """z -> the picture, in [-1, 1]."""

    def __init__(self, shape: Shape, latent: Latent, main: nn.Module) -> None:
        super().__init__()
        self.inputs, self.output, self.main = {"z": latent}, Images(shape), main

    def forward(self, z: Tensor) -> Tensor:  # [N, Z] -> [N, C, H, W]
        return self.main(z)


class CodeD(Discriminator):
    """A code -> its score: is it a draw from the prior, or E's?"""

    def __init__(self, n: int, units: Sequence[int], act: Callable[[], nn.Module] = nn.ReLU) -> None:
        super().__init__()
        self.main = nn.Sequential(*perceptron([n, *units, 1], act), nn.Flatten(0))

    def forward(self, z: Tensor) -> Tensor:  # [N, Z] -> [N]
        return self.main(z)


class PictureD(Discriminator):
    """DCGAN's: a picture -> its score."""

    def __init__(self, shape: Shape, width: int) -> None:
        super().__init__()
        self.main = nn.Sequential(DCGAN(shape, width).encoder(1), nn.Flatten(0))

    def forward(self, x: Tensor) -> Tensor:  # [N, C, H, W] -> [N]
        return self.main(x)


# Layers


class ToUnit(nn.Module):
    """Pixels as papers have them: from [-1, 1] to [0, 1]."""

    def forward(self, x: Tensor) -> Tensor:
        return (x + 1) / 2


class FromUnit(nn.Module):
    """A sigmoid, and from [0, 1] to [-1, 1]."""

    def forward(self, h: Tensor) -> Tensor:
        return 2 * h.sigmoid() - 1


def leaky() -> nn.Module:
    return nn.LeakyReLU(0.2)


def perceptron(sizes: Sequence[int], act: Callable[[], nn.Module], normed: bool = False) -> list[nn.Module]:
    """Linear layers with `act` between them; with `normed` a batch norm in every hidden layer but the first."""
    layers: list[nn.Module] = []
    for depth, (n, m) in enumerate(pairwise(sizes)):
        if depth:
            layers += [*([nn.BatchNorm1d(n)] if normed and depth > 1 else []), act()]
        layers.append(nn.Linear(n, m))
    return layers


class Body(Protocol):
    """What E and G are made of."""

    @property
    def shape(self) -> Shape: ...
    def encoder(self, m: int) -> nn.Sequential: ...  # [N, C, H, W] -> [N, m]
    def decoder(self, n: int) -> nn.Sequential: ...  # [N, n] -> [N, C, H, W] in [-1, 1]


@dataclass(frozen=True)
class Dense:
    """Fully connected: the picture is a list of pixels in [0, 1]."""

    shape: Shape
    units: tuple[int, ...]  # of the hidden layers, alike in both
    e_act: Callable[[], nn.Module] = nn.ReLU
    normed: bool = False

    @property
    def pixels(self) -> int:
        return self.shape[0] * self.shape[1] * self.shape[2]

    def encoder(self, m: int) -> nn.Sequential:
        layers = perceptron([self.pixels, *self.units, m], self.e_act, self.normed)
        return nn.Sequential(ToUnit(), nn.Flatten(), *layers).apply(narrow)

    def decoder(self, n: int) -> nn.Sequential:
        layers = perceptron([n, *reversed(self.units), self.pixels], nn.ReLU, self.normed)
        return nn.Sequential(*layers, FromUnit(), nn.Unflatten(1, self.shape)).apply(narrow)


@dataclass(frozen=True)
class DCGAN:
    """DCGAN's D and G: 4x4 kernels of stride 2 between the picture and 4x4."""

    shape: Shape
    width: int  # channels at half the side; they double at each stage
    normed: bool = True  # whether E's layers but the first have batch norms

    @property
    def widths(self) -> list[int]:
        return [self.width * 2**i for i in range(doublings(self.shape[1]))]

    def encoder(self, m: int) -> nn.Sequential:
        layers: list[nn.Module] = []
        for f, f_next in pairwise([self.shape[0], *self.widths]):
            norm = [nn.BatchNorm2d(f_next)] if layers and self.normed else []
            layers += [nn.Conv2d(f, f_next, 4, 2, 1, bias=False), *norm, leaky()]
        return nn.Sequential(*layers, nn.Conv2d(self.widths[-1], m, 4), nn.Flatten()).apply(initialise)

    def decoder(self, n: int) -> nn.Sequential:
        *widths, last = reversed(self.widths)
        layers: list[nn.Module] = [nn.Unflatten(1, (n, 1, 1)), nn.ConvTranspose2d(n, (*widths, last)[0], 4, bias=False)]
        for f, f_next in pairwise([*widths, last]):
            layers += [nn.BatchNorm2d(f), nn.ReLU(), nn.ConvTranspose2d(f, f_next, 4, 2, 1, bias=False)]
        out = nn.ConvTranspose2d(last, self.shape[0], 4, 2, 1, bias=False)
        return nn.Sequential(*layers, nn.BatchNorm2d(last), nn.ReLU(), out, nn.Tanh()).apply(initialise)


@torch.no_grad()
def narrow(layer: nn.Module) -> None:
    """The first weights of AAE and ALI, for `net.apply`: N(0, 0.01), no biases."""
    if isinstance(layer, (nn.Linear, nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(layer.weight, 0.0, 0.01)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)


def body_of(kind: str, shape: Shape, units: tuple[int, ...], width: int) -> Body:
    """Errors: GanzooError for sizes below 1."""
    refuse_empty(width, *units)
    return Dense(shape, units) if kind == "dense" else DCGAN(shape, width)


def refuse_empty(*sizes: int) -> None:
    """Errors: GanzooError."""
    if min(sizes) < 1:
        raise GanzooError("a size below 1", "Every layer needs one unit at least.")


def autoencoder(body: Body, z_dim: int, stochastic: bool, uniform: bool = False) -> dict[str, nn.Module]:
    """G for z ~ N(0, 1), or uniform in [-1, 1], and E."""
    refuse_empty(z_dim)
    latent = Latent((z_dim,), (-1.0, 1.0) if uniform else None)
    made = body.encoder(2 * z_dim if stochastic else z_dim)
    return {"G": G(body.shape, latent, body.decoder(z_dim)), "E": E(body.shape, z_dim, made)}
