"""What archives of all kinds have in common: their members, by names and places, before any is read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, NamedTuple, Protocol

from ganzoo_core.errors import GanzooError, escape


class Pieces(Protocol):
    """The bytes of an archive."""

    def piece(self, offset: int, length: int) -> bytes:
        """So many from there, fewer at its end. Raises OSError, BadImage where it has changed."""


class Member(Protocol):
    """Where a file's bytes are in an archive, and what has to be done to have them."""

    @property
    def size(self) -> int:
        """Of the file, as its archive says."""

    def read(self, pieces: Pieces) -> bytes:
        """All of it. Raises BadImage where it is damaged, OSError where the archive cannot be read."""


class Entry(NamedTuple):
    """What an archive says that it holds; `to` is where a link leads, from the archive's root, "" where out of it."""

    name: str
    kind: Literal["file", "folder", "link"]
    member: Member | None = None
    to: str = ""
    why: str = ""  # the member cannot be read


def linked(folder: str, to: str) -> str:
    """Where a link in a folder of an archive leads, from the archive's root; "" where out of it."""
    parts: list[str] = []
    for part in [] if to.startswith("/") else f"{folder}/{to}".split("/"):
        if part == ".." and not parts:
            return ""
        if part == "..":
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


@contextmanager
def damage_told(path: str) -> Iterator[None]:
    """Whatever Python's readers make of a stranger's archive is the archive's fault, but for trouble in reading it."""
    try:
        yield
    except (GanzooError, MemoryError):
        raise
    except Exception as fault:
        if isinstance(fault, OSError) and fault.errno is not None:
            raise GanzooError(f"archive {escape(path)}: cannot be read: {fault.strerror}") from fault
        why = escape(str(fault).partition("\n")[0] or type(fault).__name__, 80)
        raise damaged(path, why) from fault


def damaged(path: str, why: str) -> GanzooError:
    return GanzooError(f"archive {escape(path)}: is damaged or no archive: {why}", "Fetch or make it again.")
