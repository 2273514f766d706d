"""What metrics look through: networks that turn an image into features and class scores, by name.

A score is only as good as its extractor, and two scores compare only if theirs is the same: so a score carries the
extractor's name, and an extractor, once named, never changes. No GAN may be trained with one of them as a loss, a
discriminator or a criterion for stopping: it would learn what the measurement likes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import ClassVar, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

from ganzoo_core.errors import UnknownNameError
from ganzoo_core.plugin import resolve

TRAINED = Path(__file__).parent / "trained"
LUMA = (0.299, 0.587, 0.114)  # ITU-R 601, as the core's data sets and Pillow turn RGB into gray


class Extractor(nn.Module, ABC):
    """Images [N, channels, image_size, image_size] in [-1, 1] to features [N, dim] and class scores [N, K].

    `classes` are the K names of the first classification head, `sha256` is that of the file of weights. Every image
    is looked at by itself: a batch is no more than its images.
    """

    name: str
    image_size: int
    channels: int
    dim: int
    classes: tuple[str, ...]
    sha256: str
    resizing: ClassVar[str] = "bilinear, antialiased"  # of `prepared`, as protocols say it
    local_layer: ClassVar[str] = "the first"  # whose activations `local` gives

    @abstractmethod
    def maps(self, x: Tensor) -> list[Tensor]:
        """Activations [N, c_i, h_i, w_i], shallow to deep."""

    @abstractmethod
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(features, logits) in one pass."""

    def local(self, x: Tensor) -> Tensor:
        """Shallow activations of images [N, channels, H, W] of any size, which are not resized.  [N, c, h, w]"""
        return self.maps(x)[0]

    def features(self, x: Tensor) -> Tensor:
        """[N, dim] float32."""
        return self(x)[0]

    def logits(self, x: Tensor) -> Tensor:
        """Unnormalised scores of the first head's classes.  [N, K] float32"""
        return self(x)[1]

    def prepared(self, x: Tensor) -> Tensor:
        """Images [N, 1 or 3, H, W] in [-1, 1] to what this extractor looks at.  [N, channels, image_size, image_size]

        Bilinear with antialiasing; gray is repeated, RGB becomes its luma.
        """
        return to_size(to_channels(x, self.channels), self.image_size)


def to_channels(x: Tensor, channels: int) -> Tensor:
    """[N, 1 or 3, H, W] -> [N, channels, H, W]."""
    if x.shape[1] == channels:
        return x
    if channels == 3:
        return x.expand(-1, 3, -1, -1)
    return (x * x.new_tensor(LUMA).view(1, 3, 1, 1)).sum(1, keepdim=True)


def to_size(x: Tensor, size: int) -> Tensor:
    """[N, C, H, W] -> [N, C, size, size]."""
    if x.shape[-2:] == (size, size):
        return x
    return interpolate(x, size=(size, size), mode="bilinear", antialias=True)


@dataclass(frozen=True)
class ExtractorSpec:
    """An extractor by name. `reference` -> a function that takes this record and returns the Extractor."""

    name: str
    summary: str
    data: tuple[str, ...]  # data sets that it was trained on
    reference: str
    folder: Path | None = None  # model.safetensors and config.json; None where the user brings the file


def ours(name: str, summary: str, data: tuple[str, ...]) -> ExtractorSpec:
    return ExtractorSpec(name, summary, data, "ganzoo_metrics.classifiers:read_classifier", TRAINED / name)


SPECS = (
    ours("mnist-cnn", "tells handwritten digits apart; 28 px, gray, 128 features", ("mnist", "digits")),
    ExtractorSpec(
        "mnist-lenet",
        "LeNet-5, a second eye for digits, taught otherwise; 28 px, gray, 84 features",
        ("mnist", "digits"),
        "ganzoo_metrics.lenet:read_lenet",
        TRAINED / "mnist-lenet",
    ),
    ours("fashion-cnn", "tells pieces of clothing apart; 28 px, gray, 128 features", ("fashion_mnist",)),
    ours("emoji-cnn", "tells groups and styles of emoji apart; 32 px, RGB, 128 features", ("emoji",)),
    ExtractorSpec(
        "lite0",
        "EfficientNet-Lite0 of ImageNet, installed with pip; 160 px, RGB, 1280 features",
        (),
        "ganzoo_metrics.lite0:read_lite0",
    ),
    ExtractorSpec(
        "inception",
        "Inception v3 of 2015, as papers use it; RGB, 2048 features; its file of weights is the user's to bring",
        (),
        "ganzoo_metrics.inception:read_inception",
    ),
)
EXTRACTORS: Mapping[str, ExtractorSpec] = MappingProxyType({spec.name: spec for spec in SPECS})
OTHERWISE = "lite0"  # for colour pictures, and for data that none of ours was trained on
GENERAL = ("lite0", "inception")  # of ImageNet, which has all kinds of pictures


def extractor_for(data_name: str, channels: int) -> str:
    """The default extractor's name for a data set (its variant does not matter), a folder or any other data."""
    name = data_name.partition(":")[0]
    own = [spec.name for spec in SPECS if name in spec.data and channels == 1]
    return own[0] if own else OTHERWISE


def knows(name: str, data_name: str) -> bool:
    """Whether an extractor was made for such data."""
    return name in GENERAL or data_name.partition(":")[0] in EXTRACTORS[name].data


def load_extractor(name: str, device: str | torch.device = "cpu") -> Extractor:
    """The extractor, frozen and in evaluation mode.

    Errors: UnknownNameError; GanzooError (2) for a file that is missing or damaged, IntegrityError (5) for one that is
    not what its hash says.
    """
    if name not in EXTRACTORS:
        raise UnknownNameError("extractor", name, EXTRACTORS)
    spec = EXTRACTORS[name]
    extractor = cast(Extractor, resolve(spec.reference)(spec))
    return extractor.requires_grad_(False).eval().to(device)
