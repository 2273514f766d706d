"""The game of AC-GAN: D says whether an image is real and what it shows, and G wants both to be right about fakes."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from ganzoo_core.losses import Terms, nonsaturating
from ganzoo_core.networks import Discriminator, Generator
from ganzoo_core.objective import Batch, Objective, Phase, Player, Step, adam


class ACGAN(Objective):
    """Conditional Image Synthesis with Auxiliary Classifier GANs (Odena et al. 2016, arXiv:1610.09585), Sec. 3.

    L_S = E log P(S = real | x) + E log P(S = fake | G(c, z)): Eq. 2.
    L_C = E log P(C = c | x) + E log P(C = c | G(c, z)): Eq. 3.
    D, with the class head C, maximises L_S + L_C; G maximises L_C - L_S.
    """

    needs = frozenset({"x", "label"})

    def __init__(
        self,
        G: Generator,
        D: Discriminator,
        C: nn.Module,
        *,
        lr: float = 2e-4,  # Adam's, of both players
        b1: float = 0.5,  # Adam's beta 1
        images: int = 5_000_000,  # length in real images: 50,000 updates of 100
    ) -> None:
        super().__init__()
        self.G, self.D, self.C = G, D, C
        self.lr, self.b1, self.images = lr, b1, images

    def phases(self) -> Sequence[Phase]:
        D = Player("D", [self.D, self.C], adam(self.lr, self.b1))
        G = Player("G", [self.G], adam(self.lr, self.b1))
        return [Phase("main", [Step(D, self.d_loss), Step(G, self.g_loss)], self.images)]

    def fake(self, c: Tensor) -> Tensor:
        """G(c, z)."""
        return self.G(self.G.prior(len(c)), c)

    def d_loss(self, batch: Batch) -> Terms:
        """-L_S - L_C. The fakes are of the classes of the real images."""
        x, c = batch["x"], batch["label"]
        (real, h), (fake, h_fake) = self.D.judged(x), self.D.judged(self.fake(c))
        return nonsaturating.d(real, fake) | {"class": self.l_c(h, c), "class_fake": self.l_c(h_fake, c)}

    def g_loss(self, batch: Batch) -> Terms:
        """L_S - L_C over fakes, L_S in the form that has a gradient when D wins."""
        c = batch["label"]
        fake, h = self.D.judged(self.fake(c))
        return {"adv": nonsaturating.g(fake, None), "class": self.l_c(h, c)}

    def l_c(self, h: Tensor, c: Tensor) -> Tensor:
        """-E log P(C = c | x): one half of Eq. 3."""
        return cross_entropy(self.C(h).float(), c)
