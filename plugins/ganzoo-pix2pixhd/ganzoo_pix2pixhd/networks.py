"""The networks of pix2pixHD (Wang et al. 2017, Secs. 3.2 and App. A): a global generator, a local enhancer around it,
and discriminators of several scales."""

from __future__ import annotations

from typing import Annotated

import torch
from ganzoo_cyclegan.networks import Residual, padded
from ganzoo_pix2pix.networks import InstanceNorm
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator, Generator, Images, initialise
from ganzoo_pix2pixhd.maps import LabelMap


def halved(x: Tensor) -> Tensor:
    """Half the side: means of 3x3, of what lies inside alone.  [N, C, H, W] -> [N, C, H / 2, W / 2]"""
    return avg_pool2d(x, 3, 2, 1, count_include_pad=False)


def normed(conv: nn.Module, f: int) -> list[nn.Module]:
    return [conv, InstanceNorm(f), nn.ReLU(inplace=True)]


def down(f: int) -> list[nn.Module]:
    return normed(nn.Conv2d(f, 2 * f, 3, 2, 1), 2 * f)


def up(f: int) -> list[nn.Module]:
    return normed(nn.ConvTranspose2d(f, f // 2, 3, 2, 1, output_padding=1), f // 2)


def head(f: int, channels: int) -> nn.Sequential:
    """A map to a picture in [-1, 1]."""
    return nn.Sequential(padded(f, channels, 7), nn.Tanh())


class Global(nn.Sequential):
    """G1 but for its head: c7s1-f, `halvings` times half the side and twice the channels, residual blocks, and back."""

    def __init__(self, planes: int, f: int, halvings: int, blocks: int) -> None:
        widths = [f * 2**i for i in range(halvings)]
        widest = f * 2**halvings
        super().__init__(
            *normed(padded(planes, f, 7), f),
            *(layer for width in widths for layer in down(width)),
            *(Residual(widest) for _ in range(blocks)),
            *(layer for width in reversed(widths) for layer in up(2 * width)),
        )


class G(Generator):
    """A label map to a picture: G1 alone, with its head."""

    def __init__(self, planes: int, channels: int, width: int, halvings: int, blocks: int) -> None:
        super().__init__()
        self.inputs = {"map": LabelMap((planes, None, None), multiple=2**halvings)}
        self.output = Images((channels, None, None))
        self.coarse = Global(planes, width, halvings, blocks)
        self.head = head(width, channels)

    def forward(self, map: Tensor) -> Tensor:  # [N, labels + 1, H, W] -> [N, C, H, W]
        return self.head(self.coarse(map))


class Enhanced(Generator):
    """G1 at half the side within G2: what G2 sees of the map is added to G1's last map, and refined (Fig. 3)."""

    def __init__(self, planes: int, channels: int, width: int, halvings: int, blocks: int, local_blocks: int) -> None:
        super().__init__()
        self.inputs = {"map": LabelMap((planes, None, None), multiple=2 ** (halvings + 1))}
        self.output = Images((channels, None, None))
        self.width, self.channels = width, channels
        self.coarse = Global(planes, 2 * width, halvings, blocks)
        self.before = nn.Sequential(*normed(padded(planes, width, 7), width), *down(width))
        refined = [Residual(2 * width) for _ in range(local_blocks)]
        self.after = nn.Sequential(*refined, *up(2 * width), *head(width, channels))

    def forward(self, map: Tensor) -> Tensor:  # [N, labels + 1, H, W] -> [N, C, H, W]
        return self.after(self.before(map) + self.coarse(halved(map)))

    def local(self) -> list[nn.Module]:
        """The layers of G2."""
        return [self.before, self.after]

    def coarse_head(self) -> nn.Module:
        """A head for G1 alone, which G2 has no use for: the game's, in G1's phase."""
        return head(2 * self.width, self.channels)


class Patches(nn.ModuleList):
    """A discriminator of one scale: 70x70 patches, each layer's map of them; all paddings are 2."""

    def __init__(self, planes: int, f: int) -> None:
        widths = (f, 2 * f, 4 * f, 8 * f)
        layers = [nn.Sequential(nn.Conv2d(planes, f, 4, 2, 2), nn.LeakyReLU(0.2))]
        for i, wide in enumerate(widths[1:]):
            conv = nn.Conv2d(widths[i], wide, 4, 2 if i < 2 else 1, 2)
            layers.append(nn.Sequential(conv, InstanceNorm(wide), nn.LeakyReLU(0.2)))
        super().__init__([*layers, nn.Sequential(nn.Conv2d(widths[-1], 1, 4, 1, 2))])

    def forward(self, x: Tensor) -> list[Tensor]:
        maps = []
        for layer in self:
            x = layer(x)
            maps.append(x)
        return maps


class MultiScale(Discriminator):
    """D_1, D_2 ...: alike, each on pictures half as large as the one before (Sec. 3.2); the coarsest comes first."""

    def __init__(self, planes: int, f: int, scales: int) -> None:
        super().__init__()
        self.scales = nn.ModuleList(Patches(planes, f) for _ in range(scales))

    def maps(self, x: Tensor, map: Tensor) -> list[list[Tensor]]:
        """For each scale, the finest first, what its layers make of pictures beside their maps; scores come last."""
        seen, found = torch.cat([map, x], 1), []
        for patches in reversed(self.scales):
            found.append(patches(seen))
            seen = halved(seen)
        return found

    def forward(self, x: Tensor, map: Tensor) -> Tensor:  # [N, C, H, W], [N, labels + 1, H, W] -> [N, all places]
        return torch.cat([maps[-1].flatten(1) for maps in self.maps(x, map)], 1)


def networks(
    *,
    image_size: Annotated[int, "side of the square pictures that it is trained on"] = 512,
    channels: Annotated[int, "of pictures: 1 gray, 3 colour"] = 3,
    labels: Annotated[int, "how many labels there are"] = 35,
    width: Annotated[int, "channels of G next to the picture; G1 within G2 has twice as many"] = 64,
    halvings: Annotated[int, "how often G1 halves the side"] = 4,
    blocks: Annotated[int, "residual blocks of G1"] = 9,
    enhancer: Annotated[bool, "whether there is G2 around G1"] = False,
    local_blocks: Annotated[int, "residual blocks of G2"] = 3,
    d_width: Annotated[int, "channels of D next to the picture"] = 64,
    scales: Annotated[int, "how many discriminators there are, each at half the side of the one before"] = 2,
) -> dict[str, nn.Module]:
    """The generator G(map) and the discriminators D(b, map)."""
    step = 2 ** (halvings + enhancer)
    if min(image_size, channels, labels, width, d_width, scales) < 1 or min(halvings, blocks, local_blocks) < 0:
        raise GanzooError("a size below 1", "Choose others.")
    if image_size % step:
        raise GanzooError(f"image_size {image_size}: not a multiple of {step}", "Choose another, or other halvings.")
    shape = (labels + 1, channels, width, halvings, blocks)
    made = Enhanced(*shape, local_blocks) if enhancer else G(*shape)
    nets = {"G": made, "D": MultiScale(labels + 1 + channels, d_width, scales)}
    return {name: net.apply(initialise) for name, net in nets.items()}
