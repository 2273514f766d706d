"""Words to train on: lines of any text file, and sequences of the synthetic oracle."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganzoo_core.data import Dataset, DatasetInfo, fingerprint
from ganzoo_core.errors import ExternalError, GanzooError, escape
from ganzoo_text.oracle import PLANS, Oracle

LONGEST, WORDS, LARGEST = 20, 5_000, 1 << 28  # words of a line, of a vocabulary; bytes of a file
END, UNKNOWN = "<end>", "<unknown>"


class Tokens(Dataset):
    """`tokens`, int64 [n, L]: words by their numbers, 0 behind the last."""

    def __init__(
        self, name: str, tokens: Tensor, licence: str, vocabulary: Sequence[str] = (), oracle: Oracle | None = None
    ) -> None:
        self.tokens, self.vocabulary, self.oracle = tokens, tuple(vocabulary), oracle
        print_ = fingerprint(tokens, *self.vocabulary)
        self.info = DatasetInfo(name, frozenset({"tokens"}), None, None, None, (), licence, print_)

    def __len__(self) -> int:
        return len(self.tokens)

    def fetch(self, indices: Sequence[int]) -> dict[str, Tensor]:
        return {"tokens": self.tokens[torch.as_tensor(indices)]}

    def facts(self) -> Mapping[str, Any]:
        """How long its lines are, and its words."""
        words = self.oracle.words if self.oracle else len(self.vocabulary)
        return {**super().facts(), "length": self.tokens.shape[1], "words": words, "vocabulary": self.vocabulary}


def oracle(root: Path | None, variant: str, **options: Any) -> Tokens:
    """10,000 sequences of the oracle; `_test` are 10,000 others."""
    name, _, part = (variant or "paper").partition("_")
    made = Oracle(*PLANS[name])
    return Tokens(f"oracle:{variant or 'paper'}", made.sequences(10_000, 2 if part else 1), "CC0-1.0", oracle=made)


def lines(path: str, options: Mapping[str, Any]) -> Tokens:
    """lines:FILE.txt: a line each, its first 20 words; the 5,000 most frequent words are known.

    Errors: GanzooError for a file without two lines, or in another encoding, ExternalError.
    """
    file = Path(path).expanduser()
    rows = [line.split()[:LONGEST] for line in text_of(file).splitlines() if line.strip()]
    if len(rows) < 2:
        raise GanzooError(f"{escape(file)}: has fewer than two lines of words", "Give another file.")
    counts = Counter(word for row in rows for word in row if word not in (END, UNKNOWN))
    kept = sorted(counts, key=lambda word: (-counts[word], word))[: WORDS - 2]
    vocabulary = (END, *([UNKNOWN] if len(kept) < len(counts) else []), *kept)
    numbers = {word: number for number, word in enumerate(vocabulary)}
    tokens = torch.zeros(len(rows), max(map(len, rows)), dtype=torch.int64)
    for row, words in zip(tokens, rows, strict=True):
        row[: len(words)] = torch.tensor([numbers.get(word, 1) for word in words])
    return Tokens(f"lines:{file.name}", tokens, "", vocabulary)


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
