"""What these games share: D's outputs, one or many, are a point h(x), and clouds of such points are compared."""

from __future__ import annotations

from torch import Tensor

from ganzoo_core.objectives import TwoPlayer, to_float32


class EmbeddingGame(TwoPlayer):
    """The loss is of two batches, not of their scores: any D will do, and one with a single score is a space of one
    dimension."""

    batchwise = True

    def h(self, x: Tensor) -> Tensor:
        """D's outputs, a score being one.  [N, C, H, W] -> [N, F]"""
        return to_float32(self.D(x)).reshape(len(x), -1)
