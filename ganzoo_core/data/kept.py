"""Pictures that are kept once they are decoded: by whichever process comes first, for all that load."""

from __future__ import annotations

import math
import mmap
import os
import shutil
import tempfile

import torch
from torch import Tensor

SHARE = 1 / 2  # of the free disk that a map may take


class Kept:
    """uint8 [N, C, H, W] in shared memory, or in a file's pages; workers that are forked see each other's pictures.

    One that is sent to a process of another kind begins there with nothing kept.
    """

    def __init__(self, shape: tuple[int, ...], in_memory: bool = True) -> None:
        self.shape, self.in_memory = shape, in_memory
        memory = mmap.mmap(-1, math.prod(shape)) if in_memory else mapped(math.prod(shape))
        self.pixels = torch.frombuffer(memory, dtype=torch.uint8).view(shape)
        self.ready = torch.frombuffer(mmap.mmap(-1, shape[0]), dtype=torch.bool)  # [N]

    def __reduce__(self) -> tuple[type[Kept], tuple[tuple[int, ...], bool]]:
        return Kept, (self.shape, self.in_memory)

    def keep(self, index: int, pixels: Tensor) -> None:
        self.pixels[index] = pixels
        self.ready[index] = True  # last: whoever sees it finds the picture


def mapped(size: int) -> mmap.mmap:
    """Pages of a file without a name, which is gone with the processes. Its room is taken now: later would be fatal.

    Errors: OSError where there is no room.
    """
    with tempfile.TemporaryFile() as file:
        os.posix_fallocate(file.fileno(), 0, size)
        return mmap.mmap(file.fileno(), size)


def room_for(shape: tuple[int, ...], most: int) -> Kept | None:
    """In memory up to `most` bytes, else on a disk that has twice the room; None where there is none."""
    size = math.prod(shape)
    if size <= most:
        return Kept(shape)
    if not hasattr(os, "posix_fallocate") or size > SHARE * shutil.disk_usage(tempfile.gettempdir()).free:
        return None
    try:
        return Kept(shape, in_memory=False)
    except OSError:
        return None
