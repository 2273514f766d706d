"""Examples and batches that a Python user brings, in the forms that people have, as tables of tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL.Image import Image
from torch import Tensor
from torch.nn.functional import pad

from ganzoo_core.data.pixels import to_float
from ganzoo_core.decoding import pixels_of, whole
from ganzoo_core.errors import GanzooError, escape, tell_user
from ganzoo_core.nn.generator import Generator
from ganzoo_core.objectives.objective import Objective
from ganzoo_core.text import encode_text

NAMES = {  # what others call it -> our key
    "image": "x", "images": "x", "img": "x", "pixel_values": "x", "picture": "x",
    "labels": "label", "class": "label", "target": "label", "fine_label": "label",
    "caption": "text", "captions": "text", "prompt": "text",
}  # fmt: skip
AS_THEY_ARE = frozenset({"mask", "text", "label", "index", "flow"})  # whose numbers are no pictures
TEXT_BYTES = 256  # of a string among examples, unless it is longer
SLACK = 0.05  # beyond [-1, 1], by which resizing overshoots
EXAMPLE_DIMS = {"x": (1, 3), "video": (4,)}  # of one: points or pictures, clips


class Reader(NamedTuple):
    """Reads an example, or a batch: tensors, arrays, PIL pictures, pairs (x, label), tables of them.

    PIL pictures are cut and resized as a folder's are, to `image_size` and `channels` where these are known. Bytes
    (uint8) are taken for pictures in 0..255 and scaled to [-1, 1]; in arrays the channels may come last. Labels must
    lie in 0 ... `classes` - 1, where that is known.
    """

    image_size: int | None = None
    channels: int | None = None
    classes: int | None = None

    def __call__(self, item: Any) -> dict[str, Tensor]:
        """Errors: GanzooError for what is nothing of the kind."""
        single = is_example(item)
        table = {key: self.tensor(key, value, single) for key, value in named(item).items()}
        read = {key: value for key, value in table.items() if value is not None}
        self.refuse_label(read.get("label"))
        if not read:
            raise GanzooError(
                f"your data: an example is a {type(item).__name__}, in which there are no tensors",
                'Give tensors, arrays or PIL pictures, pairs (x, label), or tables {"x": ..., "label": ...}.',
            )
        return read

    def refuse_label(self, label: Tensor | None) -> None:
        """Errors: GanzooError for a label that is none of the classes."""
        if label is None or not self.classes or not label.numel() or label.is_floating_point():
            return
        low, high = int(label.min()), int(label.max())
        if not 0 <= low <= high < self.classes:
            what = f"your data: a label is {low if low < 0 else high}, and the networks take {self.classes} classes"
            raise GanzooError(what, f"Make them with classes={high + 1}." if low >= 0 else "Count classes from 0.")

    def tensor(self, key: str, value: Any, single: bool) -> Tensor | None:
        """None for what is no tensor (ids, file names, nothing at all), which nobody reads."""
        if isinstance(value, Image):
            return to_float(torch.from_numpy(self.pixels(value)))
        if isinstance(value, str) or is_text(value):
            return text_tensor(value, single) if key == "text" else None
        try:
            found = torch.as_tensor(np.ascontiguousarray(value) if isinstance(value, np.ndarray) else value)
        except (TypeError, ValueError, RuntimeError):
            return None
        if isinstance(value, np.ndarray) and found.ndim >= 3:
            found = channels_first(found)
        if found.dtype == torch.uint8 and found.ndim >= 2 and key not in AS_THEY_ARE:
            return to_float(channels_first(found))
        if found.dtype == torch.float64 or (found.dtype == torch.bool and found.ndim >= 2):
            return found.float()
        return found

    def pixels(self, picture: Image) -> Any:
        channels = self.channels or (1 if picture.mode in ("1", "L", "I", "I;16") else 3)
        return pixels_of(picture, self.image_size or 0, channels, None if self.image_size else whole)


def text_tensor(value: str | Sequence[str], single: bool) -> Tensor:
    """UTF-8 bytes, uint8 [L] of an example, whose first caption is taken, or [n, L] of a batch."""
    words = [value] if isinstance(value, str) else list(value)
    encoded = encode_text(words, max(TEXT_BYTES, *(len(word.encode()) for word in words)))
    return encoded[0] if single or isinstance(value, str) else encoded


def same_length(texts: Sequence[Tensor]) -> list[Tensor]:
    """uint8 [..., L], zero-padded to the longest."""
    longest = max(text.shape[-1] for text in texts)
    return [pad(text, (0, longest - text.shape[-1])) for text in texts]


def named(item: Any) -> dict[str, Any]:
    """By our keys: the first is x and the second label, or text, where they have no names."""
    if isinstance(item, Mapping):
        return {NAMES.get(key, key): value for key, value in item.items() if isinstance(key, str)}
    if isinstance(item, (tuple, list)):
        second = "text" if len(item) > 1 and (isinstance(item[1], str) or is_text(item[1])) else "label"
        return dict(zip(("x", second), item, strict=False))
    return {"x": item}


def is_text(value: Any) -> bool:
    """Whether it is several strings."""
    return isinstance(value, (list, tuple)) and len(value) > 0 and all(isinstance(word, str) for word in value)


def channels_first(pixels: Tensor) -> Tensor:
    """[H, W], [..., H, W, C] or [..., C, H, W] -> [..., C, H, W]."""
    if pixels.ndim == 2:
        return pixels[None]
    last = pixels.shape[-1] in (1, 3, 4) and pixels.shape[-3] not in (1, 3, 4)
    return pixels.movedim(-1, -3).contiguous() if last else pixels


def check_batch(batch: Mapping[str, Tensor], game: Objective) -> None:
    """The first batch of data that nobody has looked at. Errors: GanzooError for one without what the game needs."""
    missing = game.needs - batch.keys() - {"index"}
    if missing:
        what = f"your data: has {', '.join(map(escape, batch))} and no {', '.join(sorted(missing))}"
        raise GanzooError(f"{what}, which {type(game).__name__} needs", 'Give pairs (x, label), or tables {"x": ...}.')
    ranges = [module.output.range for module in game.modules() if isinstance(module, Generator)]
    if ranges and all(given == (-1.0, 1.0) for given in ranges):
        for key, value in batch.items():
            if value.is_floating_point() and value.ndim >= 4 and key not in AS_THEY_ARE:
                check_range(key, value)


def check_range(key: str, pictures: Tensor) -> None:
    """Warns of pictures [n, ...] that may lie in [0, 1]. Errors: GanzooError for values beyond [-1, 1]."""
    low, high = float(pictures.min()), float(pictures.max())
    what = f"your data: {escape(key, 40)} has values from {low:.3g} to {high:.3g}, and G draws in [-1, 1]"
    if not -1 - SLACK <= low <= high <= 1 + SLACK:
        raise GanzooError(what, "Scale it: x / 127.5 - 1 of 0..255, 2 * x - 1 of 0..1. Bytes (uint8) are scaled here.")
    if low >= 0:
        tell_user(f"warning: {what}: is it in [0, 1]? Then scale it, 2 * x - 1")


def is_example(item: Any) -> bool:
    """Whether it is one example, rather than a batch of them: by the dimensions of what it holds."""
    for key, value in named(item).items():
        if isinstance(value, Image):
            return True
        dims = getattr(value, "ndim", None)
        if key in EXAMPLE_DIMS and dims is not None:
            bytes_of_gray = dims == 2 and str(getattr(value, "dtype", "")).endswith("uint8")
            return dims in EXAMPLE_DIMS[key] or bytes_of_gray
    return False


def stacked(examples: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """A batch [n, ...] of examples. Errors: GanzooError for examples that differ in keys or sizes."""
    if all("text" in example and example["text"].ndim == 1 for example in examples):
        texts = same_length([example["text"] for example in examples])
        examples = [{**example, "text": text} for example, text in zip(examples, texts, strict=True)]
    first = examples[0]
    for example in examples:
        for key in first.keys() | example.keys():
            shapes = [[*t[key].shape] if key in t else "nothing" for t in (example, first)]
            if shapes[0] != shapes[1]:
                raise GanzooError(
                    f"your data: {escape(key, 40)} is {shapes[0]} in one example and {shapes[1]} in another",
                    "Resize pictures to one size, and give every example the same keys.",
                )
    return {key: torch.stack([example[key] for example in examples]) for key in first}
