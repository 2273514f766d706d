"""The networks of a stacked GAN (Huang et al. 2016): an encoder reads a picture upwards, a stack draws it down.

h0 is the picture x, h1 features, h2 the class y. E makes h1 of x and y of h1; G1 turns y and z1 into h1, G0 turns h1
and z0 into x.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

import torch
from ganzoo_dcgan.networks import D as DCGAN_D
from ganzoo_dcgan.networks import G as DCGAN_G
from torch import Tensor, nn
from torch.nn.functional import one_hot

from ganzoo_core.nn import Generator, Images, Label, Latent, doublings

Shape = tuple[int, int, int]  # C, H, W


class E(nn.Module):
    """What the stack is to undo: a classifier, of which h1 is the last hidden layer."""

    def __init__(self, shape: Shape, classes: int, width: int, features: int) -> None:
        super().__init__()
        flat = 2 * width * (shape[1] // 4) ** 2
        self.to_h1 = nn.Sequential(
            nn.Conv2d(shape[0], width, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(width, 2 * width, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(flat, features), nn.ReLU(),
        )  # fmt: skip
        self.to_y = nn.Linear(features, classes)

    def forward(self, x: Tensor) -> Tensor:  # [N, C, H, W] -> [N, classes]
        logits: Tensor = self.to_y(self.to_h1(x))
        return logits


class G(Generator):
    """y and z1 -> h1, h1 and z0 -> x."""

    def __init__(self, shape: Shape, classes: int, width: int, features: int, units: int, z1: int, z0: int) -> None:
        super().__init__()
        self.inputs = {"z1": Latent((z1,)), "z0": Latent((z0,)), "label": Label(classes)}
        self.output, self.classes = Images(shape), classes
        self.G1 = nn.Sequential(*layers([classes + z1, units, units, features], norm=True), nn.ReLU())
        self.G0 = DCGAN_G(shape[1], shape[0], width, features + z0)

    def forward(self, z1: Tensor, z0: Tensor, label: Tensor) -> Tensor:  # [N, C, H, W]
        return self.x(self.h1(label, z1), z0)

    def h1(self, y: Tensor, z1: Tensor) -> Tensor:
        """Features of a class.  [N], [N, z1] -> [N, features], not negative"""
        made: Tensor = self.G1(torch.cat([one_hot(y, self.classes).to(z1.dtype), z1], 1))
        return made

    def x(self, h1: Tensor, z0: Tensor) -> Tensor:
        """A picture of features.  [N, features], [N, z0] -> [N, C, H, W]"""
        return self.G0(torch.cat([h1, z0], 1))


class D1(nn.Module):
    """Are features real?"""

    def __init__(self, features: int, units: int) -> None:
        super().__init__()
        self.body = nn.Sequential(*layers([features, units, units], norm=False), nn.LeakyReLU(0.2))
        self.last = nn.Linear(units, 1)

    def forward(self, h1: Tensor) -> Tensor:  # [N, features] -> [N]
        return self.score_and_features(h1)[0]

    def score_and_features(self, h1: Tensor) -> tuple[Tensor, Tensor]:
        """[N, features] -> [N], [N, units]"""
        h = self.body(h1)
        score: Tensor = self.last(h)
        return score.flatten(), h


class D0(DCGAN_D):
    """DCGAN's, of pictures, without norms."""

    def __init__(self, shape: Shape, width: int) -> None:
        super().__init__(shape[1], shape[0], width, "none")

    def score_and_features(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """[N, C, H, W] -> [N], [N, f]"""
        h = self.main[:-1](x)
        score: Tensor = self.main[-1](h)
        return score.flatten(), h.flatten(1)


def layers(widths: list[int], norm: bool) -> list[nn.Module]:
    """Dense layers, between them perhaps a batch norm, and LeakyReLU."""
    made: list[nn.Module] = []
    for f, f_next in pairwise(widths):
        if made:
            made += [nn.BatchNorm1d(f), nn.LeakyReLU(0.2)] if norm else [nn.LeakyReLU(0.2)]
        made.append(nn.Linear(f, f_next))
    return made


def networks(
    *,
    image_size: Annotated[int, "side of the square image: 16, 32, 64 or 128"] = 32,
    channels: Annotated[int, "1 gray, 3 colour"] = 1,
    classes: Annotated[int, "how many labels there are"] = 10,
    width: Annotated[int, "channels next to the image in G0 and D0"] = 32,
    e_width: Annotated[int, "channels of E's first convolution"] = 32,
    features: Annotated[int, "length of h1"] = 256,
    units: Annotated[int, "of the hidden layers of G1 and D1"] = 512,
    z1: Annotated[int, "length of the latent z1 ~ N(0, 1) of the features"] = 50,
    z0: Annotated[int, "length of the latent z0 ~ N(0, 1) of the picture"] = 50,
) -> dict[str, nn.Module]:
    """The stack G, the encoder E, and for each level a discriminator D and, on its features, a guess Q of its z."""
    shape = (channels, image_size, image_size)
    top = width * 2 ** (doublings(image_size) - 1)  # channels of D0's last map, 4x4
    return {
        "G": G(shape, classes, width, features, units, z1, z0), "E": E(shape, classes, e_width, features),
        "D1": D1(features, units), "D0": D0(shape, width), "Q1": nn.Linear(units, z1), "Q0": nn.Linear(16 * top, z0),
    }  # fmt: skip
