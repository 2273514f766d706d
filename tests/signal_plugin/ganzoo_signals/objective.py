"""Goodfellow's game on batches that hold `signal`."""

from torch import Tensor

from ganzoo_core.objectives import Batch, Terms, TwoPlayerAdam


class SignalGAN(TwoPlayerAdam):
    """d = -E log D(x) - E log(1 - D(G(z, pitch))), g = -E log D(G(z, pitch)); x is a curve."""

    needs = frozenset({"signal"})
    images = 100_000

    def d_loss(self, batch: Batch) -> Terms:
        return super().d_loss({"x": batch["signal"]})

    def g_loss(self, batch: Batch) -> Terms:
        return super().g_loss({"x": batch["signal"]})

    def fake(self, n: int, *conditions: Tensor) -> Tensor:
        """Of a pitch that is drawn, too."""
        return self.G(*self.G.priors(n).values())
