"""The networks of CyCADA for digits: CycleGAN's four, a deeper classifier twice, and a judge of its features."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

from ganzoo_cyclegan.networks import networks as translators
from torch import nn

from ganzoo_adapt.features import Classifier, Domain, MapDropout, check
from ganzoo_core.errors import GanzooError

DROPPED = (0.1, 0.3, 0.5)  # shares of maps, level by level
HALVINGS = 3


def dtn(image_size: int, channels: int, classes: int, widths: tuple[int, int, int], features: int) -> Classifier:
    """Three 5x5 convolutions that halve the side, and 512 features: the network for digits in colour."""
    layers: list[nn.Module] = []
    for (f, g), p in zip(pairwise((channels, *widths)), DROPPED, strict=True):
        layers += [nn.Conv2d(f, g, 5, 2, 2), nn.BatchNorm2d(g), MapDropout(p), nn.ReLU()]
    flat = widths[-1] * (image_size // 2**HALVINGS) ** 2
    layers += [nn.Flatten(), nn.Linear(flat, features), nn.BatchNorm1d(features), nn.ReLU(), nn.Dropout(0.5)]
    return Classifier(image_size, channels, classes, nn.Sequential(*layers), nn.Linear(features, classes))


def networks(
    *,
    image_size: Annotated[int, "side of the square pictures: a multiple of 8, from 16 on"] = 32,
    channels: Annotated[int, "of both domains: 1 gray, 3 colour"] = 3,
    classes: Annotated[int, "how many labels the source has"] = 10,
    width: Annotated[int, "channels of G and F next to the picture; the residual blocks have four times as many"] = 64,
    blocks: Annotated[int, "residual blocks of G and F"] = 9,
    d_width: Annotated[int, "channels of D_X and D_Y next to the picture"] = 64,
    patch: Annotated[int, "pixels that a score of D_X and D_Y sees: 1, 16, 34, 70, 142 or 286"] = 70,
    t_widths: Annotated[tuple[int, int, int], "channels of T's and S's convolutions"] = (64, 128, 256),
    features: Annotated[int, "features of a picture, in T and S"] = 512,
    hidden: Annotated[int, "units of D_f's two hidden layers"] = 500,
) -> dict[str, nn.Module]:
    """G: a -> b and F: b -> a, D_X and D_Y, the classifiers T and S, and D_f, which judges T's features."""
    check(image_size, channels, classes, width, d_width, *t_widths, features, hidden)
    if image_size % 2**HALVINGS:
        raise GanzooError(f"image_size {image_size}: not a multiple of {2**HALVINGS}", "Choose another.")
    nets = translators(
        image_size=image_size, channels=channels, width=width, blocks=blocks, d_width=d_width, patch=patch
    )
    nets |= {name: dtn(image_size, channels, classes, t_widths, features) for name in ("T", "S")}
    layers = [nn.Linear(features, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, 2)]
    return nets | {"D_f": Domain(*layers)}
