"""The relational memory (Santoro et al. 2018): slots that look at each other and at the last word, then let it in."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from ganzoo_text.language import Tongue, begun


class RelationalMemory(Tongue):
    """Embedding -> memory M [slots, heads x head_size] -> logits of the next word.

    M~ = norm([M; e] + attention([M; e])),  M~ <- norm(M~ + mlp(M~)),
    M <- sigmoid(i) tanh(M~) + sigmoid(f + 1) M,  i and f from the word and from tanh(M).
    """

    def __init__(self, words: int, embedding: int, slots: int, heads: int, head_size: int) -> None:
        super().__init__()
        size = heads * head_size
        self.slots, self.heads, self.size = slots, heads, size
        self.embed, self.into = nn.Embedding(words, embedding), nn.Linear(embedding, size)
        self.qkv, self.qkv_norm = nn.Linear(size, 3 * size), nn.LayerNorm([slots + 1, 3 * size])
        self.norm, self.norm2 = nn.LayerNorm([slots + 1, size]), nn.LayerNorm([slots + 1, size])
        self.mlp = nn.Sequential(nn.Linear(size, size), nn.ReLU(), nn.Linear(size, size), nn.ReLU())
        self.word_gates, self.memory_gates = nn.Linear(size, 2 * size), nn.Linear(size, 2 * size)
        self.input_bias = nn.Parameter(torch.tensor(0.0))
        self.forget_bias = nn.Parameter(torch.tensor(1.0))
        self.out = nn.Linear(slots * size, words)

    def empty(self, n: int) -> Tensor:
        """The memory before the first word: slot i has a 1 at place i.  [N, slots, size]"""
        return torch.eye(self.slots, self.size, device=self.out.weight.device).expand(n, -1, -1)

    def step(self, word: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Logits [N, V] of what follows a word [N], and the memory then."""
        M = self.empty(word.shape[0]) if state is None else state
        e = self.into(self.embed(word))[:, None]
        M = self.gated(e, M, self.attended(torch.cat([M, e], 1))[:, : self.slots])
        return self.out(M.flatten(1)), M

    def told(self, tokens: Tensor) -> Tensor:
        """Word by word: a memory goes along no other way.  [N, L, V]"""
        made, state = [], None
        for word in begun(tokens).unbind(1):
            logits, state = self.step(word, state)
            made.append(logits)
        return torch.stack(made, 1)

    def attended(self, M: Tensor) -> Tensor:
        """Slots and word [N, slots + 1, size], each with what it sees in all of them, and what becomes of that."""
        M = self.norm(M + self.attention(M))
        seen: Tensor = self.norm2(M + self.mlp(M))
        return seen

    def attention(self, M: Tensor) -> Tensor:
        """softmax(q k^T / sqrt(head_size)) v, of each head."""
        parts = self.qkv_norm(self.qkv(M)).unflatten(2, (self.heads, -1)).transpose(1, 2)
        q, k, v = parts.chunk(3, 3)
        return scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2)

    def gated(self, e: Tensor, M: Tensor, new: Tensor) -> Tensor:
        """What the gates let in and leave."""
        i, f = (self.word_gates(e) + self.memory_gates(M.tanh())).chunk(2, 2)
        return (i + self.input_bias).sigmoid() * new.tanh() + (f + self.forget_bias).sigmoid() * M
