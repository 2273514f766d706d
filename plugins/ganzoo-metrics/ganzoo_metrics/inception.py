"""Inception v3 as published scores use it: torch-fidelity's network, and the file of weights that it was ported to.

The file (Apache-2.0) is not shipped. It is read by torch's restricted unpickler only, and only after its hash
has been found to begin with what its name promises.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from io import BytesIO

import torch
from torch import Tensor
from torch_fidelity.feature_extractor_inceptionv3 import FeatureExtractorInceptionV3

from ganzoo_core.errors import GanzooError, escape
from ganzoo_core.nn import PinnedFile
from ganzoo_metrics.extractors import Extractor, ExtractorSpec, to_channels

FILE = PinnedFile(
    "weights-inception-2015-12-05-6726825d.pth",
    "6726825d",
    "extractor inception: its file of weights, a release file of torch-fidelity 0.2.0,",
    "; or look through another: --extractor emoji-cnn (or fashion-cnn, mnist-cnn)",
)
LAYERS = ("MaxPool_1", "MaxPool_2", "Mixed_6e", "Mixed_7c")
STEM = ("Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3", "MaxPool_1", "Conv2d_3b_1x1", "Conv2d_4a_3x3")
AGAIN = "Delete it and fetch it again."


class Inception(Extractor):
    """2048 features (the last average pool) and 1008 scores without the last layer's bias, as the Inception Score's.

    Images go in as uint8 of any size: the network resizes them itself as TensorFlow 1 did, and scores elsewhere depend
    on that. So `prepared` only makes them RGB. No class has a name of its own here.
    """

    resizing = "bilinear, not antialiased (TensorFlow 1)"
    local_layer = "before the second pooling"

    def __init__(self, weights: bytes) -> None:
        super().__init__()
        self.name, self.image_size, self.channels, self.dim = "inception", 299, 3, 2048
        self.classes, self.sha256 = tuple(map(str, range(1008))), sha256(weights).hexdigest()
        with tensors_only():
            self.net = FeatureExtractorInceptionV3("inception", ["2048", "logits_unbiased"], BytesIO(weights))

    def prepared(self, x: Tensor) -> Tensor:
        return to_channels(x, 3)

    def maps(self, x: Tensor) -> list[Tensor]:
        maps = list[Tensor]()
        layers = [self.net.get_submodule(name) for name in LAYERS]
        hooks = [layer.register_forward_hook(lambda layer, x, y: maps.append(y)) for layer in layers]
        try:
            self(x)
        finally:
            for hook in hooks:
                hook.remove()
        return maps

    def local(self, x: Tensor) -> Tensor:
        """The 192 maps before the second pooling, of pictures in their own size: what SinGAN's authors compare."""
        h = (to_bytes(x).float() - 128) / 128
        for name in STEM:
            h = self.net.get_submodule(name)(h)
        return h

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        features, logits = self.net(to_bytes(x))
        return features, logits


def to_bytes(x: Tensor) -> Tensor:
    """[-1, 1] to uint8, halves rounded up."""
    return ((x + 1) * 127.5 + 0.5).floor().clamp(0, 255).to(torch.uint8)


@contextmanager
def tensors_only() -> Iterator[None]:
    """torch-fidelity unpickles whatever it is given; this makes torch refuse all but tensors."""
    switch = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"
    before = os.environ.get(switch)
    os.environ[switch] = "1"
    try:
        yield
    finally:
        if before is None:
            del os.environ[switch]
        else:
            os.environ[switch] = before


def read_inception(spec: ExtractorSpec) -> Inception:
    """Errors: GanzooError (2) where the file is missing or damaged, IntegrityError (5) where it is another one."""
    data = FILE.read()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch's and torch-fidelity's own affairs
            return Inception(data)
    except Exception as error:  # whatever torch and torch-fidelity make of other bytes
        raise GanzooError(f"{escape(FILE.find())}: does not hold Inception's weights: {escape(error)}", AGAIN) from None
