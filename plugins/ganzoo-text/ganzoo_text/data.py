"""Words to train on: lines of any text file, and sequences of the synthetic oracle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganzoo_core.data import Dataset, DatasetInfo, fingerprint
from ganzoo_core.errors import ExternalError, GanzooError, escape
from ganzoo_text.oracle import PLANS, Oracle
from ganzoo_text.words import learnt, words_of

LONGEST, WORDS, LARGEST = 20, 5_000, 1 << 28  # words of a line, of a tokenizer; bytes of a file
PART = 256  # captions that are read at once, with their pictures


class Tokens(Dataset):
    """`tokens`, int64 [n, L]: words by their numbers, 0 behind the last; and the lines that they were made of."""

    def __init__(
        self, name: str, tokens: Tensor, licence: str, *, tokenizer: str = "", lines: Sequence[str] = (),
        oracle: Oracle | None = None,
    ) -> None:  # fmt: skip
        self.tokens, self.tokenizer, self.lines, self.oracle = tokens, tokenizer, lines, oracle
        print_ = fingerprint(tokens, *filter(None, [tokenizer]))
        self.info = DatasetInfo(name, frozenset({"tokens"}), None, None, None, (), licence, print_)

    def __len__(self) -> int:
        return len(self.tokens)

    def fetch(self, indices: Sequence[int]) -> dict[str, Tensor]:
        return {"tokens": self.tokens[torch.as_tensor(indices)]}

    def facts(self) -> Mapping[str, Any]:
        """How long its lines are, and its words."""
        words = self.oracle.words if self.oracle else words_of(self.tokenizer).tokenizer.get_vocab_size()
        return {**super().facts(), "length": self.tokens.shape[1], "words": words, "tokenizer": self.tokenizer}


def oracle(root: Path | None, variant: str, **options: Any) -> Tokens:
    """10,000 sequences of the oracle; `_test` are 10,000 others."""
    name, _, part = (variant or "paper").partition("_")
    made = Oracle(*PLANS[name])
    return Tokens(f"oracle:{variant or 'paper'}", made.sequences(10_000, 2 if part else 1), "CC0-1.0", oracle=made)


def lines(path: str, options: Mapping[str, Any]) -> Tokens:
    """lines:FILE.txt: a line each, its first 20 words and marks; the 5,000 most frequent of them are known.

    Errors: GanzooError for a file without two lines, or in another encoding, ExternalError.
    """
    file = Path(path).expanduser()
    return of_lines(f"lines:{file.name}", text_of(file).splitlines(), escape(file), "")


def captions(source: Dataset) -> Tokens:
    """words:DATA: the captions of pictures, without the pictures. Errors: GanzooError for data that have none."""
    name = source.info.name
    if "text" not in source.info.keys:
        raise GanzooError(f"{escape(name)}: has no captions", "Give words:emoji:captions, or lines:FILE.txt.")
    parts = [range(start, min(start + PART, len(source))) for start in range(0, len(source), PART)]
    found = [bytes(row).rstrip(b"\0").decode() for part in parts for row in source.fetch(part)["text"].tolist()]
    return of_lines(f"words:{name}", found, escape(name), source.info.licence)


def of_lines(name: str, given: Sequence[str], where: str, licence: str) -> Tokens:
    """Errors: GanzooError for fewer than two lines."""
    found = [" ".join(line.split()[:LONGEST]) for line in given if line.strip()]
    if len(found) < 2:
        raise GanzooError(f"{where}: has fewer than two lines of words", "Give another.")
    tokenizer = learnt(found, WORDS)
    return Tokens(name, numbered(found, tokenizer), licence, tokenizer=tokenizer, lines=found)


def numbered(lines: Sequence[str], tokenizer: str, length: int = 0) -> Tensor:
    """Lines as words by their numbers, 0 behind the last; as long as the longest of them, or `length`.  int64 [n, L]

    Errors: ValueError for a word that a tokenizer without unknown ones does not know.
    """
    words = words_of(tokenizer)
    rows = [torch.tensor(words.numbers(line, length or LONGEST)) for line in lines]
    tokens = torch.zeros(len(rows), length or max(map(len, rows)), dtype=torch.int64)
    for to, row in zip(tokens, rows, strict=True):
        to[: len(row)] = row
    return tokens


def text_of(file: Path) -> str:
    try:
        if file.stat().st_size > LARGEST:
            raise GanzooError(f"{escape(file)}: larger than {LARGEST >> 20} MiB", "Give a part of it.")
        return file.read_text("utf-8-sig")
    except (FileNotFoundError, IsADirectoryError):
        raise GanzooError(f"data {escape(file)}: no such file", "Give lines:FILE.txt.") from None
    except UnicodeDecodeError as fault:
        raise GanzooError(f"{escape(file)}: byte {fault.start} is no UTF-8", "Save it as UTF-8.") from None
    except OSError as fault:
        raise ExternalError(f"{escape(file)}: cannot be read: {fault.strerror}") from None


def noise(n: int, facts: Mapping[str, Any], rng: torch.Generator) -> Tensor:
    """int64 [n, L]"""
    return torch.randint(facts["words"], (n, facts["length"]), generator=rng)
