"""Emoji with their names, whose colour words are made to mean something in training."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from ganzoo_core.data.dataset import Dataset
from ganzoo_core.data.sets.emoji import TONES, open_emoji
from ganzoo_core.data.views.captions import Captioned
from ganzoo_core.seeds import hash32
from ganzoo_core.text import encode_text

FLAGS = "Flags"


TONE = re.compile(r",? ?(?:medium-light|medium-dark|light|medium|dark) skin tone")


class Coloured(Captioned):
    """Captions that name the colour, in training: of five pictures three have their hues turned, and one is as it is.

    Else a caption says what it shows and hardly ever in which colour, and no model could learn these words.
    """

    def fetch_augmented(self, indices: Sequence[int], augment_seeds: Sequence[int]) -> dict[str, Tensor]:
        batch = self.fetch(indices)
        if self.info.channels != 3:
            return batch
        captions = [self.captions[i] for i in indices]
        for k, augment_seed in enumerate(augment_seeds):
            x, colour = recoloured(batch["x"][k], augment_seed)
            if colour:
                batch["x"][k], captions[k] = x, recaptioned(captions[k], colour)
        return {"x": batch["x"], "text": encode_text(captions, self.length)}


def open_emoji_captions(
    root: Path | None, variant: str, *, image_size: int | None = None, channels: int | None = None
) -> Dataset:
    """x [n, C, size, size] (Noto) and text [n, 80]: CLDR's names; no flags, and nobody twice in several skin tones.

    "captions" has the emoji that are trained on, "captions_test" those that are held out.
    """
    emoji = open_emoji(root, "noto", image_size=image_size, channels=channels)
    test = variant.endswith("_test")
    flags = emoji.info.class_names.index(FLAGS)
    labels = emoji.fetch(range(len(emoji)))["label"].tolist()
    tone = [not TONES.isdisjoint(id.split("_")) for id in emoji.ids]
    rows = [i for i, out in enumerate(emoji.held_out.tolist()) if out == test and labels[i] != flags and not tone[i]]
    captions = [spoken(emoji.captions[i]) for i in rows]
    return Coloured(f"emoji:{variant}", emoji, rows, captions, f"{emoji.info.licence} AND Unicode-3.0")


def spoken(caption: str) -> str:
    """CLDR's name without skin tones: "man: light skin tone, red hair" is "man: red hair"."""
    return TONE.sub("", caption).replace(":,", ":").rstrip(": ,").lower()


HUES = (  # where each begins, in degrees
    (0, "red"), (15, "orange"), (40, "yellow"), (68, "green"), (165, "blue"), (255, "purple"), (320, "pink"),
    (345, "red"),
)  # fmt: skip


COLOURS = ("red", "orange", "yellow", "green", "blue", "purple", "pink")


OTHERS = ("brown", "black", "white", "grey")


MIDDLES = ((-10, 10), (19, 36), (44, 64), (82, 150), (179, 241), (265, 310), (324, 341))  # of these, for certain


SATURATED = 0.35  # what counts as coloured


MOST = 0.5  # how much of a picture must be so, and of one hue


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


def recoloured(x: Tensor, augment_seed: int) -> tuple[Tensor, str]:
    """A picture [3, H, W] and its colour word: "" for a fifth; three fifths are turned, to every colour alike."""
    way = hash32(augment_seed, "way") % 5
    if way > 1:
        which = hash32(augment_seed, "colour") % len(COLOURS)
        start, end = MIDDLES[which]
        x = turn_hue(x, (start + (end - start) * hash32(augment_seed, "hue") / 2**32) / 360 - prevailing(x))
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
