"""What the bytes of a file must hash to, and what happens where they do not.

A pin is a sha256 (64 hex digits), or git's sha1 of a blob (40). registry.toml pins the files of ids, config.json pins
the weights, and in the cache of the Hub's client a file's name is a pin: that of its content.
"""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from ganzoo_core.errors import GanzooError, IntegrityError
from ganzoo_core.files import READING

HEX = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
COMMIT = re.compile(r"[0-9a-f]{40}")


def digest(data: bytes, pin: str) -> str:
    """The hash of `data`, of the kind that `pin` is."""
    if len(pin) == 64:
        return hashlib.sha256(data).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(data) + data, usedforsecurity=False).hexdigest()


def check(path: Path, data: bytes, pin: str) -> None:
    """Refuse bytes that are not those of the pin; a cached download of them is removed, so that it is fetched anew.

    Errors: IntegrityError that names both hashes.
    """
    found = digest(data, pin)
    if found != pin:
        kind = "sha256" if len(pin) == 64 else "git's sha1"
        discarded = discard(path)
        hint = "It is removed from the cache: fetch it again." if discarded else "Fetch the model again."
        raise IntegrityError(f"{path}: {kind} differs: expected {pin}, found {found}", hint)


def read_regular(path: Path, limit: int, exactly: int | None = None) -> bytes:
    """The bytes of a regular file of bounded size: no pipe, device or directory is ever read."""
    try:
        with open(os.open(path, READING), "rb") as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode):
                raise GanzooError(f"{path}: is not a regular file")
            size = status.st_size
            if exactly is not None and size != exactly:
                refuse_size(path, size, exactly)
            if size > limit:
                raise GanzooError(f"{path}: {size} bytes, at most {limit} are read")
            return file.read(size)
    except OSError as fault:
        raise GanzooError(f"{path}: {fault.strerror}", "A model directory holds config.json and weights.") from None


def refuse_size(path: Path, size: int, exactly: int) -> None:
    """A file of another size: a cached download that was cut is removed."""
    what = f"{path}: has {size} bytes, config.json promises {exactly}"
    if discard(path):
        raise IntegrityError(what, "It is removed from the cache: fetch it again.")
    raise GanzooError(what, "Fetch it again.")


def read_pinned(path: Path, limit: int, pins: Mapping[str, str], exactly: int | None = None) -> bytes:
    """A regular file's bytes, which are those of its pin where it has one."""
    data = read_regular(path, limit, exactly)
    if path.name in pins:
        check(path, data, pins[path.name])
    return data


def snapshot(path: Path) -> Path | None:
    """The folder of a repository in the client's cache that a snapshot's file belongs to, or None."""
    commits = path.parent.parent
    if (
        commits.name == "snapshots"
        and COMMIT.fullmatch(path.parent.name)
        and commits.parent.name.startswith("models--")
    ):
        return commits.parent
    return None


def cache_hashes(folder: Path) -> dict[str, str]:
    """File -> the hash that the client's cache calls it by. Nothing where the cache has no links, or in other folders.

    Only the link itself says it: what it points to may be a link of its own into a store that repositories share.
    """
    pins = {}
    if snapshot(folder / "config.json") is not None:
        for path in folder.iterdir():
            name = os.path.basename(os.readlink(path)) if path.is_symlink() else ""
            if HEX.fullmatch(name):
                pins[path.name] = name
    return pins


def discard(path: Path) -> bool:
    """Remove a file of the client's cache with the bytes that it links to. Whether it was one: others stay."""
    repo = snapshot(path)
    if repo is None:
        return False
    blob = repo / "blobs" / os.path.basename(os.readlink(path)) if path.is_symlink() else None
    for wrong in (path, *([blob.resolve(), blob] if blob else [])):
        with suppress(OSError):
            if wrong == path or wrong.is_relative_to(repo.parent.resolve()) or wrong.is_relative_to(repo):
                wrong.unlink()
    return True
