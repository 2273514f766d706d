"""A data set of the Hub, or one that lies in a folder as parquet, through the package `datasets`: hf:owner/set[:split].

Its rows are streamed once, and their pictures kept as they are, in a file without a name: from there on they are read
like a folder's. The split is whole, its order that of its rows, and a set of the Hub is of one commit.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from io import BytesIO
from typing import Any, BinaryIO, NamedTuple

from ganzoo_core.data.folder.listing import Listing
from ganzoo_core.data.folder.places import Found, Place
from ganzoo_core.data.folder.spool import Spooled, spool
from ganzoo_core.errors import ExternalError, GanzooError, escape

PREFIX = "hf:"
EXTRA = "pip install 'ganzoo-core[hub-data]'"


class Asked(NamedTuple):
    """`folder` is a set's folder on this machine, "" for one of the Hub, which then has a revision."""

    set: str
    revision: str
    split: str
    folder: str

    def __str__(self) -> str:
        revision, split = (f"{mark}{part}" if part else "" for mark, part in (("@", self.revision), (":", self.split)))
        return f"{PREFIX}{self.set}{revision}{split}"


class Rows(Place):
    """Pictures by their classes and the numbers of their rows."""

    kind = "data set"

    def __init__(self, asked: Asked, pieces: Spooled, spans: Mapping[str, tuple[int, int]]) -> None:
        self.path, self.pieces, self.spans = str(asked), pieces, spans

    def __reduce__(self) -> tuple[object, ...]:
        return place_of, (self.path,)

    def scan(self, folder: str) -> Iterator[Found]:
        yield from (Found("image", name) for name in self.spans if not folder)

    walk = scan

    def holds(self, name: str) -> bool:
        return name in self.spans

    @contextmanager
    def open(self, name: str) -> Iterator[BinaryIO]:
        yield BytesIO(self.pieces.piece(*self.spans[name]))

    def where(self, name: str) -> str:
        return f"{self.path}: {name}"


def place_of(data: str) -> Place:
    return list_rows(data).place


def list_rows(data: str) -> Listing:
    """Its pictures in the order of its rows, with the labels of its first column of classes.

    Errors: GanzooError for what is not there or has no pictures, ExternalError where the Hub cannot be reached.
    """
    package()
    asked = pinned(parsed(data))
    place, labels, classes = (streamed if asked.folder else streamed_once)(asked)
    return Listing(place, list(place.spans), list(labels), classes, title=place.path)


def streamed(asked: Asked) -> tuple[Rows, list[int], tuple[str, ...]]:
    """The pictures of a split, their labels and the names of these."""
    datasets = package()
    with faults_told(asked), tempfile.TemporaryFile() as file:
        asked, rows = split_of(asked, datasets)
        picture = column(asked, rows, datasets.Image)
        label = column(asked, rows, datasets.ClassLabel, needed=False)
        told = Told(asked, tuple(rows.features[label].names) if label else ())
        spool(file, (told.row(row[picture], row.get(label)) for row in rows.decode(False)), str(asked))
        if not told.spans:
            raise GanzooError(f"data set {asked}: is empty")
        return Rows(asked, Spooled(file), told.spans), told.labels, told.classes


streamed_once = lru_cache(maxsize=2)(streamed)  # of one commit, whose rows stay what they are: a run asks twice


class Told:
    """What rows have said so far: where each picture lies among all of them, and its label."""

    def __init__(self, asked: Asked, classes: tuple[str, ...]) -> None:
        self.asked, self.classes, self.end = asked, classes, 0
        self.spans: dict[str, tuple[int, int]] = {}
        self.labels: list[int] = []

    def row(self, picture: Mapping[str, Any] | None, label: int | None) -> bytes:
        """The picture's bytes; none where the row has no picture."""
        name = f"{len(self.spans):09d}"
        if self.classes:
            if label is None or not 0 <= label < len(self.classes):
                raise GanzooError(f"data set {self.asked}: row {name} has no class", "Choose another split.")
            name = f"{self.classes[label]}/{name}"
            self.labels.append(label)
        data = content(self.asked, picture or {})
        self.spans[name] = self.end, len(data)
        self.end += len(data)
        return data


def package() -> Any:
    """The package `datasets`, quiet. Errors: GanzooError where it is not installed."""
    try:
        import datasets
    except ModuleNotFoundError as fault:
        raise GanzooError(f"data {PREFIX}...: {fault.name} is not installed", EXTRA) from None
    datasets.disable_progress_bars()
    datasets.logging.set_verbosity_error()
    return datasets


def parsed(data: str) -> Asked:
    """hf:owner/set[@revision][:split], or hf:FOLDER[:split]."""
    rest = data.removeprefix(PREFIX)
    if os.path.isdir(os.path.expanduser(rest)):
        return Asked(rest, "", "", os.path.realpath(os.path.expanduser(rest)))
    where, colon, split = rest.rpartition(":")
    where, split = (where, split) if colon else (rest, "")
    if os.path.isdir(os.path.expanduser(where)):
        return Asked(where, "", split, os.path.realpath(os.path.expanduser(where)))
    name, _, revision = where.partition("@")
    if name.startswith((".", "/", "~")):
        raise GanzooError(f"data {escape(data)!r}: no such folder")
    if name.count("/") > 1 or not name:
        raise GanzooError(f"data {escape(data)!r}: is no data set's name", "Give hf:owner/set[@revision][:split].")
    return Asked(name, revision, split, "")


def pinned(asked: Asked) -> Asked:
    """With the commit that its revision is now, so that a run says what it was trained on."""
    if asked.folder:
        return asked
    from huggingface_hub import HfApi, errors

    try:
        api = HfApi(endpoint=os.environ.get("HF_ENDPOINT") or None)
        commit = api.dataset_info(asked.set, revision=asked.revision or None).sha
    except errors.RevisionNotFoundError:
        raise GanzooError(f"data set {asked}: no such branch, tag or commit", "Check it.") from None
    except errors.HFValidationError:
        raise GanzooError(f"data {asked}: is no data set's name", "Give hf:owner/set[@revision][:split].") from None
    except errors.RepositoryNotFoundError:
        raise GanzooError(f"data set {asked}: not found on the Hub", "Check its name, or set HF_TOKEN.") from None
    except Exception as fault:  # whatever the network and its libraries raise
        raise unreachable(asked, fault) from None
    return asked._replace(revision=commit or asked.revision)


def unreachable(asked: Asked, fault: Exception) -> ExternalError:
    why = escape(str(fault).partition("\n")[0] or type(fault).__name__, 120)
    return ExternalError(f"data set {asked}: cannot be had: {why}", "Is the network there?")


@contextmanager
def faults_told(asked: Asked) -> Iterator[None]:
    """What `datasets` raises over a set, in one line."""
    try:
        yield
    except (GanzooError, MemoryError):
        raise
    except Exception as fault:
        if isinstance(fault, OSError) and not asked.folder:
            raise unreachable(asked, fault) from fault
        why = escape(str(fault).partition("\n")[0] or type(fault).__name__, 160)
        raise GanzooError(f"data set {asked}: cannot be read: {why}") from fault


def split_of(asked: Asked, datasets: Any) -> tuple[Asked, Any]:
    """The split that is asked for, or the one to train on. Errors: GanzooError that names all others."""
    there = {"path": asked.folder} if asked.folder else {"path": asked.set, "revision": asked.revision}
    splits = datasets.load_dataset(**there, streaming=True)
    split = asked.split or ("train" if "train" in splits else next(iter(splits), ""))
    if split not in splits or (not asked.split and split != "train" and len(splits) > 1):
        known = escape(", ".join(splits), 120)
        what = f"has no split {escape(split, 60)!r}" if asked.split else "has several splits, none of them train"
        raise GanzooError(f"data set {asked}: {what}", f"Known: {known}.")
    return asked._replace(split=split), splits[split]


def column(asked: Asked, rows: Any, kind: type, needed: bool = True) -> str:
    """The first column of a kind. Errors: GanzooError where there is none and it is needed."""
    features = rows.features or {}
    found = next((name for name, feature in features.items() if isinstance(feature, kind)), "")
    if needed and not found:
        names = escape(", ".join(features), 120) or "none"
        raise GanzooError(f"data set {asked}: has no column of pictures", f"Its columns: {names}.")
    return found


def content(asked: Asked, picture: Mapping[str, Any]) -> bytes:
    """A picture's file: it lies in its row, or its row says where; nothing outside of the set is ever read."""
    data, path = picture.get("bytes"), picture.get("path") or ""
    if data is not None or not path:
        return data or b""
    import fsspec

    if not within(asked, path):
        return b""
    with fsspec.open(path, "rb") as file:
        read: bytes = file.read()
    return read


def within(asked: Asked, path: str) -> bool:
    inmost = path.split("::")[-1]  # of an archive's member: zip://NAME::ARCHIVE
    if asked.folder:
        return os.path.commonpath([asked.folder, os.path.realpath(inmost)]) == asked.folder
    return inmost.startswith(f"hf://datasets/{asked.set}@{asked.revision}/")
