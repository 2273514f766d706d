"""The game of MAGAN: EBGAN's, with a margin that follows the energy of real pictures down."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
from torch import Tensor
from torch.nn.functional import relu

from ganzoo_core.objectives import Batch, Phase, Step, Terms
from ganzoo_energies.energy import EnergyGame


class MAGAN(EnergyGame):
    """MAGAN: Margin Adaptation for Generative Adversarial Networks (Wang et al. 2017, arXiv:1704.03817).

    d = E(x) + max(0, m - E(G(z))),  g = E(G(z))

    Before it, D learns to redraw pictures, and m begins as their mean energy. After an epoch in which samples' energy
    did not fall, though it is above that of pictures, m becomes the mean energy of pictures, if that is below it.
    """

    batchwise = True  # m follows sums over batches

    epoch: Annotated[int, "real images after which the margin is looked at"] = 50_000
    pretrain: Annotated[int, "real images on which D is an autoencoder only, before the game"] = 100_000
    m: Tensor
    seen: Tensor  # pictures of this epoch,
    real: Tensor  # the sum of their energies
    made: Tensor  # and that of as many samples
    before: Tensor  # mean energy of samples in the epoch before; 0 before the first

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("m", "seen", "real", "made", "before"):
            self.register_buffer(name, torch.zeros(()))

    def phases(self) -> Sequence[Phase]:
        (game,) = super().phases()
        d_step, _ = game.steps
        alone = Step(d_step.player, self.redraw)
        return [Phase("pretrain", [alone], self.pretrain, on_step_end=self.follow), game]

    def redraw(self, batch: Batch) -> Terms:
        energy = self.energy(batch["x"])
        self.count(energy, torch.zeros_like(energy))
        return {"real": energy.mean()}

    def d_loss(self, batch: Batch) -> Terms:
        x = batch["x"]
        real, fake = self.energy(x), self.energy(self.fake(len(x)))
        self.count(real, fake)
        return {"real": real.mean(), "fake": relu(self.m - fake).mean(), "m": self.m.clone()}

    def g_loss(self, batch: Batch) -> Terms:
        return {"energy": self.energy(self.fake(len(batch["x"]))).mean()}

    @torch.no_grad()
    def count(self, real: Tensor, fake: Tensor) -> None:
        """Add the energies of a batch to those of the epoch."""
        self.seen.add_(len(real))
        self.real.add_(real.sum())
        self.made.add_(fake.sum())

    def follow(self, u: float) -> None:
        """While D learns alone: m is the mean energy of the epoch's pictures so far."""
        self.m.copy_(self.real / self.seen)
        self.forget(self.seen >= self.epoch)

    def on_step_end(self, u: float) -> None:
        """At the end of an epoch the margin may fall. Nothing here waits for a device to say whether it is one."""
        real, made, over = self.real / self.seen, self.made / self.seen, self.seen >= self.epoch
        falls = (real < self.m) & (real < made) & (self.before <= made)
        self.m.copy_(torch.where(over & falls, real, self.m))
        self.before.copy_(torch.where(over, made, self.before))
        self.forget(over)

    def forget(self, over: Tensor) -> None:
        """A new epoch, where one is over."""
        for total in (self.seen, self.real, self.made):
            total.copy_(torch.where(over, 0.0, total))
