"""StyleGAN's networks (Karras et al. 2018, Fig. 1 b; Tab. 1 and App. C for what ProGAN's are changed in).

G is the finished generator. While it grows, toRGB layers of coarser pictures are needed, too: these are the game's.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, conv2d, conv_transpose2d, instance_norm, leaky_relu, pad

from ganzoo_core.nn import (
    SQRT2,
    Discriminator,
    EqualizedConv2d,
    EqualizedLinear,
    Growing,
    doublings,
    minibatch_std,
    upsample,
)
from ganzoo_stylegan.resampling import TRIANGLE, filtered, kernel
from ganzoo_stylegan.styles import SLOPE, MappingNetwork, Noise, Styled, Synthesis, fresh

FIRST = 1  # the depth at which it begins: 8x8 pixels
FUSED = 128  # from this side on, enlarging and convolving are one transposed convolution


class Style(nn.Module):
    """What follows every convolution: noise, LeakyReLU, AdaIN (Fig. 1 b)."""

    def __init__(self, f: int, w_dim: int) -> None:
        super().__init__()
        self.strength = nn.Parameter(torch.zeros(f))  # B
        self.affine = EqualizedLinear(w_dim, 2 * f, gain=1.0)  # A

    def forward(self, h: Tensor, w: Tensor, noise: Noise) -> Tensor:
        n = noise(self, h)
        h = h if n is None else h + n * self.strength.view(-1, 1, 1)
        scale, bias = self.affine(w)[:, :, None, None].chunk(2, 1)  # y_s - 1 and y_b, [N, f, 1, 1] each
        return instance_norm(leaky_relu(h, SLOPE)) * (scale + 1) + bias  # Eq. 1


class Enlarging(nn.Module):
    """Twice the side, a 3x3 convolution, blur, and only then the bias.

    Copying pixels and convolving is one transposed convolution; the authors' network does that from 128 pixels on, and
    there its weights are mirrored.
    """

    blur: Tensor
    bias: nn.Parameter

    def __init__(self, f: int, f_next: int, side: int) -> None:
        super().__init__()
        conv = EqualizedConv2d(f, f_next, 3)
        assert conv.bias is not None
        self.weight, self.bias, self.scale, self.fused = conv.weight, conv.bias, conv.scale, side >= FUSED
        self.register_buffer("blur", kernel(TRIANGLE), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        w = self.weight * self.scale
        h = transposed(x, w) if self.fused else conv2d(upsample(x), w, padding=1)
        return filtered(h, self.blur, 1) + self.bias.view(-1, 1, 1)


def transposed(x: Tensor, w: Tensor) -> Tensor:
    """Each pixel becomes four, and 3x3: together 4x4 with stride 2.  w [f_next, f, 3, 3]"""
    w = pad(w.transpose(0, 1), (1, 1, 1, 1))
    w = w[:, :, 1:, 1:] + w[:, :, :-1, 1:] + w[:, :, 1:, :-1] + w[:, :, :-1, :-1]
    return conv_transpose2d(x, w, stride=2, padding=1)


class Constant(nn.Module):
    """4x4: a learnt constant in the place of a first layer, and one convolution."""

    def __init__(self, f: int, w_dim: int) -> None:
        super().__init__()
        self.const, self.bias = nn.Parameter(torch.ones(1, f, 4, 4)), nn.Parameter(torch.zeros(f))
        self.style1 = Style(f, w_dim)
        self.conv = EqualizedConv2d(f, f, 3)
        self.style2 = Style(f, w_dim)

    def forward(self, h: Tensor, w: Tensor, noise: Noise) -> Tensor:  # w: [N, 2, w]
        h = (self.const + self.bias.view(-1, 1, 1)).expand(w.shape[0], -1, -1, -1)
        return self.style2(self.conv(self.style1(h, w[:, 0], noise)), w[:, 1], noise)


class Block(nn.Module):
    """Twice the side: two convolutions, a style after each."""

    def __init__(self, f: int, f_next: int, side: int, w_dim: int) -> None:
        super().__init__()
        self.up = Enlarging(f, f_next, side)
        self.style1 = Style(f_next, w_dim)
        self.conv = EqualizedConv2d(f_next, f_next, 3)
        self.style2 = Style(f_next, w_dim)

    def forward(self, h: Tensor, w: Tensor, noise: Noise) -> Tensor:  # w: [N, 2, w]
        return self.style2(self.conv(self.style1(self.up(h), w[:, 0], noise)), w[:, 1], noise)


class S(Synthesis):
    """g: 4x4, 8x8 ... each with two styles; the last becomes the picture."""

    def __init__(self, widths: list[int], channels: int, w_dim: int) -> None:
        super().__init__()
        self.wanted(2 * len(widths), w_dim, channels, 4 * 2 ** (len(widths) - 1))
        self.to_rgb = EqualizedConv2d(widths[-1], channels, 1, gain=1.0)
        blocks: list[nn.Module] = [Constant(widths[0], w_dim)]
        blocks += [Block(f, g, 8 * 2**i, w_dim) for i, (f, g) in enumerate(pairwise(widths))]
        self.blocks = nn.ModuleList(blocks)
        self.places: list[nn.Module] = [module for module in self.modules() if isinstance(module, Style)]

    def forward(self, w: Tensor, noise: Noise = fresh) -> Tensor:
        *_, h = self.maps(w, noise)
        return self.to_rgb(h)

    def maps(self, w: Tensor, noise: Noise) -> Iterator[Tensor]:
        h = w
        for i, block in enumerate(self.blocks):
            h = block(h, w[:, 2 * i : 2 * i + 2], noise)
            yield h

    def fixed(self, layer: nn.Module, h: Tensor) -> Tensor:
        rng = torch.Generator().manual_seed(self.places.index(layer))
        return torch.randn(1, 1, *h.shape[2:], generator=rng).to(h)


class D(Discriminator, Growing):
    """ProGAN's, with a blur before a side is halved. `depth` resolutions are in use; alpha of the last is shown."""

    blur: Tensor

    def __init__(self, widths: list[int], channels: int) -> None:
        super().__init__()
        self.scales = nn.ModuleList(
            nn.ModuleList([EqualizedConv2d(g, g, 3), EqualizedConv2d(g, f, 3)]) for f, g in pairwise(widths)
        )
        self.from_rgb = nn.ModuleList(EqualizedConv2d(channels, f, 1) for f in widths[FIRST:])
        self.last = EqualizedConv2d(widths[0] + 1, widths[0], 3)
        self.dense = EqualizedLinear(16 * widths[0], widths[0])
        self.score = EqualizedLinear(widths[0], 1, gain=1.0)
        self.declare(len(widths) - 1)
        self.register_buffer("blur", kernel(TRIANGLE), persistent=False)

    def forward(self, x: Tensor, *conditions: Tensor) -> Tensor:  # [N, C, H, W] -> [N]
        return self.score(self.features(x)).flatten()

    def features(self, x: Tensor) -> Tensor:
        """The activations of the last hidden layer.  [N, f]"""
        depth, alpha = self.grown()
        h = self.shown(x, depth)
        for n in reversed(range(depth)):
            h = self.halved(self.scales[n], h)  # type: ignore[arg-type]
            if n == depth - 1 and alpha < 1:
                h = torch.lerp(self.shown(avg_pool2d(x, 2), n), h, alpha)
        h = leaky_relu(self.last(minibatch_std(h)), SLOPE)
        return leaky_relu(self.dense(h.flatten(1)), SLOPE)

    def shown(self, x: Tensor, depth: int) -> Tensor:
        """fromRGB of one resolution."""
        return leaky_relu(self.from_rgb[depth - FIRST](x), SLOPE)

    def halved(self, layers: nn.ModuleList, h: Tensor) -> Tensor:
        """Two convolutions, the second of what is blurred and onto half the side."""
        first, second = layers
        h = filtered(leaky_relu(first(h), SLOPE), self.blur, 1)
        return leaky_relu(avg_pool2d(second(h), 2), SLOPE)


def networks(
    *,
    image_size: Annotated[int, "side of the finished square image: a power of 2, from 8"] = 1024,
    channels: Annotated[int, "1 gray, 3 colour"] = 3,
    fmap_base: Annotated[int, "channels at side s are fmap_base / s, at most fmap_max"] = 16384,
    fmap_max: Annotated[int, "channels at the coarse resolutions"] = 512,
    z_dim: Annotated[int, "length of the latent z ~ N(0, 1), which is normalised first"] = 512,
    w_dim: Annotated[int, "length of w"] = 512,
    mapping_layers: Annotated[int, "dense layers between z and w"] = 8,
) -> dict[str, nn.Module]:
    """The generator G, the discriminator D, and `rgb`, which shows pictures coarser than the finished ones."""
    widths = widths_of(image_size, fmap_base, fmap_max)
    synthesis = S(widths, channels, w_dim)
    mapping = MappingNetwork(z_dim, w_dim, mapping_layers, SQRT2)
    rgb = nn.ModuleList(EqualizedConv2d(f, channels, 1, gain=1.0) for f in widths[FIRST:-1])
    return {"G": Styled(mapping, synthesis, z_dim, ("mapping", "synthesis")), "D": D(widths, channels), "rgb": rgb}


def widths_of(image_size: int, fmap_base: int, fmap_max: int) -> list[int]:
    """Channels at 4, 8, 16 ... image_size pixels."""
    return [min(fmap_max, fmap_base // 2 ** (i + 2)) for i in range(doublings(image_size) + 1)]
