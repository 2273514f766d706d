"""GcGAN: what is made of a turned picture must be what is made of the picture, turned."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import l1_loss

from ganzoo_core.nn import Discriminator
from ganzoo_core.objectives import Batch, ImagePool, Terms, least_squares
from ganzoo_translate.one_sided import OneSided

Turn = Callable[[Tensor], Tensor]


def clockwise(x: Tensor) -> Tensor:
    return torch.rot90(x, -1, (2, 3))


def anticlockwise(x: Tensor) -> Tensor:
    return torch.rot90(x, 1, (2, 3))


def upside_down(x: Tensor) -> Tensor:
    return x.flip(2)


TURNS: dict[str, tuple[Turn, Turn]] = {"rot90": (clockwise, anticlockwise), "vflip": (upside_down, upside_down)}


class GcGAN(OneSided):
    """Geometry-Consistent GANs for One-Sided Unsupervised Domain Mapping (Fu et al. 2019, arXiv:1809.05852).

    f turns pictures; G is the translator of both, D judges pictures of Y, D_f those of Y turned by f.
    min_G L_GAN(G, D) + L_GAN(G, D_f) + lambda (E ||G(x) - f^-1(G(f(x)))||_1 + E ||G(f(x)) - f(G(x))||_1)
    """

    D_f: Discriminator

    turn: Annotated[Literal["rot90", "vflip"], "f: a quarter clockwise, or upside down"] = "rot90"
    lam: Annotated[float, "lambda, the weight of the geometry"] = 20.0
    identity: Annotated[float, "weight of leaving alone what is of Y already; 0: none"] = 3.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.f, self.f_inverse = TURNS[self.turn]
        self.history_f = ImagePool(self.pool)

    def judges(self) -> Sequence[nn.Module]:
        return [self.D, self.D_f]

    def g_loss(self, batch: Batch) -> Terms:
        """What is above in least squares, and identity E ||G(y) - y||_1, of y and of f(y)."""
        x, y = batch["a"], batch["b"]
        fake, fake_f = self.G(x), self.G(self.f(x))
        terms = {
            "adv": 2 * least_squares.g(self.D(fake), None),
            "adv_f": 2 * least_squares.g(self.D_f(fake_f), None),
            "geometry": self.lam * self.inconsistent(fake.float(), fake_f.float()),
        }
        if self.identity:
            same = l1_loss(self.G(y).float(), y) + l1_loss(self.G(self.f(y)).float(), self.f(y))
            terms["identity"] = self.identity * same
        return terms

    def inconsistent(self, fake: Tensor, fake_f: Tensor) -> Tensor:
        """E ||fake - f^-1(fake_f)||_1 + E ||fake_f - f(fake)||_1.

        As in the authors' code each is the other's target, which stands still: so both are moved, each by one.
        """
        to_fake, to_fake_f = self.f_inverse(fake_f.detach()), self.f(fake.detach())
        return l1_loss(fake, to_fake) + l1_loss(fake_f, to_fake_f)

    def d_loss(self, batch: Batch) -> Terms:
        """1/2 E (D(y) - 1)^2 + 1/2 E D(G(x))^2, and the same of D_f, f(y) and G(f(x))."""
        x, y = batch["a"], batch["b"]
        plain = least_squares.d(self.D(y), self.D(self.history.exchange(self.G(x))))
        f_x, f_y = self.f(x), self.f(y)
        turned = least_squares.d(self.D_f(f_y), self.D_f(self.history_f.exchange(self.G(f_x))))
        return plain | {f"{name}_f": term for name, term in turned.items()}
