"""The game of AC-GAN: D says whether an image is real and what it shows, and G wants both to be right about fakes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ganzoo_core.objectives import Batch, Optim, Terms, TwoPlayer, adam, nonsaturating


class ACGAN(TwoPlayer):
    """Conditional Image Synthesis with Auxiliary Classifier GANs (Odena et al. 2016, arXiv:1610.09585), Sec. 3.

    L_S = E log P(S = real | x) + E log P(S = fake | G(c, z)): Eq. 2.
    L_C = E log P(C = c | x) + E log P(C = c | G(c, z)): Eq. 3.
    D, with the class head C, maximises L_S + L_C; G maximises L_C - L_S.
    """

    needs = frozenset({"x", "label"})

    C: nn.Module
    lr: Annotated[float, "Adam's, of both players"] = 2e-4
    b1: Annotated[float, "Adam's beta 1"] = 0.5
    images: Annotated[int, "length in real images: 50,000 updates of 100"] = 5_000_000

    def optim(self, player: str) -> Optim:
        return adam(self.lr, self.b1)

    def nets(self, player: str) -> Sequence[nn.Module]:
        return [self.D, self.C] if player == "D" else [self.G]

    def d_loss(self, batch: Batch) -> Terms:
        """-L_S - L_C. The fakes are of the classes of the real images."""
        x, c = batch["x"], batch["label"]
        (real, h), (fake, h_fake) = self.D.score_and_features(x), self.D.score_and_features(self.fake(len(c), c))
        return nonsaturating.d(real, fake) | {"class": self.l_c(h, c), "class_fake": self.l_c(h_fake, c)}

    def g_loss(self, batch: Batch) -> Terms:
        """L_S - L_C over fakes, L_S in the form that has a gradient when D wins."""
        c = batch["label"]
        fake, h = self.D.score_and_features(self.fake(len(c), c))
        return {"adv": nonsaturating.g(fake, None), "class": self.l_c(h, c)}

    def l_c(self, h: Tensor, c: Tensor) -> Tensor:
        """-E log P(C = c | x): one half of Eq. 3."""
        return cross_entropy(self.C(h).float(), c)
