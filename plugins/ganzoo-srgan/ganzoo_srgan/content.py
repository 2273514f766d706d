"""In what space two pictures are compared (Sec. 2.2.1): pixels, or features of VGG19 where the user has its weights.

torchvision's file of weights is not shipped. It is read with torch's restricted unpickler, which makes nothing but
tensors, and only after its hash has been found to begin with what its name promises.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ganzoo_core.errors import GanzooError, escape
from ganzoo_core.nn import PinnedFile, Pretrained

FILE = PinnedFile(
    "vgg19-dcbb9e9d.pth",
    "dcbb9e9d",
    "content vgg54: torchvision's file of VGG19's weights",
    "; or take -c content=pixels",
)
LAYERS = 36  # up to the ReLU behind the 4th convolution before the 5th max pooling: phi_5,4
SCALE = 1 / 12.75  # of features, so that VGG losses are as large as pixels'; squared it is the paper's 0.006


class Pixels(nn.Module):
    """The picture as it is: content is then the MSE of pixels (Eq. 4)."""

    def forward(self, x: Tensor) -> Tensor:
        return x


class VGG54(Pretrained):
    """phi_5,4(x) / 12.75 of VGG19 (Eq. 5): what the published SRGAN compares."""

    autocast = True

    def read(self) -> nn.Module:
        """VGG19's first 36 layers. Errors: GanzooError (2) that says where to put the file, IntegrityError (5)."""
        from torchvision.models import VGG19_Weights, vgg19

        FILE.read()  # whose hash is right
        path = FILE.find()
        try:
            state = VGG19_Weights.IMAGENET1K_V1.get_state_dict(
                progress=False, model_dir=str(path.parent), file_name=path.name, map_location="cpu", weights_only=True
            )
            with torch.device("meta"):
                phi: nn.Module = vgg19().features[:LAYERS]
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
        features: Tensor = net(((x + 1) / 2 - mean) / std)  # ImageNet's normalisation
        return features * SCALE


SPACES: Mapping[str, type[Pixels] | type[VGG54]] = {"vgg54": VGG54, "pixels": Pixels}
