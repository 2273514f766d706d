"""Pictures on their way into a model and out of it: --input, --mask, --size, before beside after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, get_type_hints

import torch
from torch import Tensor
from torch.nn.functional import interpolate

from ganzoo_core.data.decoding import BadImage, decode, resized, whole
from ganzoo_core.data.listing import list_images
from ganzoo_core.data.pixels import to_float
from ganzoo_core.errors import GanzooError, OutsideFault, plain
from ganzoo_core.networks import Generator

PICTURE, MASK = "image", "mask"  # options of `sample` that take pictures where no input is declared


class Sizes(NamedTuple):
    """--size: what a picture is cut to, about its centre, and resized to."""

    width: int
    height: int


def size_of(text: str) -> Sizes | None:
    """256 or 320x240; "" for as it is."""
    if not text:
        return None
    width, _, height = text.partition("x")
    try:
        sizes = Sizes(int(width), int(height or width))
    except ValueError:
        sizes = Sizes(0, 0)
    if not all(1 <= side <= 8192 for side in sizes):
        raise GanzooError(f"--size {plain(text, 40)}: is no size", "Give pixels: 256, or 320x240.")
    return sizes


def files_of(inputs: Sequence[str]) -> list[Path]:
    """The image files that are named, and those of folders, in order of their names."""
    files: list[Path] = []
    for name in inputs:
        path = Path(name)
        if path.is_dir():
            listing = list_images(name, follow_links=False)
            files += [Path(listing.root, image) for image in listing.names]
        else:
            files.append(path)
    return files


def read(path: Path, channels: int, size: Sizes | None) -> Tensor:
    """[1, C, H, W] in [-1, 1]; what is transparent lies on white."""
    try:
        cut = None if size is None else lambda image, _: fitted(image, size)
        return to_float(torch.from_numpy(decode(str(path), 0, channels, cut or whole)))[None]
    except BadImage as error:
        raise GanzooError(f"{plain(path)}: {error}", "Give a picture.") from None
    except FileNotFoundError:
        raise GanzooError(f"{plain(path)}: no such file or folder") from None
    except OSError as error:
        raise OutsideFault(f"{plain(path)}: {error.strerror}") from None


def fitted(image: Any, size: Sizes) -> Any:
    """The largest part of that shape about the centre, resized."""
    scale = min(image.width / size.width, image.height / size.height)
    width, height = max(1, round(size.width * scale)), max(1, round(size.height * scale))
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return resized(image.crop((left, top, left + width, top + height)), *size)


def place(net: Generator, kind: str) -> tuple[str, int] | None:
    """The name and the channels of the input that takes a picture, or a mask; else of such an option of `sample`."""
    for name, declared in net.inputs.items():
        if declared.kind == kind:
            return name, declared.shape[0] or 3
    hint = get_type_hints(type(net).sample).get(kind)
    channels = 1 if kind == MASK else net.output.shape[0] or 3
    return (kind, channels) if hint == Tensor | None else None


def given(net: Generator, file: Path | None, mask: str, size: Sizes | None) -> dict[str, Tensor]:
    """One picture and one mask by the names of the inputs that take them. White of a mask is the hole."""
    found = {}
    if file is not None:
        name, channels = wanted(net, PICTURE, "--input")
        found[name] = read(file, channels, size)
    if mask:
        name, _ = wanted(net, MASK, "--mask")
        found[name] = (read(Path(mask), 1, size) > 0).float()
    return found


def told(net: Generator, text: str) -> dict[str, str]:
    """A text by the name of the input that takes it."""
    if not text:
        return {}
    for name, declared in net.inputs.items():
        if declared.kind == "text":
            return {name: text}
    raise GanzooError(f"--text {plain(text, 40)}: this model takes no text", "Leave it out.")


def slug(file: Path | None, text: str) -> str:
    """What a picture of them is called."""
    words = "".join(c if c.isalnum() else "_" for c in text.lower()).strip("_")[:60]
    return "-".join(filter(None, [file.stem if file else "", words]))


def wanted(net: Generator, kind: str, option: str) -> tuple[str, int]:
    where = place(net, kind)
    if where is None:
        raise GanzooError(f"{option}: this model takes no {kind}", "Leave it out.")
    return where


def refuse_without(net: Generator, inputs: Sequence[str], texts: Sequence[str]) -> None:
    """A model that needs pictures or words says how to give them."""
    needed = {i.kind for i in net.inputs.values() if i.default is None}
    if PICTURE in needed and not inputs:
        raise GanzooError("this model makes pictures out of pictures, and none is given", "--input FILE, or a folder.")
    if "text" in needed and not texts:
        raise GanzooError("this model makes pictures out of words, and none are given", '--text "a red heart".')


def before(net: Generator, fed: Mapping[str, Tensor], after: Tensor) -> Tensor:
    """The picture that was given, as large as what was made of it."""
    where = place(net, PICTURE)
    assert where is not None
    return interpolate(fed[where[0]], after.shape[-2:]).expand(len(after), after.shape[1], -1, -1)
