"""Pictures with words: `text` is UTF-8 bytes, uint8 [N, L], zero-padded; a model's own encoder reads them."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from torch import Tensor

from ganzoo_core.data.dataset import Dataset, fingerprint
from ganzoo_core.data.folder.folder import open_folder
from ganzoo_core.errors import GanzooError, escape
from ganzoo_core.text import encode_text

LENGTH = 80  # bytes of a caption: the longest of CLDR's has 80 with its skin tones, which are left out here


LONGEST = 1024  # bytes of a caption of one's own


LARGEST = 64 << 20  # bytes of a file of captions


TABLES = ("metadata.jsonl", "metadata.csv", "captions.jsonl", "captions.csv")


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
        x = self.source.fetch([self.rows[i] for i in indices])["x"]
        return {"x": x, "text": encode_text([self.captions[i] for i in indices], self.length)}


def open_captions(path: str, options: Mapping[str, Any]) -> Dataset:
    """A folder of images with metadata.jsonl (file_name, text) or metadata.csv: x and text."""
    folder = open_folder(path, **options)
    table = next((p for p in (os.path.join(folder.root, name) for name in TABLES) if os.path.isfile(p)), "")
    if not table:
        raise GanzooError(f"folder {escape(path)}: has no captions", f"Write {TABLES[0]}: a line per image, "
                          '{"file_name": "a.png", "text": "a red heart"}.')  # fmt: skip
    said = captions_of(table)
    silent = [name for name in folder.names if name not in said]
    if silent:
        raise GanzooError(
            f"{escape(table)}: says nothing of {len(silent):,} images: {escape(silent[0], 80)}", "Add them."
        )
    return Captioned(folder.info.name, folder, range(len(folder)), [said[name] for name in folder.names], "")


def captions_of(table: str) -> dict[str, str]:
    """File name -> caption."""
    try:
        if os.path.getsize(table) > LARGEST:
            raise GanzooError(f"{escape(table)}: has more than {LARGEST >> 20} MiB")
        with open(table, encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file)) if table.endswith(".csv") else [json.loads(s) for s in file if s.strip()]
        said = {row["file_name"]: row["text"] for row in rows}
    except (KeyError, TypeError, ValueError, RecursionError, csv.Error) as error:
        raise GanzooError(
            f"{escape(table)}: is no table of captions: {type(error).__name__}: {escape(error, 80)}",
            "Every row needs file_name and text.",
        ) from None
    except OSError as error:
        raise GanzooError(f"{escape(table)}: cannot be read: {error.strerror}") from None
    for name, text in said.items():
        if not isinstance(text, str) or not text.strip() or len(text.encode()) > LONGEST:
            raise GanzooError(f"{escape(table)}: {escape(name, 80)}: no caption of 1 to {LONGEST} bytes")
    return said
