"""The multilayer perceptrons of the first GAN (Goodfellow et al. 2014, Sec. 5), as configured for MNIST."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout

from ganzoo_core.errors import GanzooError
from ganzoo_core.networks import Discriminator, Generator, Input, Output

Shape = tuple[int, int, int]  # C, H, W


class G(Generator):
    """z -> h -> h -> the pixels: rectified linear units, then a sigmoid for each pixel in [0, 1]."""

    def __init__(self, shape: Shape, width: int, z_dim: int) -> None:
        super().__init__()
        unit = math.sqrt(3.0)  # U(-sqrt 3, sqrt 3) has variance 1
        self.inputs = {"z": Input("latent", (z_dim,), range=(-unit, unit))}
        self.output = Output(shape)
        self.main = nn.Sequential(
            nn.Linear(z_dim, width), nn.ReLU(),
            nn.Linear(width, width), nn.ReLU(),
            nn.Linear(width, math.prod(shape)),
        )  # fmt: skip
        self.shape = shape
        initialise(self, 0.05)

    def forward(self, z: Tensor) -> Tensor:
        y = torch.sigmoid(self.main(z))  # [N, CHW]
        return (2 * y - 1).unflatten(1, self.shape)

    @torch.no_grad()
    def begin_at(self, mean: Tensor) -> None:
        """The last bias <- the inverse sigmoid of the pixels' marginals: before it has learnt, G draws the mean."""
        self.main[-1].bias.copy_(torch.logit((mean.flatten() + 1) / 2, eps=1e-7))


class D(Discriminator):
    """x -> maxout -> maxout -> the score, with dropout before each layer (keep 0.8 of the pixels, 0.5 of the units)."""

    def __init__(self, shape: Shape, units: int, pieces: int) -> None:
        super().__init__()
        self.h0 = Maxout(math.prod(shape), units, pieces)
        self.h1 = Maxout(units, units, pieces)
        self.y = nn.Linear(units, 1)
        initialise(self, 0.005)

    def forward(self, x: Tensor) -> Tensor:
        return self.y(self.drop(self.features(x), keep=0.5)).flatten()

    def features(self, x: Tensor) -> Tensor:
        """The second maxout layer.  [N, units]"""
        x = (x.flatten(1) + 1) / 2  # the paper's pixels lie in [0, 1]
        h = self.h0(self.drop(x, keep=0.8))
        return self.h1(self.drop(h, keep=0.5))

    def drop(self, x: Tensor, keep: float) -> Tensor:
        """Keep each value with this probability, scaled by 1 / keep; in evaluation, everything."""
        return dropout(x, 1 - keep, self.training)


class Maxout(nn.Linear):
    """h_j = max_k (x W_jk + b_jk): Goodfellow et al. 2013, Eq. 1. Rows j k ... j k + k - 1 are the pieces of unit j."""

    def __init__(self, n_in: int, units: int, pieces: int) -> None:
        super().__init__(n_in, units * pieces)
        self.pieces = pieces

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x).unflatten(1, (-1, self.pieces)).amax(2)  # [N, units]


@torch.no_grad()
def initialise(net: nn.Module, irange: float) -> None:
    """Weights from U(-irange, irange), biases zero."""
    for layer in net.modules():
        if isinstance(layer, nn.Linear):
            layer.weight.uniform_(-irange, irange)
            layer.bias.zero_()


def networks(
    *,
    image_size: int = 28,  # side of the square image
    channels: int = 1,  # 1 gray, 3 colour
    width: int = 1200,  # units in each of G's two hidden layers
    z_dim: int = 100,  # length of the latent z ~ U(-sqrt 3, sqrt 3)
    units: int = 240,  # in each of D's two maxout layers
    pieces: int = 5,  # linear pieces of a maxout unit
) -> dict[str, nn.Module]:
    """The generator G and the discriminator D."""
    if min(image_size, channels, width, z_dim, units, pieces) < 1:
        raise GanzooError("a size below 1", "Every size of these networks is at least 1.")
    shape = (channels, image_size, image_size)
    return {"G": G(shape, width, z_dim), "D": D(shape, units, pieces)}
