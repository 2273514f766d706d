"""Networks that grow (Karras et al. 2017, Fig. 1, Tab. 2): all resolutions are there, `depth` says how many are used.

Of a new resolution, alpha is shown and 1 - alpha of the one below, enlarged (Fig. 2).
"""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, leaky_relu

from ganzoo_core.nn import (
    SQRT2,
    Discriminator,
    EqualizedConv2d,
    EqualizedLinear,
    Generator,
    Growing,
    Images,
    Latent,
    doublings,
    minibatch_std,
    pixel_norm,
    sample_deterministic,
    upsample,
)

SLOPE = 0.2


class G(Generator, Growing):
    """z on the hypersphere -> 4x4 -> twice as large, two convolutions, over and over -> RGB."""

    def __init__(self, widths: list[int], channels: int, z_dim: int) -> None:
        super().__init__()
        side = 4 * 2 ** (len(widths) - 1)
        self.inputs, self.output = {"z": Latent((z_dim,))}, Images((channels, side, side))
        self.scales = nn.ModuleList(
            nn.ModuleList([EqualizedConv2d(f, g, 3), EqualizedConv2d(g, g, 3)]) for f, g in pairwise(widths)
        )
        self.to_rgb = nn.ModuleList(EqualizedConv2d(f, channels, 1, gain=1.0) for f in widths)
        self.dense = EqualizedLinear(z_dim, 16 * widths[0], gain=SQRT2 / 4)
        self.first = EqualizedConv2d(widths[0], widths[0], 3)
        self.declare(len(widths) - 1)

    def forward(self, z: Tensor) -> Tensor:  # [N, z] -> [N, C, 4 2^depth, 4 2^depth]
        h = leaky_relu(self.dense(pixel_norm(z)), SLOPE).unflatten(1, (-1, 4, 4))  # type: ignore[no-untyped-call]
        h = pixel_norm(leaky_relu(self.first(pixel_norm(h)), SLOPE))
        (depth, alpha), below = self.grown(), h
        for layers in self.scales[:depth]:
            below, h = h, upsample(h)
            for layer in layers:  # type: ignore[attr-defined]
                h = pixel_norm(leaky_relu(layer(h), SLOPE))
        x: Tensor = self.to_rgb[depth](h)
        if depth and alpha < 1:
            x = torch.lerp(upsample(self.to_rgb[depth - 1](below)), x, alpha)
        return x

    def sample(self, n: int, *, seed: int, **inputs: object) -> Tensor:
        """n pictures [n, C, H, W], cut to [-1, 1] (nothing bounds what G makes): the same ones every time."""
        return sample_deterministic(self, lambda z: self(z).clamp(-1, 1), n, seed, inputs)


class D(Discriminator, Growing):
    """G in the mirror: RGB -> convolutions, half as large, over and over -> 4x4, how the batch varies -> one score."""

    def __init__(self, widths: list[int], channels: int, group: int) -> None:
        super().__init__()
        self.group = group
        self.scales = nn.ModuleList(
            nn.ModuleList([EqualizedConv2d(g, g, 3), EqualizedConv2d(g, f, 3)]) for f, g in pairwise(widths)
        )
        self.from_rgb = nn.ModuleList(EqualizedConv2d(channels, f, 1) for f in widths)
        self.score = EqualizedLinear(widths[0], 1, gain=1.0)
        self.last = EqualizedConv2d(widths[0] + 1, widths[0], 3)
        self.dense = EqualizedLinear(16 * widths[0], widths[0])
        self.declare(len(widths) - 1)

    def forward(self, x: Tensor, *conditions: Tensor) -> Tensor:  # [N, C, H, W] -> [N]
        return self.score(self.features(x)).flatten()

    def features(self, x: Tensor) -> Tensor:
        """The activations of the last hidden layer.  [N, f]"""
        depth, alpha = self.grown()
        h = leaky_relu(self.from_rgb[depth](x), SLOPE)
        for n in reversed(range(depth)):
            for layer in self.scales[n]:  # type: ignore[attr-defined]
                h = leaky_relu(layer(h), SLOPE)
            h = avg_pool2d(h, 2)
            if n == depth - 1 and alpha < 1:
                h = torch.lerp(leaky_relu(self.from_rgb[n](avg_pool2d(x, 2)), SLOPE), h, alpha)
        h = leaky_relu(self.last(minibatch_std(h, self.group)), SLOPE)
        return leaky_relu(self.dense(h.flatten(1)), SLOPE)


def networks(
    *,
    image_size: Annotated[int, "side of the finished square image: a power of 2, from 8"] = 1024,
    channels: Annotated[int, "1 gray, 3 colour"] = 3,
    fmap_base: Annotated[int, "channels at side s are 2 fmap_base / s, at most fmap_max"] = 8192,
    fmap_max: Annotated[int, "channels at the coarse resolutions"] = 512,
    z_dim: Annotated[int, "length of the latent z ~ N(0, 1), which is normalised first"] = 512,
    group: Annotated[int, "images whose deviation D is shown together; the whole batch where it is no multiple"] = 4,
) -> dict[str, nn.Module]:
    """The generator G and the discriminator D, grown to their full size."""
    n = doublings(image_size)
    widths = [min(fmap_max, fmap_base // 2 ** (i + 1)) for i in range(n + 1)]  # at 4, 8, 16 ... px
    return {"G": G(widths, channels, z_dim), "D": D(widths, channels, group)}
