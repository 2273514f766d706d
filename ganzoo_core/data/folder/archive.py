"""An archive as a place of files: .zip, .tar, .tar.gz. It is not unpacked, and no member's name is ever a path.

Every read opens the archive anew, so processes and threads share no position in it, however they were started. Only a
.tar.gz, in which nothing can be found without what comes before it, is unpacked once, to a file without a name.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import BinaryIO

from ganzoo_core.data.folder import tars, zips
from ganzoo_core.data.folder.members import Entry, Member, Pieces, damage_told
from ganzoo_core.data.folder.places import TO_NOTHING, Found, Place, is_hidden, is_image_name
from ganzoo_core.data.folder.spool import OnDisk, Spooled, spool, unpacked
from ganzoo_core.errors import escape
from ganzoo_core.files import READING

ENDINGS = (".zip", ".tar", ".tar.gz", ".tgz")
OUT = "its name leads out of the archive"
LEAVES = "a link that leaves the archive"
LARGEST = 1 << 29  # bytes of a member: what as many pixels as are ever decoded can take
LINKS = 8  # that are followed one after the other


def is_archive(path: str) -> bool:
    """Whether a file is an archive of a kind that is read, by what it begins with, or by its ending."""
    if not os.path.isfile(path):
        return False
    try:
        head = start_of(path)
    except OSError:
        head = b""
    return path.lower().endswith(ENDINGS) or head.startswith((zips.MAGIC, tars.GZIP)) or tars.begins(head)


def start_of(path: str) -> bytes:
    with open(os.open(path, READING), "rb") as file:
        return file.read(tars.BLOCK)


def open_archive(path: str) -> Archive:
    """Raises GanzooError (2) for what is damaged or a bomb, ExternalError (3) where a .tar.gz finds no room."""
    with damage_told(path):
        head, pieces = start_of(path), OnDisk(path)
        if head.startswith(tars.GZIP):
            return open_packed(path)
        if head.startswith(b"PK") or path.lower().endswith(".zip"):
            return Archive(path, pieces, zips.entries(path, pieces))
        with open(pieces.path, "rb") as file:
            return Archive(path, pieces, tars.entries(path, file))


def open_packed(path: str) -> Archive:
    """A .tar.gz."""
    with tempfile.TemporaryFile() as file:
        spool(file, unpacked(path), f"archive {escape(path)}")
        file.seek(0)
        found = tars.entries(path, file)
        return Archive(path, Spooled(file), found)


class Archive(Place):
    """Members by name, within the folder that all of them lie in. Links to other members are followed."""

    kind = "archive"

    def __init__(self, path: str, pieces: Pieces, entries: Iterable[Entry]) -> None:
        self.path, self.pieces = path, pieces
        self.members: dict[str, Member] = {}
        self.folders: dict[str, dict[str, Found]] = {"": {}}
        seen: dict[str, Entry] = {}
        for entry in entries:
            if leads_out(entry.name):
                self.folders[""][entry.name] = Found("bad", entry.name, OUT)
            elif name := plain(entry.name):
                seen[name] = entry  # of two alike the last, as unpacking has it
        self.top = common_folder(seen)
        for name, entry in seen.items():
            if len(name) > len(self.top):
                self.enter(name[len(self.top) :], followed(entry, seen))

    def __reduce__(self) -> tuple[object, ...]:
        return open_archive, (self.path,)

    def enter(self, name: str, entry: Entry) -> None:
        if entry.kind == "folder":
            self.folder(name)
        elif entry.kind == "file":
            self.folder(name.rpartition("/")[0])[name] = judged(name, entry)
            if entry.member is not None:
                self.members[name] = entry.member

    def folder(self, name: str) -> dict[str, Found]:
        """A folder's entries; it is made, with those that it lies in, where it is not yet known."""
        if name not in self.folders:
            self.folder(name.rpartition("/")[0])[name] = Found("folder", name)
            self.folders[name] = {}
        return self.folders[name]

    def scan(self, folder: str) -> Iterator[Found]:
        yield from self.folders[folder].values()

    def walk(self, folder: str) -> Iterator[Found]:
        pending = [folder]
        while pending:
            for found in self.scan(pending.pop()):
                if found.kind == "folder":
                    pending.append(found.name)
                else:
                    yield found

    def holds(self, name: str) -> bool:
        return name in self.members

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        yield BytesIO(self.members[name].read(self.pieces))

    def where(self, name: str) -> str:
        return os.path.join(self.path, self.top + name)


def leads_out(name: str) -> bool:
    return name.startswith("/") or ".." in name.split("/")


def plain(name: str) -> str:
    """A member's name without "." and doubled slashes; "" for a hidden one."""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    return "" if any(map(is_hidden, parts)) else "/".join(parts)


def common_folder(seen: dict[str, Entry]) -> str:
    """The folder that everything lies in, with a slash behind it; "" where there is none."""
    inner = {name.rpartition("/")[0] for name in seen}
    paths = [(name.split("/"), entry.kind) for name, entry in seen.items() if name not in inner]
    above = [parts if kind == "folder" else parts[:-1] for parts, kind in paths]
    return "".join(f"{part}/" for part in shared(min(above, default=[]), max(above, default=[])))


def shared(first: list[str], last: list[str]) -> Iterator[str]:
    """What two lists begin with; the first and the last of many in order have no more in common than all."""
    for one, other in zip(first, last, strict=False):
        if one != other:
            return
        yield one


def followed(entry: Entry, seen: dict[str, Entry]) -> Entry:
    """What a link stands for, and a fault where that is no file of the archive; all others as they are."""
    if entry.kind != "link":
        return entry
    for _ in range(LINKS):
        if not entry.to:
            return entry._replace(kind="file", why=LEAVES)
        target = seen.get(entry.to)
        if target is None or target.kind == "folder":
            break
        if target.kind == "file":
            return target
        entry = target
    return entry._replace(kind="file", why=TO_NOTHING)


def judged(name: str, entry: Entry) -> Found:
    if not is_image_name(name):
        return Found("passed", name)
    why = entry.why
    if entry.member is not None and entry.member.size > LARGEST:
        why = f"unpacks to {entry.member.size:,} bytes, more than any picture has"
    return Found("bad", name, why) if why else Found("image", name)
