"""The networks of R3GAN, configuration E (Huang et al. 2024): residual blocks, nothing normalised, no styles."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Any

import torch
from ganzoo_stylegan.resampling import TRIANGLE, half, kernel, twice
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import (
    Discriminator,
    Generator,
    Images,
    Input,
    Label,
    Latent,
    Projection,
    doublings,
    sample_deterministic,
)

SLOPE = 0.2
EXPANSION = 2  # how much wider a block is inside
GAIN = math.sqrt(2 / (1 + SLOPE**2))  # of LeakyReLU (He et al. 2015)


class Block(nn.Module):
    """h + conv1(a(conv3(a(conv1(h))))), a = LeakyReLU: an inverted bottleneck whose 3x3 convolution is in groups."""

    def __init__(self, f: int, group: int) -> None:
        super().__init__()
        inner = EXPANSION * f
        self.widen = nn.Conv2d(f, inner, 1)
        self.spread = nn.Conv2d(inner, inner, 3, padding=1, groups=inner // group)
        self.narrow = nn.Conv2d(inner, f, 1, bias=False)

    def forward(self, h: Tensor) -> Tensor:  # [N, f, H, W]
        inner = leaky_relu(self.widen(h), SLOPE)
        out: Tensor = h + self.narrow(leaky_relu(self.spread(inner), SLOPE))
        return out


class Up(nn.Module):
    """Another width, then twice the side, bilinear."""

    filter: Tensor

    def __init__(self, f: int, f_next: int) -> None:
        super().__init__()
        self.conv = width(f, f_next)
        self.register_buffer("filter", kernel(TRIANGLE), persistent=False)

    def forward(self, h: Tensor) -> Tensor:
        return twice(self.conv(h), self.filter)


class Down(nn.Module):
    """Half the side, bilinear, then another width."""

    filter: Tensor

    def __init__(self, f: int, f_next: int) -> None:
        super().__init__()
        self.conv = width(f, f_next)
        self.register_buffer("filter", kernel(TRIANGLE), persistent=False)

    def forward(self, h: Tensor) -> Tensor:
        out: Tensor = self.conv(half(h, self.filter))
        return out


def width(f: int, f_next: int) -> nn.Module:
    return nn.Conv2d(f, f_next, 1, bias=False) if f != f_next else nn.Identity()


def stages(widths: Sequence[int], between: type[nn.Module], blocks: int, group: int) -> nn.Sequential:
    """Blocks at every width, and what leads `between` two of them."""
    layers: list[nn.Module] = [Block(widths[0], group) for _ in range(blocks)]
    for f, f_next in pairwise(widths):
        layers += [between(f, f_next), *(Block(f_next, group) for _ in range(blocks))]
    return nn.Sequential(*layers)


class G(Generator):
    """A learnt 4x4 map, scaled by what z and the class say, then stages; what it makes is not squashed."""

    def __init__(
        self, image_size: int, channels: int, classes: int, z_dim: int, widths: Sequence[int], blocks: int, group: int
    ) -> None:
        super().__init__()
        labels: dict[str, Input] = {"label": Label(classes)} if classes else {}
        self.inputs = {"z": Latent((z_dim,)), **labels}
        self.output = Images((channels, image_size, image_size))
        self.embed = nn.Embedding(classes, z_dim) if classes else None
        self.scale = nn.Linear(z_dim * len(self.inputs), widths[0], bias=False)
        self.basis = nn.Parameter(torch.randn(widths[0], 4, 4))
        self.stages = stages(widths, Up, blocks, group)
        self.to_rgb = nn.Conv2d(widths[-1], channels, 1, bias=False)
        initialise(self)

    def forward(self, z: Tensor, *y: Tensor) -> Tensor:  # [N, z_dim], and [N] where there are classes
        told = torch.cat([z, self.embed(*y)], 1) if self.embed is not None else z
        h = self.scale(told)[:, :, None, None] * self.basis
        return self.to_rgb(self.stages(h))

    def sample(self, n: int, *, seed: int, **inputs: Any) -> Tensor:
        """As Generator.sample; values beyond [-1, 1] are cut."""
        return sample_deterministic(self, lambda *told: self(*told).clamp(-1, 1), n, seed, inputs)


class D(Discriminator):
    """The mirror image of G: stages, then one 4x4 filter for every channel, and a score; with labels a projection."""

    def __init__(self, channels: int, classes: int, widths: Sequence[int], blocks: int, group: int) -> None:
        super().__init__()
        f = widths[0]
        self.from_rgb = nn.Conv2d(channels, widths[-1], 1, bias=False)
        self.stages = stages(widths[::-1], Down, blocks, group)
        self.basis = nn.Conv2d(f, f, 4, groups=f, bias=False)
        self.head = Projection(f, classes) if classes else nn.Linear(f, 1)
        initialise(self)

    def forward(self, x: Tensor, *y: Tensor) -> Tensor:  # [N, C, H, W], and [N] where there are classes -> [N]
        return self.head(self.features(x), *y).flatten()

    def features(self, x: Tensor) -> Tensor:
        """What the 4x4 filters say.  [N, f]"""
        return self.basis(self.stages(self.from_rgb(x))).flatten(1)


@torch.no_grad()
def initialise(net: nn.Module) -> None:
    """Fix-up (Zhang et al. 2019): blocks begin as the identity, and what is inside of them L^(-1/4) times He's law.

    L is how many blocks there are, and each has three layers. All else keeps the variance; biases are zero.
    """
    blocks = [module for module in net.modules() if isinstance(module, Block)]
    for layer in net.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            nn.init.normal_(layer.weight, 0.0, layer.weight[0].numel() ** -0.5)
            if layer.bias is not None:
                nn.init.zeros_(layer.bias)
    for block in blocks:
        for layer in (block.widen, block.spread):
            layer.weight.mul_(GAIN * len(blocks) ** -0.25)
        nn.init.zeros_(block.narrow.weight)


def check(image_size: int, widths: Sequence[int], group: int) -> None:
    """Errors: GanzooError for widths that do not lead from 4x4 to the image, or cannot be cut into groups."""
    wanted = doublings(image_size) + 1
    if len(widths) != wanted:
        what = f"widths {','.join(map(str, widths))}: {len(widths)} of them, and image_size {image_size} has {wanted}"
        raise GanzooError(what, "Give one for each map: 4x4, 8x8 ... up to the image.")
    if uneven := [f for f in widths if EXPANSION * f % group]:
        what = f"group {group}: does not divide {EXPANSION * uneven[0]}, the width inside of a block of {uneven[0]}"
        raise GanzooError(what, "Choose other widths, or a smaller group.")


def networks(
    *,
    image_size: Annotated[int, "side of the square image: 8, 16, 32, 64 ..."] = 256,
    channels: Annotated[int, "1 gray, 3 colour"] = 3,
    classes: Annotated[int, "how many labels G and D are told; 0: they are told none"] = 0,
    z_dim: Annotated[int, "length of the latent z ~ N(0, 1), and of the embedding of a class"] = 64,
    widths: Annotated[tuple[int, ...], "channels of the maps from 4x4 to the image, in both networks"] = (
        768, 768, 768, 768, 384, 192, 96,
    ),
    blocks: Annotated[int, "residual blocks at every width"] = 2,
    group: Annotated[int, "channels in each group of a block's 3x3 convolution"] = 16,
) -> dict[str, nn.Module]:  # fmt: skip
    """The generator G and the discriminator D."""
    check(image_size, widths, group)
    return {
        "G": G(image_size, channels, classes, z_dim, widths, blocks, group),
        "D": D(channels, classes, widths, blocks, group),
    }
