"""Labels of a folder's images that a table gives, in place of sub-folders: StyleGAN's dataset.json, labels.csv."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ganzoo_core.data.folder.listing import Listing
from ganzoo_core.data.folder.places import Place
from ganzoo_core.data.folder.tables import matched, read_pairs, read_text
from ganzoo_core.errors import GanzooError, escape

STYLEGAN = "dataset.json"
TABLES = (STYLEGAN, "labels.csv", "labels.tsv", "labels.json", "labels.jsonl")
COLUMN = ("label", "labels", "class", "class_name", "category", "target")


def read_labels(listing: Listing) -> str:
    """Gives a listing the labels of its table, if it has one; the table's name, or "".

    Whole numbers, names, or vectors of which one number is 1 and all others are 0. A dataset.json without labels means
    that its sub-folders are none either. Errors: GanzooError for a table that cannot be read, that leaves images out,
    or whose labels are other numbers.
    """
    place = listing.place
    table = next(filter(place.holds, TABLES), "")
    content = _content(place, table) if table == STYLEGAN else None
    if not table or (isinstance(content, (dict, list)) and "labels" not in content):
        return ""  # another program's dataset.json
    empty = isinstance(content, dict) and content["labels"] is None
    pairs = [] if empty else read_pairs(place, table, COLUMN)
    if not pairs:
        listing.labels, listing.classes = [], ()
        return table
    path = place.where(table)
    said = matched(path, pairs, listing.names, "Add them, or take the file away to train without labels.")
    values = [_class_of(path, name, said[name]) for name in listing.names]
    known = sorted(set(values), key=lambda value: (isinstance(value, str), value))
    if {type(value) for value in known} == {int, str}:
        raise GanzooError(f"{escape(path)}: some labels are numbers and some are names", "Give all alike.")
    listing.classes = tuple(str(value) for value in known)
    number = {value: i for i, value in enumerate(known)}
    listing.labels = [number[value] for value in values]
    return table


def _content(place: Place, table: str) -> Any:
    """Of a file of JSON; None for what is none, of which read_pairs says what is wrong."""
    try:
        return json.loads(read_text(place, table))
    except (GanzooError, ValueError, RecursionError):
        return None


def _class_of(path: str, name: str, given: Sequence[Any]) -> int | str:
    """A class's number or name."""
    value = given[0]
    if isinstance(value, list) and value and all(number in (0, 1) for number in value) and sum(value) == 1:
        return value.index(1)
    if isinstance(value, str) and value.strip():
        return _number(value.strip())
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise GanzooError(
        f"{escape(path)}: {escape(name, 80)}: label {escape(value, 60)} is no class",
        "Give one class for each image, a whole number or a name, or take the file away to train without labels.",
    )


def _number(text: str) -> int | str:
    return int(text) if text.lstrip("-").isdecimal() and len(text) < 19 else text
