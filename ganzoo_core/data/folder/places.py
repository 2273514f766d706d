"""Where files lie that are known by their names: a folder, an archive. What is read of them is the same everywhere."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import BinaryIO, Literal, NamedTuple

from ganzoo_core.errors import escape

ENDINGS = (
    ".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".avif", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm", ".pbm",
    ".pnm",
)  # fmt: skip
NOT_A_FILE, TO_NOTHING = "not a regular file", "a link to nothing"


class Found(NamedTuple):
    """An entry by its name within the place, with "/" between folders; `why` says what is bad about a bad one."""

    kind: Literal["image", "folder", "bad", "passed", "other"]
    name: str
    why: str = ""


class Place(ABC):
    """Files by name. Must survive being sent to worker processes, and being read by several threads at once."""

    kind: str  # what it is called: folder, archive
    path: str

    @abstractmethod
    def scan(self, folder: str) -> Iterator[Found]:
        """What lies in one of its folders, "" for the topmost, in any order; hidden entries are left out.

        Raises GanzooError (2) where that cannot be listed.
        """

    @abstractmethod
    def walk(self, folder: str) -> Iterator[Found]:
        """What lies in one of its folders and in those below it, but for the folders themselves."""

    @abstractmethod
    def holds(self, name: str) -> bool:
        """Whether it has a file of that name, as far as anyone can tell."""

    @abstractmethod
    def open(self, name: str) -> AbstractContextManager[BinaryIO]:
        """A file, open for reading. Raises BadImage for what is none or is damaged, OSError for what cannot be read."""

    @abstractmethod
    def where(self, name: str) -> str:
        """A file's name as people know it."""

    def __str__(self) -> str:
        return f"{self.kind} {escape(self.path)}"


def is_image_name(name: str) -> bool:
    return name.lower().endswith(ENDINGS)


def is_hidden(name: str) -> bool:
    """Of a file or a folder: what no one sees who looks for pictures."""
    return name.startswith(".") or name == "__MACOSX"
