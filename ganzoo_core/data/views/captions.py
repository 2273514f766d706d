"""Pictures with words: `text` is UTF-8 bytes, uint8 [N, L], zero-padded; a model's own encoder reads them."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from torch import Tensor

from ganzoo_core.data.dataset import Dataset, fingerprint
from ganzoo_core.data.folder.folder import Folder, open_folder
from ganzoo_core.data.folder.places import Place
from ganzoo_core.data.folder.tables import matched, read_pairs, read_text
from ganzoo_core.errors import GanzooError, escape
from ganzoo_core.seeds import hash32
from ganzoo_core.text import encode_text

LENGTH = 80  # bytes of a caption: the longest of CLDR's has 80 with its skin tones, which are left out here
LONGEST = 1024  # bytes of a caption of one's own
TABLES = tuple(f"{name}.{ending}" for name in ("metadata", "captions") for ending in ("jsonl", "csv", "tsv", "json"))
EXAMPLE = '{"file_name": "a.png", "text": "a red heart"}'
COLUMN = ("text", "caption", "captions", "prompt", "sentence", "description")


class Captioned(Dataset):
    """The pictures `rows` of a source, and a caption of each."""

    def __init__(self, name: str, source: Dataset, rows: Sequence[int], captions: Sequence[str], licence: str) -> None:
        self.source, self.rows, self.captions = source, rows, captions
        self.length = max([LENGTH, *(len(caption.encode()) for caption in captions)])
        self.info = replace(
            source.info,
            name=name,
            keys=frozenset({"x", "text"}),
            classes=None,
            class_names=(),
            licence=licence,
            fingerprint=fingerprint(source.info.fingerprint, "captions", rows, *captions),
        )

    def __len__(self) -> int:
        return len(self.rows)

    def fetch(self, indices: Sequence[int]) -> dict[str, Tensor]:
        return self.told(indices, [self.captions[i] for i in indices])

    def told(self, indices: Sequence[int], captions: Sequence[str]) -> dict[str, Tensor]:
        x = self.source.fetch([self.rows[i] for i in indices])["x"]
        return {"x": x, "text": encode_text(captions, self.length)}


class SeverallyCaptioned(Captioned):
    """All pictures of a source, and `choices` of each: in training one is drawn each time, else it is the first."""

    def __init__(self, source: Dataset, choices: Sequence[Sequence[str]]) -> None:
        every = [caption for some in choices for caption in some]
        super().__init__(source.info.name, source, range(len(source)), every, "")
        self.choices, self.captions = choices, [some[0] for some in choices]
        counts = (len(some) for some in choices)
        self.info = replace(self.info, fingerprint=fingerprint(self.info.fingerprint, *counts))

    def fetch_augmented(self, indices: Sequence[int], augment_seeds: Sequence[int]) -> dict[str, Tensor]:
        pairs = zip(indices, augment_seeds, strict=True)
        return self.told(indices, [drawn(self.choices[i], augment_seed) for i, augment_seed in pairs])


def drawn(captions: Sequence[str], augment_seed: int) -> str:
    """One of a picture's captions, each as often."""
    return captions[hash32(augment_seed, "caption") % len(captions)]


def open_captions(path: str, options: Mapping[str, Any]) -> Dataset:
    """A folder of images with a table of captions (metadata.jsonl, captions.csv ...), or a .txt beside each: x, text.

    A picture may have several captions: several rows, a list, or several lines.
    """
    folder = open_folder(path, **options)
    place = folder.place
    table = next(filter(place.holds, TABLES), "")
    said = captions_of(place, table, folder.names) if table else texts_of(folder)
    if not any(said.values()):
        raise GanzooError(f"{place}: has no captions", f"Write {TABLES[0]}: a line per image, {EXAMPLE}.")
    for name, captions in said.items():
        refuse_bad(place.where(table or text_beside(name)), name, captions)
    captions = [said[name] for name in folder.names]
    if any(len(some) > 1 for some in captions):
        return SeverallyCaptioned(folder, captions)
    return Captioned(folder.info.name, folder, range(len(folder)), [some[0] for some in captions], "")


def captions_of(place: Place, table: str, names: Sequence[str]) -> dict[str, list[Any]]:
    """The captions of the pictures `names` by a table."""
    found = matched(place.where(table), read_pairs(place, table, COLUMN), names)
    return {name: [caption for one in given for caption in listed(one)] for name, given in found.items()}


def listed(given: Any) -> list[Any]:
    return given if isinstance(given, list) else [given]


def texts_of(folder: Folder) -> dict[str, list[Any]]:
    """The captions of a folder's pictures by the .txt beside each, line by line; nothing for one that has none."""
    return {name: lines_of(folder.place, text_beside(name)) for name in folder.names}


def text_beside(name: str) -> str:
    return os.path.splitext(name)[0] + ".txt"


def lines_of(place: Place, name: str) -> list[Any]:
    """None where there is no such file. Errors: GanzooError for what is no text."""
    text = read_text(place, name) if place.holds(name) else ""
    return [line.strip() for line in text.splitlines() if line.strip()]


def refuse_bad(table: str, name: str, captions: Sequence[Any]) -> None:
    """Errors: GanzooError for a picture without captions, and for captions that are none."""
    for caption in captions or [""]:
        if not isinstance(caption, str) or not caption.strip() or not 1 <= size_of(caption) <= LONGEST:
            raise GanzooError(f"{escape(table)}: {escape(name, 80)}: no caption of 1 to {LONGEST} bytes")


def size_of(caption: str) -> int:
    """Bytes in UTF-8; 0 for what has no such form (half a pair of surrogates)."""
    try:
        return len(caption.encode())
    except UnicodeError:
        return 0
