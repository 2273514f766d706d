"""From what a user calls data to a Dataset: a data set's name[:variant], a folder or archive of images, one image."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

from ganzoo_core.data.dataset import Dataset, DatasetInfo
from ganzoo_core.data.folder.folder import open_folder
from ganzoo_core.data.folder.rows import PREFIX as HUB
from ganzoo_core.data.views.catalog import VIEWS
from ganzoo_core.data.views.pairs import open_paired
from ganzoo_core.data.views.whole import open_uncut
from ganzoo_core.errors import GanzooError, UnknownNameError, escape
from ganzoo_core.plugin.records import DatasetEntry, View, resolve

LARGEST_SIDE = 4096
CORE_VIEWS: Mapping[str, View] = {view.name: view for view in VIEWS}
PATHS_TOO = "A folder of images, an archive of them, or one image, is taken as well."


def open_dataset(
    data: str,
    *,
    root: Path | str | None = None,
    image_size: int | None = None,
    channels: int | None = None,
    classes: int | None = None,
    longest_side: int | None = None,
    on_bad_image: Literal["refuse", "skip"] = "refuse",
    follow_links: bool = False,
    datasets: Mapping[str, DatasetEntry],
    views: Mapping[str, View] = CORE_VIEWS,
) -> Dataset:
    """The data that `data` names; a name wins over a path that has no "/" in it.

    Images are cut to squares, resized to `image_size` and converted to `channels` (1 or 3) where these are given; a
    path's are left whole where `longest_side` is, which they then do not exceed. `classes` (0 or None: any) must be
    what the data has. `views` may stand before the data: masked:emoji, x4:crops:FOLDER. Raises
    UnknownNameError or GanzooError (2) for what is not there, is bad or cannot be served so, ExternalError (3) where a
    download fails, IntegrityError (5) where a file is not the published one.
    """
    _check_options(image_size, channels)
    folder = Path(root).expanduser() if root is not None else None
    options = {"image_size": image_size, "channels": channels}
    careful = {"on_bad_image": on_bad_image, "follow_links": follow_links}
    source = _viewed(data, _Asked(folder, options, careful, longest_side, datasets, views))
    _check_served(source.info, data, image_size, channels, classes)
    return source


def view_of(data: str, views: Mapping[str, View]) -> tuple[View | None, str, str]:
    """The view that stands before some data, its argument, and the data; (None, "", data) where none does."""
    name, _, rest = data.partition(":")
    view = views.get(name) if rest else None
    if view is None:
        return None, "", data
    argument, _, inner = rest.partition(":") if view.argument else ("", "", rest)
    return view, argument, inner


def how_to_have(keys: Iterable[str], views: Mapping[str, View] = CORE_VIEWS) -> str:
    """Which view of some data has these keys of a batch."""
    pairs = "paired:FOLDER for pairs side by side in one file, A::B for two folders"
    ways = {"mask": "masked:DATA", "low": "x4:DATA", "a": pairs, "b": pairs, "text": "captions:FOLDER",
            "age": "aging:FOLDER", "identity": "aging:FOLDER with a sub-folder per person",
            "attribute": "aging:FOLDER with a gender in every name", "video": "videos:FOLDER",
            "label": "one sub-folder per class, or a labels.csv in the folder"}  # fmt: skip
    for view in views.values():  # of plugins
        ways |= {key: f"{view.usage}:DATA" for key in view.keys if key not in ways}
    found = dict.fromkeys(ways[key] for key in sorted(keys) if key in ways)
    return f"Give {' or '.join(found)}." if found else "Choose another data set or family."


class _Asked(NamedTuple):
    """All of a request but for the data's name."""

    root: Path | None
    options: Mapping[str, Any]  # image_size, channels
    careful: Mapping[str, Any]  # on_bad_image, follow_links: of paths
    longest_side: int | None
    datasets: Mapping[str, DatasetEntry]
    views: Mapping[str, View]


def _viewed(data: str, asked: _Asked) -> Dataset:
    """Views one in the other, and in the middle a data set by name, or what a path leads to."""
    paths = {**asked.options, **asked.careful}
    view, argument, rest = view_of(data, asked.views)
    if view is not None:
        given = (rest, paths) if view.of_path else (_viewed(rest, asked),)
        opened: Dataset = resolve(view.open)(*given, *([argument] if view.argument else []))
        return opened
    if "::" in data:
        return open_paired(data, paths)
    name, _, variant = data.partition(":")
    entry = None if "/" in data else asked.datasets.get(name)  # refuses a name that two plugins claim
    if entry is not None:
        return _named(entry, variant, asked.root, **asked.options)
    path = _path(data, asked.datasets)
    _refuse_unviewed(path, asked.views)
    return open_folder(path, **paths) if asked.longest_side is None else open_uncut(path, asked.longest_side, paths)


def _refuse_unviewed(path: str, views: Mapping[str, View]) -> None:
    """A file that a view of its name reads, and that is no picture."""
    view = views.get(Path(path).suffix[1:].lower())
    if view is not None and view.of_path and os.path.isfile(path):
        raise GanzooError(f"data {escape(path)!r}: is no picture", f"Say {view.usage}:{escape(path)}.")


def _check_options(image_size: int | None, channels: int | None) -> None:
    if image_size is not None and not 1 <= image_size <= LARGEST_SIDE:
        raise GanzooError(f"image_size {image_size}: not in 1..{LARGEST_SIDE}")
    if channels not in (None, 1, 3):
        raise GanzooError(f"channels {channels}: not 1 (gray) or 3 (RGB)")


def _named(
    dataset: DatasetEntry, variant: str, root: Path | None, image_size: int | None, channels: int | None
) -> Dataset:
    if variant and variant not in dataset.variants:
        hint = "" if dataset.variants else f"{dataset.name} has no variants."
        raise UnknownNameError(f"variant of data set {dataset.name}", variant, dataset.variants, hint)
    source = resolve(dataset.open)(root, variant, image_size=image_size, channels=channels)
    if not isinstance(source, Dataset):
        raise GanzooError(f"data set {dataset.name}: {dataset.open} returned no Dataset", "Tell the plugin's author.")
    return source


def _path(data: str, datasets: Mapping[str, DatasetEntry]) -> str:
    if data.startswith(HUB):
        return data
    path = os.path.expanduser(data)
    try:
        mode = os.stat(path).st_mode if data else None
    except (FileNotFoundError, NotADirectoryError, ValueError):
        mode = None
    except OSError as error:
        raise GanzooError(f"data {escape(data)!r}: cannot be read: {error.strerror}") from error
    if mode is None and "/" in data:
        raise GanzooError(f"data {escape(data)!r}: no such file or folder")
    if mode is None:
        raise UnknownNameError("data set", data.partition(":")[0] if ":" in data else data, datasets, PATHS_TOO)
    if not stat.S_ISDIR(mode) and not stat.S_ISREG(mode):
        raise GanzooError(f"data {escape(data)!r}: is neither a folder nor an image file")
    return path


def _check_served(
    info: DatasetInfo, data: str, image_size: int | None, channels: int | None, classes: int | None
) -> None:
    asked = {"image_size": (image_size, info.image_size), "channels": (channels, info.channels)}
    for option, (wanted, served) in asked.items():
        if wanted is not None and wanted != served:
            if served is None and info.channels and option == "image_size":
                continue  # pictures that are served whole
            has = "has no images" if served is None else f"is served with {served} only"
            raise GanzooError(f"data {escape(data)!r}: {option} {wanted} was asked for, and it {has}")
    if classes and classes != info.classes:
        has = f"has {info.classes} classes" if info.classes else "has no labels"
        raise GanzooError(
            f"data {escape(data)!r}: {classes} classes were asked for, and it {has}",
            f"Say -c classes={info.classes}." if info.classes else how_to_have(["label"]),
        )
