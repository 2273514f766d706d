"""The bytes of an archive: on the disk where it lies, or in a file without a name where they must be unpacked once."""

from __future__ import annotations

import gzip
import mmap
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from typing import BinaryIO

from ganzoo_core.data.kept import SHARE
from ganzoo_core.decoding import BadImage
from ganzoo_core.errors import ExternalError, GanzooError, escape
from ganzoo_core.files import READING

PIECE = 1 << 20
MOST_TIMES, FREE = 200, 1 << 30  # what makes more than FREE bytes makes at most so many times its own


class OnDisk:
    """A file that is opened for every piece, and must stay what it was."""

    def __init__(self, path: str) -> None:
        self.path = os.path.abspath(path)
        self.was = self.state(os.stat(self.path))

    def piece(self, offset: int, length: int) -> bytes:
        with open(os.open(self.path, READING), "rb") as file:
            if self.state(os.fstat(file.fileno())) != self.was:
                raise BadImage("its archive has changed since it was opened")
            file.seek(offset)
            return file.read(length)

    @staticmethod
    def state(found: os.stat_result) -> tuple[int, int]:
        return found.st_size, found.st_mtime_ns


class Spooled:
    """Pages of a file without a name, which is gone with the processes that have it."""

    def __init__(self, file: BinaryIO) -> None:
        file.flush()
        self.memory = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)

    def piece(self, offset: int, length: int) -> bytes:
        return self.memory[offset : offset + length]


def unpacked(path: str) -> Iterator[bytes]:
    """What a gzip file holds, piece by piece. Raises GanzooError where that is far too much."""
    made, most = 0, FREE + MOST_TIMES * os.path.getsize(path)
    with gzip.open(path) as file:
        while piece := file.read(PIECE):
            made += len(piece)
            if made > most:
                raise GanzooError(
                    f"archive {escape(path)}: unpacks to more than {most:,} bytes, {MOST_TIMES} times its size",
                    "Pictures never do: it is a bomb.",
                )
            yield piece


def spool(file: BinaryIO, pieces: Iterable[bytes], what: str) -> None:
    """Writes them to a file without a name. Raises ExternalError where the disk has no room for them."""
    room = int(SHARE * shutil.disk_usage(tempfile.gettempdir()).free)
    for piece in pieces:
        room -= len(piece)
        if room < 0:
            raise no_room(what)
        try:
            file.write(piece)
        except OSError:
            raise no_room(what) from None


def no_room(what: str) -> ExternalError:
    where = escape(tempfile.gettempdir())
    return ExternalError(f"{what}: no room for what it holds in {where}", "Free some, or set TMPDIR to another folder.")
