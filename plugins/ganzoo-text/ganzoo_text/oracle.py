"""The synthetic oracle: an LSTM with random weights, which writes the data and knows how likely samples are.

Yu et al. 2017, Sec. 5: weights from N(0, 1), 5,000 words, 20 of them in a sequence.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from ganzoo_text.language import Language

PLANS = {"paper": (5_000, 20), "small": (200, 10)}  # words, length
WIDTH, BATCH = 32, 1_000


class Oracle:
    """A language that is given, not learnt."""

    def __init__(self, words: int, length: int) -> None:
        self.words, self.length = words, length
        rng = torch.Generator().manual_seed(0)
        self.net = Language(words, WIDTH, WIDTH)
        for w in self.net.parameters():
            w.data = torch.randn(w.shape, generator=rng)
        self.net.requires_grad_(False)

    @torch.no_grad()
    def sequences(self, n: int, seed: int) -> Tensor:
        """int64 [n, L]"""
        rng = torch.Generator().manual_seed(seed)
        return torch.cat([self.net.written(torch.rand(BATCH, self.length, generator=rng)) for _ in range(n // BATCH)])

    @torch.no_grad()
    def nll(self, tokens: Tensor) -> float:
        """-log p of a word, the mean over sequences [n, L] and their words: NLL-oracle (Yu et al. 2017, Eq. 9)."""
        each = [cross_entropy(self.net.told(some).flatten(0, 1), some.flatten()) for some in torch.split(tokens, BATCH)]
        sizes = torch.tensor([len(some) for some in torch.split(tokens, BATCH)])
        return float((torch.stack(each) * sizes).sum() / sizes.sum())
