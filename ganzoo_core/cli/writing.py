"""Samples on their way to files: each kind of output in its own formats."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from ganzoo_core import imaging
from ganzoo_core.errors import GanzooError
from ganzoo_core.files import make_folder
from ganzoo_core.nn.outputs import Output


class Made(NamedTuple):
    """What was made [n, *shape] of one file or text; and the file's own picture where that is to be shown."""

    name: str  # "" of neither
    samples: Tensor
    before: Tensor | None


def refuse_format(output: Output, target: Path) -> None:
    """Before anything is made. Errors: GanzooError for a file that samples of this kind cannot be saved as."""
    if is_file(target):
        output.refuse_suffix(target)


def is_file(target: Path) -> bool:
    """What has a suffix is a file, unless it is a directory already."""
    return bool(target.suffix) and not target.is_dir()


def write(output: Output, made: Sequence[Made], target: Path) -> None:
    """One file of all samples, in a format of their kind, or a directory of files that are named as what was given."""
    if is_file(target):
        return write_file(output, made, target)
    make_folder(target)
    for i, (name, samples, before) in enumerate(made):
        for k in range(len(samples)):
            number = [f"{k:05d}"] if len(samples) > 1 or not name else []
            path = target / ("-".join([*filter(None, [name]), *number]) + output.suffixes[0])
            if path.exists() and i:
                path = path.with_name(f"{i:05d}-{path.name}")
            if before is None:
                output.save(samples[k : k + 1], path)
            else:
                imaging.save(imaging.beside([before[k : k + 1], samples[k : k + 1]]), path)
    return None


def write_file(output: Output, made: Sequence[Made], target: Path) -> None:
    """All in one file; a single answer to what was given as it is."""
    if len({one.samples.shape[1:] for one in made}) > 1:
        raise GanzooError("the pictures differ in size and make no sheet", "Give a directory with -o, or a --size.")
    samples = torch.cat([one.samples for one in made])
    before = [one.before for one in made if one.before is not None]
    if before:
        return imaging.save(imaging.beside([torch.cat(before), samples]), target)
    if target.suffix.lower() in imaging.FORMATS and (len(samples) > 1 or not made[0].name):
        columns = len(made[0].samples) if len(made) > 1 else 0
        return imaging.save(output.picture(samples, columns), target)
    return output.save(samples, target)
