"""The hinge game, with labels where the networks take them: SNGAN's and SAGAN's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from torch import Tensor

from ganzoo_core.objectives import Batch, Optim, Schedule, Terms, TwoPlayer, adam, hinge


class Hinge(TwoPlayer):
    """The hinge game (Lim & Ye 2017): max(0, 1 - D(x, y)), max(0, 1 + D(G(z, y), y)) against -D(G(z, y), y).

    y is whatever G takes beside latents (a label, or nothing), from the batch: the fakes of a step have the labels of
    its real images.
    """

    g_batches: int = 1  # size of G's batch, in those of D
    n_dis: Annotated[int, "updates of D for each of G"] = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        self.conditions = tuple(name for name, taken in self.G.inputs.items() if not taken.drawn)
        self.needs = frozenset({"x", *self.conditions})

    def d_loss(self, batch: Batch) -> Terms:
        """E max(0, 1 - D(x, y)) + E max(0, 1 + D(G(z, y), y)): Miyato et al. 2018, Eq. 16."""
        x, y = batch["x"], self.y(batch, 1)
        return hinge.d(self.D(x, *y), self.D(self.fake(len(x), *y), *y))

    def g_loss(self, batch: Batch) -> Terms:
        """-E D(G(z, y), y): Miyato et al. 2018, Eq. 17."""
        y = self.y(batch, self.g_batches)
        fake = self.fake(self.g_batches * len(batch["x"]), *y)
        return {"adv": hinge.g(self.D(fake, *y), None)}

    def d_updates(self) -> int:
        return self.n_dis

    def y(self, batch: Batch, times: int) -> list[Tensor]:
        """The conditions of a batch, several times over."""
        return [batch[name].repeat(times, *[1] * (batch[name].ndim - 1)) for name in self.conditions]


class SNGAN(Hinge):
    """Spectral Normalization for Generative Adversarial Networks (Miyato et al. 2018, arXiv:1802.05957).

    D's layers are divided by their largest singular value, so it is Lipschitz without any penalty. With labels: cGANs
    with Projection Discriminator (Miyato & Koyama 2018, arXiv:1802.05637).
    """

    n_dis: Annotated[int, "updates of D for each of G"] = 5
    lr: Annotated[float, "alpha, Adam's step for both players"] = 2e-4
    b1: Annotated[float, "Adam's beta_1"] = 0.0
    b2: Annotated[float, "Adam's beta_2"] = 0.9
    decay_from: Annotated[float, "the fraction of the run from which the step falls, linearly to 0 at its end"] = 0.0
    g_batches: Annotated[int, "size of G's batch, in those of D (128 and 64)"] = 2
    images: Annotated[int, "length in real images: 50,000 updates of G at 5 batches of 64"] = 16_000_000

    def optim(self, player: str) -> Optim:
        return adam(self.lr, self.b1, self.b2)

    def schedules(self, player: str) -> Mapping[str, Schedule]:
        return {"lr": falling(self.decay_from)}


class SAGAN(Hinge):
    """Self-Attention Generative Adversarial Networks (Zhang et al. 2019, arXiv:1805.08318).

    One update of D for one of G, which the two time-scale rule (Heusel et al. 2017) makes enough: D's step is larger.
    """

    n_dis: Annotated[int, "updates of D for each of G"] = 1
    d_lr: Annotated[float, "Adam's step for D"] = 4e-4
    g_lr: Annotated[float, "Adam's step for G"] = 1e-4
    b1: Annotated[float, "Adam's beta_1"] = 0.0
    b2: Annotated[float, "Adam's beta_2"] = 0.9
    images: Annotated[int, "length in real images: 1,000,000 updates of each at batches of 256"] = 256_000_000

    def optim(self, player: str) -> Optim:
        return adam(self.d_lr if player == "D" else self.g_lr, self.b1, self.b2)


def falling(start: float) -> Schedule:
    """1 until u = `start`, then a straight line to 0 at u = 1."""
    return lambda u: min(1.0, (1 - u) / (1 - start))
