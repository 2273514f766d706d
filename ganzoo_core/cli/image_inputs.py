"""Pictures on their way into a model and out of it: --input, --mask, --size, before beside after."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, get_type_hints

from torch import Tensor
from torch.nn.functional import interpolate, pad

from ganzoo_core.data.folder.directory import LEAVES, Directory
from ganzoo_core.data.folder.listing import list_images
from ganzoo_core.decoding import resized
from ganzoo_core.errors import GanzooError, escape
from ganzoo_core.nn.generator import Generator
from ganzoo_core.nn.inputs import Image, Input, Pictures

PICTURE, MASK = "--input", "--mask"
OPTIONS = {PICTURE: "image", MASK: "mask"}  # of `sample`, which take pictures where no input is declared


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
        raise GanzooError(f"--size {escape(text, 40)}: is no size", "Give pixels: 256, or 320x240.")
    return sizes


def files_of(inputs: Sequence[str]) -> list[Path]:
    """The image files that are named, and those of folders, in order of their names."""
    files: list[Path] = []
    for name in inputs:
        path = Path(name)
        if path.is_dir():
            listing = list_images(Directory(name))
            bad = [file.name for file in listing.bad if file.why != LEAVES]  # reading them says why
            files += [Path(listing.place.where(image)) for image in (*listing.names, *bad)]
        else:
            files.append(path)
    return files


def read(path: Path, declared: Input, size: Sizes | None) -> Tensor:
    """[1, C, H, W] in [-1, 1], or [1, T, C, H, W] of a clip; what is transparent lies on white."""
    assert isinstance(declared, Pictures)
    return declared.read(path, None if size is None else lambda image, _: fitted(image, size))[None]


def read_fitted(path: Path, channels: int, height: int, width: int) -> Tensor:
    """The largest part of that shape about the picture's centre, resized.  [1, C, H, W] in [-1, 1]

    Errors: GanzooError for what is no picture, ExternalError where it cannot be read.
    """
    return read(path, Image((channels, height, width)), Sizes(width, height))


def fitted(image: Any, size: Sizes) -> Any:
    """The largest part of that shape about the centre, resized."""
    scale = min(image.width / size.width, image.height / size.height)
    width, height = max(1, round(size.width * scale)), max(1, round(size.height * scale))
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return resized(image.crop((left, top, left + width, top + height)), *size)


def place(net: Generator, flag: str) -> tuple[str, int] | None:
    """The name and the channels of the input that an option of the command line gives; else of such an option of
    `sample`."""
    for name, declared in net.inputs.items():
        if declared.flag == flag:
            return name, declared.shape[0] or 3
    name = OPTIONS[flag]
    channels = 1 if flag == MASK else net.output.shape[0] or 3
    return (name, channels) if get_type_hints(type(net).sample).get(name) == Tensor | None else None


class Given(NamedTuple):
    """Pictures by the names of the inputs that take them; the size (height, width) that they had before a margin."""

    inputs: dict[str, Tensor]
    height: int
    width: int

    def cut(self, made: Tensor) -> Tensor:
        """What was made of them [n, C, H, W] without the margin, enlarged as they were."""
        if not self.inputs or made.ndim != 4:
            return made
        padded = next(iter(self.inputs.values())).shape[-2:]
        height, width = (made.shape[i - 2] * side // padded[i] for i, side in enumerate((self.height, self.width)))
        return made[..., :height, :width]


def given(net: Generator, file: Path | None, mask: str, size: Sizes | None) -> Given:
    """One picture and one mask by the names of the inputs that take them. White of a mask is the hole.

    Sides that must be multiples of a number get a margin, right and below, in which the picture is mirrored.
    """
    found = {}
    if file is not None:
        name, channels = wanted(net, PICTURE)
        found[name] = read(file, net.inputs.get(name, Image((channels, None, None))), size)
    if mask:
        name, _ = wanted(net, MASK)
        found[name] = (read(Path(mask), Image((1, None, None)), size) > 0).float()
    height, width = next(iter(found.values())).shape[-2:] if found else (0, 0)
    return Given({name: with_margin(picture, net.inputs.get(name)) for name, picture in found.items()}, height, width)


def with_margin(picture: Tensor, declared: Any) -> Tensor:
    """[1, C, H, W] with free sides that are multiples, as the input that is declared wants them."""
    step = getattr(declared, "multiple", 1)
    free = [side is None for side in getattr(declared, "shape", ())[-2:]] or [False, False]
    below, right = (-side % step if is_free else 0 for side, is_free in zip(picture.shape[-2:], free, strict=True))
    mirrored = below < picture.shape[-2] and right < picture.shape[-1]
    return pad(picture, (0, right, 0, below), "reflect" if mirrored else "replicate") if below or right else picture


def told(net: Generator, text: str) -> dict[str, str]:
    """--text as an argument of `sample`: {name of the input: text}; nothing of "".

    Errors: GanzooError for a model that takes no text.
    """
    if not text:
        return {}
    for name, declared in net.inputs.items():
        if declared.flag == "--text":
            return {name: text}
    raise GanzooError(f"--text {escape(text, 40)}: this model takes no text", "Leave it out.")


def slug(file: Path | None, text: str) -> str:
    """What a picture of them is called."""
    words = "".join(c if c.isalnum() else "_" for c in text.lower()).strip("_")[:60]
    return "-".join(filter(None, [file.stem if file else "", words]))


def wanted(net: Generator, flag: str) -> tuple[str, int]:
    """Errors: GanzooError for a model that takes no such thing."""
    where = place(net, flag)
    if where is None:
        raise GanzooError(f"{flag}: this model takes no {OPTIONS[flag]}", "Leave it out.")
    return where


def refuse_without(net: Generator, inputs: Sequence[str], texts: Sequence[str]) -> None:
    """A model that needs pictures or words says how to give them."""
    needed = {declared.flag for declared in net.inputs.values() if declared.default is None}
    if PICTURE in needed and not inputs:
        raise GanzooError("this model makes pictures out of pictures, and none is given", "--input FILE, or a folder.")
    if "--text" in needed and not texts:
        raise GanzooError("this model makes pictures out of words, and none are given", '--text "a red heart".')


def before(net: Generator, given: Given, after: Tensor) -> Tensor:
    """The picture that was given, as large as what was made of it."""
    where = place(net, PICTURE)
    assert where is not None
    if after.ndim != 4:
        raise GanzooError("--strip: clips are not shown beside each other", "Leave it out.")
    picture = given.inputs[where[0]][..., : given.height, : given.width]
    return interpolate(picture, after.shape[-2:]).expand(len(after), after.shape[1], -1, -1)
