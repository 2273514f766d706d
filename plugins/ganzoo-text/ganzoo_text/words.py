"""Text as words and back: a tokenizer of the library `tokenizers`, which a model carries with it as JSON.

A piece is a word with the space before it (drawn as ▁), a mark, or a sign of a script that has no spaces; pieces joined
are the line again, in Unicode's form NFC and with single spaces. Piece 0 ends a line, piece 1 stands for rarer ones.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")  # its threads do not outlive a fork, of which it warns

from tokenizers import Regex, Tokenizer, decoders, normalizers, pre_tokenizers
from tokenizers.models import WordLevel
from tokenizers.trainers import WordLevelTrainer

from ganzoo_core.errors import GanzooError, escape

END, UNKNOWN, SPACE = "<end>", "▁<unknown>", "▁"
SIGNS = r"\p{Han}\p{Hiragana}\p{Katakana}"
LETTERS = rf"[[\p{{L}}\p{{M}}\p{{N}}]&&[^{SIGNS}]]+"
PIECE = Regex(rf"▁?(?:[{SIGNS}]|{LETTERS}(?:['’\-]{LETTERS})*|(?!▁)\X)")  # \X: a mark, an emoji of many signs
ALL = 2**31  # words: none is left out


class Words(NamedTuple):
    """How a model's words are written; made by `words_of`."""

    tokenizer: Tokenizer
    unknown: int | None  # the number of what stands for rarer words

    def numbers(self, line: str, most: int) -> list[int]:
        """A line as the numbers of its first `most` words. Errors: ValueError for a word, where none are unknown."""
        try:
            return [int(number) for number in self.tokenizer.encode(line).ids[:most]]
        except Exception as fault:  # the library raises nothing more precise
            raise ValueError(f"has a word that the model does not know ({fault})") from None

    def line(self, numbers: Sequence[int]) -> str:
        """What they say, as people read it."""
        return str(self.tokenizer.decode(list(numbers)))


@lru_cache(maxsize=8)
def words_of(tokenizer: str) -> Words:
    """The words of a model, by its tokenizer as JSON. Errors: GanzooError for what is none."""
    try:
        made = Tokenizer.from_str(tokenizer)
    except Exception as fault:  # likewise
        raise GanzooError(f"tokenizer: {escape(fault, 80)}", "Give the JSON of the package tokenizers.") from None
    found = [made.token_to_id(word) for word in (UNKNOWN, UNKNOWN.removeprefix(SPACE))]
    return Words(made, next((number for number in found if number is not None), None))


def learnt(lines: Iterable[str], most: int) -> str:
    """The tokenizer of some lines: their most frequent words, `most` with the two that are none. JSON."""
    counting = with_rules(Tokenizer(WordLevel()))
    counting.train_from_iterator(lines, WordLevelTrainer(vocab_size=ALL, show_progress=False))
    words = sorted(counting.get_vocab().items(), key=lambda pair: pair[1])
    kept = [END, UNKNOWN, *(word for word, _ in words)][:most]
    known = WordLevel({word: number for number, word in enumerate(kept)}, unk_token=UNKNOWN)
    return str(with_rules(Tokenizer(known)).to_str())


def with_rules(tokenizer: Tokenizer) -> Tokenizer:
    """How lines come apart and together."""
    blank = normalizers.Replace(Regex(r"[\s▁]+"), " ")
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), blank, normalizers.Strip()])
    split = pre_tokenizers.Split(PIECE, "isolated")
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Metaspace(), split])
    tokenizer.decoder = decoders.Metaspace()
    return tokenizer


def spaced(vocabulary: Sequence[str]) -> str:
    """The tokenizer of models that know words between spaces by a list, as those of version 0.2.0 did. JSON."""
    words = {word: number for number, word in enumerate(vocabulary)}
    tokenizer = Tokenizer(WordLevel(words, unk_token=UNKNOWN.removeprefix(SPACE)))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return str(tokenizer.to_str())
