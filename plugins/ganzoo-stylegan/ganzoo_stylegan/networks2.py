"""StyleGAN2's networks, configuration F (Karras et al. 2019): weights are modulated, pictures are summed over skips."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from itertools import pairwise
from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, conv_transpose2d, leaky_relu

from ganzoo_core.nn import SQRT2, Discriminator, EqualizedConv2d, EqualizedLinear, minibatch_std
from ganzoo_stylegan.networks import widths_of
from ganzoo_stylegan.resampling import BINOMIAL, filtered, half, kernel, twice
from ganzoo_stylegan.styles import SLOPE, MappingNetwork, Noise, Styled, Synthesis, fresh

EPS = 1e-8
SQRT_HALF = math.sqrt(0.5)


def active(h: Tensor) -> Tensor:
    """LeakyReLU, times sqrt(2) so that the variance stays."""
    return leaky_relu(h, SLOPE) * SQRT2


def affine(w_dim: int, f: int) -> EqualizedLinear:
    """A: from w to the scales s of f channels, around 1."""
    layer = EqualizedLinear(w_dim, f, gain=1.0)
    assert layer.bias is not None
    nn.init.ones_(layer.bias)
    return layer


def demodulation(weight: Tensor, s: Tensor) -> Tensor:
    """1 / sqrt(sum over i, k of (s_i w_ijk)^2 + eps): Eqs. 1 and 3.  [f_next, f, 3, 3], [N, f] -> [N, f_next]"""
    return (s.square() @ weight.square().sum((2, 3)).T + EPS).rsqrt()


class Modulated(nn.Module, ABC):
    """A layer of the synthesis: modulated and demodulated 3x3 convolution, noise, bias, LeakyReLU (Sec. 2.2, Fig. 2 d).

    Scaling what goes in by s and what comes out by the demodulation is the same as scaling the weights of every sample.
    """

    noise_const: Tensor

    def __init__(self, f: int, f_next: int, w_dim: int, side: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(f_next, f, 3, 3))
        self.strength = nn.Parameter(torch.zeros(()))  # B: one number
        self.bias = nn.Parameter(torch.zeros(f_next))
        self.register_buffer("noise_const", torch.randn(side, side))
        self.affine = affine(w_dim, f)

    def forward(self, h: Tensor, w: Tensor, noise: Noise) -> Tensor:
        s = self.affine(w)
        h = self.convolved(h * s[:, :, None, None]) * demodulation(self.weight, s)[:, :, None, None]
        n = noise(self, h)
        h = h if n is None else h + n * self.strength
        return active(h + self.bias.view(-1, 1, 1))

    @abstractmethod
    def convolved(self, h: Tensor) -> Tensor: ...


class Same(Modulated):
    """The size stays."""

    def convolved(self, h: Tensor) -> Tensor:
        return conv2d(h, self.weight, padding=1)


class Up(Modulated):
    """Twice the side: a transposed convolution, then the filter, which makes up for the zeros in between."""

    filter: Tensor

    def __init__(self, f: int, f_next: int, w_dim: int, side: int) -> None:
        super().__init__(f, f_next, w_dim, side)
        self.register_buffer("filter", 4 * kernel(BINOMIAL), persistent=False)

    def convolved(self, h: Tensor) -> Tensor:
        return filtered(conv_transpose2d(h, self.weight.transpose(0, 1), stride=2), self.filter, 1)


class ToRGB(nn.Module):
    """1x1, modulated and not demodulated."""

    def __init__(self, f: int, channels: int, w_dim: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(channels, f, 1, 1))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.affine = affine(w_dim, f)

    def forward(self, h: Tensor, w: Tensor) -> Tensor:
        s = self.affine(w) / math.sqrt(self.weight.shape[1])
        return conv2d(h * s[:, :, None, None], self.weight, self.bias)


class Constant(nn.Module):
    """4x4: a learnt constant and one layer."""

    def __init__(self, f: int, channels: int, w_dim: int) -> None:
        super().__init__()
        self.const = nn.Parameter(torch.randn(f, 4, 4))
        self.conv = Same(f, f, w_dim, 4)
        self.to_rgb = ToRGB(f, channels, w_dim)

    def forward(self, h: Tensor, w: Tensor, noise: Noise) -> Tensor:  # w: [N, 1, w]
        return self.conv(self.const.expand(w.shape[0], -1, -1, -1), w[:, 0], noise)


class Block(nn.Module):
    """Twice the side: two layers, and what they add to the picture."""

    def __init__(self, f: int, f_next: int, channels: int, w_dim: int, side: int) -> None:
        super().__init__()
        self.up = Up(f, f_next, w_dim, side)
        self.conv = Same(f_next, f_next, w_dim, side)
        self.to_rgb = ToRGB(f_next, channels, w_dim)

    def forward(self, h: Tensor, w: Tensor, noise: Noise) -> Tensor:  # w: [N, 2, w]
        return self.conv(self.up(h, w[:, 0], noise), w[:, 1], noise)


class S(Synthesis):
    """g with skips (Fig. 7 b): every resolution adds to the picture so far, enlarged."""

    filter: Tensor

    def __init__(self, widths: list[int], channels: int, w_dim: int) -> None:
        super().__init__()
        self.wanted(2 * len(widths), w_dim, channels, 4 * 2 ** (len(widths) - 1))
        blocks: list[nn.Module] = [Constant(widths[0], channels, w_dim)]
        blocks += [Block(f, g, channels, w_dim, 8 * 2**i) for i, (f, g) in enumerate(pairwise(widths))]
        self.blocks = nn.ModuleList(blocks)
        self.register_buffer("filter", kernel(BINOMIAL), persistent=False)

    def forward(self, w: Tensor, noise: Noise = fresh) -> Tensor:
        x: Tensor | None = None
        for i, (block, h) in enumerate(zip(self.blocks, self.maps(w, noise), strict=True)):
            y = block.to_rgb(h, w[:, 2 * i + 1])  # type: ignore[operator]  # toRGB has the style of the next layer
            x = y if x is None else twice(x, self.filter) + y
        assert x is not None
        return x

    def maps(self, w: Tensor, noise: Noise) -> Iterator[Tensor]:
        h = w
        for i, block in enumerate(self.blocks):
            h = block(h, w[:, max(2 * i - 1, 0) : 2 * i + 1], noise)
            yield h

    def fixed(self, layer: nn.Module, h: Tensor) -> Tensor:
        return layer.noise_const[None, None]  # type: ignore[index]


class Residual(nn.Module):
    """Half the side: two convolutions, around them a 1x1, each filtered first; the sum keeps its variance (Fig. 7)."""

    filter: Tensor

    def __init__(self, f: int, f_next: int) -> None:
        super().__init__()
        self.conv0 = EqualizedConv2d(f, f, 3, gain=1.0)
        self.conv1 = EqualizedConv2d(f, f_next, 3, gain=1.0, stride=2, padding=0)
        self.skip = EqualizedConv2d(f, f_next, 1, gain=1.0, bias=False)
        self.register_buffer("filter", kernel(BINOMIAL), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        h = active(self.conv1(filtered(active(self.conv0(x)), self.filter, 2)))
        return (h + self.skip(half(x, self.filter))) * SQRT_HALF


class D(Discriminator):
    """Residual blocks down to 4x4, how the batch varies, one score."""

    def __init__(self, widths: list[int], channels: int, group: int) -> None:
        super().__init__()
        self.group = group
        self.from_rgb = EqualizedConv2d(channels, widths[-1], 1, gain=1.0)
        self.blocks = nn.Sequential(*[Residual(g, f) for f, g in reversed(list(pairwise(widths)))])
        self.conv = EqualizedConv2d(widths[0] + 1, widths[0], 3, gain=1.0)
        self.dense = EqualizedLinear(16 * widths[0], widths[0], gain=1.0)
        self.score = EqualizedLinear(widths[0], 1, gain=1.0)

    def forward(self, x: Tensor, *conditions: Tensor) -> Tensor:  # [N, C, H, W] -> [N]
        return self.score(self.features(x)).flatten()

    def features(self, x: Tensor) -> Tensor:
        """The activations of the last hidden layer.  [N, f]"""
        h = self.blocks(active(self.from_rgb(x)))
        return active(self.dense(active(self.conv(minibatch_std(h, self.group))).flatten(1)))


def networks(
    *,
    image_size: Annotated[int, "side of the square image: a power of 2, from 8"] = 1024,
    channels: Annotated[int, "1 gray, 3 colour"] = 3,
    fmap_base: Annotated[int, "channels at side s are fmap_base / s, at most fmap_max"] = 32768,
    fmap_max: Annotated[int, "channels at the coarse resolutions"] = 512,
    z_dim: Annotated[int, "length of the latent z ~ N(0, 1), which is normalised first"] = 512,
    w_dim: Annotated[int, "length of w"] = 512,
    mapping_layers: Annotated[int, "dense layers between z and w"] = 8,
    group: Annotated[int, "images whose deviation D is shown together; the whole batch where it is no multiple"] = 4,
) -> dict[str, nn.Module]:
    """The generator G and the discriminator D."""
    widths = widths_of(image_size, fmap_base, fmap_max)
    synthesis, mapping = S(widths, channels, w_dim), MappingNetwork(z_dim, w_dim, mapping_layers, 1.0)
    return {"G": Styled(mapping, synthesis, z_dim, ("synthesis", "mapping")), "D": D(widths, channels, group)}
