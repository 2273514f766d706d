"""In what space two pictures are compared (Sec. 2.2.1): pixels, or features of VGG19 where the user has its weights.

torchvision's file of weights is not shipped. It is read by torchvision with torch's restricted unpickler, which makes
nothing but tensors, and only after its hash has been found to begin with what its name promises.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import file_digest
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from ganzoo_core.data.places import is_file, search_roots, where_to_put
from ganzoo_core.errors import GanzooError, IntegrityError, plain

FILE, PREFIX = "vgg19-dcbb9e9d.pth", "dcbb9e9d"  # torch hub's convention: the sha256's beginning
LAYERS = 36  # up to the ReLU behind the 4th convolution before the 5th max pooling: phi_5,4
SCALE = 1 / 12.75  # of features, so that VGG losses are as large as pixels'; squared it is the paper's 0.006


class Pixels(nn.Module):
    """The picture as it is: content is then the MSE of pixels (Eq. 4)."""

    def load(self, device: torch.device) -> None:
        """Nothing is needed."""

    def forward(self, x: Tensor) -> Tensor:
        return x


class VGG54(nn.Module):
    """phi_5,4(x) / 12.75 of VGG19 (Eq. 5): what the published SRGAN compares. Empty until `load`."""

    def __init__(self) -> None:
        super().__init__()
        self.phi: nn.Module | None = None

    def load(self, device: torch.device) -> None:
        """Read the weights, once. Errors: GanzooError (2) that says where to put the file, IntegrityError (5)."""
        if self.phi is None:
            self.phi = read_vgg(found()).to(device, memory_format=torch.channels_last)

    def forward(self, x: Tensor) -> Tensor:  # [N, 3, H, W] in [-1, 1] -> [N, 512, H / 16, W / 16]
        assert self.phi is not None  # loaded as the phase begins
        mean, std = (x.new_tensor(v).view(1, 3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
        features: Tensor = self.phi(((x + 1) / 2 - mean) / std)  # ImageNet's normalisation
        return features * SCALE


SPACES: Mapping[str, type[Pixels] | type[VGG54]] = {"vgg54": VGG54, "pixels": Pixels}


def found() -> Path:
    """The file under the data roots or among torch hub's checkpoints."""
    hub = Path(torch.hub.get_dir()) / "checkpoints"
    for place in [*(root / "extractors" for root in search_roots(None)), hub]:
        if is_file(place / FILE):
            return place / FILE
    advice = where_to_put(None, [f"extractors/{FILE}"]).partition("; or name")[0]
    raise GanzooError(
        "content vgg54: torchvision's file of VGG19's weights was not found",
        f"{advice}, or into {plain(hub)}; or take -c content=pixels.",
    )


def read_vgg(path: Path) -> nn.Module:
    """VGG19's first 36 layers, frozen, in evaluation mode."""
    try:
        with path.open("rb") as file:
            digest = file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise GanzooError(f"{plain(path)}: cannot be read: {error.strerror}") from None
    if not digest.startswith(PREFIX):
        raise IntegrityError(
            f"{plain(path)}: its sha256 begins with {digest[:8]}, not {PREFIX}", "Delete it and fetch it again."
        )
    from torchvision.models import VGG19_Weights, vgg19

    try:
        state: dict[str, Any] = VGG19_Weights.IMAGENET1K_V1.get_state_dict(
            progress=False, model_dir=str(path.parent), file_name=path.name, map_location="cpu", weights_only=True
        )
        with torch.device("meta"):
            phi: nn.Module = vgg19().features[:LAYERS]
        layers = {k.removeprefix("features."): v for k, v in state.items() if k.startswith("features.")}
        phi.load_state_dict(layers, assign=True)
    except Exception as error:  # whatever torch and torchvision make of other bytes
        raise GanzooError(f"{plain(path)}: does not hold VGG19's weights: {plain(error)}") from None
    for layer in phi.modules():
        if isinstance(layer, nn.ReLU):
            layer.inplace = False
    return phi.requires_grad_(False).eval()
