"""Samples on their way to files: each kind of output in its own formats."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from ganzoo_core import imaging
from ganzoo_core.errors import GanzooError
from ganzoo_core.files import make_folder
from ganzoo_core.nn.outputs import Output


class Made(NamedTuple):
    """What was made of one file or text; and the file's own picture where that is to be shown."""

    name: str  # that its file gets, without a suffix; "" of neither file nor text
    samples: Tensor  # [n, *shape] of the generator's output
    before: Tensor | None  # [n, C, H, W] in [-1, 1]


def refuse_format(output: Output, target: Path) -> None:
    """Before anything is made. Errors: GanzooError for a file that samples of this kind cannot be saved as."""
    if is_file(target):
        output.refuse_suffix(target)


def is_file(target: Path) -> bool:
    """What has a suffix is a file, unless it is a directory already."""
    return bool(target.suffix) and not target.is_dir()


def write(output: Output, made: Iterable[Made], target: Path) -> None:
    """One file of all samples, in the format of their kind that the suffix of `target` names: pictures as a sheet, a
    single answer to what was given as it is. Without a suffix, or where it is one, a directory of files that are named
    as what was given; they are written as they come. Each file is whole or absent; one that is there is overwritten.

    Errors: GanzooError for a suffix that the kind has not and for pictures that differ in size and make no sheet,
    ExternalError for a disk that refuses; whatever making the samples raises.
    """
    if is_file(target):
        return write_file(output, [*made], target)
    written = set[str]()
    for i, one in enumerate(made):
        make_folder(target)
        for k, name in enumerate(names(one, output.suffixes[0])):
            unique = f"{i:05d}-{name}" if name.lower() in written else name
            written.add(unique.lower())
            write_one(output, one, k, target / unique)
    return None


def names(one: Made, suffix: str) -> list[str]:
    """Of the files that its samples are written to."""
    if len(one.samples) == 1 and one.name:
        return [one.name + suffix]
    return ["-".join([*filter(None, [one.name]), f"{k:05d}"]) + suffix for k in range(len(one.samples))]


def write_one(output: Output, one: Made, k: int, path: Path) -> None:
    """Sample k, beside its picture where that is to be shown."""
    sample = one.samples[k : k + 1]
    if one.before is None:
        return output.save(sample, path)
    return imaging.save(imaging.beside([one.before[k : k + 1], sample]), path)


def write_file(output: Output, made: Sequence[Made], target: Path) -> None:
    """All in one file; a single answer to what was given as it is."""
    if not made:
        return None
    if len({one.samples.shape[1:] for one in made}) > 1:
        raise GanzooError("the pictures differ in size and make no sheet", "Give a directory with -o, or a --size.")
    samples = made[0].samples if len(made) == 1 else torch.cat([one.samples for one in made])
    before = [one.before for one in made if one.before is not None]
    if before:
        return imaging.save(imaging.beside([torch.cat(before), samples]), target)
    if target.suffix.lower() in imaging.FORMATS and (len(samples) > 1 or not made[0].name):
        columns = len(made[0].samples) if len(made) > 1 else 0
        return imaging.save(output.picture(samples, columns), target)
    return output.save(samples, target)
