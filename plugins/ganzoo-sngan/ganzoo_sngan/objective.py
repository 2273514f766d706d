"""The hinge game, with labels where the networks take them: SNGAN's and SAGAN's."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from ganzoo_core.losses import Terms, hinge
from ganzoo_core.networks import DRAWN, Discriminator, Generator
from ganzoo_core.objective import Batch, Objective, Phase, Player, Step, adam
from ganzoo_core.schedules import Schedule


class Hinge(Objective):
    """The hinge game (Lim & Ye 2017): max(0, 1 - D(x, y)), max(0, 1 + D(G(z, y), y)) against -D(G(z, y), y).

    y is whatever G takes beside latents (a label, or nothing), from the batch: the fakes of a step have the labels of
    its real images.
    """

    def __init__(self, G: Generator, D: Discriminator, g_batches: int) -> None:
        super().__init__()
        self.G, self.D, self.g_batches = G, D, g_batches
        self.conditions = tuple(name for name, taken in G.inputs.items() if taken.kind not in DRAWN)
        self.needs = frozenset({"x", *self.conditions})

    def d_loss(self, batch: Batch) -> Terms:
        """E max(0, 1 - D(x, y)) + E max(0, 1 + D(G(z, y), y)): Miyato et al. 2018, Eq. 16."""
        x, y = batch["x"], self.y(batch, 1)
        return hinge.d(self.D(x, *y), self.D(self.G(self.G.prior(len(x)), *y), *y))

    def g_loss(self, batch: Batch) -> Terms:
        """-E D(G(z, y), y): Miyato et al. 2018, Eq. 17."""
        y = self.y(batch, self.g_batches)
        fake = self.G(self.G.prior(self.g_batches * len(batch["x"])), *y)
        return {"adv": hinge.g(self.D(fake, *y), None)}

    def y(self, batch: Batch, times: int) -> list[Tensor]:
        """The conditions of a batch, several times over."""
        return [batch[name].repeat(times, *[1] * (batch[name].ndim - 1)) for name in self.conditions]


class SNGAN(Hinge):
    """Spectral Normalization for Generative Adversarial Networks (Miyato et al. 2018, arXiv:1802.05957).

    D's layers are divided by their largest singular value, so it is Lipschitz without any penalty. With labels: cGANs
    with Projection Discriminator (Miyato & Koyama 2018, arXiv:1802.05637).
    """

    def __init__(
        self,
        G: Generator,
        D: Discriminator,
        *,
        n_dis: int = 5,  # updates of D for each of G
        lr: float = 2e-4,  # alpha, Adam's step for both players
        b1: float = 0.0,  # Adam's beta_1
        b2: float = 0.9,  # Adam's beta_2
        decay_from: float = 0.0,  # the fraction of the run from which the step falls, linearly to 0 at its end
        g_batches: int = 2,  # size of G's batch, in those of D (128 and 64)
        images: int = 16_000_000,  # length in real images: 50,000 updates of G at 5 batches of 64
    ) -> None:
        super().__init__(G, D, g_batches)
        self.n_dis, self.lr, self.b1, self.b2 = n_dis, lr, b1, b2
        self.decay_from, self.images = decay_from, images

    def phases(self) -> Sequence[Phase]:
        decay = {"lr": falling(self.decay_from)}
        D = Player("D", [self.D], adam(self.lr, self.b1, self.b2), decay)
        G = Player("G", [self.G], adam(self.lr, self.b1, self.b2), decay)
        return [Phase("main", [Step(D, self.d_loss, repeat=self.n_dis), Step(G, self.g_loss)], self.images)]


class SAGAN(Hinge):
    """Self-Attention Generative Adversarial Networks (Zhang et al. 2019, arXiv:1805.08318).

    One update of D for one of G, which the two time-scale rule (Heusel et al. 2017) makes enough: D's step is larger.
    """

    def __init__(
        self,
        G: Generator,
        D: Discriminator,
        *,
        n_dis: int = 1,  # updates of D for each of G
        d_lr: float = 4e-4,  # Adam's step for D
        g_lr: float = 1e-4,  # Adam's step for G
        b1: float = 0.0,  # Adam's beta_1
        b2: float = 0.9,  # Adam's beta_2
        images: int = 256_000_000,  # length in real images: 1,000,000 updates of each at batches of 256
    ) -> None:
        super().__init__(G, D, 1)
        self.n_dis, self.d_lr, self.g_lr, self.b1, self.b2, self.images = n_dis, d_lr, g_lr, b1, b2, images

    def phases(self) -> Sequence[Phase]:
        D = Player("D", [self.D], adam(self.d_lr, self.b1, self.b2))
        G = Player("G", [self.G], adam(self.g_lr, self.b1, self.b2))
        return [Phase("main", [Step(D, self.d_loss, repeat=self.n_dis), Step(G, self.g_loss)], self.images)]


def falling(start: float) -> Schedule:
    """1 until u = `start`, then a straight line to 0 at u = 1."""
    return lambda u: min(1.0, (1 - u) / (1 - start))
