"""Tar archives, packed with gzip or not: members lie in them as they are."""

from __future__ import annotations

import tarfile
from typing import BinaryIO, NamedTuple

from ganzoo_core.data.folder.members import Entry, Pieces, damage_told, damaged, linked
from ganzoo_core.data.folder.places import NOT_A_FILE
from ganzoo_core.decoding import BadImage

GZIP = b"\x1f\x8b"
BLOCK = 512
END = bytes(BLOCK)


class TarMember(NamedTuple):
    """By the place of its bytes."""

    offset: int
    size: int

    def read(self, pieces: Pieces) -> bytes:
        data = pieces.piece(self.offset, self.size)
        if len(data) != self.size:
            raise BadImage("its archive ends before it does")
        return data


def begins(head: bytes) -> bool:
    return head[257:262] == b"ustar"


def entries(path: str, file: BinaryIO) -> list[Entry]:
    """Of all headers, one after the other. Raises GanzooError for an archive that is damaged or cut off."""
    with damage_told(path), tarfile.open(fileobj=file, mode="r:") as archive:
        found = [entry(info) for info in archive]
        file.seek(archive.offset)
        after = file.read(BLOCK)
    if after != END:  # tarfile takes a header that it cannot read for the end
        raise damaged(path, "it is cut off" if len(after) < BLOCK else f"no header at byte {archive.offset:,}")
    return found


def entry(info: tarfile.TarInfo) -> Entry:
    name = info.name
    if info.isdir():
        return Entry(name, "folder")
    if info.issym():
        return Entry(name, "link", to=linked(name.rpartition("/")[0], info.linkname))
    if info.islnk():
        return Entry(name, "link", to=linked("", info.linkname))
    if not info.isfile():
        return Entry(name, "file", why=NOT_A_FILE)
    if info.sparse is not None:
        return Entry(name, "file", why="is stored with holes, which are not read here")
    return Entry(name, "file", TarMember(info.offset_data, info.size))
