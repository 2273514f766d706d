"""VAE/GAN (Larsen et al. 2016): pictures are compared in what the discriminator sees of them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated

import torch
from torch import Tensor, nn

from ganzoo_autoencoders import networks as made
from ganzoo_autoencoders.game import Encoded
from ganzoo_autoencoders.networks import E, Shape, refuse_empty
from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator, Latent, initialise
from ganzoo_core.objectives import Batch, Phase, Player, Step, Terms, nonsaturating, rmsprop, to_float32


class VAEGAN(Encoded):
    """Autoencoding beyond pixels using a learned similarity metric (Larsen et al. 2016, arXiv:1512.09300).

    z ~ q(z|x), x' = G(z), z_p ~ N(0, 1), x_p = G(z_p); LL = 1/2 |Dis_l(x) - Dis_l(x')|^2, Dis_l being a layer of D:

    E:  KL(q(z|x) || N(0, 1)) + LL
    G:  gamma LL - E log D(x') - E log D(x_p)
    D:  -E log D(x) - E log(1 - D(x')) - E log(1 - D(x_p))
    """

    D: Discriminator
    gamma: Annotated[float, "weight of LL in G's loss: of what is like x, against what is real"] = 1e-6
    beta: Annotated[float, "weight of the divergence in E's loss"] = 1.0
    lr: Annotated[float, "RMSProp's step for all players"] = 3e-4

    def phases(self) -> Sequence[Phase]:
        """Three players, each with a loss of its own: E hears nothing of D's verdict, G nothing of the divergence."""
        losses, optim = {"E": self.e_loss, "G": self.g_loss, "D": self.d_loss}, rmsprop(self.lr, 0.9)
        steps = [Step(Player(name, [getattr(self, name)], optim), loss) for name, loss in losses.items()]
        return [Phase("main", steps, self.images)]

    def likeness(self, x: Tensor, again: Tensor) -> Tensor:
        """LL up to a constant: 1/2 |Dis_l(x) - Dis_l(x')|^2, a sum over the layer."""
        difference = to_float32(self.D.features(x)) - to_float32(self.D.features(again))
        return 0.5 * difference.square().sum() / len(x)

    def e_loss(self, batch: Batch) -> Terms:
        x = batch["x"]
        q = self.E.posterior(x)
        return {"kl": self.beta * q.kl().mean(), "ll": self.likeness(x, self.G(q.draw()))}

    def g_loss(self, batch: Batch) -> Terms:
        x = batch["x"]
        again, drawn = self.again(x), self.G(self.G.prior(len(x)))
        return {
            "ll": self.gamma * self.likeness(x, again),
            "again": nonsaturating.g(self.D(again), None),
            "adv": nonsaturating.g(self.D(drawn), None),
        }

    def d_loss(self, batch: Batch) -> Terms:
        x = batch["x"]
        judged = nonsaturating.d(self.D(x), self.D(self.G(self.G.prior(len(x)))))
        return judged | {"again": nonsaturating.d(self.D(x), self.D(self.again(x)))["fake"]}


class D(Discriminator):
    """5x5, then halvings, then a layer over all: `seen` ends at Dis_l, the last halving before its norm."""

    def __init__(self, shape: Shape, first: int, widths: Sequence[int], units: int, side: int) -> None:
        super().__init__()
        self.seen = nn.Sequential(nn.Conv2d(shape[0], first, 5, padding=2), nn.ReLU(), *halvings([first, *widths])[:-2])
        f = widths[-1]
        self.rest = nn.Sequential(
            nn.BatchNorm2d(f), nn.ReLU(), nn.Flatten(), *normed(f * side * side, units),
            nn.Linear(units, 1), nn.Flatten(0),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:  # [N, C, H, W] -> [N]
        return self.rest(self.seen(x))

    def features(self, x: Tensor) -> Tensor:
        """Dis_l(x).  [N, f, h, w]"""
        return self.seen(x)


def halvings(widths: Sequence[int]) -> list[nn.Module]:
    """5x5 of stride 2, norm, ReLU, from each width to the next."""
    layers: list[nn.Module] = []
    for f, f_next in pairwise(widths):
        layers += [nn.Conv2d(f, f_next, 5, 2, 2, bias=False), nn.BatchNorm2d(f_next), nn.ReLU()]
    return layers


def doubled(widths: Sequence[int]) -> list[nn.Module]:
    """The way back."""
    layers: list[nn.Module] = []
    for f, f_next in pairwise(widths):
        up = nn.ConvTranspose2d(f, f_next, 5, 2, 2, output_padding=1, bias=False)
        layers += [up, nn.BatchNorm2d(f_next), nn.ReLU()]
    return layers


def normed(n: int, m: int) -> list[nn.Module]:
    """A layer over all, norm, ReLU."""
    return [nn.Linear(n, m, bias=False), nn.BatchNorm1d(m), nn.ReLU()]


class Heads(nn.Module):
    """Mean and log-variance, side by side, each of a layer of its own.  [N, n] -> [N, 2 Z]"""

    def __init__(self, n: int, z_dim: int) -> None:
        super().__init__()
        self.mean, self.log_variance = nn.Linear(n, z_dim), nn.Linear(n, z_dim)

    def forward(self, h: Tensor) -> Tensor:
        return torch.cat([self.mean(h), self.log_variance(h)], 1)


def networks(
    *,
    image_size: Annotated[int, "side of the square image: as many times 2 as there are widths"] = 64,
    channels: Annotated[int, "1 gray, 3 colour"] = 3,
    widths: Annotated[tuple[int, ...], "channels of E's halvings"] = (64, 128, 256),
    g_widths: Annotated[tuple[int, ...], "of G's first map, and of what its doublings make"] = (256, 256, 128, 32),
    d_first: Annotated[int, "channels of D at the picture's side"] = 32,
    d_widths: Annotated[tuple[int, ...], "of D's halvings, as many as E has"] = (128, 256, 256),
    units: Annotated[int, "of E's layer over all; D's has half as many"] = 1024,
    z_dim: Annotated[int, "length of z ~ N(0, 1)"] = 128,
) -> dict[str, nn.Module]:
    """G, E of q(z|x), and D."""
    refuse_empty(channels, d_first, units // 2, z_dim, *widths, *g_widths, *d_widths)
    side, rest = divmod(image_size, 2 ** len(widths))
    if not len(widths) == len(d_widths) == len(g_widths) - 1 or rest or not side:
        what = f"{len(widths)}, {len(g_widths)} and {len(d_widths)} widths of E, G and D for image_size {image_size}"
        raise GanzooError(what, "E and D halve it as often as G doubles: g_widths has one more.")
    shape, first = (channels, image_size, image_size), (g_widths[0], side, side)
    n = first[0] * side * side
    encoder = [*halvings([channels, *widths]), nn.Flatten(), *normed(widths[-1] * side * side, units)]
    decoder = [*normed(z_dim, n), nn.Unflatten(1, first), *doubled(g_widths)]
    last = nn.Conv2d(g_widths[-1], channels, 5, 1, 2)
    nets: dict[str, nn.Module] = {
        "G": made.G(shape, Latent((z_dim,)), nn.Sequential(*decoder, last, nn.Tanh())),
        "E": E(shape, z_dim, nn.Sequential(*encoder, Heads(units, z_dim))),
        "D": D(shape, d_first, d_widths, units // 2, side),
    }
    return {name: net.apply(initialise) for name, net in nets.items()}
