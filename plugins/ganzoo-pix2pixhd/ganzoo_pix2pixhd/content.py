"""How pictures are compared by what VGG19 sees: five of its maps, the deeper the more they count."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from ganzoo_fastgan.reconstruction import Perceptual
from ganzoo_srgan.content import VGG54
from torch import Tensor, nn
from torch.nn.functional import l1_loss

WEIGHTS = {1: 1 / 32, 6: 1 / 16, 11: 1 / 8, 20: 1 / 4, 29: 1.0}  # the ReLU behind conv1_1, conv2_1 ... conv5_1


class Maps(VGG54):
    """VGG19's maps behind the first convolution of each resolution; pixels go in as they are, in [-1, 1]."""

    layers: ClassVar[int] = max(WEIGHTS) + 1

    def look(self, net: nn.Module, x: Tensor) -> list[Tensor]:  # type: ignore[override]
        """[N, 3, H, W] -> five maps."""
        assert isinstance(net, nn.Sequential)
        found = []
        for place, layer in enumerate(net):
            x = layer(x)
            if place in WEIGHTS:
                found.append(x)
        return found


class VGG(nn.Module):
    """sum_i w_i |F_i(a) - F_i(b)|, means over maps (Sec. 3.3's L_VGG)."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = Maps()

    def forward(self, a: Tensor, b: Tensor) -> Tensor:
        pairs = zip(WEIGHTS.values(), self.seen(a), self.seen(b), strict=True)
        total: Tensor = sum((w * l1_loss(m.float(), n.float()) for w, m, n in pairs), a.new_zeros(()))
        return total


DISTANCES: Mapping[str, type[nn.Module]] = {"vgg": VGG, "lite0": Perceptual}
