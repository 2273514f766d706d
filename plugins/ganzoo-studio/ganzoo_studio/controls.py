"""From what a generator declares to what a form asks for: no family and no kind is named.

An input says by `control` how it is asked for, an option of `sample` by its type and its range; a plugin's new kind
that says nothing is left to the command line.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args, get_origin, get_type_hints

from torch import Tensor

from ganzoo_core.nn import Generator, Input, Option, Pictures, options_of
from ganzoo_studio.limits import LETTERS

MANY = 12  # numbers of an input that are asked for one by one; more of them are drawn
NORMAL = (-3.0, 3.0)  # where nearly all of a normal distribution lies
WITHOUT_RANGE = {int: (-1.0, 64.0), float: (-2.0, 2.0)}  # of numbers that declare none
DRAWN = "drawn at random"  # a choice
GIVEN = {"image": "picture", "mask": "mask"}  # options of `sample` that `ganzoo sample` takes as files


@dataclass(frozen=True)
class Control:
    """One thing that a form asks for. What it is answered with is given to `ganzoo sample` by `flag`."""

    name: str
    kind: Literal["choice", "number", "flag", "picture", "mask", "file", "text"]
    flag: str  # --label, --input, --mask, --text, or -c
    choices: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()  # what each choice is given as; "" for one that is not given
    low: float = 0.0
    high: float = 0.0
    whole: bool = False
    value: Any = None  # to begin with
    needed: bool = False
    accepts: tuple[str, ...] = ()
    place: int = -1  # of a number among those of its input
    size: tuple[int | None, ...] = ()  # (C, H, W) of a picture
    multiple: int = 1

    @property
    def optional(self) -> bool:
        """Whether a number is given only where somebody wants to: else it is drawn, or left at what no slider shows."""
        return self.kind == "number" and not (self.value is not None and self.low <= self.value <= self.high)

    @property
    def title(self) -> str:
        """As a form calls it."""
        words = self.name.replace("_", " ")
        return words if self.place < 0 else f"{words} {self.place + 1}"


def controls_of(net: Generator) -> list[Control]:
    """All that can be asked for, in the order in which it is declared; seeds are every form's own."""
    found = [control for name, declared in net.inputs.items() for control in of_input(name, declared)]
    hints = get_type_hints(type(net).sample)
    for name, kind in GIVEN.items():
        if name not in net.inputs and hints.get(name) == Tensor | None:
            channels = 1 if kind == "mask" else net.output.shape[0]
            found.append(Control(name, kind, GIVING[kind], size=(channels, None, None)))  # type: ignore[arg-type]
    for option in options_of(net).values():
        found += of_option(option, net.default_options.get(option.name, option.default))
    return found


GIVING = {"picture": "--input", "mask": "--mask"}


def unasked(net: Generator) -> list[str]:
    """Inputs that must be given and cannot be here: they are left to the command line, or to Python."""
    asked = {control.name for control in controls_of(net)}
    return [k for k, i in net.inputs.items() if not i.drawn and i.default is None and k not in asked]


def of_input(name: str, declared: Input) -> Iterator[Control]:
    """An input's controls, by what it says of itself."""
    needed = not declared.drawn and declared.default is None
    if declared.control == "choice":
        yield choice(name, declared, needed)
    elif declared.control == "numbers":
        yield from numbers(name, declared)
    elif declared.control in ("picture", "mask", "file", "text"):
        size = tuple(declared.shape[-3:]) if isinstance(declared, Pictures) else ()
        kind: Any = declared.control
        yield Control(
            name, kind, declared.flag, needed=needed, accepts=declared.accepts, size=size,
            multiple=getattr(declared, "multiple", 1),
        )  # fmt: skip


def choice(name: str, declared: Any, needed: bool) -> Control:
    """Classes by name, or by number."""
    names = tuple(declared.names) or tuple(map(str, range(declared.classes)))
    answers = tuple(spelled(declared, k, text) for k, text in enumerate(names))
    if needed:
        return Control(name, "choice", declared.flag, names, answers, value=names[0], needed=True)
    return Control(name, "choice", declared.flag, (DRAWN, *names), ("", *answers), value=DRAWN)


def spelled(declared: Any, k: int, name: str) -> str:
    """A class as the command line takes it: by its name where it is read by names."""
    try:
        return name if declared.flag != "-c" or declared.parse(name) else str(k)
    except ValueError:
        return str(k)


def numbers(name: str, declared: Any) -> Iterator[Control]:
    """A few numbers are asked for one by one; of many, and of free sizes, nothing: they are drawn by the seed."""
    count = math.prod(size or MANY + 1 for size in declared.shape)
    low, high = declared.range or NORMAL
    if len(declared.shape) == 1 and count <= MANY and declared.kind != "latent":
        for place in range(count):
            yield Control(name, "number", "-c", low=low, high=high, place=place)


def of_option(option: Option, value: Any) -> Iterator[Control]:
    """Ways by name, switches, sliders, words; what is none of them is left out."""
    if get_origin(option.type) is Literal:
        names = tuple(map(str, get_args(option.type)))
        yield Control(option.name, "choice", "-c", names, names, value=str(value))
    elif option.type is bool:
        yield Control(option.name, "flag", "-c", value=value)
    elif option.type in (int, float):
        low, high = (option.between.low, option.between.high) if option.between else WITHOUT_RANGE[option.type]
        yield Control(option.name, "number", "-c", low=low, high=high, whole=option.type is int, value=value)
    elif option.type is str and option.name not in SHEETS:
        yield Control(option.name, "text", "-c", value="", high=LETTERS)


SHEETS = ("mix_rows", "mix_cols", "mix_layers")  # options with a page of their own: whoever declares them has it


def mixes(net: Generator) -> bool:
    """Whether it draws sheets of mixed styles, by the options that it declares."""
    return set(SHEETS) <= options_of(net).keys()


def truncates(control: Control) -> bool:
    return control.kind == "number" and control.flag == "-c" and control.place < 0
