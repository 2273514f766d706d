"""Zip archives: stored and deflated members, each read on its own and checked by its sum."""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Iterator
from typing import NamedTuple

from ganzoo_core.data.folder.members import Entry, Pieces, damage_told, linked
from ganzoo_core.decoding import BadImage
from ganzoo_core.errors import GanzooError, escape

MAGIC = b"PK\x03\x04"
LOCAL, LOCAL_SIZE = b"PK\x03\x04", 30  # the header before a member's bytes; its name and extras follow
LARGEST_LINK = 4096  # bytes of a link's target
MOST_TIMES, FREE = 200, 1 << 30  # an archive of more than FREE bytes makes at most so many times its own
ENCRYPTED = 1


class ZipMember(NamedTuple):
    """By its header's offset, the bytes it takes and makes, and their sum."""

    header: int
    packed: int
    size: int
    crc: int
    deflated: bool

    def read(self, pieces: Pieces) -> bytes:
        head = pieces.piece(self.header, LOCAL_SIZE)
        if len(head) < LOCAL_SIZE or not head.startswith(LOCAL):
            raise BadImage("its archive is damaged: no header where it should be")
        extra = int.from_bytes(head[26:28], "little") + int.from_bytes(head[28:30], "little")
        data = pieces.piece(self.header + LOCAL_SIZE + extra, self.packed)
        if self.deflated:
            data = self.inflated(data)
        if len(data) != self.size or zlib.crc32(data) != self.crc:
            raise BadImage("is damaged in its archive: its check sum differs")
        return data

    def inflated(self, data: bytes) -> bytes:
        """At most a byte more than it should be, whatever is in there."""
        try:
            return zlib.decompressobj(-zlib.MAX_WBITS).decompress(data, self.size + 1)
        except zlib.error:
            raise BadImage("is damaged in its archive: cannot be inflated") from None


def entries(path: str, pieces: Pieces) -> Iterator[Entry]:
    """Of a zip's own table. Raises GanzooError for what is damaged, or unpacks to far too much."""
    with damage_told(path), zipfile.ZipFile(path) as archive:
        found = archive.infolist()
        length = sum(info.compress_size for info in found)
    total = sum(info.file_size for info in found)
    if total > FREE + MOST_TIMES * length:
        raise GanzooError(
            f"archive {escape(path)}: would unpack to {total:,} bytes, {total // max(1, length):,} times its size",
            "Pictures never do: it is a bomb.",
        )
    return (entry(info, pieces) for info in found)


def entry(info: zipfile.ZipInfo, pieces: Pieces) -> Entry:
    name, mode = info.filename, info.external_attr >> 16
    stored = info.compress_type == zipfile.ZIP_STORED
    member = ZipMember(info.header_offset, info.compress_size, info.file_size, info.CRC, not stored)
    if info.is_dir():
        return Entry(name, "folder")
    if info.flag_bits & ENCRYPTED:
        return Entry(name, "file", why="is encrypted")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return Entry(name, "file", why="is packed in a way that is not read here, neither stored nor deflated")
    if stat.S_ISLNK(mode):
        return Entry(name, "link", to=linked(name.rpartition("/")[0], target(member, pieces)))
    return Entry(name, "file", member)


def target(member: ZipMember, pieces: Pieces) -> str:
    """What a link's bytes say; "/", which leads out, where they say nothing."""
    try:
        return member.read(pieces).decode() if max(member.size, member.packed) <= LARGEST_LINK else "/"
    except (BadImage, OSError, UnicodeError):
        return "/"
