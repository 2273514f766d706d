"""Emoji in three drawing styles, aligned by code point: 64x64 RGBA, served on white.

A row of captions.jsonl says of each emoji its id (code points), its CLDR group and its row in each style's file. Every
picture has one; those that CLDR puts into no group (families, skin tones, hair) are the class "Other".
"""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from ganzoo_core.data.dataset import DatasetInfo, Tensors, fingerprint
from ganzoo_core.data.locations import find, missing
from ganzoo_core.data.sets.emoji_subjects import SUBJECTS
from ganzoo_core.errors import GanzooError, escape
from ganzoo_core.seeds import hash32

SIZE = 64
STYLES = ("noto", "twemoji", "blob")
LICENCES = {"noto": "Apache-2.0", "twemoji": "CC-BY-4.0", "blob": "Apache-2.0", "all": "Apache-2.0 AND CC-BY-4.0"}
GROUPS = (
    "Activities and events", "Animals and nature", "Flags", "Food and drink", "Objects", "Other", "People",
    "Smileys and emotions", "Symbols", "Travel and places",
)  # fmt: skip
CAPTIONS = "captions.jsonl"
LARGEST = 256 << 20  # bytes of pictures unpacked; the largest true file has 62 MB
LARGEST_CAPTIONS = 16 << 20  # the true one has 1.1 MB
HELD_OUT = 10  # one base emoji in so many

Pixels = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]


class Row(NamedTuple):
    """One picture: which emoji, of which class (group, or style where all are of one group), in which style."""

    id: str
    label: int
    style: str
    caption: str  # CLDR's name


class Emoji(Tensors):
    """x and label; by index `ids`, `bases` (see `base_of`), `styles`, `captions`, and `held_out`, bool [N]."""

    def __init__(self, info: DatasetInfo, pixels: Tensor, rows: Sequence[Row]) -> None:
        super().__init__(info, {"x": pixels}, {"label": torch.tensor([row.label for row in rows])})
        self.ids = tuple(row.id for row in rows)
        self.styles = tuple(row.style for row in rows)
        self.captions = tuple(row.caption for row in rows)
        self.bases = tuple(base_of(row.id) for row in rows)
        self.held_out = torch.tensor([is_held_out(base) for base in self.bases])


def open_emoji(root: Path | None, variant: str, *, image_size: int | None = None, channels: int | None = None) -> Emoji:
    """x [n, C, size, size], 64 px and RGB unless asked, and label [n]: the CLDR group.

    Variants noto (the default), twemoji, blob, and all: these three, one after the other; noto_train and noto_test
    without and with nothing but the held-out emoji. Of one subject in all styles: see `open_emoji_subject`.
    """
    variant = variant or "noto"
    style, _, part = variant.partition("_")
    pixels, rows = _read(root, STYLES if style == "all" else (style,))
    if part:
        at = [i for i, row in enumerate(rows) if is_held_out(base_of(row.id)) == (part == "test")]
        pixels, rows = pixels[at], [rows[i] for i in at]
    name = "emoji" if variant == "noto" else f"emoji:{variant}"
    return _emoji(name, pixels, rows, GROUPS, LICENCES[style], image_size, channels)


def open_emoji_subject(
    root: Path | None, variant: str, *, image_size: int | None = None, channels: int | None = None
) -> Emoji:
    """x as above, and label [n]: the drawing style. Variants faces, people, animals, food, each in all styles.

    Each without the held-out emoji, and with "_test" of them alone: who is tested on is in no training picture, in
    whatever style, skin tone or gender.
    """
    subject, test = SUBJECTS[variant.removesuffix("_test")], variant.endswith("_test")
    pixels, rows = _read(root, STYLES)
    at = [
        i
        for i, row in enumerate(rows)
        if subject.has(row.id, GROUPS[row.label]) and is_held_out(base_of(row.id)) == test
    ]
    if not at:
        raise GanzooError(f"data set emoji:{variant}: the files here have no such emoji", "Fetch the published ones.")
    rows = [rows[i]._replace(label=STYLES.index(rows[i].style)) for i in at]
    return _emoji(f"emoji:{variant}", pixels[at], rows, STYLES, LICENCES["all"], image_size, channels)


def _emoji(
    name: str,
    pixels: Tensor,
    rows: Sequence[Row],
    classes: tuple[str, ...],
    licence: str,
    image_size: int | None,
    channels: int | None,
) -> Emoji:
    size, channels = image_size or SIZE, channels or 3
    info = DatasetInfo(
        name=name,
        keys=frozenset({"x", "label"}),
        image_size=size,
        channels=channels,
        classes=len(classes),
        class_names=classes,
        licence=licence,
        fingerprint=fingerprint("emoji", pixels, [row.label for row in rows], size, channels),
    )
    return Emoji(info, pixels, rows)


# Which pictures belong together


MAN, WOMAN, PERSON = "1f468", "1f469", "1f9d1"
JOINER, HEART, KISS_MARK, HANDSHAKE = "200d", "2764", "1f48b", "1f91d"
TONES = {"1f3fb", "1f3fc", "1f3fd", "1f3fe", "1f3ff"}
UNSEEN = {*TONES, "fe0f"}  # fe0f asks for colour, which all have
SUFFIXES = {"2640", "2642", "27a1"}  # a woman, a man, facing right
NEUTRAL = {
    MAN: PERSON, WOMAN: PERSON, "1f466": "1f9d2", "1f467": "1f9d2", "1f474": "1f9d3", "1f475": "1f9d3",
    "1f478": "1fac5", "1f934": "1fac5", "1f57a": "1f483", "1f936": "1f385", "1f930": "1fac4", "1fac3": "1fac4",
}  # fmt: skip # boy, girl; grandparents; princess, prince; dancers; Mr and Mrs Claus; pregnant
FAMILY = "1f46a"
WHOLE = {
    (PERSON, HANDSHAKE, PERSON): HANDSHAKE + "_people",
    ("1f46b",): HANDSHAKE + "_people",
    ("1f46c",): HANDSHAKE + "_people",
    ("1f46d",): HANDSHAKE + "_people",
    (PERSON, HEART, PERSON): "1f491",
    (PERSON, HEART, KISS_MARK, PERSON): "1f48f",
    ("1faf1", "1faf2"): HANDSHAKE,
    (PERSON, "1f384"): "1f385",
}  # couples, which are one code point without tones and several with them


def base_of(id: str) -> str:
    """The emoji without skin tone, gender and direction: what all variants of one picture have in common.

    `id` is code points in hexadecimal, joined by "_". A function of them alone.
    """
    seen = [point for point in id.split("_") if point not in UNSEEN]
    parts = "_".join(seen).split(f"_{JOINER}_")
    kept = tuple(NEUTRAL.get(part, part) for part in parts if part not in SUFFIXES)
    if len(kept) > 1 and set(kept) <= {PERSON, "1f9d2"}:
        return FAMILY
    return WHOLE.get(kept, "_".join(kept)) or id  # a bare skin tone is its own base


def is_held_out(base: str) -> bool:
    """Whether a base emoji belongs to the tenth that is kept for testing: a function of its name alone."""
    return hash32(0, f"emoji {base}") % HELD_OUT == 0


# Files


def _read(root: Path | None, styles: Sequence[str]) -> tuple[Tensor, list[Row]]:
    """Pixels on white, uint8 [N, 3, 64, 64], and what they show; styles one after the other."""
    wanted = [f"emoji64/{CAPTIONS}", *(f"emoji64/{style}64_rgba.npz" for style in styles)]
    found = [find(root, (file, file.removeprefix("emoji64/"))) for file in wanted]
    paths = [path for path in found if path is not None]
    if len(paths) < len(wanted):
        raise missing("emoji", root, wanted)
    captions, pixels, rows = _captions(paths[0]), [], list[Row]()
    for style, path in zip(styles, paths[1:], strict=True):
        images = _images(path)
        pixels.append(on_white(images))
        rows += _rows(captions, style, len(images), paths[0], path)
    return torch.cat(pixels), rows


def on_white(images: Pixels) -> Tensor:
    """uint8 RGBA [N, H, W, 4] to RGB [N, 3, H, W]: x = a rgb + (1 - a) white."""
    parts = []
    for at in range(0, len(images), 512):  # 16-bit copies of a whole set would be large
        lot = images[at : at + 512].astype(np.uint16)
        rgb, a = lot[..., :3], lot[..., 3:]
        parts.append(((rgb * a + 255 * (255 - a) + 127) // 255).astype(np.uint8))
    return torch.from_numpy(np.concatenate(parts)).permute(0, 3, 1, 2).contiguous()


def _images(path: Path) -> Pixels:
    """The array `images` of an .npz, uint8 [N, 64, 64, 4]."""
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo("images.npy").file_size > LARGEST:
                raise _damaged(path, f"unpacks to more than {LARGEST >> 20} MiB")
            with archive.open("images.npy") as array:
                images: Pixels = np.lib.format.read_array(array, allow_pickle=False)
    except KeyError as error:
        raise _damaged(path, "holds no array `images`") from error
    except (EOFError, MemoryError, NotImplementedError, RuntimeError, ValueError, zlib.error) as error:
        raise _damaged(path, error) from error
    except (OSError, zipfile.BadZipFile) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else error
        raise _damaged(path, why) from error
    if images.dtype != np.uint8 or images.shape[1:] != (SIZE, SIZE, 4) or len(images) == 0:
        found = f"`images` is {images.dtype} {list(images.shape)}"
        raise _damaged(path, f"{found}, not uint8 [N, {SIZE}, {SIZE}, 4]")
    return images


def _captions(path: Path) -> list[dict[str, Any]]:
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_CAPTIONS + 1)
    except OSError as error:
        raise _damaged(path, error.strerror or error) from error
    if len(data) > LARGEST_CAPTIONS:
        raise _damaged(path, f"has more than {LARGEST_CAPTIONS >> 20} MiB")
    return [_caption(path, number, line) for number, line in enumerate(data.splitlines(), 1) if line.strip()]


def _caption(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        row = json.loads(line)
        if (
            not isinstance(row["id"], str)
            or not isinstance(row["caption"], str)
            or (row["group"] or "Other") not in GROUPS
        ):
            raise ValueError(f"unknown group {escape(row['group'], 40)!r}, or no id")
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise _damaged(path, f"line {number}: {type(error).__name__}: {error}") from error
    return row  # type: ignore[no-any-return]


def _rows(captions: Sequence[dict[str, Any]], style: str, count: int, path: Path, images: Path) -> list[Row]:
    """What the `count` pictures of a style show, in their order; each must be named exactly once."""
    shown = [row for row in captions if row.get(style) is not None]
    at = [row[style] for row in shown if type(row[style]) is int]
    if len(at) != len(shown) or sorted(at) != list(range(count)):
        raise GanzooError(
            f"data set emoji: {escape(images)} holds {count} images, of which {escape(path)} names {len(shown)}:"
            " not files of one set",
            "Fetch both again.",
        )
    return [
        Row(row["id"], GROUPS.index(row["group"] or "Other"), style, row["caption"])
        for row in sorted(shown, key=lambda row: int(row[style]))
    ]


def _damaged(path: Path, why: object) -> GanzooError:
    return GanzooError(f"{escape(path)}: is damaged: {escape(why)}", "Delete it and fetch it again.")
