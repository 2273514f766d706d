"""Which images a folder or an archive holds, found without opening any file."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import NamedTuple

from ganzoo_core.data.folder.places import ENDINGS, Place
from ganzoo_core.errors import GanzooError, escape

UNREAD = (  # of pictures in formats that are not read: passed over, and counted as pictures
    ".heic", ".heif", ".jxl", ".jp2", ".svg", ".psd", ".ico", ".tga", ".exr", ".hdr", ".dng", ".cr2", ".cr3", ".nef",
    ".arw", ".raw", ".dcm",
)  # fmt: skip
ARCHIVES = {".zip", ".tar", ".gz", ".tgz", ".xz", ".bz2", ".7z", ".rar", ".npz", ".npy", ".parquet", ".h5", ".hdf5",
            ".tfrecord", ".tfrecords", ".arrow", ".mdb"}  # fmt: skip
SPLITS = frozenset(f"{part}{domain}" for part in ("train", "training", "val", "valid", "validation", "test", "testing")
                   for domain in ("", "a", "b"))  # fmt: skip


class Bad(NamedTuple):
    """A file that cannot be used (its path within the folder), and why."""

    name: str
    why: str


@dataclass
class Listing:
    """Images by name within `place`, sorted; `labels` and `classes` are empty for a flat folder.

    `passed` counts the files that are passed over, by their endings.
    """

    place: Place
    names: list[str]
    labels: list[int] = field(default_factory=list)
    classes: tuple[str, ...] = ()
    bad: list[Bad] = field(default_factory=list)
    passed: Counter[str] = field(default_factory=Counter)
    alone: bool = False  # one image that was asked for by its name
    title: str = ""  # what the data set is called; otherwise its path's last part

    @property
    def unread(self) -> int:
        """How many pictures are in formats that are not read."""
        return sum(count for ending, count in self.passed.items() if ending in UNREAD)

    def passed_over(self, most: int) -> str:
        """What is passed over, the most frequent endings first."""
        found = self.passed.most_common(most)
        return ", ".join(f"{count:,} {escape(ending or 'without an ending', 20)}" for ending, count in found)


def list_images(place: Place) -> Listing:
    """A flat folder of images, or one sub-folder per class (walked to its depth; sorted names become labels).

    Hidden entries and files with other endings are passed over, and the latter counted; links that leave the folder,
    dangling links and what is no regular file are reported as bad. Raises GanzooError (2) where there are no images,
    where a class has none, or where images lie both in the folder and in sub-folders.
    """
    top = sorted(place.scan(""), key=lambda found: found.name)
    folders = [found.name for found in top if found.kind == "folder"]
    listing = Listing(place, [found.name for found in top if found.kind == "image"])
    listing.bad = [Bad(found.name, found.why) for found in top if found.kind == "bad"]
    inside = {name: sorted(place.walk(name)) for name in folders}
    everything = [*top, *(found for some in inside.values() for found in some)]
    listing.passed = Counter(PurePath(found.name).suffix.lower() for found in everything if found.kind == "passed")
    if listing.names:
        _refuse_mixture(place, [name for name in folders if any(f.kind != "passed" for f in inside[name])])
        return listing
    listing.classes = tuple(folders)
    for label, name in enumerate(folders):
        images = [found.name for found in inside[name] if found.kind == "image"]
        listing.names += images
        listing.labels += [label] * len(images)
        listing.bad += [Bad(found.name, found.why) for found in inside[name] if found.kind == "bad"]
    if not listing.names and not listing.bad:
        raise GanzooError(f"{place}: holds no images{_instead(listing)}", _known(listing))
    return listing


def refuse_splits(listing: Listing) -> None:
    """Errors: GanzooError where the sub-folders are parts of a data set to train and to test on, and no classes."""
    parts = listing.classes
    if not parts or not all(part.lower() in SPLITS for part in parts):
        return
    place = listing.place
    raise GanzooError(
        f"{place}: its sub-folders {escape(', '.join(parts), 60)} are parts of a data set, not classes",
        f"Give {_one_of(place, parts)}. If they are classes, give them other names.",
    )


def _one_of(place: Place, parts: Sequence[str]) -> str:
    """What to give in place of all parts."""
    if place.kind != "folder":
        return f"an {place.kind} of one of them"
    first = next((part for part in parts if part.lower().startswith("train")), parts[0])
    domains = [part for part in parts if part.lower().startswith("train") and part.lower().endswith(("a", "b"))]
    a, b = (os.path.join(place.path, part) for part in (domains if len(domains) > 1 else [first, first])[:2])
    return f"one of them: {escape(a if a == b else f'unpaired:{a}::{b}')}"


def _instead(listing: Listing) -> str:
    """What else there is, the most frequent endings first."""
    return f", but {listing.passed_over(3)}" if listing.passed else ""


def _known(listing: Listing) -> str:
    if ARCHIVES & listing.passed.keys():
        return "Give a .zip, .tar or .tar.gz itself; unpack other archives, and those in archives."
    return f"Known endings: {' '.join(ENDINGS)}."


def _refuse_mixture(place: Place, folders: list[str]) -> None:
    if folders:
        raise GanzooError(
            f"{place}: holds images beside folders of images ({escape(folders[0])})",
            "Keep either images only, or one folder per class only.",
        )
