"""JPEG and WebP of a given size, moving WebP too, by Pillow: what a learned codec stands beside."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
import PIL.Image
import PIL.ImageSequence
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


def moving_webp(frames: Sequence[PIL.Image.Image], quality: int) -> bytes:
    file, (first, *rest) = io.BytesIO(), frames
    how = {"quality": quality, "method": 6, "minimize_size": True, "duration": FRAME}
    first.save(file, "WEBP", save_all=True, append_images=rest, **how)
    return file.getvalue()


ORDINARY: Mapping[str, Callable[[PIL.Image.Image, int], bytes]] = {"jpeg": jpeg, "webp": webp}
FRAME = 80  # milliseconds
FINEST = 95  # Pillow advises against more for JPEG


def nearest(x: Tensor, size: int, encode: Callable[[PIL.Image.Image, int], bytes]) -> bytes:
    """The file of the quality whose size in bytes is nearest.  x: [C, H, W]"""
    return of_size(size, partial(encode, to_picture(x)))


def nearest_clip(video: Tensor, size: int) -> bytes:
    """The same of animated WebP.  [T, C, H, W]"""
    return of_size(size, partial(moving_webp, [to_picture(x) for x in video]))


def of_size(size: int, encode: Callable[[int], bytes]) -> bytes:
    """Of qualities 0 to 95 the file whose size is nearest; sizes grow with quality."""
    low, high = 0, FINEST
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if len(encode(middle)) <= size else (low, middle)
    return min((encode(quality) for quality in (low, high)), key=lambda data: abs(len(data) - size))


def to_picture(x: Tensor) -> PIL.Image.Image:
    levels = bits_of_colour(x).movedim(0, -1).cpu().numpy()
    return PIL.Image.fromarray(levels[:, :, 0] if levels.shape[2] == 1 else levels)


def decoded(data: bytes, channels: int) -> Tensor:
    """[C, H, W] in [-1, 1]."""
    return to_tensor(PIL.Image.open(io.BytesIO(data)), channels)


def decoded_clip(data: bytes, length: int, channels: int) -> Tensor:
    """[length, C, H, W] in [-1, 1]: a frame that stands still was written once, and is shown for longer."""
    frames = list[Tensor]()
    for frame in PIL.ImageSequence.Iterator(PIL.Image.open(io.BytesIO(data))):
        frames += [to_tensor(frame, channels)] * max(1, round(frame.info.get("duration", FRAME) / FRAME))
    return torch.stack(frames + frames[-1:] * (length - len(frames)))


def to_tensor(file: PIL.Image.Image, channels: int) -> Tensor:
    levels = torch.from_numpy(np.array(file.convert("RGB" if channels == 3 else "L"))).float() / 127.5 - 1
    return levels.movedim(-1, 0) if levels.ndim == 3 else levels[None]
