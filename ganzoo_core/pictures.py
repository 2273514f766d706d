"""Tensors as pictures: grids and single files, without torchvision."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate, pad


def grid(images: Tensor, columns: int = 0) -> Image.Image:
    """Images [N, C, H, W] in [-1, 1] side by side, row by row, on white with a margin of 2 pixels."""
    columns = columns or math.ceil(math.sqrt(len(images)))
    rows = math.ceil(len(images) / columns)
    tiles = pad(images.float().cpu(), (2, 0, 2, 0), value=1.0)
    empty = torch.ones(rows * columns - len(tiles), *tiles.shape[1:])
    tiles = torch.cat([tiles, empty]).reshape(rows, columns, *tiles.shape[1:])  # [R, K, C, H, W]
    sheet = tiles.permute(2, 0, 3, 1, 4).flatten(3).flatten(1, 2)  # [C, R H, K W]
    return picture(pad(sheet, (0, 2, 0, 2), value=1.0))


def beside(stacks: Sequence[Tensor]) -> Image.Image:
    """K stacks [N, C, H, W] side by side: before and after. Smaller ones are enlarged, unsmoothed."""
    height, width = (max(stack.shape[i] for stack in stacks) for i in (2, 3))
    channels = max(stack.shape[1] for stack in stacks)
    same = [interpolate(s.float().cpu(), (height, width)).expand(-1, channels, -1, -1) for s in stacks]
    columns = len(stacks) * max(1, round(math.sqrt(len(stacks[0]) / len(stacks))))
    return grid(torch.stack(same, 1).flatten(0, 1), columns)


def tiled(clips: Tensor) -> Tensor:
    """Clips [N, T, C, H, W] as one, side by side: [T, C, H', W']."""
    columns = math.ceil(math.sqrt(len(clips)))
    empty = torch.ones(-len(clips) % columns, *clips.shape[1:])
    rows = torch.cat([clips.float().cpu(), empty]).reshape(-1, columns, *clips.shape[1:])  # [R, K, T, C, H, W]
    return rows.permute(2, 3, 0, 4, 1, 5).flatten(4).flatten(2, 3)


def save_clip(clip: Tensor, path: Path, milliseconds: int = 80) -> None:
    """One clip [T, C, H, W] in [-1, 1] as a GIF that goes round for ever."""
    frames = [picture(frame) for frame in clip]
    aside = path.with_name(f".{path.name}.tmp")
    frames[0].save(aside, "GIF", save_all=True, append_images=frames[1:], duration=milliseconds, loop=0)
    aside.replace(path)


def picture(image: Tensor) -> Image.Image:
    """One image [C, H, W] in [-1, 1]; C is 1 (gray), 3 (RGB) or 4 (RGBA)."""
    pixels = image.float().cpu().clamp(-1, 1).add(1).mul(127.5).round().to(torch.uint8).permute(1, 2, 0).numpy()
    return Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)


def is_picture(images: Tensor) -> bool:
    """Whether a tensor is a stack of images rather than points or clips."""
    return images.ndim == 4 and images.shape[1] in (1, 3, 4)


def save(image: Image.Image, path: Path) -> None:
    """Write a PNG whole or not at all."""
    aside = path.with_name(f".{path.name}.tmp")
    image.save(aside, "PNG")
    aside.replace(path)
