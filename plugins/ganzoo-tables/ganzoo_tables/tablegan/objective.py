"""table-GAN: DCGAN's game on rows, in which G also keeps to the data's moments, and to what a classifier finds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
from torch import Tensor
from torch.nn.functional import relu

from ganzoo_core.objectives import Batch, Phase, Player, Step, Terms, TwoPlayerAdam, nonsaturating
from ganzoo_tables.tablegan import networks, squares


class TableGAN(TwoPlayerAdam):
    """Data Synthesis based on Generative Adversarial Networks (Park et al. 2018, arXiv:1806.03384).

    d = -E log D(x) - E log(1 - D(G(z))),  c = E |l(x) - C(x without l)|,
    g = -E log D(G(z)) + max(0, ||E f(x) - E f(G(z))||_2 - delta) + max(0, ||SD f(x) - SD f(G(z))||_2 - delta)
        + E |l(G(z)) - C(G(z) without l)|,
    where f are D's last features and l is the label, the last column. With delta, what is made may be less like the
    data, for privacy's sake.
    """

    G: networks.G
    D: networks.D
    C: networks.C
    delta: Annotated[float, "how far moments may be off before G pays for it"] = 0.5
    g_steps: Annotated[int, "updates of G for each of D"] = 2
    images: Annotated[int, "length in rows"] = 5_000_000

    needs = frozenset({"row"})
    loss, batchwise = nonsaturating, True

    def phases(self) -> Sequence[Phase]:
        D, G, C = (Player(name, [getattr(self, name)], self.optim(name)) for name in "DGC")
        steps = [Step(D, self.d_loss), Step(C, self.c_loss), Step(G, self.g_loss, repeat=self.g_steps)]
        return [Phase("main", steps, self.images)]

    def d_loss(self, batch: Batch) -> Terms:
        return super().d_loss({"x": self.real(batch)})

    def c_loss(self, batch: Batch) -> Terms:
        return {"class": self.mistaken(self.real(batch))}

    def g_loss(self, batch: Batch) -> Terms:
        fake = self.fake(len(batch["row"]))
        f = self.D.features(self.real(batch))
        score, f_G = self.D.score_and_features(fake)
        information = excess(f.mean(0), f_G.mean(0), self.delta) + excess(deviation(f), deviation(f_G), self.delta)
        return {"adv": self.loss.g(score, None), "info": information, "class": self.mistaken(fake)}

    def mistaken(self, x: Tensor) -> Tensor:
        """E |l(x) - C(x without l)|"""
        label, rest = squares.label(x, len(self.G.columns) - 1)
        return (label - self.C(rest).sigmoid()).abs().mean()

    def real(self, batch: Batch) -> Tensor:
        return squares.encode(self.G.columns, batch["row"], self.G.side)

    def fake(self, n: int, *conditions: Tensor) -> Tensor:
        """[n, 1, side, side]"""
        return self.G.square(self.G.prior(n))


def excess(a: Tensor, b: Tensor, delta: float) -> Tensor:
    """max(0, ||a - b||_2 - delta)"""
    return relu(torch.linalg.vector_norm(a - b) - delta)


def deviation(f: Tensor) -> Tensor:
    """Of each feature over the batch.  [F]"""
    return (f.var(0, correction=0) + 1e-8).sqrt()
