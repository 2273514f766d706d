"""Pictures as uint8 tensors: to floats, to another size, between gray and RGB. All leave leading dimensions alone.

What is done for every batch is done by numpy, in one thread: it takes 0.1 ms, and torch would spread it over its
threads, which then wait for each other (30 ms, measured, where as many processes as cores are busy).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate


def to_float(pixels: Tensor) -> Tensor:
    """uint8 of any shape to float32 in [-1, 1]: 0 is exactly -1 and 255 exactly 1."""
    values = pixels.numpy().astype(np.float32, order="C")
    values /= np.float32(127.5)
    values -= np.float32(1)
    return torch.from_numpy(values)


def taken(tensor: Tensor, at: Tensor) -> Tensor:
    """The items [n, ...] of a contiguous tensor [N, ...] at the indices `at`, int64 [n]."""
    return torch.from_numpy(tensor.numpy()[at.numpy()])


def to_channels(pixels: Tensor, channels: int) -> Tensor:
    """uint8 [..., C, H, W] with C = 1 or 3 to `channels`: RGB to gray as ITU-R 601 and Pillow do, gray repeated."""
    if pixels.shape[-3] == channels:
        return pixels
    if channels == 3:
        return pixels.expand(*pixels.shape[:-3], 3, *pixels.shape[-2:])
    r, g, b = pixels.to(torch.int32).unbind(-3)
    return ((r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16).to(torch.uint8).unsqueeze(-3)


def to_size(pixels: Tensor, size: int) -> Tensor:
    """uint8 [..., C, H, W] to [..., C, size, size]: the centre square, antialiased bicubic."""
    pixels = _centre_square(pixels)
    if pixels.shape[-1] == size:
        return pixels
    lead = pixels.shape[:-3]
    images = pixels.reshape(-1, *pixels.shape[-3:])
    lots = range(0, len(images), 1024)  # floats of a whole set could fill the memory
    parts = [_resized(images[at : at + 1024], size) for at in lots]
    return torch.cat(parts).reshape(*lead, -1, size, size)


def _centre_square(pixels: Tensor) -> Tensor:
    height, width = pixels.shape[-2:]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return pixels[..., top : top + side, left : left + side]


def _resized(pixels: Tensor, size: int) -> Tensor:
    x = interpolate(pixels.to(torch.float32), size=(size, size), mode="bicubic", antialias=True)
    return x.round_().clamp_(0, 255).to(torch.uint8)
