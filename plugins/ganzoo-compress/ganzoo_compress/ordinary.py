"""JPEG and WebP of a given size, by Pillow: what a learned codec stands beside."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping

import numpy as np
import PIL.Image
import torch
from torch import Tensor

from ganzoo_compress.files import bits_of_colour


def jpeg(picture: PIL.Image.Image, quality: int) -> bytes:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality, optimize=True)
    return file.getvalue()


def webp(picture: PIL.Image.Image, quality: int) -> bytes:
    file = io.BytesIO()
    picture.save(file, "WEBP", quality=quality, method=6)
    return file.getvalue()


ORDINARY: Mapping[str, Callable[[PIL.Image.Image, int], bytes]] = {"jpeg": jpeg, "webp": webp}
FINEST = 95  # Pillow advises against more for JPEG


def nearest(x: Tensor, size: int, encode: Callable[[PIL.Image.Image, int], bytes]) -> bytes:
    """The file of the quality, 0 to 95, whose size in bytes is nearest; sizes grow with quality.  x: [C, H, W]"""
    picture = to_picture(x)
    low, high = 0, FINEST
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if len(encode(picture, middle)) <= size else (low, middle)
    return min((encode(picture, quality) for quality in (low, high)), key=lambda data: abs(len(data) - size))


def to_picture(x: Tensor) -> PIL.Image.Image:
    levels = bits_of_colour(x).movedim(0, -1).cpu().numpy()
    return PIL.Image.fromarray(levels[:, :, 0] if levels.shape[2] == 1 else levels)


def decoded(data: bytes, channels: int) -> Tensor:
    """[C, H, W] in [-1, 1]."""
    picture = PIL.Image.open(io.BytesIO(data)).convert("RGB" if channels == 3 else "L")
    levels = torch.from_numpy(np.array(picture)).float() / 127.5 - 1
    return levels.movedim(-1, 0) if levels.ndim == 3 else levels[None]
