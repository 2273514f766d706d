"""Resampling with small filters, in plain convolutions: they can be differentiated twice, as penalties need.

Of a filter f [k, k] with even or odd k; every channel by itself, zeros beyond the border (Zhang 2019, arXiv:1904.11486;
Karras et al. 2019, App. B).
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn.functional import conv2d, conv_transpose2d, pad

BINOMIAL = (1.0, 3.0, 3.0, 1.0)  # StyleGAN2's filter
TRIANGLE = (1.0, 2.0, 1.0)  # StyleGAN's


def kernel(taps: Sequence[float]) -> Tensor:
    """The separable filter of these taps, of sum 1.  [k, k]"""
    f = torch.outer(torch.tensor(taps), torch.tensor(taps))
    return f / f.sum()


def filtered(x: Tensor, f: Tensor, padding: int, stride: int = 1) -> Tensor:
    """x [N, C, H, W] with `padding` zeros around it, through f, every `stride`-th place of it."""
    channels = x.shape[1]
    return conv2d(pad(x, (padding,) * 4), each(f, channels).to(x.dtype), stride=stride, groups=channels)


def twice(x: Tensor, f: Tensor) -> Tensor:
    """Twice the side: zeros between the pixels, then 4 f.  [N, C, H, W] -> [N, C, 2 H, 2 W]"""
    channels, k = x.shape[1], len(f)
    w = 4 * each(f, channels).to(x.dtype)
    return conv_transpose2d(x, w, stride=2, padding=(k - 1) // 2, output_padding=k % 2, groups=channels)


def half(x: Tensor, f: Tensor) -> Tensor:
    """Half the side: f, then every other pixel.  [N, C, H, W] -> [N, C, H / 2, W / 2]"""
    return filtered(x, f, (len(f) - 1) // 2, stride=2)


def each(f: Tensor, channels: int) -> Tensor:
    """The same filter for every channel.  [C, 1, k, k]"""
    return f.expand(channels, 1, *f.shape)
