"""Networks that grow (Karras et al. 2017, Fig. 2): all resolutions are there, and some of them are in use."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ganzoo_core.nn.mirror import Mirror


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
        self.mirrors = Mirror(), Mirror()
        self.grow(depth, 1.0)

    def grow(self, depth: int, alpha: float) -> None:
        """Use the resolutions up to `depth`, showing `alpha` of the last."""
        self.mirrors[0].write(self.depth, depth)
        self.mirrors[1].write(self.alpha, alpha)

    def grown(self) -> tuple[int, float]:
        """(depth, alpha), as numbers."""
        return self.mirrors[0].read(self.depth), self.mirrors[1].read(self.alpha)
