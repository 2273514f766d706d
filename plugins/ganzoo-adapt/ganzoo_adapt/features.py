"""Networks of the games that are played between features: a picture -> an encoder's features -> a head's classes."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ganzoo_adapt.kinds import Shares
from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator, Generator, Image

LEAST = 16  # px: two 5x5 convolutions, each before a halving, leave one place


class Classifier(Generator):
    """A picture of the target (or of the source, in training) -> how sure one is of each class, [N, K] in [0, 1]."""

    def __init__(self, image_size: int, channels: int, classes: int, encoder: nn.Module, head: nn.Module) -> None:
        super().__init__()
        self.inputs, self.output = {"b": Image((channels, image_size, image_size))}, Shares((classes,))
        self.encoder, self.head = encoder, head

    def forward(self, b: Tensor) -> Tensor:
        return self.head(self.encoder(b)).softmax(1)

    def logits(self, x: Tensor) -> Tensor:  # [N, C, S, S] -> [N, K]
        found: Tensor = self.head(self.encoder(x))
        return found

    def loss(self, x: Tensor, y: Tensor) -> Tensor:
        """L_y: the cross-entropy of what it says of pictures x [N, C, S, S] and their labels y [N]."""
        return cross_entropy(self.logits(x).float(), y)


class Domain(Discriminator):
    """Of features, not of pictures: above 0 where they are the source's. [N, f] -> [N]

    The published softmax of two is the logistic function of their difference.
    """

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__()
        self.main = nn.Sequential(*layers)

    def forward(self, x: Tensor) -> Tensor:
        source, target = self.main(x).unbind(1)
        score: Tensor = source - target
        return score


class MapDropout(nn.Dropout):
    """Leaves out whole maps. torch's own has no counterpart in ONNX."""

    def forward(self, h: Tensor) -> Tensor:
        return h * super().forward(torch.ones_like(h[:, :, :1, :1]))


def flat(image_size: int) -> int:
    """Places that two 5x5 convolutions leave, each before a halving."""
    return (((image_size - 4) // 2 - 4) // 2) ** 2


def dann(
    *,
    image_size: Annotated[int, "side of the square pictures, from 16 on"] = 28,
    channels: Annotated[int, "of both domains: 1 gray, 3 colour"] = 3,
    classes: Annotated[int, "how many labels the source has"] = 10,
    widths: Annotated[tuple[int, int], "channels of the encoder's two convolutions"] = (64, 50),
    hidden: Annotated[int, "units of each hidden layer of the head and of D"] = 100,
    dropout: Annotated[float, "share of the encoder's maps and of the head's units that are left out"] = 0.5,
) -> dict[str, nn.Module]:
    """The classifier T, S, its twin that sees the source alone, and D, which judges features."""
    check(image_size, channels, classes, *widths, hidden)
    f = widths[1] * flat(image_size)

    def classifier() -> Classifier:
        encoder = nn.Sequential(
            nn.Conv2d(channels, widths[0], 5), nn.BatchNorm2d(widths[0]), nn.MaxPool2d(2), nn.ReLU(),
            nn.Conv2d(widths[0], widths[1], 5), nn.BatchNorm2d(widths[1]), MapDropout(dropout), nn.MaxPool2d(2),
            nn.ReLU(), nn.Flatten(),
        )  # fmt: skip
        head = nn.Sequential(
            *normed(f, hidden), nn.Dropout(dropout), *normed(hidden, hidden), nn.Linear(hidden, classes)
        )
        return Classifier(image_size, channels, classes, encoder, head)

    return {"T": classifier(), "S": classifier(), "D": Domain(*normed(f, hidden), nn.Linear(hidden, 2))}


def normed(f: int, f_next: int) -> list[nn.Module]:
    return [nn.Linear(f, f_next), nn.BatchNorm1d(f_next), nn.ReLU()]


def adda(
    *,
    image_size: Annotated[int, "side of the square pictures, from 16 on"] = 28,
    channels: Annotated[int, "of both domains: 1 gray, 3 colour"] = 1,
    classes: Annotated[int, "how many labels the source has"] = 10,
    widths: Annotated[tuple[int, int], "channels of the encoder's two convolutions"] = (20, 50),
    features: Annotated[int, "how many features a picture has"] = 500,
    hidden: Annotated[int, "units of D's two hidden layers"] = 500,
) -> dict[str, nn.Module]:
    """The classifier T, whose encoder is the target's, S, whose is the source's (LeNet both), and D of features."""
    check(image_size, channels, classes, *widths, features, hidden)

    def classifier() -> Classifier:
        encoder = nn.Sequential(
            nn.Conv2d(channels, widths[0], 5), nn.MaxPool2d(2), nn.ReLU(),
            nn.Conv2d(widths[0], widths[1], 5), nn.MaxPool2d(2), nn.ReLU(),
            nn.Flatten(), nn.Linear(widths[1] * flat(image_size), features), nn.ReLU(),
        )  # fmt: skip
        return Classifier(image_size, channels, classes, encoder, nn.Linear(features, classes))

    layers = [nn.Linear(features, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, 2)]
    return {"T": classifier(), "S": classifier(), "D": Domain(*layers)}


def check(image_size: int, *others: int) -> None:
    """Errors: GanzooError for pictures that leave the second convolution nothing, and for widths below 1."""
    if image_size < LEAST or min(others) < 1:
        raise GanzooError(f"image_size {image_size}: below {LEAST}, or a width below 1", "Choose another.")
