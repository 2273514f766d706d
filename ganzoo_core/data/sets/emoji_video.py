"""Animated emoji by Google (Noto): 712 loops of 16 frames, 64x64, colour. A zip of strips, the frames side by side."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ganzoo_core.data.dataset import DatasetInfo, Tensors, fingerprint
from ganzoo_core.data.locations import find, missing
from ganzoo_core.decoding import BadImage, decode, whole
from ganzoo_core.errors import GanzooError, escape
from ganzoo_core.seeds import hash32

SIZE, FRAMES = 64, 16
FILE = "emoji_video64/emoji_video64.zip"
LARGEST = 1 << 20  # bytes of one strip; the largest true one has 60 KB
MOST = 10_000  # strips
HELD_OUT = 10  # one clip in so many


def open_emoji_video(
    root: Path | None, variant: str, *, image_size: int | None = None, channels: int | None = None
) -> Tensors:
    """video [n, 16, C, size, size], 64 px and RGB unless asked. Variants all (the default), train, and test: a tenth.

    Errors: GanzooError where the file is missing or damaged.
    """
    path = find(root, (FILE, Path(FILE).name))
    if path is None:
        raise missing("emoji_video", root, [FILE])
    names, video = _read(path)
    if variant in ("train", "test"):
        at = [i for i, name in enumerate(names) if is_held_out(name) == (variant == "test")]
        names, video = [names[i] for i in at], video[at]
    size, channels = image_size or SIZE, channels or 3
    name = "emoji_video" if variant in ("", "all") else f"emoji_video:{variant}"
    info = DatasetInfo(
        name=name,
        keys=frozenset({"video"}),
        image_size=size,
        channels=channels,
        classes=None,
        class_names=(),
        licence="CC-BY-4.0",
        fingerprint=fingerprint("emoji_video", video, size, channels),
    )
    return Tensors(info, {"video": video}, {})


def is_held_out(name: str) -> bool:
    """Whether a clip belongs to the tenth that is kept for testing: a function of its name alone."""
    return hash32(0, f"emoji_video {name}") % HELD_OUT == 0


def _read(path: Path) -> tuple[list[str], Tensor]:
    """Names of the clips in their order in the file, and pixels uint8 [N, 16, 3, 64, 64]."""
    try:
        with zipfile.ZipFile(path) as archive:
            strips = [entry for entry in archive.infolist() if entry.filename.endswith(".png")]
            _refuse_odd(path, strips)
            clips = [_frames(archive.read(entry)) for entry in strips]
    except (zipfile.BadZipFile, zlib.error, EOFError, BadImage, NotImplementedError, RuntimeError) as fault:
        raise _damaged(path, fault) from fault
    except OSError as error:
        raise GanzooError(f"{escape(path)}: cannot be read: {error.strerror or error}") from error
    return [entry.filename.removesuffix(".png") for entry in strips], torch.from_numpy(np.stack(clips))


def _refuse_odd(path: Path, strips: Sequence[zipfile.ZipInfo]) -> None:
    if not 0 < len(strips) <= MOST or max(strip.file_size for strip in strips) > LARGEST:
        raise _damaged(path, f"{len(strips)} strips, or some of more than {LARGEST >> 20} MiB")


def _frames(data: bytes) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """A strip as its frames, [16, 3, 64, 64]."""
    strip = decode(io.BytesIO(data), 0, 3, whole)  # [3, 64, 1024]
    if strip.shape != (3, SIZE, SIZE * FRAMES):
        raise BadImage(f"holds a strip of {strip.shape[2]}x{strip.shape[1]} px, not {SIZE * FRAMES}x{SIZE}")
    return strip.reshape(3, SIZE, FRAMES, SIZE).transpose(2, 0, 1, 3)


def _damaged(path: Path, why: object) -> GanzooError:
    return GanzooError(f"{escape(path)}: is damaged: {escape(why)}", "Delete it and fetch it again.")
