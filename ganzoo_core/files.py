"""Files that are whole or absent."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from ganzoo_core.errors import ExternalError, GanzooError, escape

# How a stranger's file is opened: as bytes, and without waiting, should it be a pipe. Each system has one of the two.
READING = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def as_text(name: str) -> str:
    """A file's name or an argument in UTF-8, as JSON and cards need it: bytes that are none stay readable, as \\xe9."""
    return os.fsencode(name).decode("utf-8", "backslashreplace")


# A name that is wrong on any disk.
NO_PATH = (errno.ENOENT, errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG, errno.ELOOP, errno.EINVAL)


def unwritable(path: object, fault: OSError, hint: str = "Free some space or choose another place.") -> GanzooError:
    """What keeps somebody from writing to `path`, as one of ours: a name that can be none, or the disk's fault."""
    kind = GanzooError if fault.errno in NO_PATH else ExternalError
    return kind(f"{escape(path)}: {fault.strerror or escape(fault)}", hint)


def make_folder(path: Path) -> None:
    """A folder with those that it lies in, unless it is there. Errors: GanzooError, ExternalError."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise unwritable(path, fault) from None


def write_aside(path: Path, data: bytes) -> None:
    """A file that is whole or as it was: written aside, flushed to the disk, renamed into place; in a directory that
    exists. Errors: ExternalError for a disk that refuses.
    """
    aside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(aside, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, path)
    except OSError as fault:
        aside.unlink(missing_ok=True)
        raise ExternalError(f"{path}: {fault.strerror}", "Free some space or choose another place.") from None
