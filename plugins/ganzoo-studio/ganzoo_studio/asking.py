"""One press of a button: what it asks of `ganzoo sample`, as a command, as Python, and as the file that is made.

What is shown is the file that the command writes: both go through the same functions of the command line.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from ganzoo_core.cli import Making, making_of, write
from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Generator, pick_device
from ganzoo_studio.limits import PICTURES, PIXELS
from ganzoo_studio.shelf import Seat

CPU = "cpu"  # where the studio computes: another device gives other bits


class Product(NamedTuple):
    """What was made: the file, and its kind's own drawing of what is neither picture nor clip."""

    file: Path
    drawing: Path | None


@dataclass(frozen=True)
class Ask:
    """Files that are given lie in `folder`, under names that commands are to call them by."""

    seat: Seat
    folder: Path
    count: int = 1
    seed: int = 0
    labels: tuple[str, ...] = ()
    text: str = ""
    input: str = ""  # names of files in `folder`
    mask: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    files: tuple[str, ...] = ()  # names of options that are files in `folder`

    def out(self, net: Generator) -> str:
        """What the file is called: its kind's first format."""
        return "sample" + net.output.suffixes[0]

    def shell(self, out: str) -> str:
        """The command that makes this file."""
        words = ["sample", self.seat.source, "-n", str(self.count), "--seed", str(self.seed)]
        return line([*words, *self.conditions(), "-o", out])

    def conditions(self) -> list[str]:
        """All that is given, as words of a command."""
        words = ["--net", self.seat.net] if self.seat.net else []
        for flag, given in (("--label", self.labels), ("--text", (self.text,)), ("--input", (self.input,)),
                            ("--mask", (self.mask,)), ("-c", map("=".join, self.options.items()))):  # fmt: skip
            words += [word for value in given if value for word in (flag, value)]
        return words if str(pick_device("auto")) == CPU else [*words, "--device", CPU]

    def python(self, net: Generator, out: str) -> str:
        """The same, from Python."""
        given = "".join(f", {name}={value!r}" for name, value in self.given(net).items())
        named = f", net={self.seat.net!r}" if self.seat.net else ""
        network = f"model.network({self.seat.net!r})" if self.seat.net else "model.generator"
        one = self.count == 1 and (self.input or self.text)
        picture = is_picture(out) and not one
        saved = f".picture(samples).save({out!r})" if picture else f".save(samples, Path({out!r}))"
        return "\n".join([
            *([] if picture else ["from pathlib import Path"]),
            "import ganzoo_core as gz",
            f"model = gz.load({self.seat.source!r})",
            f"samples = model.sample({self.count}, seed={self.seed}{named}{given})",
            f"{network}.output{saved}",
        ])  # fmt: skip

    def given(self, net: Generator, defaults: bool = True) -> dict[str, Any]:
        """What `sample` is given by name, as `ganzoo sample` gives it; `ganzoo interpolate` sets no defaults."""
        parsed = dict(self.making(net).options)
        if not defaults:
            parsed = {k: v for k, v in parsed.items() if k in self.options or k not in net.default_options}
        parsed |= {name: self.options[name] for name in self.files}
        if len(self.labels) == 1:
            parsed[name_of(net, "--label")] = self.labels[0]
        for flag, value in (("--text", self.text), ("--input", self.input), ("--mask", self.mask)):
            parsed |= {name_of(net, flag): value} if value else {}
        return parsed

    def make(self, net: Generator) -> Product:
        """Carried out. Errors: GanzooError for what the model does not take, and for more than is allowed."""
        self.refuse_many(net)
        making, target = self.making(net), self.folder / self.out(net)
        made = list(making)
        making.refuse_unused()
        write(net.output, made, target)
        if is_picture(target.name) or target.suffix == ".gif":
            return Product(target, None)
        net.output.picture(made[0].samples).save(self.folder / "drawn.png")
        return Product(target, self.folder / "drawn.png")

    def making(self, net: Generator) -> Making:
        """What `ganzoo sample` makes when it is told so."""
        placed = {k: str(self.folder / v) if k in self.files else v for k, v in self.options.items()}
        inputs = (str(self.folder / self.input),) if self.input else ()
        mask = str(self.folder / self.mask) if self.mask else ""
        texts = (self.text,) if self.text else ()
        return making_of(
            net, count=self.count, seed=self.seed, labels=self.labels, texts=texts, inputs=inputs, mask=mask,
            options=placed,
        )  # fmt: skip

    def refuse_many(self, net: Generator) -> None:
        """Errors: GanzooError for more than a visitor may ask for."""
        pixels = self.count
        for side in net.output.shape:
            pixels *= side or 1
        if not 1 <= self.count <= PICTURES or pixels > PIXELS * 3:
            raise GanzooError(f"{self.count} at once are too many here", "Ask for fewer, or use the command line.")


def name_of(net: Generator, flag: str) -> str:
    """The input that an option of the command line gives; else the option of `sample` that takes such a file."""
    for name, declared in net.inputs.items():
        if declared.flag == flag:
            return name
    return {"--input": "image", "--mask": "mask", "--text": "text"}[flag]


def is_picture(name: str) -> bool:
    return name.endswith((".png", ".jpg", ".webp"))


def line(words: Sequence[str]) -> str:
    """A command as a person types it."""
    return shlex.join(["ganzoo", *words])
