"""Tensors as pictures: grids and single files, without torchvision."""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate, pad

from ganzoo_core.decoding import MILLISECONDS, BadImage, Cut, decode, pixels_of, regular, whole
from ganzoo_core.errors import ExternalError, GanzooError, escape
from ganzoo_core.files import write_aside

FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}  # suffix -> Pillow's name


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


def save_clip(clip: Tensor, path: Path, milliseconds: int = MILLISECONDS) -> None:
    """One clip [T, C, H, W] in [-1, 1] as a GIF that goes round for ever, whole or not at all."""
    save_frames([picture(frame) for frame in clip], path, milliseconds)


def save_frames(frames: Sequence[Image.Image], path: Path, milliseconds: int = MILLISECONDS) -> None:
    """Pictures of one size as a GIF that goes round for ever, whole or not at all."""
    made = io.BytesIO()
    frames[0].save(made, "GIF", save_all=True, append_images=frames[1:], duration=milliseconds, loop=0)
    write_aside(path, made.getvalue())


def encode_frames(frames: Sequence[Image.Image], milliseconds: int = MILLISECONDS) -> bytes:
    """Pictures of one size as the bytes of a PNG that moves (APNG), and goes round for ever."""
    made = io.BytesIO()
    frames[0].save(made, "PNG", save_all=True, append_images=frames[1:], duration=milliseconds, loop=0)
    return made.getvalue()


def picture(image: Tensor) -> Image.Image:
    """One image [C, H, W] in [-1, 1]; C is 1 (gray), 3 (RGB) or 4 (RGBA)."""
    values = image.float().cpu().clamp(-1, 1).add_(1).mul_(127.5).round_()
    pixels = values.to(torch.uint8).permute(1, 2, 0).numpy()
    return Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)


def save(image: Image.Image, path: Path) -> None:
    """Write a picture in the format of its suffix (.png, .jpg, .webp), whole or not at all.

    Errors: ExternalError for a disk that refuses.
    """
    write_aside(path, encode(image, path.suffix))


def encode(image: Image.Image, suffix: str = ".png") -> bytes:
    """The bytes of a picture file of this suffix; where a format knows no transparency, it lies on white.

    Errors: GanzooError for a picture that is too large for the format.
    """
    made, format = io.BytesIO(), FORMATS[suffix.lower()]
    if format == "JPEG" and image.mode == "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    try:
        image.save(made, format)
    except (OSError, ValueError) as fault:
        what = f"{image.width} x {image.height} pixels make no {format}: {escape(fault)}"
        raise GanzooError(what, "Save it as .png, or fewer of them.") from None
    return made.getvalue()


def read(picture: Path | str | Image.Image, channels: int, cut: Cut | None = None) -> Tensor:
    """A picture or its file as [C, H, W] in [-1, 1]; what is transparent lies on white. `cut` reshapes it.

    Errors: GanzooError for what is no picture, ExternalError where it cannot be read.
    """
    if isinstance(picture, Image.Image):
        pixels = pixels_of(picture, 0, channels, cut or whole)
    else:
        try:
            with regular(str(picture)) as file:
                pixels = decode(file, 0, channels, cut or whole)
        except BadImage as error:
            raise GanzooError(f"{escape(picture)}: {error}", "Give a picture.") from None
        except FileNotFoundError:
            raise GanzooError(f"{escape(picture)}: no such file or folder") from None
        except OSError as error:
            raise ExternalError(f"{escape(picture)}: {error.strerror}") from None
    return torch.from_numpy(pixels).float() / 127.5 - 1


def scatter(points: Tensor, side: int = 256) -> Image.Image:
    """The first two numbers of points [n, D] in the plane, gray on white: the square that holds all of them."""
    xy = points[:, :2].float().cpu() if points.shape[1] > 1 else points[:, :1].float().cpu().expand(-1, 2)
    reach = float(xy.abs().max().clamp(min=1e-6)) * 1.05
    at = ((xy / reach + 1) / 2 * (side - 1)).round().long().clamp(0, side - 1)
    sheet = torch.full((side, side), 255, dtype=torch.uint8)
    sheet[side - 1 - at[:, 1], at[:, 0]] = 60
    return Image.fromarray(sheet.numpy())


def table(rows: NDArray[Any], suffix: str) -> bytes:
    """Numbers [n, D] as the bytes of a .npy or a .csv file."""
    made = io.BytesIO()
    if suffix == ".npy":
        np.save(made, rows, allow_pickle=False)
    else:
        np.savetxt(made, rows, delimiter=",", fmt="%.8g")
    return made.getvalue()
