"""The kind of what generators of text make: lines of words."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import PIL.Image
import PIL.ImageDraw
import torch
from torch import Tensor

from ganzoo_core.data import read_array, write_array, write_aside
from ganzoo_core.errors import GanzooError, escape
from ganzoo_core.nn import Output
from ganzoo_text.words import Words, words_of

WIDTH, HEIGHT, MARGIN, LETTERS, LINES = 480, 15, 4, 76, 32  # px of a line; letters and lines that are shown


@dataclass(frozen=True)
class Lines(Output):
    """Words [L] by their numbers; 0 ends a line, and fills what is left of it."""

    shape: tuple[int | None, ...]
    tokenizer: str = ""  # word 0 is no word; without any, words are shown by their numbers
    range: tuple[float, float] | None = None
    kind: ClassVar[str] = "lines"
    suffixes: ClassVar[tuple[str, ...]] = (".txt", ".npy", ".png")
    batch_key: ClassVar[str] = "tokens"

    @property
    def words(self) -> Words | None:
        return words_of(self.tokenizer) if self.tokenizer else None

    def rows(self, samples: Tensor) -> list[list[int]]:
        """The words of samples [n, L] by their numbers, as far as lines go."""
        rows: list[list[int]] = samples.long().tolist()
        return [list(until_end(row)) for row in rows] if self.tokenizer else rows

    def texts(self, samples: Tensor) -> list[str]:
        """Samples [n, L] as people read them."""
        rows, words = self.rows(samples), self.words
        return [words.line(row) if words else " ".join(map(str, row)) for row in rows]

    def picture(self, samples: Tensor, columns: int = 0) -> PIL.Image.Image:
        """The first lines."""
        texts = self.texts(samples[:LINES])
        sheet = PIL.Image.new("RGB", (WIDTH, HEIGHT * len(texts) + 2 * MARGIN), "white")
        pen = PIL.ImageDraw.Draw(sheet)
        for line, text in enumerate(texts):
            pen.text(
                (MARGIN, MARGIN + HEIGHT * line), text.encode("latin-1", "replace").decode("latin-1")[:LETTERS], "black"
            )
        return sheet

    def save(self, samples: Tensor, path: Path) -> None:
        """A line each; NumPy's format, with words by their numbers; or a picture of the first lines."""
        self.refuse_suffix(path)
        if path.suffix.lower() == ".npy":
            return write_array(samples, path)
        if path.suffix.lower() == ".txt":
            return write_aside(path, "".join(f"{text}\n" for text in self.texts(samples)).encode())
        made = io.BytesIO()
        self.picture(samples).save(made, "PNG")
        return write_aside(path, made.getvalue())

    def open(self, path: Path) -> Tensor:
        """[n, L]. Errors: GanzooError for other lengths, and for words that the model does not know."""
        self.refuse_suffix(path)
        rows = read_array(path, "a file of such lines") if path.suffix.lower() == ".npy" else self.read(path)
        if rows.ndim != 2 or rows.shape[1:] != self.shape:
            raise GanzooError(
                f"{escape(path)}: is {list(rows.shape)}, no lines of {self.shape[0]}", "Give another file."
            )
        return rows

    def read(self, path: Path) -> Tensor:
        """[n, L] of a text."""
        try:
            return torch.tensor([self.numbers(line) for line in path.read_text("utf-8").splitlines()]).float()
        except (OSError, ValueError) as fault:
            raise GanzooError(f"{escape(path)}: {escape(fault)}", "Give a file of such lines.") from None

    def numbers(self, line: str) -> list[int]:
        """A line as it would be in a sample. Errors: ValueError."""
        words, length = self.words, self.shape[0] or 0
        found = words.numbers(line, length + 1) if words else [int(word) for word in line.split()]
        if len(found) > length:
            raise ValueError(f"a line of {len(found)} words or more, more than {length}")
        if words and words.unknown in found and words.line([words.unknown]) not in line:
            raise ValueError("has a word that the model does not know")
        return found + [0] * (length - len(found))

    def to_config(self) -> dict[str, Any]:
        """Without its words: the networks' arguments have them."""
        return {"kind": self.kind, "shape": list(self.shape), "range": None}


def lines_of(words: int, tokenizer: str, length: int) -> Lines:
    """What networks write. Errors: GanzooError for a tokenizer of another number of words, or that is none."""
    known = words_of(tokenizer).tokenizer.get_vocab_size() if tokenizer else words
    if known != words:
        raise GanzooError(f"words {words}: and the tokenizer has {known}", "Leave it to the data.")
    return Lines((length,), tokenizer)


def until_end(row: Sequence[int]) -> Sequence[int]:
    """Up to the first 0."""
    return row[: row.index(0)] if 0 in row else row
