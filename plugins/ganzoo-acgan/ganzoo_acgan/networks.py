"""The networks of AC-GAN (Odena et al. 2016, App. A): for 128 px as for ImageNet, for 32 px as for CIFAR-10."""

from __future__ import annotations

from typing import Annotated, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator, Generator, Images, Label, Latent


class Plan(NamedTuple):
    """What differs between sizes; channels are in units of `width`, the D's first stage."""

    first: int  # G: of the linear layer, which is 1x1
    up: tuple[tuple[int, int, int, int], ...]  # G: (channels, kernel, stride, padding); the last makes the image
    padding: int  # D: of the convolutions that keep the side
    places: int  # D: side of its last activations


PLANS = {
    # 1 -> 5 -> 13 -> 29 -> 61 -> 128. The paper's last kernel is 5; 8 is what reaches 128 without padding.
    128: Plan(48, ((24, 5, 2, 0), (16, 5, 2, 0), (12, 5, 2, 0), (4, 5, 2, 0), (0, 8, 2, 0)), 0, 13),
    32: Plan(24, ((12, 4, 1, 0), (6, 4, 2, 1), (3, 4, 2, 1), (0, 4, 2, 1)), 1, 4),  # 1 -> 4 -> 8 -> 16 -> 32
    16: Plan(24, ((12, 4, 1, 0), (6, 4, 2, 1), (0, 4, 2, 1)), 1, 2),  # 1 -> 4 -> 8 -> 16
}


class G(Generator):
    """(c, z) -> 1x1 -> transposed convolutions with batch norm and ReLU -> tanh."""

    def __init__(self, plan: Plan, image_size: int, channels: int, classes: int, width: int, z_dim: int) -> None:
        super().__init__()
        self.inputs = {"z": Latent((z_dim,)), "label": Label(classes)}
        self.output, self.classes = Images((channels, image_size, image_size)), classes
        self.linear = nn.Linear(z_dim + classes, plan.first * width)
        layers, f = list[nn.Module](), plan.first * width
        for units, kernel, stride, padding in plan.up[:-1]:
            layers += [nn.ConvTranspose2d(f, units * width, kernel, stride, padding, bias=False)]
            layers += [nn.BatchNorm2d(f := units * width), nn.ReLU(inplace=True)]
        _, kernel, stride, padding = plan.up[-1]
        layers += [nn.ConvTranspose2d(f, channels, kernel, stride, padding, bias=False), nn.Tanh()]
        self.main = nn.Sequential(*layers)
        self.apply(initialise)

    def forward(self, z: Tensor, label: Tensor) -> Tensor:
        c = one_hot(label, self.classes).to(z.dtype)
        return self.main(self.linear(torch.cat([c, z], 1))[:, :, None, None])


class D(Discriminator):
    """Six convolutions of 3x3, every other one of stride 2, each with dropout: the score, P(S = real | x) before the
    sigmoid, reads their last activations, and so does the classifier C beside it.
    """

    def __init__(self, plan: Plan, channels: int, width: int) -> None:
        super().__init__()
        layers, f = list[nn.Module](), channels
        for i in range(6):
            stride, padding = (2, 1) if i % 2 == 0 else (1, plan.padding)
            layers += [nn.Conv2d(f, width * 2**i, 3, stride, padding, bias=False)]
            f = width * 2**i
            layers += [nn.BatchNorm2d(f)] if i else []
            layers += [nn.LeakyReLU(0.2, inplace=True), nn.Dropout(0.5)]
        self.main = nn.Sequential(*layers)
        self.source = nn.Linear(f * plan.places**2, 1)
        self.apply(initialise)

    def forward(self, x: Tensor) -> Tensor:  # [N, C, H, W] -> [N]
        return self.source(self.features(x)).flatten()

    def features(self, x: Tensor) -> Tensor:
        """The last activations, flat.  [N, 32 width places^2]"""
        return self.main(x).flatten(1)

    def score_and_features(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h = self.features(x)
        return self.source(h).flatten(), h


def initialise(layer: nn.Module) -> None:
    """Weights from N(0, 0.02^2); batch norm from N(1, 0.02^2)."""
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(layer.weight, 0.0, 0.02)
    elif isinstance(layer, nn.BatchNorm2d):
        nn.init.normal_(layer.weight, 1.0, 0.02)


def networks(
    *,
    image_size: Annotated[int, "side of the square image: 16, 32 or 128"] = 128,
    channels: Annotated[int, "1 gray, 3 colour"] = 3,
    classes: Annotated[int, "labels 0 ... classes - 1"] = 10,
    width: Annotated[int, "channels of D's first stage; all others are multiples of it"] = 16,
    z_dim: Annotated[int, "length of the latent z ~ N(0, 1), beside which the class stands"] = 100,
) -> dict[str, nn.Module]:
    """The generator G(c, z), the discriminator D with the source head, and the class head C on D's features."""
    if image_size not in PLANS:
        raise GanzooError(f"image_size {image_size}: not 16, 32 or 128", "Choose one; images are resized to it.")
    plan = PLANS[image_size]
    d = D(plan, channels, width)
    c = nn.Linear(d.source.in_features, classes)
    return {"G": G(plan, image_size, channels, classes, width, z_dim), "D": d, "C": c}
