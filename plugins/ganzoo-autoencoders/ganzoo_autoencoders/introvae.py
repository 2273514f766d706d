"""IntroVAE (Huang et al. 2018): a VAE whose encoder is the discriminator as well."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated

from torch import Tensor, nn
from torch.nn.functional import leaky_relu, relu

from ganzoo_autoencoders import networks as made
from ganzoo_autoencoders.game import Encoded, squared
from ganzoo_autoencoders.networks import E, refuse_empty
from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Latent
from ganzoo_core.objectives import Batch, Phase, Player, Step, Terms, adam


class IntroVAE(Encoded):
    """Introspective Variational Autoencoders for Photographic Image Synthesis (Huang et al. 2018, arXiv:1807.06358).

    z ~ q(z|x), x_r = G(z), z_p ~ N(0, 1), x_p = G(z_p);  REG(.) = KL(q(z|.) || N(0, 1)), an energy: low is real

    E:  REG(x) + alpha sum_{s=r,p} max(0, m - REG(x_s)) + beta |x - x_r|^2
    G:  alpha sum_{s=r,p} REG(x_s) + beta |x - x_r|^2

    E holds codes of data to the prior and pushes those of what G made away from it, up to the margin m.
    """

    m: Annotated[float, "the margin, in nats: codes of made pictures are to be this far from the prior"] = 120.0
    alpha: Annotated[float, "weight of what E and G play for"] = 0.25
    beta: Annotated[float, "weight of pictures that come back, by their squared distance, pixels in [0, 1]"] = 0.05
    lr: Annotated[float, "Adam's step for both players"] = 2e-4
    b1: Annotated[float, "Adam's beta_1"] = 0.9

    def phases(self) -> Sequence[Phase]:
        E, G = (Player(name, [getattr(self, name)], adam(self.lr, self.b1)) for name in ("E", "G"))
        return [Phase("main", [Step(E, self.e_loss), Step(G, self.g_loss)], self.images)]

    def e_loss(self, batch: Batch) -> Terms:
        x = batch["x"]
        q = self.E.posterior(x)
        again, drawn = self.G(q.draw()), self.G(self.G.prior(len(x)))
        return {
            "reg": q.kl().mean(),
            "rec": self.beta * squared(again, x),
            "again": self.alpha * relu(self.m - self.reg(again.detach())),  # E judges it, and does not make it worse
            "drawn": self.alpha * relu(self.m - self.reg(drawn)),
        }

    def g_loss(self, batch: Batch) -> Terms:
        x = batch["x"]
        again, drawn = self.again(x), self.G(self.G.prior(len(x)))
        return {
            "rec": self.beta * squared(again, x),
            "again": self.alpha * self.reg(again),
            "drawn": self.alpha * self.reg(drawn),
        }

    def reg(self, x: Tensor) -> Tensor:
        """REG(x), a mean over the batch.  []"""
        return self.E.posterior(x).kl().mean()


class Residual(nn.Module):
    """3x3, norm, 3x3; a sum with what came in, through 1x1 where widths differ; norm."""

    def __init__(self, f: int, f_next: int) -> None:
        super().__init__()
        self.shortcut = nn.Conv2d(f, f_next, 1, bias=False) if f != f_next else nn.Identity()
        self.conv1, self.bn1 = nn.Conv2d(f, f_next, 3, padding=1, bias=False), nn.BatchNorm2d(f_next)
        self.conv2, self.bn2 = nn.Conv2d(f_next, f_next, 3, padding=1, bias=False), nn.BatchNorm2d(f_next)

    def forward(self, x: Tensor) -> Tensor:  # [N, f, H, W] -> [N, f_next, H, W]
        h = leaky_relu(self.bn1(self.conv1(x)), 0.2)
        return leaky_relu(self.bn2(self.conv2(h) + self.shortcut(x)), 0.2)


def encoder(channels: int, widths: Sequence[int], outputs: int) -> nn.Sequential:
    """5x5, then residual blocks, each side halved by means, down to 4x4; a layer over all."""
    first, last = widths[0], widths[-1]
    layers: list[nn.Module] = [made.ToUnit(), nn.Conv2d(channels, first, 5, 1, 2, bias=False), nn.BatchNorm2d(first)]
    layers += [nn.LeakyReLU(0.2), nn.AvgPool2d(2)]
    for f, f_next in pairwise(widths):
        layers += [Residual(f, f_next), nn.AvgPool2d(2)]
    return nn.Sequential(*layers, Residual(last, last), nn.Flatten(), nn.Linear(16 * last, outputs))


def decoder(channels: int, widths: Sequence[int], z_dim: int) -> nn.Sequential:
    """The way back: each side is doubled by repeating pixels."""
    last = widths[-1]
    layers: list[nn.Module] = [nn.Linear(z_dim, 16 * last), nn.ReLU(), nn.Unflatten(1, (last, 4, 4))]
    for f, f_next in pairwise([last, *reversed(widths)]):
        layers += [Residual(f, f_next), nn.Upsample(scale_factor=2)]
    first = widths[0]
    return nn.Sequential(*layers, Residual(first, first), nn.Conv2d(first, channels, 5, 1, 2), made.FromUnit())


def networks(
    *,
    image_size: Annotated[int, "side of the square image: 4, as many times 2 as there are widths"] = 256,
    channels: Annotated[int, "1 gray, 3 colour"] = 3,
    widths: Annotated[tuple[int, ...], "channels at each side, that of the picture first"] = (
        32,
        64,
        128,
        256,
        512,
        512,
    ),
    z_dim: Annotated[int, "length of z ~ N(0, 1)"] = 512,
) -> dict[str, nn.Module]:
    """G, and E of q(z|x), which is all there is of a discriminator."""
    refuse_empty(channels, z_dim, *widths)
    if image_size != 4 * 2 ** len(widths):
        what = f"image_size {image_size} and {len(widths)} widths: a side is 4, as many times 2 as there are widths"
        raise GanzooError(what, "Give as many widths as there are halvings.")
    shape = (channels, image_size, image_size)
    return {
        "G": made.G(shape, Latent((z_dim,)), decoder(channels, widths, z_dim)),
        "E": E(shape, z_dim, encoder(channels, widths, 2 * z_dim)),
    }
