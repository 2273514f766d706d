"""Emoji two at a time: one drawing style beside another, or a sketch or a gray copy beside the drawing itself.

Base emoji are either trained on or held out (`emoji.is_held_out`), so no test picture is a variant of a training one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import conv2d, pad

from ganzoo_core.data.catalog import EMOJI_PAIRS, EMOJI_SUBJECTS
from ganzoo_core.data.dataset import Dataset, fingerprint
from ganzoo_core.data.sets.emoji import Emoji, open_emoji, open_emoji_subject
from ganzoo_core.data.sets.emoji_captions import open_emoji_captions
from ganzoo_core.data.views.pairs import Pairs, Unpaired, as_is, jittered, mirrored
from ganzoo_core.seeds import hash32

UNPAIRED = {"unpaired": "noto2blob", "unpaired_twemoji": "twemoji2noto"}
FULL = 0.5  # the contrast, as a part of white minus black, from which an edge is drawn black


def open_emoji_variant(
    root: Path | None, variant: str, *, image_size: int | None = None, channels: int | None = None
) -> Dataset:
    """Any variant of `emoji`: single pictures (see `open_emoji`), of one subject, with captions, or pairs."""
    ways: dict[str, Callable[..., Dataset]] = {
        "captions": open_emoji_captions,
        **dict.fromkeys(EMOJI_SUBJECTS, open_emoji_subject),
        **dict.fromkeys(EMOJI_PAIRS, open_emoji_pairs),
    }
    way = ways.get(variant.removesuffix("_test"), open_emoji)
    return way(root, variant, image_size=image_size, channels=channels)


def open_emoji_pairs(
    root: Path | None, variant: str, *, image_size: int | None = None, channels: int | None = None
) -> Dataset:
    """a and b [n, C, size, size], 64 px and RGB unless asked.

    noto2blob, noto2twemoji, twemoji2noto: the same emoji in two styles; edges2noto, gray2noto: what is left of a
    drawing, and the drawing; unpaired, unpaired_twemoji: a Noto and a blob, a Twemoji and a Noto, of disjoint halves.
    Each without the held-out emoji, and with "_test" of them alone, where those of "unpaired" are true pairs.

    Twemoji reach the border, and the others leave a margin: beside them, nothing is enlarged.
    """
    name, test = variant.removesuffix("_test"), variant.endswith("_test")
    first, _, second = UNPAIRED.get(name, name).partition("2")
    augment = as_is if test else mirrored if "twemoji" in (first, second) else jittered
    b = open_emoji(root, second, image_size=image_size, channels=channels)
    if first in SEEN:
        rows = [(i, i) for i, held_out in enumerate(b.held_out.tolist()) if held_out == test]
        return Pairs(f"emoji:{variant}", Seen(b, first), b, rows, augment)
    a = open_emoji(root, first, image_size=image_size, channels=channels)
    if variant in UNPAIRED:
        return Unpaired(f"emoji:{variant}", a, b, half(a, 0), half(b, 1), augment)
    at = {id: i for i, id in enumerate(b.ids)}
    shared = [(i, at[id]) for i, id in enumerate(a.ids) if id in at and bool(a.held_out[i]) == test]
    return Pairs(f"emoji:{variant}", a, b, shared, augment)


def half(emoji: Emoji, which: int) -> list[int]:
    """Rows of one half of the base emoji that are trained on."""
    halves = [hash32(1, f"emoji {base}") % 2 for base in emoji.bases]
    return [i for i, held_out in enumerate(emoji.held_out.tolist()) if not held_out and halves[i] == which]


class Seen(Dataset):
    """The pictures of `source` as less: edges, or gray."""

    def __init__(self, source: Dataset, how: str) -> None:
        self.source, self.see = source, SEEN[how]
        self.info = replace(source.info, fingerprint=fingerprint(source.info.fingerprint, how, 1))

    def __len__(self) -> int:
        return len(self.source)

    def fetch(self, indices: Sequence[int]) -> dict[str, Tensor]:
        return {"x": self.see(self.source.fetch(indices)["x"])}


def edges(x: Tensor) -> Tensor:
    """A sketch: black where neighbours differ much in any colour, white where they are alike.  [n, C, H, W]

    The length of Sobel's gradient, which is 1 for a step of FULL from one pixel to the next.
    """
    n, channels, height, width = x.shape
    across = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]]) / 4
    kernels = torch.stack([across, across.T])[:, None]
    planes = pad(x.reshape(-1, 1, height, width), (1, 1, 1, 1), mode="replicate")
    slope = conv2d(planes, kernels).square().sum(1).sqrt() / (2 * FULL)
    strongest = slope.reshape(n, channels, height, width).amax(1, keepdim=True)
    return (1 - 2 * strongest.clamp(max=1)).expand_as(x).contiguous()


def gray(x: Tensor) -> Tensor:
    """Its luma (ITU-R 601) in every channel."""
    if x.shape[1] == 1:
        return x
    r, g, b = x.unbind(1)
    return (0.299 * r + 0.587 * g + 0.114 * b)[:, None].expand_as(x).contiguous()


SEEN: dict[str, Callable[[Tensor], Tensor]] = {"edges": edges, "gray": gray}
