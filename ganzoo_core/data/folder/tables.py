"""Tables that people keep beside their pictures, as pairs (file name, value): .csv, .tsv, .json and .jsonl.

Byte order marks, UTF-16, semicolons and tabs are taken as they come; the columns have any of their usual names.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ganzoo_core.data.folder.places import Place
from ganzoo_core.decoding import BadImage
from ganzoo_core.errors import GanzooError, escape

LARGEST = 64 << 20  # bytes of a table
DELIMITERS = ",;\t|"
FILE = ("file_name", "filename", "file", "image", "image_path", "img", "path", "name")
Pair = tuple[str, Any]


def read_pairs(place: Place, table: str, value: Sequence[str]) -> list[Pair]:
    """(file name, value) of every row, the value from the first column that is named as one of `value`.

    JSON may be a list of rows, a table {file name: value}, StyleGAN's {"labels": [[file name, label], ...]} or COCO's
    {"images": ..., "annotations": ...}. Errors: GanzooError for what is no such table.
    """
    text = read_text(place, table)
    try:
        if table.endswith(".json"):
            return _json_pairs(json.loads(text), value)
        if table.endswith(".jsonl"):
            return _row_pairs([json.loads(line) for line in text.split("\n") if line.strip()], value)
        return _row_pairs(_csv_rows(text), value)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError, csv.Error) as error:
        raise GanzooError(
            f"{escape(place.where(table))}: is no table of {value[0]}s: {escape(error, 100) or type(error).__name__}",
            f"Every row needs {FILE[0]} and {value[0]}.",
        ) from None


def matched(path: str, pairs: Iterable[Pair], names: Sequence[str], hint: str = "Add them.") -> dict[str, list[Any]]:
    """The values of each of the pictures `names`, in the table's order; of files that are not there nothing is kept.

    A name in the table may have another folder before it, where no two pictures are called alike. Errors: GanzooError
    for pictures of which nothing is said.
    """
    bases = [os.path.basename(name) for name in names]
    known = dict(zip(bases, names, strict=True)) if len(set(bases)) == len(bases) else {}
    known |= {name: name for name in names}
    found: dict[str, list[Any]] = {name: [] for name in names}
    for name, value in pairs:
        plain = os.path.normpath(name.replace("\\", "/"))
        here = known.get(plain) or known.get(os.path.basename(plain))
        if here is not None:
            found[here].append(value)
    silent = [name for name in names if not found[name]]
    if silent:
        what = f"{escape(path)}: says nothing of {len(silent):,} images: {escape(silent[0], 80)}"
        raise GanzooError(what, hint)
    return found


def read_text(place: Place, name: str) -> str:
    """A whole file of words. Errors: GanzooError for what is none, is too large or cannot be read."""
    path = escape(place.where(name))
    try:
        with place.open(name) as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise GanzooError(f"{path}: cannot be read: {error.strerror}") from None
    except BadImage as error:
        raise GanzooError(f"{path}: {error}") from None
    if len(data) > LARGEST:
        raise GanzooError(f"{path}: has more than {LARGEST >> 20} MiB")
    try:
        return data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeError:
        raise GanzooError(f"{path}: is no text in UTF-8", "Save it as UTF-8.") from None


def _csv_rows(text: str) -> list[dict[str, Any]]:
    """The delimiter is what the first line has most of."""
    head = text.partition("\n")[0]
    delimiter = max(DELIMITERS, key=head.count)
    return list(csv.DictReader(text.splitlines(keepends=True), delimiter=delimiter))


def _json_pairs(content: Any, value: Sequence[str]) -> list[Pair]:
    if isinstance(content, list):
        return _row_pairs(content, value)
    if "images" in content and "annotations" in content:
        names = {image["id"]: image["file_name"] for image in content["images"]}
        return [(_name(names[row["image_id"]]), row[value[0] if value[0] in row else "caption"])
                for row in content["annotations"]]  # fmt: skip
    if isinstance(content.get("labels"), list):
        return [(_name(name), label) for name, label in content["labels"]]
    return [(_name(name), given) for name, given in content.items()]


def _row_pairs(rows: Sequence[Mapping[str, Any]], value: Sequence[str]) -> list[Pair]:
    pairs = []
    for row in rows:
        plain = {str(key).strip().lower(): cell for key, cell in row.items()}
        pairs.append((_name(_cell(plain, FILE)), _cell(plain, value)))
    return pairs


def _cell(row: Mapping[str, Any], names: Sequence[str]) -> Any:
    for name in names:
        if name in row:
            return row[name]
    raise KeyError(f"no {names[0]}")


def _name(name: Any) -> str:
    if not isinstance(name, str) or "\0" in name:
        raise TypeError(f"{name!r} is no file name")
    return name
