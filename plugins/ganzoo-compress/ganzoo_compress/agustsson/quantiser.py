"""q: every number of a map becomes the nearest of L centres, and gradients go on as if it had leant to all of them."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ganzoo_compress.codec import straight_through


class Quantiser(nn.Module):
    """Centres that stay where they are, {-2, -1, 0, 1, 2} as published (Sec. 3; Mentzer et al. 2018, Eqs. 2 to 4)."""

    centres: Tensor  # [L]

    def __init__(self, centres: Sequence[float], sigma: float = 1.0) -> None:
        super().__init__()
        self.register_buffer("centres", torch.tensor(centres, dtype=torch.float32), persistent=False)
        self.sigma = sigma

    def squares(self, w: Tensor) -> Tensor:
        """(w - c_j)^2.  [...] -> [..., L]"""
        return (w.float()[..., None] - self.centres).square()

    def symbols(self, w: Tensor) -> Tensor:
        """argmin_j (w - c_j)^2: numbers 0 to L - 1, int64, of the shape of w."""
        return self.squares(w).argmin(-1)

    def values(self, symbols: Tensor) -> Tensor:
        """The centres of some symbols, float32 of the same shape."""
        return self.centres[symbols]

    def forward(self, w: Tensor) -> Tensor:
        """w^, the nearest centres; to gradients sum_j softmax_j(-sigma (w - c_j)^2) c_j."""
        soft = ((-self.sigma * self.squares(w)).softmax(-1) * self.centres).sum(-1)
        return straight_through(self.values(self.symbols(w)), soft)

    def entropy(self, w: Tensor) -> Tensor:
        """H(w^) of a map as it is, in bits of each number: log2 L at most, what an order-0 coder comes to."""
        chosen = self.symbols(w)[..., None] == torch.arange(len(self.centres), device=w.device)
        share = chosen.float().flatten(0, -2).mean(0)
        return torch.special.entr(share).sum() / torch.log(torch.tensor(2.0, device=w.device))


def around_zero(levels: int) -> list[float]:
    """Whole numbers with 0 in their middle: 5 -> -2 ... 2, 4 -> -1.5 ... 1.5."""
    return [j - (levels - 1) / 2 for j in range(levels)]
