"""The game of CycleGAN: two translators that undo each other, and a discriminator at each end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar

import torch
from torch import Tensor
from torch.nn.functional import l1_loss

from ganzoo_core.nn import Discriminator, Generator
from ganzoo_core.objectives import (
    Batch,
    ImagePool,
    Objective,
    Phase,
    Player,
    Step,
    Terms,
    adam,
    halfway_to_zero,
    least_squares,
)


class ThereAndBack(Objective):
    """A game of two translators, one each way: G: a -> b, F: b -> a."""

    G: Generator
    F: Generator

    needs = frozenset({"a", "b"})
    exported: ClassVar[tuple[str, ...]] = ("G", "F")

    @torch.no_grad()
    def sample(self, batch: Batch) -> dict[str, Tensor]:
        """a, there, and back; b, there, and back: x, G(x), F(G(x)), y, F(y), G(F(y))."""
        nets, x, y = self.exported_networks(), batch["a"], batch["b"]
        G, F, n = nets["G"], nets["F"], len(x)
        assert isinstance(G, Generator) and isinstance(F, Generator)
        fake_y, fake_x = G.sample(n, seed=0, a=x), F.sample(n, seed=0, b=y)
        back_x, back_y = F.sample(n, seed=0, b=fake_y), G.sample(n, seed=0, a=fake_x)
        return {"a": x, "G": fake_y, "FG": back_x, "b": y, "F": fake_x, "GF": back_y}


class TwoTranslators(ThereAndBack):
    """Such a game with a discriminator of each domain."""

    D_X: Discriminator
    D_Y: Discriminator


class CycleGAN(TwoTranslators):
    """Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks (Zhu et al. 2017, 1703.10593).

    x of the domain X is batch["a"], y of Y is batch["b"]; G: X -> Y, F: Y -> X; D_X and D_Y score patches.
    """

    lam: Annotated[float, "lambda, the weight of the way there and back"] = 10.0
    identity: Annotated[
        float, "weight, as a part of lambda, of leaving alone what is of the domain already; 0: none"
    ] = 0.5
    pool: Annotated[int, "fakes that each discriminator is shown again; 0: none"] = 50
    lr: Annotated[float, "Adam's step for both players; from half the course on it falls to 0"] = 2e-4
    images: Annotated[int, "length in pairs: 200 epochs of horse2zebra's 1,335 zebras"] = 267_000

    def __post_init__(self) -> None:
        super().__post_init__()
        self.pool_x, self.pool_y = ImagePool(self.pool), ImagePool(self.pool)

    def phases(self) -> Sequence[Phase]:
        G = Player("G", [self.G, self.F], adam(self.lr, 0.5), {"lr": halfway_to_zero})
        D = Player("D", [self.D_X, self.D_Y], adam(self.lr, 0.5), {"lr": halfway_to_zero})
        return [Phase("main", [Step(G, self.g_loss), Step(D, self.d_loss)], self.images)]

    def g_loss(self, batch: Batch) -> Terms:
        """L_GAN(G, D_Y) + L_GAN(F, D_X) + lambda L_cyc(G, F) (Eqs. 1 to 3), and the identity loss (Sec. 5.2).

        L_GAN is least squares, E (D(G(x)) - 1)^2 (Sec. 4); the core's has the 1/2 of Mao et al. 2017, ours has not.
        """
        x, y = batch["a"], batch["b"]
        fake_x, fake_y = self.F(y), self.G(x)
        terms = {
            "adv_g": 2 * least_squares.g(self.D_Y(fake_y), None),
            "adv_f": 2 * least_squares.g(self.D_X(fake_x), None),
            "cycle_x": self.lam * l1_loss(self.F(fake_y).float(), x),  # E ||F(G(x)) - x||_1, Eq. 2
            "cycle_y": self.lam * l1_loss(self.G(fake_x).float(), y),
        }
        if self.identity:
            weight = self.identity * self.lam
            terms |= {
                "identity_g": weight * l1_loss(self.G(y).float(), y),
                "identity_f": weight * l1_loss(self.F(x).float(), x),
            }
        return terms

    def d_loss(self, batch: Batch) -> Terms:
        """1/2 E (D(y) - 1)^2 + 1/2 E D(G(x))^2 at both ends (Sec. 4), on fakes from the pools."""
        x, y = batch["a"], batch["b"]
        d_x = least_squares.d(self.D_X(x), self.D_X(self.pool_x.exchange(self.F(y))))
        d_y = least_squares.d(self.D_Y(y), self.D_Y(self.pool_y.exchange(self.G(x))))
        return {f"x_{name}": term for name, term in d_x.items()} | {f"y_{name}": term for name, term in d_y.items()}
