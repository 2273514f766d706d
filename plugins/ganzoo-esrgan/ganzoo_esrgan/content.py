"""What the perceptual loss compares: features of VGG19 before their ReLU, of EfficientNet-Lite0, or pixels.

An L1 distance of each map, weighted. SRGAN looked behind the last ReLU, where most features are 0 and say nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from ganzoo_srgan.content import VGG54, Lite0, Pixels
from torch import Tensor, nn

CONV5_4 = 34  # the place of the 4th convolution before the 5th max pooling among VGG19's layers
LEVELS = {2: 0.1, 7: 0.1, 16: 1.0, 25: 1.0, CONV5_4: 1.0}  # conv1_2, conv2_2, conv3_4, conv4_4, conv5_4: weights


class BeforeReLU(VGG54):
    """conv5_4 of VGG19, not scaled: what the published ESRGAN compares."""

    layers: ClassVar[int] = CONV5_4 + 1

    def features(self, net: nn.Module, x: Tensor) -> Tensor:  # [N, 3, H, W] -> [N, 512, H / 16, W / 16]
        made: Tensor = net(x)
        return made


class Levels(VGG54):
    """Five convolutions of VGG19, times their weights, one behind the other: what the published Real-ESRGAN compares.

    An L1 distance of what comes out is the sum of the maps' mean L1 distances, weighted.
    """

    layers: ClassVar[int] = CONV5_4 + 1

    def features(self, net: nn.Module, x: Tensor) -> Tensor:  # [N, 3, H, W] -> [N, values of all maps]
        assert isinstance(net, nn.Sequential)
        maps: list[Tensor] = []
        for place, layer in enumerate(net):
            x = layer(x)
            if place in LEVELS:
                maps.append(x.flatten(1) * (LEVELS[place] / x[0].numel()))
        together = torch.cat(maps, 1)
        return together * together.shape[1]  # its mean is then the sum of their means


SPACES: Mapping[str, type[nn.Module]] = {"vgg": BeforeReLU, "lite0": Lite0, "pixels": Pixels}
LEVEL_SPACES: Mapping[str, type[nn.Module]] = {**SPACES, "vgg": Levels}


def distance(space: nn.Module, fake: Tensor, x: Tensor) -> Tensor:
    """Mean L1 distance of what `space` makes of two batches of pictures."""
    return (space(fake).float() - space(x).float()).abs().mean()
