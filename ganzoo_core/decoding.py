"""One image file at a time: is it whole, how large is it, and its pixels. The files are strangers'."""

from __future__ import annotations

import contextlib
import logging
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from itertools import islice
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, ImageSequence, UnidentifiedImageError, features

from ganzoo_core.errors import escape
from ganzoo_core.files import READING

LARGEST = 64_000_000  # pixels; known from the header, so a bomb is refused before any memory is asked for
MILLISECONDS = 80  # a frame of a clip that ganzoo saves
AVIF = ("AVIF",) if features.check("avif") else ()  # not in every build of Pillow
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM", *AVIF)
GRAY = {"1", "L", "LA", "La", "I", "I;16", "I;16L", "I;16B", "I;16N"}
logging.getLogger("PIL").addHandler(logging.NullHandler())  # what it says over a stranger's file is the file's fault
EDGE = 4096  # bytes at each end of a file that are looked at
BITS_TAG, LARGEST_TAG, SIGN_TAG, SIGNED = 258, 281, 339, 2  # TIFF's BitsPerSample, MaxSampleValue, SampleFormat
ARCHIVES = {  # what files that hold many pictures begin with
    b"PK\x03\x04": "a zip or npz archive", b"\x1f\x8b": "a gzip archive", b"PAR1": "a parquet table",
    b"7z\xbc\xaf": "a 7z archive", b"Rar!": "a rar archive", b"BZh": "a bzip2 archive", b"\xfd7zXZ": "an xz archive",
    b"\x28\xb5\x2f\xfd": "a zstd archive", b"\x93NUMPY": "an array of NumPy", b"\x89HDF": "an HDF5 file",
    b"ARROW1": "an Arrow table", b"%PDF": "a PDF", b"\x1aE\xdf\xa3": "a film",
}  # fmt: skip
FILMS = (b"ftypisom", b"ftypmp4", b"ftypM4V", b"ftypqt", b"AVI ")  # after four bytes, or eight
UNREAD = {  # formats of single pictures that cannot be read, by how their files begin after a length of four bytes
    b"ftyphe": "HEIC", b"ftypmif1": "HEIC", b"ftypms": "HEIC", b"ftypavif": "AVIF", b"JXL ": "JPEG XL",
    b"jP  ": "JPEG 2000",
}  # fmt: skip
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
    deep: bool  # has 16 bits a pixel: see `span`


def inspect(file: BinaryIO) -> Header:
    """Reads both ends of a file and its header, and refuses what is not an image or too large."""
    head = file.read(EDGE)
    length = file.seek(0, os.SEEK_END)
    file.seek(max(0, length - EDGE))
    tail = file.read(EDGE)
    if not head:
        raise BadImage("is empty")
    with _opened(file, head) as image:
        digest = sha256(b"%d;" % length + head + tail).digest()
        suspect = not _ends_well(image.format, head, tail, length)
        return Header(*image.size, image.mode in GRAY, suspect, digest, image.mode.startswith("I"))


def span(file: BinaryIO) -> float:
    """The part of 16 bits' range that a deep picture's values take up, in [0, 1], after what its file says of it."""
    with _opened(file, _head(file)) as image, _stranger():
        values = _sixteen_bits(image, getattr(image, "tag_v2", {}))
        return float(values.max() - values.min()) / 65535


def decode(file: BinaryIO, size: int, channels: int, cut: Cut | None = None) -> NDArray[np.uint8]:
    """uint8 [C, size, size]: the centre square, or what `cut` makes, resized with antialiased bicubic.

    EXIF rotation is applied, what is transparent lies on white, 16-bit values are divided by 256 (first stretched to
    16 bits where a TIFF states its largest value, and raised by half the range where it says that they are signed),
    colours become gray by ITU-R 601; of an animation the first frame is taken.
    """
    with _opened(file, _head(file)) as image, _stranger():
        image.load()
        return pixels_of(image, size, channels, cut)


def decode_frames(file: BinaryIO, size: int, channels: int, most: int, cut: Cut | None = None) -> NDArray[np.uint8]:
    """Likewise of all frames of an animation, `most` at most: uint8 [T, C, size, size].

    A frame that is shown k times as long as the shortest comes k times: writers merge frames that are alike. Where one
    alone is left, it comes as often as ours would be shown in that time.
    """
    with _opened(file, _head(file)) as image, _stranger():
        shown, durations = list[NDArray[np.uint8]](), list[float]()
        for frame in islice(ImageSequence.Iterator(image), most):
            shown.append(pixels_of(frame, size, channels, cut))
            durations.append(max(1.0, float(frame.info.get("duration", 0))))
        shortest = min(durations) if len(durations) > 1 else MILLISECONDS
        return np.repeat(np.stack(shown), [max(1, round(lasts / shortest)) for lasts in durations], 0)[:most]


def pixels_of(image: Image.Image, size: int, channels: int, cut: Cut | None = None) -> NDArray[np.uint8]:
    """Likewise of a picture that is open."""
    tags = getattr(image, "tag_v2", {})  # of a TIFF; a picture that was turned has lost them
    part = (cut or centred)(_converted(_upright(image), "L" if channels == 1 else "RGB", tags), size)
    return np.ascontiguousarray(np.array(part).reshape(part.height, part.width, channels).transpose(2, 0, 1))


@contextlib.contextmanager
def regular(path: str) -> Iterator[BinaryIO]:
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


def _head(file: BinaryIO) -> bytes:
    file.seek(0)
    return file.read(EDGE)


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
    for magic, kind in ARCHIVES.items():
        if head.startswith(magic):
            return f"is {kind}, not an image: pack the images as .zip or .tar, or give a folder of them"
    if head[257:262] == b"ustar":
        return "is a tar archive, not an image: pack the images as .zip or .tar, or give a folder of them"
    if head[4:].startswith(FILMS) or head[8:].startswith(FILMS):
        return "is a film, not an image: save its frames in a folder, and give that"
    for magic, kind in UNREAD.items():
        if head[4:].startswith(magic):
            return f"is a picture in {kind}, which is not read here: convert it to PNG"
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


def _converted(image: Image.Image, mode: str, tags: Mapping[int, Any]) -> Image.Image:
    if image.mode.startswith("I"):
        return _converted(Image.fromarray((_sixteen_bits(image, tags) >> 8).astype(np.uint8)), mode, {})
    if image.mode == "F":
        raise BadImage("has floating-point pixels, whose range is not known")
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        above = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", above.size, "white"), above)
    return image if image.mode == mode else image.convert(mode)


def _sixteen_bits(image: Image.Image, tags: Mapping[int, Any]) -> NDArray[np.int64]:
    """Values [H, W] in 0..65535. Pillow holds some of them in 32 bits, and its own conversion clips."""
    values = np.asarray(image).astype(np.int64)
    bits, sign, largest = ((*tags.get(tag, ()), 0)[0] for tag in (BITS_TAG, SIGN_TAG, LARGEST_TAG))
    if bits == 16 and sign == SIGNED:
        values += 32768
    elif 255 < largest < 65535:
        values = values * 65535 // largest
    return np.clip(values, 0, 65535)


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


def padded(image: Image.Image, size: int) -> Image.Image:
    """All of it, in the middle of a white square."""
    scale = size / max(image.size)
    part = resized(image, max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    square = Image.new(image.mode, (size, size), "white")
    square.paste(part, ((size - part.width) // 2, (size - part.height) // 2))
    return square


def stretched(image: Image.Image, size: int) -> Image.Image:
    """All of it, its sides made equal."""
    return resized(image, size, size)


def whole(image: Image.Image, longest_side: int) -> Image.Image:
    """All of it, made smaller until the longer side is `longest_side`; 0: as it is. Never enlarged."""
    scale = min(1.0, longest_side / max(image.size)) if longest_side else 1.0
    return resized(image, max(1, round(image.width * scale)), max(1, round(image.height * scale)))


def resized(image: Image.Image, width: int, height: int) -> Image.Image:
    return image if image.size == (width, height) else image.resize((width, height), Image.Resampling.BICUBIC)
