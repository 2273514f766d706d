"""One image file at a time: is it whole, how large is it, and its pixels. The files are strangers'."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from ganzoo_core.errors import escape
from ganzoo_core.files import READING

LARGEST = 64_000_000  # pixels; known from the header, so a bomb is refused before any memory is asked for
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM")
GRAY = {"1", "L", "LA", "La", "I", "I;16", "I;16L", "I;16B", "I;16N"}
EDGE = 4096  # bytes at each end of a file that are looked at
Cut = Callable[[Image.Image, int], Image.Image]  # (picture, size) -> what is served of it


class BadImage(Exception):
    """A file that is no usable image: `str` says why. An OSError says that it could not be read at all."""


class Header(NamedTuple):
    """What is known of an image before it is decoded. `digest` is of its length and both its ends."""

    width: int
    height: int
    gray: bool
    suspect: bool  # its end is not that of a whole file, or cannot tell: only decoding shows whether it is
    digest: bytes


def inspect(path: str) -> Header:
    """Reads both ends of a file and its header, and refuses what is not an image or too large."""
    with _regular(path) as file:
        length = os.fstat(file.fileno()).st_size
        head = file.read(EDGE)
        file.seek(max(0, length - EDGE))
        tail = file.read(EDGE)
        if not head:
            raise BadImage("is empty")
        with _opened(file, head) as image:
            digest = sha256(b"%d;" % length + head + tail).digest()
            suspect = not _ends_well(image.format, head, tail, length)
            return Header(*image.size, image.mode in GRAY, suspect, digest)


def decode(path: str, size: int, channels: int, cut: Cut | None = None) -> NDArray[np.uint8]:
    """uint8 [C, size, size]: the centre square, or what `cut` makes, resized with antialiased bicubic.

    EXIF rotation is applied, what is transparent lies on white, 16-bit values are divided by 256, colours become
    gray by ITU-R 601; of an animation the first frame is taken.
    """
    with _regular(path) as file, _opened(file, file.read(EDGE)) as image, _stranger():
        image.load()
        return pixels_of(image, size, channels, cut)


def pixels_of(image: Image.Image, size: int, channels: int, cut: Cut | None = None) -> NDArray[np.uint8]:
    """Likewise of a picture that is open."""
    part = (cut or centred)(_converted(_upright(image), "L" if channels == 1 else "RGB"), size)
    return np.ascontiguousarray(np.array(part).reshape(part.height, part.width, channels).transpose(2, 0, 1))


@contextlib.contextmanager
def _regular(path: str) -> Iterator[BinaryIO]:
    """A file open for reading. What is not a regular file is never opened: a pipe would hang, a device may act."""
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise BadImage("not a regular file")
    descriptor = os.open(path, READING)  # it may have been swapped meanwhile
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise BadImage("not a regular file")
        yield file


@contextlib.contextmanager
def _stranger() -> Iterator[None]:
    """Whatever Pillow raises over a stranger's bytes is the file's fault, but for real trouble in reading it."""
    try:
        yield
    except (BadImage, MemoryError):
        raise
    except Image.DecompressionBombError as error:
        raise BadImage(f"has more than {LARGEST // 1_000_000} million pixels") from error
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise BadImage(escape(str(error).partition("\n")[0] or type(error).__name__, 80)) from error


@contextlib.contextmanager
def _opened(file: BinaryIO, head: bytes) -> Iterator[Image.Image]:
    """The image with its header read and nothing decoded."""
    with _stranger():
        file.seek(0)
        try:
            image = Image.open(file, formats=FORMATS)
        except UnidentifiedImageError as error:
            raise BadImage(_guess(head)) from error
        _check_size(image)
    with image:
        yield image


def _check_size(image: Image.Image) -> None:
    width, height = image.size
    if width * height > LARGEST:
        raise BadImage(f"has {width} x {height} pixels, more than {LARGEST // 1_000_000} million")
    if width < 1 or height < 1:
        raise BadImage("has no pixels")


def _guess(head: bytes) -> str:
    start = head.lstrip().lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "is an HTML page, not an image"
    if start.startswith((b"<svg", b"<?xml")):
        return "is an SVG drawing or XML, not an image of pixels"
    if start.startswith(b"version https://git-lfs"):
        return "is a Git LFS pointer: run `git lfs pull`"
    return "is not an image, or is cut off"


def _ends_well(kind: str | None, head: bytes, tail: bytes, length: int) -> bool:
    """Whether the file's end is the end of an image; False where its format has no mark for it."""
    if kind == "PNG":
        return b"IEND" in tail
    if kind in ("JPEG", "MPO"):
        return b"\xff\xd9" in tail
    if kind == "GIF":
        return tail.rstrip(b"\0").endswith(b";")
    return kind == "WEBP" and int.from_bytes(head[4:8], "little") + 8 <= length


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # damaged EXIF: a picture as good as one without
        return image


def _converted(image: Image.Image, mode: str) -> Image.Image:
    if image.mode.startswith("I"):
        values = np.asarray(image)  # 16 bits, which Pillow holds in 32 for some formats; its own conversion clips
        return _converted(Image.fromarray((np.clip(values, 0, 65535) >> 8).astype(np.uint8)), mode)
    if image.mode == "F":
        raise BadImage("has floating-point pixels, whose range is not known")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        above = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", above.size, "white"), above)
    return image if image.mode == mode else image.convert(mode)


# What is served of a picture: cut first, then resized, or the long side of a strip would grow beyond all memory


def centred(image: Image.Image, size: int) -> Image.Image:
    """The centre square."""
    width, height = image.size
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    return resized(image.crop((left, top, left + side, top + side)), size, size)


def left_half(image: Image.Image, size: int) -> Image.Image:
    """The centre square of the left half: the first picture of two side by side."""
    return centred(image.crop((0, 0, image.width // 2, image.height)), size)


def right_half(image: Image.Image, size: int) -> Image.Image:
    """The centre square of the right half."""
    return centred(image.crop((image.width - image.width // 2, 0, image.width, image.height)), size)


def whole(image: Image.Image, longest_side: int) -> Image.Image:
    """All of it, made smaller until the longer side is `longest_side`; 0: as it is. Never enlarged."""
    scale = min(1.0, longest_side / max(image.size)) if longest_side else 1.0
    return resized(image, max(1, round(image.width * scale)), max(1, round(image.height * scale)))


def resized(image: Image.Image, width: int, height: int) -> Image.Image:
    return image if image.size == (width, height) else image.resize((width, height), Image.Resampling.BICUBIC)
