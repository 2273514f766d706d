"""The game of AnoGAN: DCGAN's, on normal pictures alone. What is odd is found afterwards, without any training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
from torch import Tensor

from ganzoo_core.objectives import Batch, Objective, Phase, Player, Step, Terms, adam, nonsaturating
from ganzoo_structure.anogan_networks import A, D


class AnoGAN(Objective):
    """Unsupervised Anomaly Detection with Generative Adversarial Networks (Schlegl et al. 2017, arXiv:1703.05921).

    x is a normal picture, z ~ U(-1, 1).
    """

    A: A
    D: D
    lr: Annotated[float, "Adam's step for both players"] = 2e-4
    b1: Annotated[float, "Adam's beta_1"] = 0.5
    images: Annotated[int, "length in real images: 20 epochs of 1,000,000 patches"] = 20_000_000

    exported = ("A",)

    def phases(self) -> Sequence[Phase]:
        D, G = Player("D", [self.D], adam(self.lr, self.b1)), Player("G", [self.A.G], adam(self.lr, self.b1))
        return [Phase("main", [Step(D, self.d_loss), Step(G, self.g_loss)], self.images, on_step_end=self.follow)]

    def follow(self, u: float) -> None:
        """The detector looks with D's features as they have become."""
        self.A.f.load_state_dict(self.D.main[:-1].state_dict())

    def fake(self, n: int) -> Tensor:
        made: Tensor = self.A.G(self.A.G.prior(n))
        return made

    def d_loss(self, batch: Batch) -> Terms:
        """-E log D(x) - E log(1 - D(G(z)))."""
        return nonsaturating.d(self.D(batch["x"]), self.D(self.fake(len(batch["x"]))))

    def g_loss(self, batch: Batch) -> Terms:
        """-E log D(G(z))."""
        return {"adv": nonsaturating.g(self.D(self.fake(len(batch["x"]))), None)}

    @torch.no_grad()
    def sample(self, batch: Batch) -> dict[str, Tensor]:
        """What G draws, and pictures beside those of its own where their searches begin."""
        detector, x = self.exported_networks()["A"], batch["x"]
        assert isinstance(detector, A)
        begun = detector.sample(len(x), seed=0, steps=0, x=x)
        return {"G": detector.G.sample(len(x), seed=0), "A": begun, "x": x}
