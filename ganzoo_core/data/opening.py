"""From what a user calls data to a Source: a data set's name[:variant], a folder of images, or one image."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Literal, NamedTuple

from ganzoo_core.data.captions import open_captions
from ganzoo_core.data.folder import open_folder
from ganzoo_core.data.masks import Masked, MaskedRegions
from ganzoo_core.data.pairs import open_paired, open_unpaired
from ganzoo_core.data.resolution import SuperResolution
from ganzoo_core.data.source import Facts, Source
from ganzoo_core.data.whole import open_crops, open_uncut
from ganzoo_core.errors import GanzooError, UnknownName, plain
from ganzoo_core.specs import Dataset, resolve

LARGEST_SIDE = 4096
VIEWS: Mapping[str, Callable[[Source], Source]] = {  # of any data with pictures
    "masked": Masked,
    "masked_regions": MaskedRegions,
    "x2": partial(SuperResolution, factor=2),
    "x4": partial(SuperResolution, factor=4),
}
PATH_VIEWS: Mapping[str, Callable[[str, Mapping[str, Any]], Source]] = {  # of folders
    "paired": open_paired,
    "unpaired": open_unpaired,
    "crops": open_crops,
    "captions": open_captions,
}
PATHS_TOO = "A folder of images, or one image, is taken as well."


def open_source(
    data: str,
    *,
    root: Path | str | None = None,
    image_size: int | None = None,
    channels: int | None = None,
    classes: int | None = None,
    longest_side: int | None = None,
    on_bad_image: Literal["refuse", "skip"] = "refuse",
    follow_links: bool = False,
    datasets: Mapping[str, Dataset],
) -> Source:
    """The data that `data` names; a name wins over a path that has no "/" in it.

    Images are cut to squares, resized to `image_size` and converted to `channels` (1 or 3) where these are given; a
    path's are left whole where `longest_side` is, which they then do not exceed. `classes` (0 or None: any) must be
    what the data has. Views may stand before the data (VIEWS, PATH_VIEWS): masked:emoji, x4:crops:FOLDER. Raises
    UnknownName or GanzooError (2) for what is not there, is bad or cannot be served so, OutsideFault (3) where a
    download fails, IntegrityError (5) where a file is not the published one.
    """
    _check_options(image_size, channels)
    folder = Path(root).expanduser() if root is not None else None
    options = {"image_size": image_size, "channels": channels}
    careful = {"on_bad_image": on_bad_image, "follow_links": follow_links}
    source = _viewed(data, _Asked(folder, options, careful, longest_side, datasets))
    _check_served(source.facts, data, image_size, channels, classes)
    return source


def how_to_have(keys: Iterable[str]) -> str:
    """Which view of some data has these keys of a batch."""
    ways = {"mask": "masked:DATA", "low": "x4:DATA", "a": "two folders, A::B", "b": "two folders, A::B",
            "text": "captions:FOLDER"}  # fmt: skip
    found = dict.fromkeys(ways[key] for key in sorted(keys) if key in ways)
    return f"Give {' or '.join(found)}." if found else "Choose another data set or family."


class _Asked(NamedTuple):
    """All of a request but for the data's name."""

    root: Path | None
    options: Mapping[str, Any]  # image_size, channels
    careful: Mapping[str, Any]  # on_bad_image, follow_links: of paths
    longest_side: int | None
    datasets: Mapping[str, Dataset]


def _viewed(data: str, asked: _Asked) -> Source:
    """Views one in the other, and in the middle a data set by name, or what a path leads to."""
    view, _, rest = data.partition(":")
    paths = {**asked.options, **asked.careful}
    if view in VIEWS and rest:
        return VIEWS[view](_viewed(rest, asked))
    if view in PATH_VIEWS and rest:
        return PATH_VIEWS[view](rest, paths)
    if "::" in data:
        return open_paired(data, paths)
    if view in asked.datasets and "/" not in data:
        return _named(asked.datasets[view], rest, asked.root, **asked.options)
    path = _path(data, asked.datasets)
    return open_folder(path, **paths) if asked.longest_side is None else open_uncut(path, asked.longest_side, paths)


def _check_options(image_size: int | None, channels: int | None) -> None:
    if image_size is not None and not 1 <= image_size <= LARGEST_SIDE:
        raise GanzooError(f"image_size {image_size}: not in 1..{LARGEST_SIDE}")
    if channels not in (None, 1, 3):
        raise GanzooError(f"channels {channels}: not 1 (gray) or 3 (RGB)")


def _named(dataset: Dataset, variant: str, root: Path | None, image_size: int | None, channels: int | None) -> Source:
    if variant and variant not in dataset.variants:
        hint = "" if dataset.variants else f"{dataset.name} has no variants."
        raise UnknownName(f"variant of data set {dataset.name}", variant, dataset.variants, hint)
    source = resolve(dataset.open)(root, variant, image_size=image_size, channels=channels)
    if not isinstance(source, Source):
        raise GanzooError(f"data set {dataset.name}: {dataset.open} returned no Source", "Tell the plugin's author.")
    return source


def _path(data: str, datasets: Mapping[str, Dataset]) -> str:
    path = os.path.expanduser(data)
    try:
        mode = os.stat(path).st_mode if data else None
    except (FileNotFoundError, NotADirectoryError, ValueError):
        mode = None
    except OSError as error:
        raise GanzooError(f"data {plain(data)!r}: cannot be read: {error.strerror}") from error
    if mode is None and "/" in data:
        raise GanzooError(f"data {plain(data)!r}: no such file or folder")
    if mode is None:
        raise UnknownName("data set", data.partition(":")[0] if ":" in data else data, datasets, PATHS_TOO)
    if not stat.S_ISDIR(mode) and not stat.S_ISREG(mode):
        raise GanzooError(f"data {plain(data)!r}: is neither a folder nor an image file")
    return path


def _check_served(facts: Facts, data: str, image_size: int | None, channels: int | None, classes: int | None) -> None:
    asked = {"image_size": (image_size, facts.image_size), "channels": (channels, facts.channels)}
    for option, (wanted, served) in asked.items():
        if wanted is not None and wanted != served:
            if served is None and facts.channels and option == "image_size":
                continue  # pictures that are served whole
            has = "has no images" if served is None else f"is served with {served} only"
            raise GanzooError(f"data {plain(data)!r}: {option} {wanted} was asked for, and it {has}")
    if classes and classes != facts.classes:
        has = f"has {facts.classes} classes" if facts.classes else "has no labels"
        raise GanzooError(
            f"data {plain(data)!r}: {classes} classes were asked for, and it {has}",
            "" if facts.classes else "One sub-folder per class makes labels.",
        )
