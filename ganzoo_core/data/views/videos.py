"""A folder or an archive of moving pictures: GIFs, films, and sub-folders whose pictures are the frames of one clip."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ganzoo_core.data.dataset import KEPT_BYTES, Dataset, DatasetInfo, fingerprint
from ganzoo_core.data.films import ANIMATIONS, FILMS, MOST, Frames, read_frames
from ganzoo_core.data.folder.archive import is_archive, open_archive
from ganzoo_core.data.folder.directory import Directory
from ganzoo_core.data.folder.places import Place
from ganzoo_core.data.pixels import to_float
from ganzoo_core.decoding import BadImage, decode
from ganzoo_core.errors import ExternalError, GanzooError, escape
from ganzoo_core.files import as_text
from ganzoo_core.seeds import hash32

SIZE = 64
NAMED = 3  # bad clips that a message names


class Clip(NamedTuple):
    """One clip of a place: a file, or a folder's pictures in the order of their numbers."""

    name: str
    files: tuple[str, ...]


class Videos(Dataset):
    """`frames` in a row of each clip: the first ones, in training from anywhere. Kept as uint8 if there is room."""

    def __init__(self, place: Place, clips: Sequence[Clip], frames: int, size: int, channels: int, skip: bool) -> None:
        self.place, self.frames, self.size, self.channels = place, frames, size, channels
        self.clips, self.kept, self.lengths = list[Clip](), dict[int, Frames](), list[int]()
        digests, bad, room = list[str](), list[str](), KEPT_BYTES
        for clip in clips:
            try:
                pixels = self.enough(clip)
            except BadImage as fault:
                bad.append(f"{escape(clip.name)}: {fault}")
                continue
            room -= pixels.nbytes
            if room >= 0:
                self.kept[len(self.clips)] = pixels
            self.clips.append(clip)
            self.lengths.append(len(pixels))
            digests.append(fingerprint(torch.from_numpy(pixels)))
        self.refuse(bad, skip)
        self.skipped = len(bad)
        self.info = DatasetInfo(
            name=os.path.basename(os.path.abspath(as_text(place.path))),
            keys=frozenset({"video"}),
            image_size=size,
            channels=channels,
            classes=None,
            class_names=(),
            licence="",
            fingerprint=fingerprint("videos", frames, size, channels, *digests),
        )

    def refuse(self, bad: Sequence[str], skip: bool) -> None:
        if not self.clips and not bad:
            known = " ".join((*ANIMATIONS, *FILMS))
            raise GanzooError(
                f"{self.place}: holds no clips", f"Give {known}, or a sub-folder of frames for each clip."
            )
        if bad and (not skip or not self.clips):
            more = f"; and {len(bad) - NAMED:,} more" if len(bad) > NAMED else ""
            what = f"{self.place}: {len(bad)} bad clips: {'; '.join(bad[:NAMED])}{more}"
            raise GanzooError(what, "Remove them, or leave them out with --on-bad-image skip.")

    def __len__(self) -> int:
        return len(self.clips)

    def fetch(self, indices: Sequence[int]) -> dict[str, Tensor]:
        return self.cut(indices, [0] * len(indices))

    def fetch_augmented(self, indices: Sequence[int], augment_seeds: Sequence[int]) -> dict[str, Tensor]:
        rooms = [self.lengths[i] - self.frames + 1 for i in indices]
        return self.cut(indices, [hash32(s, "start") % room for s, room in zip(augment_seeds, rooms, strict=True)])

    def cut(self, indices: Sequence[int], starts: Sequence[int]) -> dict[str, Tensor]:
        """The clips from these frames on."""
        found = [self.whole(i)[start : start + self.frames] for i, start in zip(indices, starts, strict=True)]
        return {"video": to_float(torch.from_numpy(np.stack(found)))}

    def whole(self, index: int) -> Frames:
        """All frames of a clip. Errors: GanzooError where it has turned bad, ExternalError where it has gone."""
        if index in self.kept:
            return self.kept[index]
        clip = self.clips[index]
        try:
            return self.enough(clip)
        except BadImage as fault:
            raise GanzooError(f"{escape(self.place.where(clip.name))}: {fault}", "Replace or remove it.") from None
        except OSError as fault:
            what = f"{escape(self.place.where(clip.name))}: could be read before and cannot now: {fault.strerror}"
            raise ExternalError(what, "Restore it; a run goes on where it was saved with --resume.") from None

    def enough(self, clip: Clip) -> Frames:
        """Errors: BadImage for a clip that is too short."""
        pixels = read_clip(self.place, clip, self.size, self.channels)
        if len(pixels) < self.frames:
            raise BadImage(f"has {len(pixels)} frames, and {self.frames} are wanted")
        return pixels


def read_clip(place: Place, clip: Clip, size: int, channels: int) -> Frames:
    """uint8 [T, C, size, size]. Errors: BadImage, OSError."""
    if clip.files == (clip.name,):
        with place.open(clip.name) as file:
            return read_frames(file, os.path.splitext(clip.name)[1], size, channels)
    return np.stack([read_frame(place, name, size, channels) for name in clip.files[:MOST]])


def read_frame(place: Place, name: str, size: int, channels: int) -> Frames:
    with place.open(name) as file:
        return decode(file, size, channels)


def clips_of(place: Place) -> Iterator[Clip]:
    """Every animation and film; and of every sub-folder its other pictures, as one clip."""
    found = sorted((found for found in place.walk("") if found.kind in ("image", "passed")), key=lambda f: f.name)
    folders = dict[str, list[str]]()
    for one in found:
        folder, _, _ = one.name.rpartition("/")
        if one.name.lower().endswith((*ANIMATIONS, *FILMS)):
            yield Clip(one.name, (one.name,))
        elif one.kind == "image" and folder:
            folders.setdefault(folder, []).append(one.name)
    for folder, names in folders.items():
        yield Clip(folder, tuple(sorted(names, key=numbered)))


def numbered(name: str) -> list[tuple[int, str]]:
    """A key by which frame2 comes before frame10."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]


def open_videos(path: str, options: Mapping[str, Any], frames: int = 16) -> Dataset:
    """video [n, frames, C, size, size], 64 px and RGB unless asked, of a folder or an archive of clips.

    Errors: GanzooError for a place without clips, and for bad ones unless they are to be skipped.
    """
    where = os.path.expanduser(path)
    if not os.path.isdir(where) and not is_archive(where):
        raise GanzooError(f"videos:{escape(path)}: is neither a folder nor an archive", "Give a folder of clips.")
    follow = options.get("follow_links", False)
    place: Place = Directory(where, follow_links=follow) if os.path.isdir(where) else open_archive(where)
    size, channels = options.get("image_size") or SIZE, options.get("channels") or 3
    return Videos(place, [*clips_of(place)], frames, size, channels, options.get("on_bad_image") == "skip")


open_videos8 = partial(open_videos, frames=8)
open_videos32 = partial(open_videos, frames=32)
