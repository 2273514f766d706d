"""The game of C-RNN-GAN: x is a tune, a note at each step; G first learns to go on with tunes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
from torch import Tensor

from ganzoo_core.nn import Discriminator
from ganzoo_core.objectives import Batch, Objective, Phase, Player, Step, Terms, nonsaturating, sgd
from ganzoo_series.crnngan_networks import G as TuneG
from ganzoo_series.timegan import gated


class CRNNGAN(Objective):
    """C-RNN-GAN: Continuous recurrent neural networks with adversarial training (Mogren 2016, arXiv:1611.09904)."""

    G: TuneG
    D: Discriminator

    lr: Annotated[float, "the step of G's gradient descent"] = 0.1
    d_factor: Annotated[float, "D's step, as a part of G's"] = 0.5
    clip: Annotated[float, "length at which a gradient is cut"] = 5.0
    ahead: Annotated[float, "D learns nothing where its loss is below so much of G's"] = 0.7
    images_g: Annotated[int, "tunes with which G goes on before it plays: six epochs of 3,697 pieces"] = 22_000
    images: Annotated[int, "length of the game in tunes"] = 1_000_000

    needs = frozenset({"notes"})

    def phases(self) -> Sequence[Phase]:
        G = Player("G", [self.G], sgd(self.lr), on_gradients=self.clipped)
        D = Player("D", [self.D], sgd(self.lr * self.d_factor), on_gradients=self.clipped)
        return [
            Phase("pretraining", [Step(G, self.next_loss)], self.images_g),
            Phase("main", [Step(D, self.d_loss), Step(G, self.g_loss)], self.images),
        ]

    def clipped(self, weights: Sequence[Tensor]) -> None:
        torch.nn.utils.clip_grad_norm_(weights, self.clip)

    def next_loss(self, batch: Batch) -> Terms:
        """E ||G(z, notes so far) - the next note||^2."""
        x = batch["notes"]
        return {"next": (self.G.told(self.G.prior(len(x)), x) - x).float().square().mean()}

    def d_loss(self, batch: Batch) -> Terms:
        """-E log D(x) - E log(1 - D(G(z))); without a gradient where it is below 0.7 of -E log D(G(z))."""
        x = batch["notes"]
        fake = self.D(self.G(self.G.prior(len(x))))
        return gated(nonsaturating.d(self.D(x), fake), self.ahead * nonsaturating.g(fake, None).detach())

    def g_loss(self, batch: Batch) -> Terms:
        """-E log D(G(z))."""
        return {"adv": nonsaturating.g(self.D(self.G(self.G.prior(len(batch["notes"])))), None)}
