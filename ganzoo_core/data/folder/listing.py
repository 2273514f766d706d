"""Which images a folder holds, found without opening any file."""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Literal, NamedTuple

from ganzoo_core.errors import GanzooError, escape

ENDINGS = (
    ".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".avif", ".bmp", ".gif", ".tif", ".tiff", ".ppm", ".pgm", ".pbm",
    ".pnm",
)  # fmt: skip
UNREAD = (  # of pictures in formats that are not read: passed over, and counted as pictures
    ".heic", ".heif", ".jxl", ".jp2", ".svg", ".psd", ".ico", ".tga", ".exr", ".hdr", ".dng", ".cr2", ".cr3", ".nef",
    ".arw", ".raw", ".dcm",
)  # fmt: skip
ARCHIVES = {".zip", ".tar", ".gz", ".tgz", ".xz", ".bz2", ".7z", ".rar", ".npz", ".npy", ".parquet", ".h5", ".hdf5",
            ".tfrecord", ".tfrecords", ".arrow", ".mdb"}  # fmt: skip
SPLITS = frozenset(f"{part}{domain}" for part in ("train", "training", "val", "valid", "validation", "test", "testing")
                   for domain in ("", "a", "b"))  # fmt: skip
LEAVES = "a link that leaves the folder"


class Bad(NamedTuple):
    """A file that cannot be used (its path within the folder), and why."""

    name: str
    why: str


@dataclass
class Listing:
    """Images by name within `root` (a real path), sorted; `labels` and `classes` are empty for a flat folder.

    `passed` counts the files that are passed over, by their endings.
    """

    root: str
    names: list[str]
    labels: list[int] = field(default_factory=list)
    classes: tuple[str, ...] = ()
    bad: list[Bad] = field(default_factory=list)
    passed: Counter[str] = field(default_factory=Counter)

    @property
    def unread(self) -> int:
        """How many pictures are in formats that are not read."""
        return sum(count for ending, count in self.passed.items() if ending in UNREAD)

    def passed_over(self, most: int) -> str:
        """What is passed over, the most frequent endings first."""
        found = self.passed.most_common(most)
        return ", ".join(f"{count:,} {escape(ending or 'without an ending', 20)}" for ending, count in found)


class _Found(NamedTuple):
    kind: Literal["image", "folder", "bad", "passed", "other"]
    name: str
    why: str = ""


def list_images(folder: str, *, follow_links: bool) -> Listing:
    """A flat folder of images, or one sub-folder per class (walked to its depth; sorted names become labels).

    Hidden entries and files with other endings are passed over, and the latter counted; links that leave the folder,
    dangling links and what is no regular file are reported as bad. Raises GanzooError (2) where there are no images,
    where a class has none, or where images lie both in the folder and in sub-folders.
    """
    root = os.path.realpath(folder)
    top = sorted(_scan(root, "", root, follow_links), key=lambda found: found.name)
    folders = [found.name for found in top if found.kind == "folder"]
    listing = Listing(root, [found.name for found in top if found.kind == "image"])
    listing.bad = [Bad(found.name, found.why) for found in top if found.kind == "bad"]
    inside = {name: sorted(_walk(root, name, follow_links)) for name in folders}
    everything = [*top, *(found for some in inside.values() for found in some)]
    listing.passed = Counter(PurePath(found.name).suffix.lower() for found in everything if found.kind == "passed")
    if listing.names:
        _refuse_mixture(folder, [name for name in folders if any(f.kind != "passed" for f in inside[name])])
        return listing
    listing.classes = tuple(folders)
    for label, name in enumerate(folders):
        images = [found.name for found in inside[name] if found.kind == "image"]
        listing.names += images
        listing.labels += [label] * len(images)
        listing.bad += [Bad(found.name, found.why) for found in inside[name] if found.kind == "bad"]
    if not listing.names and not listing.bad:
        raise GanzooError(f"folder {escape(folder)}: holds no images{_instead(listing)}", _known(listing))
    return listing


def refuse_splits(folder: str, listing: Listing) -> None:
    """Errors: GanzooError where the sub-folders are parts of a data set to train and to test on, and no classes."""
    parts = listing.classes
    if not parts or not all(part.lower() in SPLITS for part in parts):
        return
    first = next((part for part in parts if part.lower().startswith("train")), parts[0])
    domains = [part for part in parts if part.lower().startswith("train") and part.lower().endswith(("a", "b"))]
    one = os.path.join(folder, first)
    wanted = f"unpaired:{os.path.join(folder, domains[0])}::{os.path.join(folder, domains[1])}" if domains[1:] else one
    raise GanzooError(
        f"folder {escape(folder)}: its sub-folders {escape(', '.join(parts), 60)} are parts of a data set, not classes",
        f"Give one of them: {escape(wanted)}. If they are classes, give them other names.",
    )


def _instead(listing: Listing) -> str:
    """What else there is, the most frequent endings first."""
    return f", but {listing.passed_over(3)}" if listing.passed else ""


def _known(listing: Listing) -> str:
    if ARCHIVES & listing.passed.keys():
        return "Unpack archives first, and give the folder of images."
    return f"Known endings: {' '.join(ENDINGS)}."


def is_image_name(name: str) -> bool:
    return name.lower().endswith(ENDINGS)


def _refuse_mixture(folder: str, folders: list[str]) -> None:
    if folders:
        raise GanzooError(
            f"folder {escape(folder)}: holds images beside folders of images ({escape(folders[0])})",
            "Keep either images only, or one folder per class only.",
        )


def _walk(root: str, start: str, follow_links: bool) -> Iterator[_Found]:
    pending, seen = [start], set[str]()
    while pending:
        prefix = pending.pop()
        real = os.path.realpath(os.path.join(root, prefix))
        if real in seen:  # links can go round in circles
            continue
        seen.add(real)
        for found in _scan(real, prefix + "/", root, follow_links):
            if found.kind == "folder":
                pending.append(found.name)
            else:
                yield found


def _scan(folder: str, prefix: str, root: str, follow_links: bool) -> Iterator[_Found]:
    """The entries of one folder that matter. scandir: a million files take seconds, as none is asked for more."""
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                found = _judged(entry, prefix, root, follow_links)
                if found.kind != "other":
                    yield found
    except OSError as error:
        raise GanzooError(f"folder {escape(folder)}: cannot be listed: {error.strerror}") from error


def _judged(entry: os.DirEntry[str], prefix: str, root: str, follow_links: bool) -> _Found:
    name = prefix + entry.name
    if entry.name.startswith(".") or entry.name == "__MACOSX":
        return _Found("other", name)
    if entry.is_symlink():
        return _judged_link(entry, name, root, follow_links)
    if entry.is_dir(follow_symlinks=False):
        return _Found("folder", name)
    if not is_image_name(entry.name):
        return _Found("passed", name)
    if entry.is_file(follow_symlinks=False):
        return _Found("image", name)
    return _Found("bad", name, "not a regular file")


def _judged_link(entry: os.DirEntry[str], name: str, root: str, follow_links: bool) -> _Found:
    real = os.path.realpath(entry.path)
    try:
        mode = os.stat(real).st_mode
    except OSError:
        return _Found("bad", name, "a link to nothing") if is_image_name(name) else _Found("other", name)
    if not stat.S_ISDIR(mode) and not is_image_name(name):
        return _Found("other", name)
    if not follow_links and os.path.commonpath([root, real]) != root:
        return _Found("bad", name, LEAVES)
    if stat.S_ISDIR(mode):
        return _Found("folder", name)
    return _Found("image", name) if stat.S_ISREG(mode) else _Found("bad", name, "not a regular file")
