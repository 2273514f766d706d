"""The Kodak photographs and small copies of them."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path

from ganzoo_core.data.dataset import Dataset, DatasetInfo, fingerprint
from ganzoo_core.data.folder.directory import Directory
from ganzoo_core.data.locations import find, missing
from ganzoo_core.data.views.resolution import LICENCE, SuperResolution
from ganzoo_core.data.views.whole import Crops, Uncut, decoded

CROP = 96  # px, unless asked: Ledig et al. 2017, Sec. 3.2


KODAK = tuple(f"kodim{i:02d}.png" for i in range(1, 25))


TRAINING = 20  # photographs; the last four, all 768x512, are for testing: "Kodak-4"


def open_kodak(
    root: Path | None, variant: str, *, image_size: int | None = None, channels: int | None = None
) -> Dataset:
    """x and low: random crops of photographs 01-20 (96 px unless asked), or 21-24 whole ("x4_test"), 512x768."""
    factor, _, test = (variant or "x4").removeprefix("x").partition("_")
    wanted = [f"kodak24/{name}" for name in (KODAK[TRAINING:] if test else KODAK[:TRAINING])]
    found = [find(root, (file, file.removeprefix("kodak24/"))) for file in wanted]
    paths = [str(path) for path in found if path is not None]
    if len(paths) < len(wanted):
        raise missing("kodak", root, wanted)
    size = None if test else image_size or CROP
    info = DatasetInfo(
        name=f"kodak:{variant or 'x4'}",
        keys=frozenset({"x"}),
        image_size=size,
        channels=channels or 3,
        classes=None,
        class_names=(),
        licence=LICENCE,
        fingerprint=fingerprint("kodak", size, channels or 3, *(Path(path).read_bytes() for path in paths)),
    )
    place = Directory(os.path.dirname(paths[0]))  # each has the whole of its path as its name: roots may differ
    look = partial(decoded, place, longest_side=0, channels=channels or 3)
    source = Uncut(info, [look(path) for path in paths]) if test else Crops(info, place, paths)
    return SuperResolution(source, int(factor), info.name)
