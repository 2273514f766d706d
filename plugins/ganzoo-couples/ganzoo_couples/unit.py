"""The game of UNIT: both domains' pictures have codes in one space, so that a code can be decoded as either."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from functools import partial
from typing import Annotated

import torch
from ganzoo_cyclegan.objective import TwoTranslators
from torch import Tensor
from torch.nn.functional import l1_loss

from ganzoo_core.objectives import Batch, Phase, Player, Step, Terms, adam
from ganzoo_couples import unit_networks as networks
from ganzoo_couples.scales import judging, pleasing, refuse_others


class TwoAutoencoders(TwoTranslators):
    """What UNIT and MUNIT have alike: G holds X's encoder and Y's decoder, F those of Y and X; D_X and D_Y judge.

    x of the domain X is batch["a"], y of Y is batch["b"].
    """

    lam_x: Annotated[float, "weight of making a picture again"] = 10.0
    lr: Annotated[float, "Adam's step for both players"] = 1e-4
    lr_stairs: Annotated[int, "equal parts of the course; in each, Adam's step is half of that in the one before"] = 10
    decay: Annotated[float, "of all weights, within Adam"] = 1e-4
    images: Annotated[int, "length in pictures of each domain: a million batches of one"] = 1_000_000

    def __post_init__(self) -> None:
        super().__post_init__()
        refuse_others(type(self).__name__.lower(), self.D_X, self.D_Y)

    def phases(self) -> Sequence[Phase]:
        optim = adam(self.lr, decay=self.decay)
        schedules = {"lr": partial(stairs, n=self.lr_stairs)}
        D = Player("D", [self.D_X, self.D_Y], optim, schedules)
        G = Player("G", [self.G, self.F], optim, schedules)
        return [Phase("main", [Step(D, self.d_loss), Step(G, self.g_loss)], self.images)]

    @abstractmethod
    def g_loss(self, batch: Batch) -> Terms:
        """What G and F minimise."""

    @abstractmethod
    def translated(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        """x as a picture of X made of y, and y as one of Y made of x."""

    def d_loss(self, batch: Batch) -> Terms:
        """E (D(y) - 1)^2 + E D(G(x))^2 at both ends, the sum over the scales."""
        x, y = batch["a"], batch["b"]
        fake_x, fake_y = self.translated(x, y)
        d_x, d_y = judging(self.D_X, x, fake_x), judging(self.D_Y, y, fake_y)
        return {f"x_{name}": term for name, term in d_x.items()} | {f"y_{name}": term for name, term in d_y.items()}

    def pleased(self, fake_x: Tensor, fake_y: Tensor) -> Terms:
        """E (D(G(x)) - 1)^2 at both ends, the sum over the scales."""
        return {"adv_g": pleasing(self.D_Y, fake_y), "adv_f": pleasing(self.D_X, fake_x)}


class UNIT(TwoAutoencoders):
    """Unsupervised Image-to-Image Translation Networks (Liu et al. 2017, arXiv:1703.00848), the authors' second code.

    z ~ N(mu, I) of a picture; decoded in its own domain it is that picture, in the other a translation.
    """

    G: networks.G
    F: networks.G
    lam_kl: Annotated[float, "weight of the codes being N(0, I)"] = 0.01
    lam_cycle: Annotated[float, "weight of the way there and back"] = 10.0
    lam_kl_cycle: Annotated[float, "weight of the translations' codes being N(0, I)"] = 0.01

    def translated(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        return self.F.decode(noisy(self.F.encode(y))), self.G.decode(noisy(self.G.encode(x)))

    def g_loss(self, batch: Batch) -> Terms:
        """Each picture again from its code, and from its translation's; codes near 0; translations that please."""
        x, y = batch["a"], batch["b"]
        mu_x, mu_y = self.G.encode(x), self.F.encode(y)
        z_x, z_y = noisy(mu_x), noisy(mu_y)
        fake_x, fake_y = self.F.decode(z_y), self.G.decode(z_x)
        mu_back_x, mu_back_y = self.F.encode(fake_y), self.G.encode(fake_x)  # of x and y, by way of the other domain
        return {
            **self.pleased(fake_x, fake_y),
            "rec_x": self.lam_x * l1_loss(self.F.decode(z_x).float(), x),
            "rec_y": self.lam_x * l1_loss(self.G.decode(z_y).float(), y),
            "kl_x": self.lam_kl * kl(mu_x),
            "kl_y": self.lam_kl * kl(mu_y),
            "cycle_x": self.lam_cycle * l1_loss(self.F.decode(noisy(mu_back_x)).float(), x),
            "cycle_y": self.lam_cycle * l1_loss(self.G.decode(noisy(mu_back_y)).float(), y),
            "kl_cycle_x": self.lam_kl_cycle * kl(mu_back_x),
            "kl_cycle_y": self.lam_kl_cycle * kl(mu_back_y),
        }


def noisy(mu: Tensor) -> Tensor:
    """z ~ N(mu, I)."""
    return mu + torch.randn_like(mu)


def kl(mu: Tensor) -> Tensor:
    """2 D_KL(N(mu, I) || N(0, I)) for each number of z: the mean of mu^2, as the authors' code has it."""
    return mu.float().square().mean()


def stairs(u: float, n: int) -> float:
    """1 for the first of n equal parts of the course, 1/2 for the second, 1/4 for the third ..."""
    return 0.5 ** int(n * u)
