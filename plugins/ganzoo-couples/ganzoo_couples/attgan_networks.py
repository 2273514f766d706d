"""The networks of AttGAN (He et al. 2017): an encoder, a decoder that is told attributes, a judge that reads them."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

import torch
from ganzoo_pix2pix.networks import InstanceNorm
from torch import Tensor, nn
from torch.nn.functional import one_hot

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator, Generator, Image, Images, Label

HALF = 0.5  # attributes that a picture has are told to G as HALF, others as -HALF


class G(Generator):
    """G(x, b): the code of x, decoded with the attributes b.

    b joins the code, and again, with what the encoder made at that size, behind the decoder's first layer.
    """

    def __init__(self, channels: int, classes: int, width: int, halvings: int) -> None:
        super().__init__()
        self.inputs = {"x": Image((channels, None, None), multiple=2**halvings), "label": Label(classes)}
        self.output = Images((channels, None, None))
        self.classes, f = classes, [width * 2**i for i in range(halvings)]
        self.encoder = nn.ModuleList(
            nn.Sequential(nn.Conv2d(n, m, 4, 2, 1, bias=False), nn.BatchNorm2d(m), nn.LeakyReLU(0.01))
            for n, m in pairwise([channels, *f])
        )
        up = [f[-1], *reversed(f[1:])]  # of 64 ... 1024: 1024, 1024, 512, 256, 128
        seen = [up[0] + classes, up[1] + f[-2] + classes, *up[2:]]
        self.decoder = nn.ModuleList(
            nn.Sequential(nn.ConvTranspose2d(n, m, 4, 2, 1, bias=False), nn.BatchNorm2d(m), nn.ReLU())
            for n, m in zip(seen, up[1:], strict=False)
        )
        self.last = nn.ConvTranspose2d(seen[-1], channels, 4, 2, 1)

    def forward(self, x: Tensor, label: Tensor) -> Tensor:  # [N, C, H, W], [N] -> [N, C, H, W]
        return self.edited(x, 2 * HALF * one_hot(label, self.classes).to(x.dtype) - HALF)

    def edited(self, x: Tensor, b: Tensor) -> Tensor:
        """With attributes as numbers, [N, classes]: several at a time, where it has learnt such."""
        codes = [x]
        for layer in self.encoder:
            codes.append(layer(codes[-1]))
        h = self.decoder[0](torch.cat([codes[-1], planes(b, codes[-1])], 1))
        h = torch.cat([h, codes[-2], planes(b, h)], 1)
        for layer in self.decoder[1:]:
            h = layer(h)
        return self.last(h).tanh()


def planes(b: Tensor, h: Tensor) -> Tensor:
    """Attributes [N, n] at every place of h.  [N, n, H, W]"""
    return b[:, :, None, None].expand(-1, -1, *h.shape[2:])


class D(Discriminator):
    """Convolutions that halve the side; two heads over all places: the critic's score, and logits of the attributes."""

    def __init__(self, image_size: int, channels: int, classes: int, width: int, halvings: int, units: int) -> None:
        super().__init__()
        f = [width * 2**i for i in range(halvings)]
        layers = [
            (nn.Conv2d(n, m, 4, 2, 1, bias=False), InstanceNorm(m, affine=True), nn.LeakyReLU(0.01))
            for n, m in pairwise([channels, *f])
        ]
        self.main = nn.Sequential(*(layer for stage in layers for layer in stage), nn.Flatten())
        places = f[-1] * (image_size >> halvings) ** 2
        self.adv, self.cls = (
            nn.Sequential(nn.Linear(places, units), nn.ReLU(), nn.Linear(units, n)) for n in (1, classes)
        )

    def features(self, x: Tensor) -> Tensor:
        """[N, C, H, W] -> [N, places], of which `cls` makes the logits of the attributes, [N, classes]."""
        return self.main(x)

    def score_and_features(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h = self.features(x)
        return self.adv(h).flatten(), h

    def forward(self, x: Tensor) -> Tensor:  # [N, C, H, W] -> [N]
        return self.adv(self.features(x)).flatten()


def networks(
    *,
    image_size: Annotated[int, "side of the square pictures: a multiple of 2 ** halvings"] = 128,
    channels: Annotated[int, "of the pictures: 1 gray, 3 colour"] = 3,
    classes: Annotated[int, "attributes"] = 13,
    width: Annotated[int, "channels of G at half the side; they double with each halving"] = 64,
    halvings: Annotated[int, "how often G and D halve the side: 5 for 128 px, down to 4x4"] = 5,
    d_width: Annotated[int, "channels of D at half the side"] = 64,
    units: Annotated[int, "of D's hidden layers over all places"] = 1024,
) -> dict[str, nn.Module]:
    """The editor G(x, label) and the judge D(x)."""
    if min(image_size, channels, classes, width, d_width, units) < 1 or halvings < 2:
        raise GanzooError("a size below 1, or halvings below 2", "Choose others.")
    if image_size % 2**halvings or image_size < 2 ** (halvings + 1):
        what = f"image_size {image_size}: not 2 or more times {2**halvings}, which D halves {halvings} times"
        raise GanzooError(what, "Choose another, or fewer halvings.")
    judge = D(image_size, channels, classes, d_width, halvings, units)
    return {"G": G(channels, classes, width, halvings), "D": judge}
