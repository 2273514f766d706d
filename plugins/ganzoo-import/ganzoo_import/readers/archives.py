"""Zip files, looked at before anything in them is unpacked: bombs, links, ways out."""

from __future__ import annotations

import stat
import zipfile
from pathlib import Path, PurePosixPath

from ganzoo_core.errors import GanzooError, IntegrityError, escape

MAX_MEMBERS = 100_000


def members(path: Path, limit: int) -> list[str]:
    """The names of a zip's files. Errors: IntegrityError for a trap, GanzooError for one that is damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            found = archive.infolist()
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as fault:
        raise GanzooError(f"it is no whole zip: {escape(fault, 80)}", "Fetch it again.") from None
    names = [info.filename for info in found]
    if len(names) > MAX_MEMBERS or len(set(names)) < len(names):
        raise IntegrityError(f"it holds {len(names)} files, some of one name or too many")
    for info in found:
        refuse_trap(info)
    total = sum(info.file_size for info in found)
    if total > limit:
        raise IntegrityError(f"it unpacks to {total:,} bytes, at most {limit:,} are read", "Allow more: --max-bytes.")
    return names


def refuse_trap(info: zipfile.ZipInfo) -> None:
    """A file that is none, or that would be written elsewhere."""
    place = PurePosixPath(info.filename)
    if place.is_absolute() or ".." in place.parts or "\\" in info.filename or ":" in info.filename:
        raise IntegrityError(f"it holds {escape(info.filename, 80)!r}, which leads out of it")
    if stat.S_ISLNK(info.external_attr >> 16):
        raise IntegrityError(f"it holds {escape(info.filename, 80)!r}, which is a link")
    if info.flag_bits & 1:
        raise GanzooError("it is encrypted", "Decrypt it first.")
