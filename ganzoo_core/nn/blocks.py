"""What GANs share: residual blocks, conditional batch norm, projection, attention, and DCGAN's first weights.

A block fixes only how its layers are wired; the layers are brought, by name, and registered in the order in which they
are named. So one block serves papers that normalise, condition and initialise differently, and whose published tensors
come in different orders.
"""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from functools import cache
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, interpolate, max_pool2d, relu
from torch.nn.utils.parametrizations import spectral_norm
from torch.nn.utils.parametrize import is_parametrized, register_parametrization


class Residual(nn.Module, ABC):
    """A residual block: [N, C, H, W] and, in conditional generators, what conditions it."""

    bn1: nn.Module
    bn2: nn.Module
    conv1: nn.Module
    conv2: nn.Module
    shortcut: nn.Module

    def __init__(self, **layers: nn.Module) -> None:
        super().__init__()
        for name, layer in layers.items():
            self.add_module(name, layer)

    @abstractmethod
    def forward(self, x: Tensor, *y: Tensor) -> Tensor: ...


class GBlock(Residual):
    """bn1, ReLU, twice the side, conv1, bn2, ReLU, conv2; around it a 1x1 `shortcut` on the enlarged input.

    Gulrajani et al. 2017, App. F; with conditions y for bn1 and bn2 Miyato & Koyama 2018, Fig. 14; SAGAN, BigGAN.
    """

    def forward(self, x: Tensor, *y: Tensor) -> Tensor:
        h = self.conv1(upsample(relu(self.bn1(x, *y))))
        h = self.conv2(relu(self.bn2(h, *y)))
        out: Tensor = upsample(self.shortcut(x)) + h  # a 1x1 convolution commutes with copying pixels: cheaper first
        return out


class DBlockFirst(Residual):
    """D's first block: conv1, ReLU, conv2, half the side; around it `shortcut` on the shrunken image, with no ReLU."""

    def forward(self, x: Tensor, *y: Tensor) -> Tensor:
        out: Tensor = avg_pool2d(self.conv2(relu(self.conv1(x))), 2) + self.shortcut(avg_pool2d(x, 2))
        return out


class DBlock(Residual):
    """ReLU, conv1, ReLU, conv2, half the side; around it a 1x1 `shortcut`."""

    def forward(self, x: Tensor, *y: Tensor) -> Tensor:
        h = self.conv2(relu(self.conv1(relu(x))))
        out: Tensor = avg_pool2d(h, 2) + self.shortcut(avg_pool2d(x, 2))  # published the other way round: the same map
        return out


class DBlockSame(Residual):
    """ReLU, conv1, ReLU, conv2; around it `shortcut`: the identity, or a 1x1 convolution where the width changes."""

    def forward(self, x: Tensor, *y: Tensor) -> Tensor:
        out: Tensor = self.shortcut(x) + self.conv2(relu(self.conv1(relu(x))))
        return out


class ConditionalBatchNorm(nn.Module):
    """gamma(y) (x - mean) / std + beta(y) (Dumoulin et al. 2017, Eq. 5; de Vries et al. 2017, Sec. 4).

    `affine` maps conditions y to [N, 2 f]: gamma, then beta.
    """

    def __init__(self, f: int, affine: nn.Module) -> None:
        super().__init__()
        self.bn, self.affine = nn.BatchNorm2d(f, affine=False), affine

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        h = self.bn(x)
        gamma, beta = self.affine(y)[:, :, None, None].to(h.dtype).chunk(2, 1)  # [N, f, 1, 1] each
        return torch.addcmul(beta, gamma, h)


class Modulation(nn.Module):
    """gamma = 1 + gain(y), beta = bias(y), side by side: the affine part of SAGAN's and BigGAN's conditional norms."""

    def __init__(self, gain: nn.Module, bias: nn.Module) -> None:
        super().__init__()
        self.gain, self.bias = gain, bias

    def forward(self, y: Tensor) -> Tensor:
        return torch.cat([1 + self.gain(y), self.bias(y)], 1)


class Projection(nn.Module):
    """The score of features h under label y: psi(h) + v_y . h (Miyato & Koyama 2018, Eq. 3 and Fig. 1 d)."""

    def __init__(self, f: int, classes: int) -> None:
        super().__init__()
        self.linear, self.embed = nn.Linear(f, 1), nn.Embedding(classes, f)

    def forward(self, h: Tensor, y: Tensor) -> Tensor:  # [N, f], [N] -> [N, 1]
        out: Tensor = self.linear(h) + (self.embed(y) * h).sum(1, keepdim=True)
        return out


class SelfAttention(nn.Module):
    """x + gamma v(sum_i beta_ji h(x_i)), beta_ji = softmax_i f(x_i) . g(x_j) (Zhang et al. 2019, Eqs. 1 to 3).

    As in the authors' code, keys f and values h are maxima over 2x2 places, so there are four times fewer of them;
    f and g have an eighth of the channels, h half. gamma begins at 0: local first, then far away.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        narrow, half = max(1, channels // 8), max(1, channels // 2)
        self.gamma = nn.Parameter(torch.zeros(()))
        self.g = nn.Conv2d(channels, narrow, 1, bias=False)
        self.f = nn.Conv2d(channels, narrow, 1, bias=False)
        self.h = nn.Conv2d(channels, half, 1, bias=False)
        self.v = nn.Conv2d(half, channels, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        query = self.g(x).flatten(2)  # [N, C/8, HW]
        key = max_pool2d(self.f(x), 2).flatten(2)  # [N, C/8, HW/4]
        value = max_pool2d(self.h(x), 2).flatten(2)  # [N, C/2, HW/4]
        beta = torch.softmax(query.transpose(1, 2) @ key, -1)  # [N, HW, HW/4]: one row for each j
        seen = (value @ beta.transpose(1, 2)).reshape(x.shape[0], -1, *x.shape[2:])  # [N, C/2, H, W]
        out: Tensor = x + self.gamma * self.v(seen)
        return out


class Attended(nn.Module):
    """A block, then attention over what it makes; conditions are the block's."""

    def __init__(self, block: nn.Module, attention: nn.Module) -> None:
        super().__init__()
        self.block, self.attention = block, attention

    def forward(self, x: Tensor, *y: Tensor) -> Tensor:
        out: Tensor = self.attention(self.block(x, *y))
        return out


@torch.no_grad()
def initialise(layer: nn.Module) -> None:
    """The first weights of DCGAN and its children, for `net.apply`: N(0, 0.02), no biases, scales of norms N(1, 0.02).

    Radford et al. 2015, Sec. 4; the scales as in the authors' code.
    """
    if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
        nn.init.normal_(layer.weight, 0.0, 0.02)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
    elif isinstance(layer, (nn.BatchNorm1d, nn.BatchNorm2d, nn.InstanceNorm2d)) and layer.affine:
        nn.init.normal_(layer.weight, 1.0, 0.02)


def upsample(x: Tensor) -> Tensor:
    """Twice the side: each pixel becomes four."""
    return interpolate(x, scale_factor=2.0, mode="nearest")


def apply_spectral_norm(net: nn.Module, *kinds: type[nn.Module]) -> None:
    """Spectral normalisation (Miyato et al. 2018, Alg. 1), torch's own, of every layer of `kinds` in `net`.

    To be called once its weights have their first values: the vectors u and v are found for these, so that a fresh
    network is normalised in evaluation mode too.
    """
    for layer in list(net.modules()):
        if isinstance(layer, kinds):
            (sketched if cast(Tensor, layer.weight).is_meta else spectral_norm)(layer)


def sketched(layer: nn.Module) -> None:
    """spectral_norm for a sketch on the meta device, where only shapes count but torch's power iterations take long."""
    norm: Any = copy.deepcopy(tiny_norm())
    norm.dim = 1 if isinstance(layer, (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)) else 0
    W = cast(Tensor, layer.weight).movedim(norm.dim, 0).flatten(1)
    norm._u, norm._v = torch.empty_like(W[:, 0]), torch.empty_like(W[0])
    register_parametrization(layer, "weight", norm, unsafe=True)


@cache
def tiny_norm() -> nn.Module:
    """Of a layer with one weight."""
    tiny: Any = spectral_norm(nn.Linear(1, 1, device="cpu"))
    norm: nn.Module = tiny.parametrizations.weight[0]
    return norm


def biases_last(net: nn.Module) -> None:
    """The bias of every parametrised layer registered anew behind its weight, in the order of an ordinary layer."""
    for layer in list(net.modules()):
        if is_parametrized(layer, "weight") and isinstance(getattr(layer, "bias", None), nn.Parameter):
            register_parametrization(layer, "bias", nn.Identity())
