"""A recurrent language: words in, the chances of the next one out."""

from __future__ import annotations

import torch
from torch import Tensor, nn

State = tuple[Tensor, Tensor]


class Language(nn.Module):
    """Embedding -> LSTM -> logits of the next word. A line begins after word 0."""

    def __init__(self, words: int, embedding: int, hidden: int) -> None:
        super().__init__()
        self.embed = nn.Embedding(words, embedding)
        self.lstm = nn.LSTM(embedding, hidden, batch_first=True)
        self.out = nn.Linear(hidden, words)

    def told(self, tokens: Tensor) -> Tensor:
        """Logits of each word [N, L] after those before it.  [N, L, V]"""
        before = torch.cat([torch.zeros_like(tokens[:, :1]), tokens[:, :-1]], 1)
        made: Tensor = self.out(self.lstm(self.embed(before))[0])
        return made

    def step(self, word: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """Logits [N, V] of what follows a word [N], and the state then."""
        h, after = self.lstm(self.embed(word)[:, None], state)
        return self.out(h[:, 0]), after

    def written(self, u: Tensor, word: Tensor | None = None, state: State | None = None) -> Tensor:
        """What follows `word`, drawn by u [N, T] in [0, 1): the words at u of the way through their chances.  [N, T]"""
        word = torch.zeros(u.shape[:1], dtype=torch.int64, device=u.device) if word is None else word
        made = []
        for v in u.unbind(1):
            logits, state = self.step(word, state)
            word = at(logits, v)
            made.append(word)
        return torch.stack(made, 1)


def at(logits: Tensor, u: Tensor) -> Tensor:
    """The word at u [N] of the way through the softmax of logits [N, V].  int64 [N]"""
    below = (logits.softmax(1).cumsum(1) <= u[:, None]).sum(1)
    return below.clamp(max=logits.shape[1] - 1)
