"""Networks that grow (Karras et al. 2017, Fig. 2): all resolutions are there, and some of them are in use."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Growing(nn.Module):
    """A network of which the resolutions 0 ... `depth` are in use; of the last, `alpha` is shown, 1 - alpha of the one
    below.

    Both are buffers, so that a checkpoint has them, and are read as numbers only when they have changed: a step waits
    for no device.
    """

    depth: Tensor  # int64 []
    alpha: Tensor  # float32 []

    def declare(self, depth: int) -> None:
        """Begin grown: at `depth`, with all of it shown."""
        self.register_buffer("depth", torch.tensor(depth))
        self.register_buffer("alpha", torch.tensor(1.0))
        self.known: tuple[tuple[int, int, int, int], tuple[int, float]] | None = None

    def grow(self, depth: int, alpha: float) -> None:
        """Use the resolutions up to `depth`, showing `alpha` of the last."""
        self.depth.fill_(depth)
        self.alpha.fill_(alpha)
        self.known = self.versions(), (depth, alpha)

    def grown(self) -> tuple[int, float]:
        """(depth, alpha), as numbers."""
        versions = self.versions()
        if self.known is None or self.known[0] != versions:
            self.known = versions, (int(self.depth), float(self.alpha))
        return self.known[1]

    def versions(self) -> tuple[int, int, int, int]:
        """Which tensors the two are, and how often each was written to."""
        return id(self.depth), self.depth._version, id(self.alpha), self.alpha._version
