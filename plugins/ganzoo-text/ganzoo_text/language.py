"""Languages: words in, the chances of the next one out; a recurrent one; and who writes with them."""

from __future__ import annotations

from abc import abstractmethod
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ganzoo_core.nn import Generator, Latent, Space
from ganzoo_text.kinds import Lines

State = tuple[Tensor, Tensor]


class Tongue(nn.Module):
    """A language, word by word. A line begins after word 0."""

    @abstractmethod
    def step(self, word: Tensor, state: Any = None) -> tuple[Tensor, Any]:
        """Logits [N, V] of what follows a word [N], and the state then."""

    @abstractmethod
    def told(self, tokens: Tensor) -> Tensor:
        """Logits of each word [N, L] after those before it.  [N, L, V]"""

    def written(self, u: Tensor, word: Tensor | None = None, state: Any = None) -> Tensor:
        """What follows `word`, drawn by u [N, T] in [0, 1): the words at u of the way through their chances.  [N, T]"""
        word = torch.zeros(u.shape[:1], dtype=torch.int64, device=u.device) if word is None else word
        made = []
        for v in u.unbind(1):
            logits, state = self.step(word, state)
            word = at(logits, v)
            made.append(word)
        return torch.stack(made, 1)


class Language(Tongue):
    """Embedding -> LSTM -> logits of the next word."""

    def __init__(self, words: int, embedding: int, hidden: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(words, embedding)
        self.lstm = nn.LSTM(embedding, hidden, batch_first=True)
        self.out = nn.Linear(hidden, words)

    def told(self, tokens: Tensor) -> Tensor:
        """All at once: the LSTM goes along the line by itself.  [N, L, V]"""
        made: Tensor = self.out(self.lstm(self.embed(begun(tokens)))[0])
        return made

    def step(self, word: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        h, after = self.lstm(self.embed(word)[:, None], state)
        return self.out(h[:, 0]), after


class Writer(Generator):
    """u ~ U[0, 1)^L -> words: word t is the one at u_t of the way through its chances, so that u alone is drawn."""

    sample_batch_size: ClassVar[int] = 64

    def __init__(self, output: Lines, language: Tongue) -> None:
        super().__init__()
        self.inputs, self.output = {"u": Latent(output.shape, (0.0, 1.0))}, output
        self.language = language

    def forward(self, u: Tensor) -> Tensor:
        """[N, L], words by their numbers."""
        return self.language.written(u).float()

    def spaces(self) -> dict[str, Space]:
        """None: no gradient goes through a word."""
        return {}


def begun(tokens: Tensor) -> Tensor:
    """What stands before each word [N, L]: word 0, then the others.  [N, L]"""
    return torch.cat([torch.zeros_like(tokens[:, :1]), tokens[:, :-1]], 1)


def at(logits: Tensor, u: Tensor) -> Tensor:
    """The word at u [N] of the way through the softmax of logits [N, V].  int64 [N]"""
    below = (logits.softmax(1).cumsum(1) <= u[:, None]).sum(1)
    return below.clamp(max=logits.shape[1] - 1)
