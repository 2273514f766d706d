"""A folder as a place of files: links that leave it, and what is no regular file, are not read."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import BinaryIO

from ganzoo_core.data.folder.places import NOT_A_FILE, TO_NOTHING, Found, Place, is_hidden, is_image_name
from ganzoo_core.decoding import regular
from ganzoo_core.errors import GanzooError, escape

LEAVES = "a link that leaves the folder"


class Directory(Place):
    """A folder on a disk; links that leave it are bad, unless they are followed."""

    kind = "folder"

    def __init__(self, path: str, *, follow_links: bool = False) -> None:
        self.path, self.root, self.follow_links = path, os.path.realpath(path), follow_links

    def where(self, name: str) -> str:
        return os.path.join(self.root, name)

    def holds(self, name: str) -> bool:
        return os.path.isfile(self.where(name))

    def open(self, name: str) -> AbstractContextManager[BinaryIO]:
        return regular(self.where(name))

    def walk(self, folder: str) -> Iterator[Found]:
        pending, seen = [folder], set[str]()
        while pending:
            inside = pending.pop()
            real = os.path.realpath(self.where(inside))
            if real in seen:  # links can go round in circles
                continue
            seen.add(real)
            for found in self.scan(inside):
                if found.kind == "folder":
                    pending.append(found.name)
                else:
                    yield found

    def scan(self, folder: str) -> Iterator[Found]:
        """scandir: a million files take seconds, as none is asked for more."""
        prefix = f"{folder}/" if folder else ""
        try:
            with os.scandir(os.path.realpath(self.where(folder))) as entries:
                yield from (self.judged(entry, prefix + entry.name) for entry in entries if not is_hidden(entry.name))
        except OSError as error:
            place = escape(self.where(folder) if folder else self.path)
            raise GanzooError(f"folder {place}: cannot be listed: {error.strerror}") from error

    def judged(self, entry: os.DirEntry[str], name: str) -> Found:
        if entry.is_symlink():
            return self.judged_link(entry, name)
        if entry.is_dir(follow_symlinks=False):
            return Found("folder", name)
        if not is_image_name(entry.name):
            return Found("passed", name)
        if entry.is_file(follow_symlinks=False):
            return Found("image", name)
        return Found("bad", name, NOT_A_FILE)

    def judged_link(self, entry: os.DirEntry[str], name: str) -> Found:
        real = os.path.realpath(entry.path)
        try:
            mode = os.stat(real).st_mode
        except OSError:
            return Found("bad", name, TO_NOTHING) if is_image_name(name) else Found("other", name)
        if not stat.S_ISDIR(mode) and not is_image_name(name):
            return Found("other", name)
        if not self.follow_links and os.path.commonpath([self.root, real]) != self.root:
            return Found("bad", name, LEAVES)
        if stat.S_ISDIR(mode):
            return Found("folder", name)
        return Found("image", name) if stat.S_ISREG(mode) else Found("bad", name, NOT_A_FILE)
