"""The networks of SPADE (Park et al. 2019, Sec. 3 and App. A): a map that is shown again at every norm, and judges."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

import torch
from ganzoo_pix2pix.networks import InstanceNorm
from torch import Tensor, nn
from torch.nn.functional import interpolate, leaky_relu, relu

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Generator, Images, apply_spectral_norm
from ganzoo_pix2pixhd.maps import LabelMap
from ganzoo_pix2pixhd.networks import MultiScale

SLOPE = 0.2
GAIN = 0.02  # of Xavier's first weights


class Denorm(nn.Module):
    """(1 + gamma(m)) (h - mean) / deviation + beta(m), mean and deviation of each channel over the batch (Eqs. 1 to 3).

    gamma and beta are two convolutions of the map m away, so they differ from place to place.
    """

    def __init__(self, f: int, planes: int, hidden: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(f, affine=False)
        self.shared = nn.Conv2d(planes, hidden, 3, 1, 1)
        self.gamma, self.beta = (nn.Conv2d(hidden, f, 3, 1, 1) for _ in range(2))

    def forward(self, h: Tensor, map: Tensor) -> Tensor:  # [N, f, H, W], [N, planes, H, W]
        seen = relu(self.shared(map))
        return self.norm(h) * (1 + self.gamma(seen)) + self.beta(seen)


class Block(nn.Module):
    """A residual block whose norms all look at the map; where its width changes, its shortcut has one, too (Fig. 4)."""

    def __init__(self, f: int, f_next: int, planes: int, hidden: int) -> None:
        super().__init__()
        between = min(f, f_next)
        self.norm_0, self.norm_1 = Denorm(f, planes, hidden), Denorm(between, planes, hidden)
        self.conv_0, self.conv_1 = nn.Conv2d(f, between, 3, 1, 1), nn.Conv2d(between, f_next, 3, 1, 1)
        self.norm_s = Denorm(f, planes, hidden) if f != f_next else None
        self.conv_s = nn.Conv2d(f, f_next, 1, bias=False) if f != f_next else None
        for conv in (self.conv_0, self.conv_1, self.conv_s):
            if conv is not None:
                nn.init.xavier_normal_(conv.weight, GAIN)
                apply_spectral_norm(conv, nn.Conv2d)

    def forward(self, h: Tensor, map: Tensor) -> Tensor:
        inner = self.conv_0(leaky_relu(self.norm_0(h, map), SLOPE))
        inner = self.conv_1(leaky_relu(self.norm_1(inner, map), SLOPE))
        if self.conv_s is None or self.norm_s is None:
            return h + inner
        shortcut: Tensor = self.conv_s(self.norm_s(h, map))
        return shortcut + inner


class G(Generator):
    """A label map, small, to a first map of the widest; then blocks, each at twice the side of the one before."""

    def __init__(self, planes: int, channels: int, widths: tuple[int, ...], hidden: int) -> None:
        super().__init__()
        self.inputs = {"map": LabelMap((planes, None, None), multiple=2 ** (len(widths) - 1))}
        self.output = Images((channels, None, None))
        self.first = nn.Conv2d(planes, widths[0], 3, 1, 1)
        self.blocks = nn.ModuleList(Block(f, g, planes, hidden) for f, g in pairwise((widths[0], *widths)))
        self.last = nn.Conv2d(widths[-1], channels, 3, 1, 1)

    def forward(self, map: Tensor) -> Tensor:  # [N, labels + 1, H, W] -> [N, C, H, W]
        steps = [2**i for i in reversed(range(len(self.blocks)))]  # of the map, as each block sees it
        h = self.first(nearest(map, steps[0]))
        for block, step in zip(self.blocks, steps, strict=True):
            h = block(h, nearest(map, step))
            h = interpolate(h, scale_factor=2.0) if step > 1 else h
        return self.last(leaky_relu(h, SLOPE)).tanh()


def nearest(map: Tensor, step: int) -> Tensor:
    """Every step-th pixel both ways."""
    return map[:, :, ::step, ::step]


class Patches(nn.ModuleList):
    """A judge of one scale: PatchGAN with spectral norm and instance norm, its layers' maps; all paddings are 2."""

    def __init__(self, planes: int, f: int) -> None:
        widths = (f, 2 * f, 4 * f, 8 * f)
        layers = [nn.Sequential(nn.Conv2d(planes, f, 4, 2, 2), nn.LeakyReLU(SLOPE))]
        for i, (a, b) in enumerate(pairwise(widths)):
            conv = nn.Conv2d(a, b, 4, 2 if i < 2 else 1, 2, bias=False)
            nn.init.xavier_normal_(conv.weight, GAIN)
            apply_spectral_norm(conv, nn.Conv2d)
            layers.append(nn.Sequential(conv, InstanceNorm(b), nn.LeakyReLU(SLOPE)))
        super().__init__([*layers, nn.Sequential(nn.Conv2d(widths[-1], 1, 4, 1, 2))])

    def forward(self, x: Tensor) -> list[Tensor]:
        maps = []
        for layer in self:
            x = layer(x)
            maps.append(x)
        return maps


class D(MultiScale):
    """pix2pixHD's judges of several scales, with other layers."""

    def __init__(self, planes: int, f: int, scales: int) -> None:
        super().__init__(planes, f, 0)
        self.scales.extend(Patches(planes, f) for _ in range(scales))


def networks(
    *,
    image_size: Annotated[int, "side of the square pictures that it is trained on"] = 256,
    channels: Annotated[int, "of pictures: 1 gray, 3 colour"] = 3,
    labels: Annotated[int, "how many labels there are"] = 35,
    widths: Annotated[
        tuple[int, ...], "channels of G's blocks, the first at the smallest side; each next one has twice the side"
    ] = (1024, 1024, 1024, 512, 256, 128, 64),
    hidden: Annotated[int, "channels between the map and gamma and beta"] = 128,
    d_width: Annotated[int, "channels of D next to the picture"] = 64,
    scales: Annotated[int, "how many discriminators there are, each at half the side of the one before"] = 2,
) -> dict[str, nn.Module]:
    """The generator G(map) and the discriminators D(b, map)."""
    if not widths or min(image_size, channels, labels, *widths, hidden, d_width, scales) < 1:
        raise GanzooError("a size below 1, or no widths", "Choose others.")
    if image_size % 2 ** (len(widths) - 1):
        what = f"image_size {image_size}: not a multiple of {2 ** (len(widths) - 1)}"
        raise GanzooError(what, "Choose another, or fewer widths.")
    made: dict[str, nn.Module] = {
        "G": G(labels + 1, channels, widths, hidden),
        "D": D(labels + 1 + channels, d_width, scales),
    }
    for net in made.values():
        for layer in net.modules():
            if isinstance(layer, nn.Conv2d) and not torch.nn.utils.parametrize.is_parametrized(layer):
                nn.init.xavier_normal_(layer.weight, GAIN)
                if layer.bias is not None:
                    nn.init.zeros_(layer.bias)
    return made
