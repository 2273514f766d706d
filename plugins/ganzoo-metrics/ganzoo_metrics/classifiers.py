"""Our own extractors: small convolutional classifiers of the data sets that ganzoo's small models are trained on."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import Tensor, nn
from torch.nn.functional import max_pool2d, relu

from ganzoo_core.data import CLOTHES, GROUPS, STYLES
from ganzoo_core.errors import GanzooError, IntegrityError, escape
from ganzoo_metrics.extractors import Extractor, ExtractorSpec

DIM = 128
STORED = torch.float16  # 11 bits of each weight: features move by 1e-3 of their size, scores by less
AGAIN = "Install ganzoo-metrics again."
N = TypeVar("N", bound=Extractor)


class Plan(NamedTuple):
    """A classifier's sizes: `widths` are the channels of its blocks, `heads` the classes that it tells apart."""

    image_size: int
    channels: int
    widths: tuple[int, ...]
    heads: Mapping[str, tuple[str, ...]]  # the first one gives `classes` and `logits`


PLANS: Mapping[str, Plan] = {
    "mnist-cnn": Plan(28, 1, (16, 32, 64), {"label": tuple("0123456789")}),
    "fashion-cnn": Plan(28, 1, (24, 48, 96), {"label": CLOTHES}),
    "emoji-cnn": Plan(32, 3, (24, 48, 96), {"group": GROUPS, "style": STYLES}),
}


class Block(nn.Module):
    """Twice a 3x3 convolution, `norm` and ReLU."""

    def __init__(self, channels: int, width: int, norm: Callable[[int], nn.Module]) -> None:
        super().__init__()
        self.conv1, self.norm1 = nn.Conv2d(channels, width, 3, padding=1), norm(width)
        self.conv2, self.norm2 = nn.Conv2d(width, width, 3, padding=1), norm(width)

    def forward(self, x: Tensor) -> Tensor:
        return relu(self.norm2(self.conv2(relu(self.norm1(self.conv1(x))))))


class Classifier(Extractor):
    """Blocks, each followed by max pooling; a layer over all places and ReLU, the features; a linear layer per head.

    Batch norm is for training only: `norm` is nothing in what is shipped, as its scales are then in the convolutions.
    It keeps the features alive, too: without it, up to half of them ended as zeros for every image.
    """

    def __init__(self, name: str, norm: Callable[[int], nn.Module] = nn.Identity) -> None:
        super().__init__()
        plan = PLANS[name]
        self.name, self.image_size, self.channels, self.dim, self.sha256 = name, plan.image_size, plan.channels, DIM, ""
        self.classes = next(iter(plan.heads.values()))
        inputs = (plan.channels, *plan.widths[:-1])
        self.blocks = nn.ModuleList(Block(c, w, norm) for c, w in zip(inputs, plan.widths, strict=True))
        side = plan.image_size >> len(plan.widths)
        self.conv, self.norm = nn.Conv2d(plan.widths[-1], DIM, side), norm(DIM)
        self.heads = nn.ModuleDict({head: nn.Linear(DIM, len(names)) for head, names in plan.heads.items()})

    def maps(self, x: Tensor) -> list[Tensor]:
        """What each block puts out, before pooling."""
        maps, h = [], x.contiguous(memory_format=torch.channels_last)  # a third faster on a CPU
        for block in self.blocks:
            maps.append(block(h))
            h = max_pool2d(maps[-1], 2)
        return maps

    def features(self, x: Tensor) -> Tensor:
        h = max_pool2d(self.maps(x)[-1], 2)
        return relu(self.norm(self.conv(h))).flatten(1).float()

    def scores(self, features: Tensor) -> dict[str, Tensor]:
        """Features [N, dim] to the class scores [N, K] of each head."""
        return {name: head(features).float() for name, head in self.heads.items()}

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        features = self.features(x)
        return features, next(iter(self.scores(features).values()))


def read_classifier(spec: ExtractorSpec) -> Classifier:
    """The shipped classifier of that name. Errors: as `filled`."""
    return filled(Classifier(spec.name), spec)


def filled(net: N, spec: ExtractorSpec) -> N:
    """A network with the shipped weights of its name, whose bytes are checked before they are parsed.

    Errors: GanzooError (2) for files that are missing or do not fit, IntegrityError (5) for a wrong sha256.
    """
    assert spec.folder is not None  # ours all have one
    digest, data = read_checked(spec.folder)
    where = escape(spec.folder / "model.safetensors")
    try:
        tensors = safetensors.torch.load(data)
    except (SafetensorError, ValueError, KeyError) as error:
        raise GanzooError(f"{where}: is no safetensors file: {escape(error)}", AGAIN) from None
    expected = {key: (STORED, tensor.shape) for key, tensor in net.state_dict().items()}
    if {key: (tensor.dtype, tensor.shape) for key, tensor in tensors.items()} != expected:
        raise GanzooError(f"{where}: its tensors are not those of {spec.name}", AGAIN)
    net.load_state_dict({key: tensor.float() for key, tensor in tensors.items()})
    net.sha256 = digest
    return net


def read_checked(folder: Path) -> tuple[str, bytes]:
    """The sha256 that config.json promises, and the bytes of model.safetensors, which have it."""
    config, path = read_config(folder), folder / "model.safetensors"
    data = read_bytes(path)
    found = sha256(data).hexdigest()
    if found != config.get("sha256"):
        raise IntegrityError(
            f"{escape(path)}: its sha256 is {found[:12]}..., not {escape(config.get('sha256'))[:12]}... as promised",
            AGAIN,
        )
    return found, data


def read_config(folder: Path) -> dict[str, Any]:
    path = folder / "config.json"
    try:
        config = json.loads(read_bytes(path))
    except (ValueError, RecursionError) as error:
        raise GanzooError(f"{escape(path)}: is not JSON: {escape(error)}", AGAIN) from None
    if not isinstance(config, dict):
        raise GanzooError(f"{escape(path)}: is not a table", AGAIN)
    return config


def read_bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise GanzooError(f"{escape(path)}: cannot be read: {error.strerror}", AGAIN) from None
