"""Pictures with words: `text` is UTF-8 bytes, uint8 [N, L], zero-padded; a model's own encoder reads them."""

from __future__ import annotations

import csv
import json
import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganzoo_core.data.emoji import TONES, open_emoji
from ganzoo_core.data.folder import open_folder
from ganzoo_core.data.source import Source, fingerprint
from ganzoo_core.errors import GanzooError, plain
from ganzoo_core.networks import encoded
from ganzoo_core.seeds import hash32

LENGTH = 80  # bytes of a caption: the longest of CLDR's has 80 with its skin tones, which are left out here
LONGEST = 1024  # bytes of a caption of one's own
LARGEST = 64 << 20  # bytes of a file of captions
TABLES = ("metadata.jsonl", "metadata.csv", "captions.jsonl", "captions.csv")
FLAGS = "Flags"
TONE = re.compile(r",? ?(?:medium-light|medium-dark|light|medium|dark) skin tone")


class Captioned(Source):
    """The pictures `rows` of a source, and a caption of each."""

    def __init__(self, name: str, source: Source, rows: Sequence[int], captions: Sequence[str], licence: str) -> None:
        self.source, self.rows, self.captions = source, rows, captions
        self.length = max([LENGTH, *(len(caption.encode()) for caption in captions)])
        self.facts = replace(
            source.facts,
            name=name,
            keys=frozenset({"x", "text"}),
            classes=None,
            class_names=(),
            licence=licence,
            fingerprint=fingerprint(source.facts.fingerprint, "captions", rows, *captions),
        )

    def __len__(self) -> int:
        return len(self.rows)

    def fetch(self, indices: Sequence[int]) -> dict[str, Tensor]:
        x = self.source.fetch([self.rows[i] for i in indices])["x"]
        return {"x": x, "text": encoded([self.captions[i] for i in indices], self.length)}


class Coloured(Captioned):
    """Captions that name the colour, in training: of five pictures three have their hues turned, and one is as it is.

    Else a caption says what it shows and hardly ever in which colour, and no model could learn these words.
    """

    def draw(self, indices: Sequence[int], rolls: Sequence[int]) -> dict[str, Tensor]:
        batch = self.fetch(indices)
        if self.facts.channels != 3:
            return batch
        captions = [self.captions[i] for i in indices]
        for k, roll in enumerate(rolls):
            x, colour = recoloured(batch["x"][k], roll)
            if colour:
                batch["x"][k], captions[k] = x, recaptioned(captions[k], colour)
        return {"x": batch["x"], "text": encoded(captions, self.length)}


def open_emoji_captions(
    root: Path | None, variant: str, *, image_size: int | None = None, channels: int | None = None
) -> Source:
    """x [n, C, size, size] (Noto) and text [n, 80]: CLDR's names; no flags, and nobody twice in several skin tones.

    "captions" has the emoji that are trained on, "captions_test" those that are held out.
    """
    emoji = open_emoji(root, "noto", image_size=image_size, channels=channels)
    test = variant.endswith("_test")
    flags = emoji.facts.class_names.index(FLAGS)
    labels = emoji.fetch(range(len(emoji)))["label"].tolist()
    tone = [not TONES.isdisjoint(id.split("_")) for id in emoji.ids]
    rows = [i for i, out in enumerate(emoji.held_out.tolist()) if out == test and labels[i] != flags and not tone[i]]
    captions = [spoken(emoji.captions[i]) for i in rows]
    return Coloured(f"emoji:{variant}", emoji, rows, captions, f"{emoji.facts.licence} AND Unicode-3.0")


def spoken(caption: str) -> str:
    """CLDR's name without skin tones: "man: light skin tone, red hair" is "man: red hair"."""
    return TONE.sub("", caption).replace(":,", ":").rstrip(": ,").lower()


# Colours


HUES = (  # where each begins, in degrees
    (0, "red"), (15, "orange"), (40, "yellow"), (68, "green"), (165, "blue"), (255, "purple"), (320, "pink"),
    (345, "red"),
)  # fmt: skip
COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "pink")
OTHERS = ("brown", "black", "white", "grey")
MIDDLES = ((-10, 10), (19, 36), (44, 64), (82, 150), (179, 241), (265, 310), (324, 341))  # of these, for certain
SATURATED, MOST = 0.35, 0.5  # what counts as coloured; how much of a picture must be so, and of one hue


def hsv(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Hue in [0, 1), saturation and value in [0, 1] of x [..., 3, H, W] in [-1, 1]."""
    rgb = ((x + 1) / 2).clamp(0, 1)
    value, which = rgb.max(-3)
    chroma = value - rgb.amin(-3)
    r, g, b = rgb.unbind(-3)
    safe = chroma.clamp(min=1e-6)
    sextant = torch.where(
        which == 0, (g - b) / safe % 6, torch.where(which == 1, (b - r) / safe + 2, (r - g) / safe + 4)
    )
    return sextant / 6 % 1, chroma / value.clamp(min=1e-6), value


def turn_hue(x: Tensor, by: float) -> Tensor:
    """x [..., 3, H, W] with every hue turned by a part of the circle; saturation and value stay."""
    hue, saturation, value = hsv(x)
    hue = (hue + by) % 1 * 6
    shifts = torch.tensor([5.0, 3.0, 1.0]).view(3, 1, 1)
    k = (shifts + hue.unsqueeze(-3)) % 6
    rgb = value.unsqueeze(-3) * (1 - saturation.unsqueeze(-3) * torch.minimum(k, 4 - k).clamp(0, 1))
    return 2 * rgb - 1


def recoloured(x: Tensor, roll: int) -> tuple[Tensor, str]:
    """A picture [3, H, W] and its colour word: "" for a fifth; three fifths are turned, to every colour alike."""
    way = hash32(roll, "way") % 5
    if way > 1:
        which = hash32(roll, "colour") % len(COLOURS)
        start, end = MIDDLES[which]
        x = turn_hue(x, (start + (end - start) * hash32(roll, "hue") / 2**32) / 360 - prevailing(x))
    return x, colour_of(x) if way else ""


def prevailing(x: Tensor) -> float:
    """The mean of hues round the circle, in [0, 1), of what is coloured.  [3, H, W]"""
    hue, saturation, value = hsv(x)
    weight = ((saturation > SATURATED) & (value > 0.2)).float()
    angle = 2 * math.pi * hue
    return math.atan2(float((weight * angle.sin()).sum()), float((weight * angle.cos()).sum())) / (2 * math.pi) % 1


def colour_of(x: Tensor) -> str:
    """The colour word of a picture [3, H, W] on white, or "" where it is of several or of none."""
    hue, saturation, value = hsv(x)
    drawn = (saturation > 0.1) | (value < 0.9)
    coloured = drawn & (saturation > SATURATED) & (value > 0.2)
    if not int(drawn.sum()) or float(coloured.sum() / drawn.sum()) < MOST:
        return ""
    bounds = torch.tensor([start / 360 for start, _ in HUES[1:]])
    bins = torch.bucketize(hue[coloured], bounds, right=True) % (len(HUES) - 1)
    counts = torch.bincount(bins, minlength=len(COLOURS))
    return COLOURS[int(counts.argmax())] if float(counts.max() / counts.sum()) >= MOST else ""


def recaptioned(caption: str, colour: str) -> str:
    """The caption with this colour word in place of its own, or in front."""
    words = caption.split(" ")
    for i, word in enumerate(words):
        if word in COLOURS or word in OTHERS:
            return " ".join([*words[:i], colour, *words[i + 1 :]])
    return f"{colour} {caption}"


# One's own pictures


def open_captions(path: str, options: Mapping[str, Any]) -> Source:
    """A folder of images with metadata.jsonl (file_name, text) or metadata.csv: x and text."""
    folder = open_folder(path, **options)
    table = next((p for p in (os.path.join(folder.root, name) for name in TABLES) if os.path.isfile(p)), "")
    if not table:
        raise GanzooError(f"folder {plain(path)}: has no captions", f"Write {TABLES[0]}: a line per image, "
                          '{"file_name": "a.png", "text": "a red heart"}.')  # fmt: skip
    said = captions_of(table)
    silent = [name for name in folder.names if name not in said]
    if silent:
        raise GanzooError(
            f"{plain(table)}: says nothing of {len(silent):,} images: {plain(silent[0], 80)}", "Add them."
        )
    return Captioned(folder.facts.name, folder, range(len(folder)), [said[name] for name in folder.names], "")


def captions_of(table: str) -> dict[str, str]:
    """File name -> caption."""
    try:
        if os.path.getsize(table) > LARGEST:
            raise GanzooError(f"{plain(table)}: has more than {LARGEST >> 20} MiB")
        with open(table, encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file)) if table.endswith(".csv") else [json.loads(s) for s in file if s.strip()]
        said = {row["file_name"]: row["text"] for row in rows}
    except (KeyError, TypeError, ValueError, RecursionError, csv.Error) as error:
        raise GanzooError(
            f"{plain(table)}: is no table of captions: {type(error).__name__}: {plain(error, 80)}",
            "Every row needs file_name and text.",
        ) from None
    except OSError as error:
        raise GanzooError(f"{plain(table)}: cannot be read: {error.strerror}") from None
    for name, text in said.items():
        if not isinstance(text, str) or not text.strip() or len(text.encode()) > LONGEST:
            raise GanzooError(f"{plain(table)}: {plain(name, 80)}: no caption of 1 to {LONGEST} bytes")
    return said
