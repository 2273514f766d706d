"""The game of pix2pix: D tells b beside a from G(a) beside a; G must be right by pixel, too."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
from torch import Tensor
from torch.nn.functional import l1_loss

from ganzoo_core.nn import Discriminator, Generator
from ganzoo_core.objectives import Batch, Objective, Phase, Player, Step, Terms, adam, halfway_to_zero, nonsaturating


class Pix2Pix(Objective):
    """Image-to-Image Translation with Conditional Adversarial Networks (Isola et al. 2016, arXiv:1611.07004).

    a is the picture that is given, b the one that goes with it (the paper's x and y), D(b, a) the scores of patches.
    """

    G: Generator
    D: Discriminator
    lam: Annotated[float, "lambda, the weight of the distance in L1"] = 100.0
    lr: Annotated[float, "Adam's step for both players; from half the course on it falls to 0"] = 2e-4
    images: Annotated[int, "length in pairs: 200 epochs of the 400 facades"] = 80_000

    needs = frozenset({"a", "b"})

    def phases(self) -> Sequence[Phase]:
        D, G = (
            Player(name, [net], adam(self.lr, 0.5), {"lr": halfway_to_zero})
            for name, net in (("D", self.D), ("G", self.G))
        )
        return [Phase("main", [Step(D, self.d_loss), Step(G, self.g_loss)], self.images)]

    def d_loss(self, batch: Batch) -> Terms:
        """Half of -E log D(a, b) - E log(1 - D(a, G(a))): Eq. 1, halved as Sec. 3.3 says, which slows D down."""
        a, b = batch["a"], batch["b"]
        return {name: term / 2 for name, term in nonsaturating.d(self.D(b, a), self.D(self.G(a), a)).items()}

    def g_loss(self, batch: Batch) -> Terms:
        """-E log D(a, G(a)) + lambda E ||b - G(a)||_1: Eqs. 3 and 4, in the form that Sec. 3.3 trains."""
        a, b = batch["a"], batch["b"]
        fake = self.G(a)
        return {"adv": nonsaturating.g(self.D(fake, a), None), "l1": self.lam * l1_loss(fake.float(), b)}

    @torch.no_grad()
    def sample(self, batch: Batch) -> dict[str, Tensor]:
        """a, what G makes of it, and b."""
        a, b, G = batch["a"], batch["b"], self.exported_networks()["G"]
        assert isinstance(G, Generator)
        return {"a": a, "G": G.sample(len(a), seed=0, a=a), "b": b}
