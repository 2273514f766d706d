"""From what a user calls data to a Source: a data set's name[:variant], a folder of images, or one image."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from ganzoo_core.data.folder import open_folder
from ganzoo_core.data.source import Facts, Source
from ganzoo_core.errors import GanzooError, UnknownName, plain
from ganzoo_core.specs import Dataset, resolve

LARGEST_SIDE = 4096
PATHS_TOO = "A folder of images, or one image, is taken as well."


def open_source(
    data: str,
    *,
    root: Path | str | None = None,
    image_size: int | None = None,
    channels: int | None = None,
    classes: int | None = None,
    on_bad_image: Literal["refuse", "skip"] = "refuse",
    follow_links: bool = False,
    datasets: Mapping[str, Dataset],
) -> Source:
    """The data that `data` names; a name wins over a path that has no "/" in it.

    Images are resized to `image_size` and converted to `channels` (1 or 3) where these are given. `classes` (0 or
    None: any) must be what the data has. Raises UnknownName or GanzooError (2) for what is not there, is bad or
    cannot be served so, OutsideFault (3) where a download fails, IntegrityError (5) where a file is not the
    published one.
    """
    _check_options(image_size, channels)
    name, _, variant = data.partition(":")
    if name in datasets and "/" not in data:
        folder = Path(root).expanduser() if root is not None else None
        source = _named(datasets[name], variant, folder, image_size, channels)
    else:
        path = _path(data, datasets)
        source = open_folder(
            path, image_size=image_size, channels=channels, on_bad_image=on_bad_image, follow_links=follow_links
        )
    _check_served(source.facts, data, image_size, channels, classes)
    return source


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
            has = "has no images" if served is None else f"is served with {served} only"
            raise GanzooError(f"data {plain(data)!r}: {option} {wanted} was asked for, and it {has}")
    if classes and classes != facts.classes:
        has = f"has {facts.classes} classes" if facts.classes else "has no labels"
        raise GanzooError(
            f"data {plain(data)!r}: {classes} classes were asked for, and it {has}",
            "" if facts.classes else "One sub-folder per class makes labels.",
        )
