"""The residual networks of WGAN-GP's best experiment on CIFAR-10 (Gulrajani et al. 2017, App. F), for 16 to 64 px."""

from __future__ import annotations

import math
from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn.functional import relu

from ganzoo_core.nn import (
    DBlock,
    DBlockFirst,
    DBlockSame,
    Discriminator,
    GBlock,
    Generator,
    Images,
    Latent,
    doublings,
)


class G(Generator):
    """z -> 4x4 -> residual blocks that each double the side -> BN, ReLU, 3x3 -> tanh; every layer has f channels."""

    def __init__(self, image_size: int, channels: int, width: int, z_dim: int) -> None:
        super().__init__()
        self.inputs = {"z": Latent((z_dim,))}
        self.output = Images((channels, image_size, image_size))
        self.linear = nn.Linear(z_dim, 16 * width)
        self.blocks = nn.Sequential(*[up(width) for _ in range(doublings(image_size, least=16, most=64))])
        self.bn = nn.BatchNorm2d(width)
        self.conv = nn.Conv2d(width, channels, 3, padding=1)
        self.apply(initialise)
        uniform(self.conv, gain=2)  # Glorot's, as it precedes no ReLU

    def forward(self, z: Tensor) -> Tensor:
        h = self.linear(z).unflatten(1, (-1, 4, 4))  # [N, f, 4, 4]
        return torch.tanh(self.conv(relu(self.bn(self.blocks(h)))))


class D(Discriminator):
    """Residual blocks that halve the side down to 8x8, two that keep it, ReLU, the mean over places, one score.

    Nothing is normalised: a gradient penalty looks at samples one by one (Sec. 4, "No critic batch normalization").
    """

    def __init__(self, image_size: int, channels: int, width: int) -> None:
        super().__init__()
        first = DBlockFirst(**convs(channels, width), shortcut=nn.Conv2d(channels, width, 1))
        downs = [
            DBlock(**convs(width, width), shortcut=nn.Conv2d(width, width, 1))
            for _ in range(doublings(image_size, least=16, most=64) - 2)
        ]
        sames = [DBlockSame(**convs(width, width), shortcut=nn.Identity()) for _ in range(2)]
        self.blocks = nn.Sequential(first, *downs, *sames)
        self.linear = nn.Linear(width, 1)
        self.apply(initialise)

    def forward(self, x: Tensor) -> Tensor:  # [N, C, H, W] -> [N]
        return self.linear(self.features(x)).flatten()

    def features(self, x: Tensor) -> Tensor:
        """The mean over all places of the last activations.  [N, f]"""
        return relu(self.blocks(x)).mean((2, 3))


def up(f: int) -> GBlock:
    return GBlock(bn1=nn.BatchNorm2d(f), bn2=nn.BatchNorm2d(f), **convs(f, f), shortcut=nn.Conv2d(f, f, 1))


def convs(f: int, f_next: int) -> dict[str, nn.Module]:
    """Both 3x3 convolutions of a block."""
    return {"conv1": nn.Conv2d(f, f_next, 3, padding=1), "conv2": nn.Conv2d(f_next, f_next, 3, padding=1)}


def initialise(layer: nn.Module) -> None:
    """3x3 convolutions by He's rule, the others and linear layers by Glorot's; biases zero."""
    if isinstance(layer, nn.Conv2d | nn.Linear):
        uniform(layer, gain=4 if layer.weight.shape[2:] == (3, 3) else 2)


@torch.no_grad()
def uniform(layer: nn.Conv2d | nn.Linear, gain: float) -> None:
    """Uniform weights of variance gain / (fan in + fan out): 2 is Glorot & Bengio 2010, Eq. 16; 4 the authors' He."""
    places = math.prod(layer.weight.shape[2:])
    limit = math.sqrt(3 * gain / (places * sum(layer.weight.shape[:2])))
    layer.weight.uniform_(-limit, limit)
    layer.bias.zero_()  # type: ignore[union-attr]


def networks(
    *,
    image_size: Annotated[int, "side of the square image: 16, 32 or 64"] = 32,
    channels: Annotated[int, "1 gray, 3 colour"] = 3,
    width: Annotated[int, "f, the channels of every layer of both networks"] = 128,
    z_dim: Annotated[int, "length of the latent z ~ N(0, 1)"] = 128,
) -> dict[str, nn.Module]:
    """The generator G and the critic D."""
    return {"G": G(image_size, channels, width, z_dim), "D": D(image_size, channels, width)}
