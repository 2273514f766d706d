"""The multilayer perceptrons of the first GAN (Goodfellow et al. 2014, Sec. 5), as configured for MNIST."""

from __future__ import annotations

import math
from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator, Generator, Images, Latent

Shape = tuple[int, int, int]  # C, H, W


class G(Generator):
    """z -> h -> h -> the pixels: rectified linear units, then a sigmoid for each pixel in [0, 1]."""

    def __init__(self, shape: Shape, width: int, z_dim: int) -> None:
        super().__init__()
        unit = math.sqrt(3.0)  # U(-sqrt 3, sqrt 3) has variance 1
        self.inputs = {"z": Latent((z_dim,), (-unit, unit))}
        self.output = Images(shape)
        self.main = nn.Sequential(
            nn.Linear(z_dim, width), nn.ReLU(),
            nn.Linear(width, width), nn.ReLU(),
            nn.Linear(width, math.prod(shape)),
        )  # fmt: skip
        self.shape = shape
        initialise(self, 0.05)

    def forward(self, z: Tensor) -> Tensor:
        y = torch.sigmoid(self.main(z))  # [N, CHW]
        return (2 * y - 1).reshape(-1, *self.shape)

    @torch.no_grad()
    def begin_at(self, mean: Tensor) -> None:
        """The last bias <- the inverse sigmoid of the pixels' marginals: before it has learnt, G draws the mean."""
        last = self.main[-1]
        assert isinstance(last, nn.Linear)
        last.bias.copy_(torch.logit((mean.flatten() + 1) / 2, eps=1e-7))


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
        h = super().forward(x).reshape(len(x), -1, self.pieces)
        return h.amax(2)  # [N, units]


@torch.no_grad()
def initialise(net: nn.Module, irange: float) -> None:
    """Weights from U(-irange, irange), biases zero."""
    for layer in net.modules():
        if isinstance(layer, nn.Linear):
            layer.weight.uniform_(-irange, irange)
            layer.bias.zero_()


def networks(
    *,
    image_size: Annotated[int, "side of the square image"] = 28,
    channels: Annotated[int, "1 gray, 3 colour"] = 1,
    width: Annotated[int, "units in each of G's two hidden layers"] = 1200,
    z_dim: Annotated[int, "length of the latent z ~ U(-sqrt 3, sqrt 3)"] = 100,
    units: Annotated[int, "in each of D's two maxout layers"] = 240,
    pieces: Annotated[int, "linear pieces of a maxout unit"] = 5,
) -> dict[str, nn.Module]:
    """The generator G and the discriminator D."""
    if min(image_size, channels, width, z_dim, units, pieces) < 1:
        raise GanzooError("a size below 1", "Every size of these networks is at least 1.")
    shape = (channels, image_size, image_size)
    return {"G": G(shape, width, z_dim), "D": D(shape, units, pieces)}
