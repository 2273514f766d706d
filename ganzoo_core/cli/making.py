"""What `ganzoo sample` makes: samples of every file and text in turn, one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

from ganzoo_core.cli import image_inputs
from ganzoo_core.cli._shared import labelled
from ganzoo_core.cli.writing import Made
from ganzoo_core.errors import GanzooError, escape
from ganzoo_core.nn.generator import Generator
from ganzoo_core.registry.recipes import sampling_options

COUNT = 64  # samples, where nobody says how many
NAMED = 3  # faults that are told of


@dataclass
class Making:
    """What `ganzoo sample` makes, not yet made: `making_of` returns one; going through it makes each `Made` in turn.

    It can be gone through once. A file or text that cannot be used does not keep the others from being made: ask
    `refuse_unused` when all are written. `count` is how many samples there are so far.
    """

    net: Generator
    files: Sequence[Path | None]
    texts: Sequence[str]
    mask: str
    size: image_inputs.Sizes | None
    n: int  # of each
    seed: int
    options: Mapping[str, Any]
    strip: bool
    count: int = 0  # samples that were made
    faults: list[GanzooError] = field(default_factory=list)

    def __iter__(self) -> Iterator[Made]:
        """Samples of each file and text. Errors: GanzooError where nothing at all could be made."""
        for file, text in product(self.files, self.texts):
            try:
                made = self.made(file, text)
            except GanzooError as fault:
                self.faults.append(fault if self.mask and self.mask in fault.what else of_file(file, fault))
                continue
            self.count += len(made.samples)
            yield made
        if not self.count:
            raise self.faults[0]

    def made(self, file: Path | None, text: str) -> Made:
        """Of one file and one text."""
        given = image_inputs.given(self.net, file, self.mask, self.size)
        told = image_inputs.told(self.net, text)
        samples = given.cut(self.net.sample(self.n, seed=self.seed, **self.options, **given.inputs, **told))
        before = image_inputs.before(self.net, given, samples) if file and self.strip else None
        return Made(image_inputs.slug(file, text), samples, before)

    def refuse_unused(self) -> None:
        """After all have been gone through. Errors: GanzooError that names files and texts that could not be used."""
        if self.faults:
            named = "; ".join(fault.what for fault in self.faults[:NAMED])
            more = f"; and {len(self.faults) - NAMED:,} more" if len(self.faults) > NAMED else ""
            asked = len(self.files) * len(self.texts)
            what = "pictures could not be used" if self.files != [None] else "texts could not be shown"
            raise GanzooError(f"{len(self.faults)} of {asked} {what}: {named}{more}")


def making_of(
    generator: Generator, *, count: int | None = None, seed: int = 0, labels: Sequence[str] = (),
    texts: Sequence[str] = (), inputs: Sequence[str] = (), mask: str = "", size: image_inputs.Sizes | None = None,
    options: Mapping[str, str], strip: bool = False,
) -> Making:  # fmt: skip
    """What `ganzoo sample` makes when it is told so, all as it stands on the command line. Nothing is made yet.

    `count` is of each file and text, None as many as is usual; `labels`, names or numbers, take turns; `texts` and
    `inputs` (paths of files and folders) are gone through, each with each; `mask` is a path, white where a picture is
    to be filled; `size` is what pictures are cut to, None as they are; `options` are those of the generator's own
    `sample` as text, over its defaults; with `strip` what was given stands beside what is made of it.

    Errors: GanzooError for a model that takes something else or a value that does not fit, UnknownNameError for an
    option that it has not.
    """
    files = image_inputs.files_of(inputs)
    image_inputs.refuse_without(generator, inputs, texts)
    one = files or any(generator.inputs[name].from_data for name in options if name in generator.inputs)
    n = count or (1 if one else 8 if texts else COUNT)
    given = {
        **generator.default_options, **sampling_options(generator, options), **labelled(generator, tuple(labels), n),
    }  # fmt: skip
    return Making(generator, files or [None], texts or ("",), mask, size, n, seed, given, strip)


def of_file(file: Path | None, fault: GanzooError) -> GanzooError:
    """The same fault, which names its file."""
    if file is None or str(escape(file)) in fault.what:
        return fault
    return type(fault)(f"{escape(file)}: {fault.what}", fault.hint)
