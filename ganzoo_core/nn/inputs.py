"""What a generator takes: small classes, one for each kind, that know all that is particular to their kind.

    Input                    drawn   an option of `ganzoo sample`
    ├── Continuous
    │   ├── Latent           yes     -c (numbers)
    │   └── Code             yes     -c (numbers)
    ├── Classes
    │   ├── Label            no      --label
    │   └── Category         yes     -c (whole numbers)
    ├── Pictures
    │   ├── Image            no      --input
    │   ├── Mask             no      --mask
    │   └── Video            no      --input
    ├── Text                 no      --text
    └── Embedding            no      Python only

Everything else asks the kind; a plugin adds one with the hook `ganzoo_kinds`.
"""

from __future__ import annotations

import math
import re
import shlex
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, ClassVar, Self

import PIL.Image
import torch
from torch import Tensor

from ganzoo_core import imaging
from ganzoo_core.data.films import read_clip
from ganzoo_core.decoding import Cut
from ganzoo_core.errors import GanzooError, UnknownNameError, escape
from ganzoo_core.nn.interpolation import lerp, slerp
from ganzoo_core.text import encode_text

EXAMPLE_SIDE = 64  # pixels, of a picture whose size is free
EXAMPLE_FRAMES = 5  # of a clip whose length is free


class Input(ABC):
    """One input of a generator. Concrete kinds are frozen dataclasses; `shape` is of one sample, None where free."""

    kind: ClassVar[str]  # its name in config.json, on the command line and in messages
    drawn: ClassVar[bool] = False  # from a prior, where the user gives none
    flag: ClassVar[str] = "-c"  # the option of `ganzoo sample` that gives it; -c NAME=VALUE is parsed by `parse`
    control: ClassVar[str] = ""  # how a form asks for it: numbers, choice, picture, mask, file, text; "": it cannot
    accepts: ClassVar[tuple[str, ...]] = ()  # suffixes of what a form takes as a file
    from_data: ClassVar[bool] = False  # training takes it out of the batch of data; there is nothing to cycle through
    shape: tuple[int | None, ...]
    default: float | None  # where the user says nothing; None: it must be said

    @property
    def wanted(self) -> str:
        """What is asked for where it is missing, e.g. "an image"."""
        return f"a {self.kind}"

    def draw(self, n: int, rng: torch.Generator | None, device: torch.device) -> Tensor:
        """n draws from the prior, [n, *shape] on `device`. Errors: GanzooError for a kind that is never drawn."""
        raise GanzooError(f"{self.kind}: is not drawn from a prior", "Give one.")

    def parse(self, text: str) -> Any:
        """A value from the command line, -c NAME=text. Errors: ValueError saying what was expected."""
        raise ValueError(f"a {self.kind} cannot be given as text")

    @abstractmethod
    def tensor(self, name: str, given: Any, device: torch.device) -> Tensor:
        """What a Python user gave as a tensor: rows of samples, or one sample without the leading dimension.

        Errors: GanzooError; TypeError, ValueError, RuntimeError for what is no number at all.
        """

    def interpolate(self, a: Tensor, b: Tensor, t: float, mode: str) -> Tensor:
        """On the way from draw `a` (t = 0) to draw `b` (t = 1), both [n, *shape]."""
        return lerp(a, b, t)

    def cycle(self, which: Sequence[int]) -> Tensor | None:
        """Values for samples `which` that show all there is, each equally often, [n]; None where that means nothing."""
        return None

    def trial(self, n: int, rng: torch.Generator, larger: int = 0) -> Tensor:
        """n values to try a network on, [n, *shape] on the CPU; free sizes are `larger` steps above the least."""
        return torch.randn(n, *self.sizes(larger), generator=rng)

    def sizes(self, larger: int = 0) -> list[int]:
        """`shape` with numbers in place of what is free, no two of them alike, and none 1."""
        return [2 + place + larger if size is None else size for place, size in enumerate(self.shape)]

    def to_config(self) -> dict[str, Any]:
        """As config.json has it."""
        return {"kind": self.kind, **{f.name: getattr(self, f.name) for f in fields(self)}}  # type: ignore[arg-type]

    @classmethod
    def example(cls, name: str, declared: Mapping[str, Any]) -> tuple[str, str]:
        """How a model card gives it, by its entry in config.json: a Python argument and a shell option, or "" each."""
        return "", ""

    def rows(self, name: str, given: Any, n: int, device: torch.device) -> Tensor:
        """What the user gave as a tensor of n rows, [n, *shape] on `device`: one for all, or one for each.

        Errors: GanzooError for what is missing, of another shape, out of range or no number.
        """
        given = self.default if given is None else given
        if given is None:
            python, shell = self.example(name, self.to_config())
            how = f"{shell.strip()}; in Python {python}" if shell and python else name
            raise GanzooError(f"{name}: is missing", f"This model needs {self.wanted}: give {how}.")
        try:
            value = self.tensor(name, given, device)
        except (TypeError, ValueError, RuntimeError):
            raise GanzooError(f"{self.called(name)}: {escape(given, 60)} is no number") from None
        if value.ndim == 0 and self.shape:
            value = value.expand([size or 1 for size in self.shape])
        if value.ndim == len(self.shape):
            value = value.expand(n, *value.shape)
        self.refuse_shape(name, value)
        if len(value) == 1:
            value = value.expand(n, *value.shape[1:])
        if len(value) != n:
            raise GanzooError(f"{name}: {len(value)} given for {n} samples", "Give one for all or one for each.")
        return value

    def refuse_shape(self, name: str, value: Tensor) -> None:
        """Errors: GanzooError for rows that are not of the declared shape."""
        sizes = zip(self.shape, value.shape[1:], strict=False)
        if value.ndim != len(self.shape) + 1 or any(size not in (None, found) for size, found in sizes):
            raise GanzooError(f"{self.called(name)}: {self.misfit(value)}")

    def called(self, name: str) -> str:
        """In messages: image low, mask."""
        return name if name == self.kind else f"{self.kind} {name}"

    def misfit(self, value: Tensor) -> str:
        """What is wrong with the shape of a value."""
        if value.ndim == 2 and len(self.shape) == 1:
            return f"{value.shape[1]} numbers, not {self.shape[0]}"
        wanted = ", ".join("any" if size is None else str(size) for size in self.shape)
        return f"of shape {list(value.shape)}, not [n{', ' if wanted else ''}{wanted}]"


def finite(kind: str, name: str, given: Any, device: torch.device) -> Tensor:
    """Numbers as float32. Errors: GanzooError where one is infinite or undefined."""
    value = torch.as_tensor(given, device=device).float()
    if not bool(value.isfinite().all()):
        raise GanzooError(f"{kind} {name}: is not finite")
    return value


# Numbers that a prior draws


class Continuous(Input):
    """Real numbers: standard normal, or uniform in a range."""

    drawn = True
    control = "numbers"
    range: tuple[float, float] | None

    def draw(self, n: int, rng: torch.Generator | None, device: torch.device) -> Tensor:
        """N(0, 1) without a range, uniform in it with one; a free size is drawn as 1."""
        shape = (n, *(size or 1 for size in self.shape))
        if self.range is None:
            return torch.randn(shape, generator=rng, device=device)
        low, high = self.range
        return low + (high - low) * torch.rand(shape, generator=rng, device=device)

    def parse(self, text: str) -> tuple[float, ...]:
        """Numbers, with commas between them."""
        return tuple(float(word) for word in text.strip("()").split(",") if word.strip())

    def tensor(self, name: str, given: Any, device: torch.device) -> Tensor:
        return finite(self.kind, name, given, device)


@dataclass(frozen=True)
class Latent(Continuous):
    """z: standard normal, or uniform in `range` (low, high)."""

    shape: tuple[int | None, ...]
    range: tuple[float, float] | None = None
    default: float | None = None
    kind: ClassVar[str] = "latent"

    def interpolate(self, a: Tensor, b: Tensor, t: float, mode: str) -> Tensor:
        """Along an arc where z is normal and `mode` is spherical, else straight."""
        return slerp(a, b, t) if mode == "spherical" and self.range is None else lerp(a, b, t)


@dataclass(frozen=True)
class Code(Continuous):
    """A latent that has a meaning (InfoGAN's continuous codes): drawn, and made to be given."""

    shape: tuple[int | None, ...]
    range: tuple[float, float] | None = None
    default: float | None = None
    kind: ClassVar[str] = "code"


# Classes


class Classes(Input):
    """A whole number in 0 ... classes - 1, or its name."""

    shape = ()
    control = "choice"
    classes: int
    names: tuple[str, ...]

    def parse(self, text: str) -> tuple[int, ...]:
        """Whole numbers, with commas between them."""
        return tuple(int(word) for word in text.strip("()").split(",") if word.strip())

    def tensor(self, name: str, given: Any, device: torch.device) -> Tensor:
        """int64. Errors: GanzooError for what is no class, UnknownNameError for a name that none has."""
        value = torch.as_tensor(self.numbers(given), device=device)
        if value.dtype == torch.bool or not torch.equal(value, value.round()):
            what = f"label {name}: {escape(value.tolist(), 60)} is no class"
            raise GanzooError(what, "Classes are whole numbers from 0.")
        if value.numel() and (value.min() < 0 or value.max() >= self.classes):
            what = f"label {escape(value.tolist(), 60)}: out of range"
            raise GanzooError(what, f"It must lie in 0..{self.classes - 1}.")
        return value.long()

    def numbers(self, given: Any) -> Any:
        """Classes that were given by their names as the numbers that they have; all else as it is."""
        if isinstance(given, (list, tuple)):
            return [self.numbers(item) for item in given]
        if not isinstance(given, str):
            return given
        known = {name.casefold(): i for i, name in enumerate(self.names)}
        if given.casefold() in known:
            return known[given.casefold()]
        if given.lstrip("-").isdecimal():
            return int(given)
        raise UnknownNameError(self.kind, given, self.names, "Classes are whole numbers from 0.")

    def interpolate(self, a: Tensor, b: Tensor, t: float, mode: str) -> Tensor:
        """The nearer of the two."""
        return a if t < 0.5 else b

    def trial(self, n: int, rng: torch.Generator, larger: int = 0) -> Tensor:
        return self.cycle(range(n))

    def cycle(self, which: Sequence[int]) -> Tensor:
        """0, 1, 2 ... over and over, int64 [n]."""
        return torch.tensor([i % self.classes for i in which])

    def named(self, names: Sequence[str]) -> Self:
        """With the names of its classes, where there are as many."""
        return replace(self, names=tuple(names)) if len(names) == self.classes else self  # type: ignore[type-var]


@dataclass(frozen=True)
class Label(Classes):
    """The class that a sample is to show: the user says which."""

    classes: int
    names: tuple[str, ...] = ()
    default: float | None = None
    kind: ClassVar[str] = "label"
    flag: ClassVar[str] = "--label"

    @property
    def wanted(self) -> str:
        return f"one of {', '.join(self.names)}" if self.names else f"a label from 0 to {self.classes - 1}"

    @classmethod
    def example(cls, name: str, declared: Mapping[str, Any]) -> tuple[str, str]:
        """The first class by its name where that is plain words, else by its number."""
        first = str(next(iter(declared.get("names") or ()), ""))
        if not re.fullmatch(r"[^\W_][\w-]*( [\w-]+)*", first):
            return f"{name}=0", "--label 0"
        return f'{name}="{first}"', f"--label {shlex.quote(first)}"


@dataclass(frozen=True)
class Category(Classes):
    """A class that is drawn, each equally often (InfoGAN's categorical codes), and may be given."""

    classes: int
    names: tuple[str, ...] = ()
    default: float | None = None
    kind: ClassVar[str] = "category"
    drawn: ClassVar[bool] = True

    def draw(self, n: int, rng: torch.Generator | None, device: torch.device) -> Tensor:
        """int64 [n], uniform."""
        return torch.randint(0, self.classes, (n,), generator=rng, device=device)


# What comes from the user, or in training from the data


class Pictures(Input):
    """Pixels: free sides must be multiples of `multiple`, by which the network divides them."""

    from_data = True
    shown_as: ClassVar[str] = "images"  # the kind of output that shows them
    multiple: int

    def tensor(self, name: str, given: Any, device: torch.device) -> Tensor:
        """Pixels, the path of a picture file, or a PIL image."""
        if isinstance(given, (str, Path)):
            given = self.read(Path(given))
        elif isinstance(given, PIL.Image.Image):
            given = imaging.read(given, self.shape[0] or 3)
        return finite(self.kind, name, given, device)

    def read(self, path: Path, cut: Cut | None = None) -> Tensor:
        """A file as one sample, [*shape] in [-1, 1]; `cut` reshapes it.

        Errors: GanzooError for what is none, ExternalError where it cannot be read.
        """
        return imaging.read(path, self.shape[0] or 3, cut)

    def trial(self, n: int, rng: torch.Generator, larger: int = 0) -> Tensor:
        return 2 * torch.rand(n, *self.sizes(larger), generator=rng) - 1

    def sizes(self, larger: int = 0) -> list[int]:
        """Free sides are multiples, and near those of a small picture."""
        return [
            self.multiple * (max(2, EXAMPLE_SIDE // self.multiple) + place + larger) if size is None else size
            for place, size in enumerate(self.shape)
        ]

    def refuse_shape(self, name: str, value: Tensor) -> None:
        """Errors: GanzooError for another shape, and for free sides that are no multiples."""
        if value.ndim == len(self.shape) + 1 and value.shape[-3] == self.shape[-3]:
            self.refuse_sides(name, value)
        super().refuse_shape(name, value)
        sides = zip(self.shape[-2:], value.shape[-2:], strict=True)  # the length of a clip is as it is
        free, step = [found for size, found in sides if size is None], self.multiple
        if any(side % step or not side for side in free):
            near = "x".join(str(max(step, round(side / step) * step)) for side in reversed(free))
            found = "x".join(str(side) for side in reversed(free))
            raise GanzooError(f"{self.called(name)}: {found}, not multiples of {step}", f"Resize it, to {near} say.")

    def refuse_sides(self, name: str, value: Tensor) -> None:
        """Errors: GanzooError for another height or width than the network is made for."""
        height, width = self.shape[-2:]
        if height and width and (height, width) != value.shape[-2:]:
            side = width if width == height else f"{width}x{height}"
            what = f"{self.called(name)}: {value.shape[-1]}x{value.shape[-2]} px, and this model takes {width}x{height}"
            raise GanzooError(what, f"Resize it: --size {side}.")


@dataclass(frozen=True)
class Image(Pictures):
    """A picture [C, H, W] in [-1, 1]."""

    shape: tuple[int | None, ...]
    multiple: int = 1
    default: float | None = None
    kind: ClassVar[str] = "image"
    control: ClassVar[str] = "picture"
    flag: ClassVar[str] = "--input"

    @property
    def wanted(self) -> str:
        return "an image"

    @classmethod
    def example(cls, name: str, declared: Mapping[str, Any]) -> tuple[str, str]:
        """A file, cut to the size that it must have: its own, or one that the network can divide."""
        side, step = (declared.get("shape") or [None])[-1], declared.get("multiple") or 1
        size = side or (step * math.ceil(EXAMPLE_SIDE / step) if step > 1 else 0)
        return f'{name}="picture.png"', "--input picture.png" + (f" --size {size}" if size else "")


@dataclass(frozen=True)
class Mask(Pictures):
    """A mask [1, H, W], 1 where a picture is to be made up and 0 elsewhere."""

    shape: tuple[int | None, ...]
    multiple: int = 1
    default: float | None = None
    kind: ClassVar[str] = "mask"
    control: ClassVar[str] = "mask"
    flag: ClassVar[str] = "--mask"

    def trial(self, n: int, rng: torch.Generator, larger: int = 0) -> Tensor:
        return (super().trial(n, rng, larger) > 0).float()

    def tensor(self, name: str, given: Any, device: torch.device) -> Tensor:
        """Of a picture, 1 where it is white and 0 where it is black."""
        value = super().tensor(name, given, device)
        return (value > 0).float() if isinstance(given, (str, Path, PIL.Image.Image)) else value

    @classmethod
    def example(cls, name: str, declared: Mapping[str, Any]) -> tuple[str, str]:
        return f'{name}="mask.png"', "--mask mask.png"


@dataclass(frozen=True)
class Video(Pictures):
    """A clip [T, C, H, W] in [-1, 1]; of a longer one than is declared the last T frames are taken."""

    shape: tuple[int | None, ...]
    multiple: int = 1
    default: float | None = None
    kind: ClassVar[str] = "video"
    control: ClassVar[str] = "file"
    accepts: ClassVar[tuple[str, ...]] = (".gif",)
    flag: ClassVar[str] = "--input"
    shown_as: ClassVar[str] = "clips"

    def tensor(self, name: str, given: Any, device: torch.device) -> Tensor:
        """Pixels, or the path of an animation or a film."""
        value, length = super().tensor(name, given, device), self.shape[0]
        return value if length is None or value.ndim < 4 else value[..., -length:, :, :, :]

    def sizes(self, larger: int = 0) -> list[int]:
        """Where the length is free, some frames."""
        sizes = super().sizes(larger)
        return sizes if self.shape[0] is not None else [EXAMPLE_FRAMES + larger, *sizes[1:]]

    def read(self, path: Path, cut: Cut | None = None) -> Tensor:
        """[T, C, H, W] of an animation or a film."""
        return read_clip(path, self.shape[1] or 3, cut)

    @classmethod
    def example(cls, name: str, declared: Mapping[str, Any]) -> tuple[str, str]:
        """A file, cut to the size that it must have."""
        side = (declared.get("shape") or [None])[-1]
        return f'{name}="clip.gif"', "--input clip.gif" + (f" --size {side}" if side else "")


@dataclass(frozen=True)
class Text(Input):
    """UTF-8 bytes [L], zero-padded, that the model's own encoder reads; Python users give strings."""

    length: int | None = None  # L; None where it is free
    default: float | None = None
    kind: ClassVar[str] = "text"
    control: ClassVar[str] = "text"
    flag: ClassVar[str] = "--text"
    from_data: ClassVar[bool] = True

    @property
    def shape(self) -> tuple[int | None, ...]:  # type: ignore[override]
        return (self.length,)

    def trial(self, n: int, rng: torch.Generator, larger: int = 0) -> Tensor:
        return encode_text(["red"[: self.length]] * n, self.length or 16 + larger)

    def parse(self, text: str) -> str:
        return text

    def tensor(self, name: str, given: Any, device: torch.device) -> Tensor:
        """uint8 [n, L] of one string or several; tensors as they are. Errors: GanzooError for empty or long ones."""
        words = [given] if isinstance(given, str) else given
        if not isinstance(words, (list, tuple)) or not all(isinstance(word, str) for word in words):
            return torch.as_tensor(given, device=device)
        length = self.length or max(len(word.encode()) for word in words)
        longest = max(words, key=lambda word: len(word.encode()))
        if len(longest.encode()) > length or not all(word.strip() for word in words):
            what = f"text {name}: {escape(longest, 60)!r}: not 1 to {length} bytes"
            raise GanzooError(what, "Say it in other words.")
        return encode_text(words, length).to(device)

    @classmethod
    def example(cls, name: str, declared: Mapping[str, Any]) -> tuple[str, str]:
        return f'{name}="a red heart"', '--text "a red heart"'


@dataclass(frozen=True)
class Embedding(Input):
    """A vector [d] that another network has made, of a text or of a picture."""

    dim: int
    default: float | None = None
    kind: ClassVar[str] = "embedding"
    flag: ClassVar[str] = ""
    from_data: ClassVar[bool] = True

    @property
    def shape(self) -> tuple[int | None, ...]:  # type: ignore[override]
        return (self.dim,)

    def tensor(self, name: str, given: Any, device: torch.device) -> Tensor:
        return finite(self.kind, name, given, device)


INPUTS: Mapping[str, type[Input]] = {
    kind.kind: kind for kind in (Latent, Code, Label, Category, Image, Mask, Video, Text, Embedding)
}


# What a network as a whole takes


def inputs_of(net: object) -> Mapping[str, Input]:
    """The declared inputs of a network by name; nothing for one that is no generator."""
    inputs: Mapping[str, Input] = getattr(net, "inputs", {})
    return inputs


def name_classes(net: object, names: Sequence[str]) -> None:
    """Give the label that `net` takes the names of its classes, where there are as many."""
    for key, declared in inputs_of(net).items():
        if isinstance(declared, Label) and declared.named(names) is not declared:
            net.inputs = {**inputs_of(net), key: declared.named(names)}  # type: ignore[attr-defined]


def cycled(net: object, n: int) -> dict[str, Tensor]:
    """For every input that must be given and can be gone through, its values in turn: a sheet that shows all classes.

    Labels are 0, 1, 2 ... over and over, int64 [n].
    """
    turns = {name: i.cycle(range(n)) for name, i in inputs_of(net).items() if not i.drawn}
    return {name: values for name, values in turns.items() if values is not None}


def needs_data(net: object) -> bool:
    """Whether it must be given pictures or words: what is neither drawn nor gone through, and has no default."""
    return any(i.from_data and i.default is None for i in inputs_of(net).values())


def from_batch(net: object, batch: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Those inputs of `net` that come with the data, out of a batch."""
    return {name: batch[name] for name, i in inputs_of(net).items() if i.from_data and name in batch}
