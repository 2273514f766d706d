"""Moving pictures as files: animations (GIF, WebP, PNG) by Pillow; films (MP4 ...) through PyAV, the extra `video`."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import torch
from numpy.typing import NDArray
from PIL.Image import Image
from torch import Tensor

from ganzoo_core.data.pixels import to_float
from ganzoo_core.decoding import LARGEST, MILLISECONDS, BadImage, Cut, decode_frames, pixels_of, regular, whole
from ganzoo_core.errors import ExternalError, GanzooError, escape
from ganzoo_core.files import write_aside

ANIMATIONS = (".gif", ".apng")  # what these hold always moves; .png and .webp may be frames
FILMS = (".mp4", ".m4v", ".mov", ".webm", ".mkv", ".avi")
MOST = 4096  # frames of one clip that are read
Frames = NDArray[np.uint8]


def read_frames(file: BinaryIO, suffix: str, size: int, channels: int, cut: Cut | None = None) -> Frames:
    """The frames of a clip, cut and resized as pictures are: uint8 [T, C, size, size], T at most 4,096.

    Errors: BadImage for what is none; GanzooError for a film where PyAV is not installed.
    """
    if suffix.lower() in FILMS:
        return np.stack([*islice(film_frames(file, size, channels, cut), MOST)])
    return decode_frames(file, size, channels, MOST, cut)


def read_clip(path: Path, channels: int, cut: Cut | None = None) -> Tensor:
    """The frames of a file as [T, C, H, W] in [-1, 1]; what is transparent lies on white. `cut` reshapes them.

    Errors: GanzooError for what is no clip, ExternalError where it cannot be read.
    """
    try:
        with regular(str(path)) as file:
            frames = read_frames(file, path.suffix, 0, channels, cut or whole)
    except BadImage as fault:
        raise GanzooError(f"{escape(path)}: {fault}", "Give an animated picture.") from None
    except FileNotFoundError:
        raise GanzooError(f"{escape(path)}: no such file or folder") from None
    except OSError as fault:
        raise ExternalError(f"{escape(path)}: {fault.strerror or escape(fault)}") from None
    return to_float(torch.from_numpy(frames))


def film_frames(file: BinaryIO, size: int, channels: int, cut: Cut | None) -> Iterator[Frames]:
    av = pyav()
    try:
        with av.open(file) as container:
            if not container.streams.video:
                raise BadImage("holds no moving pictures")
            seen = container.streams.video[0]
            if seen.width * seen.height > LARGEST:
                raise BadImage(f"has {seen.width} x {seen.height} pixels a frame")
            for frame in container.decode(seen):
                yield pixels_of(frame.to_image(), size, channels, cut)
    except av.error.FFmpegError as error:
        raise BadImage(f"is no film that can be read: {escape(error, 80)}") from error


def save_film(frames: Sequence[Image], path: Path) -> None:
    """Pictures of one size as an MP4 (H.264), whole or not at all. Errors: GanzooError where PyAV is not installed."""
    write_aside(path, encode_film(np.stack([np.asarray(frame.convert("RGB")) for frame in frames])))


def encode_film(frames: Frames) -> bytes:
    """Frames uint8 [T, H, W, 3] as an MP4 (H.264); odd sides get one more row or column.

    Errors: GanzooError where PyAV is not installed.
    """
    av, made = pyav(), io.BytesIO()
    even = np.pad(frames, ((0, 0), (0, frames.shape[1] % 2), (0, frames.shape[2] % 2), (0, 0)), mode="edge")
    with av.open(made, "w", format="mp4") as container:
        stream = container.add_stream("h264", rate=Fraction(1000, MILLISECONDS))
        stream.height, stream.width = even.shape[1:3]
        stream.pix_fmt, stream.options = "yuv420p", {"crf": "12"}
        for frame in even:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode(None))
    return made.getvalue()


def pyav() -> Any:
    """Errors: GanzooError that says how to have it."""
    try:
        import av
    except ImportError:
        what = "films (.mp4) are read and written by PyAV, which is not installed"
        raise GanzooError(what, "pip install 'ganzoo-core[video]'; or use .gif.") from None
    return av
