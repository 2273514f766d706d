"""The game of the sliced Wasserstein generator: distances along random lines, where sorting is all there is to do."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor
from torch.nn.functional import normalize

from ganzoo_core.objectives import Batch, Terms, TwoPlayerAdam, nonsaturating, to_float32


class SWGAN(TwoPlayerAdam):
    """Generative Modeling using the Sliced Wasserstein Distance (Deshpande, Zhang & Schwing 2018, arXiv:1803.11188).

    d = -E log D(x) - E log(1 - D(G(z))),  g = E over lines w of W_2^2(w . h(x), w . h(G(z)))

    D learns to tell pictures from samples; h, what it has before its score, is the space in which G's samples are moved
    to the pictures. So G has no opponent: it descends a distance.
    """

    batchwise = True
    loss = nonsaturating

    lines: Annotated[int, "random lines on which each batch is projected"] = 1_000

    def g_loss(self, batch: Batch) -> Terms:
        x = batch["x"]
        a, b = (to_float32(self.D.features(y)).flatten(1) for y in (x, self.fake(len(x))))
        return {"sw": sliced_wasserstein(a, b, directions(a.shape[1], self.lines, a.device))}


def directions(F: int, n: int, device: torch.device) -> Tensor:
    """n unit vectors, uniform on the sphere.  [F, n]"""
    return normalize(torch.randn(F, n, device=device), dim=0)


def sliced_wasserstein(a: Tensor, b: Tensor, w: Tensor) -> Tensor:
    """Mean over lines w [F, n] of W_2^2 of the projected points [N, F]: on a line the nearest way is in order."""
    along_a, along_b = (a @ w).sort(dim=0).values, (b @ w).sort(dim=0).values
    return (along_a - along_b).square().mean()
