"""DualGAN (Yi et al. 2017): two U-Nets that undo each other, under critics with clipped weights."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated

from ganzoo_pix2pix.networks import InstanceNorm, Level, PatchGAN, UNet
from torch import nn
from torch.nn.functional import l1_loss

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import initialise
from ganzoo_core.objectives import Batch, Phase, Player, Step, Terms, clip_weights, rmsprop, wasserstein
from ganzoo_cyclegan.objective import TwoTranslators


def unet(key: str, channels: int, width: int, levels: int) -> UNet:
    """pix2pix's with other convolutions: 3x3, 5x5 next to the picture, all with a bias, all others with a norm.

    The norm is that of the authors' batch of one. Dropout is on the three innermost levels of the decoder.
    """
    widths = [width * min(2**i, 8) for i in range(levels)]
    down = [Level(nn.Conv2d(channels, width, 5, 2, 2))]
    down += [Level(nn.Conv2d(f, g, 3, 2, 1), normed(g)) for f, g in pairwise(widths)]
    up, f = [], widths[-1]
    for depth, g in enumerate(widths[-2::-1]):
        up.append(Level(nn.ConvTranspose2d(f, g, 3, 2, 1, output_padding=1), normed(g), 0.5 if depth < 3 else 0.0))
        f = 2 * g
    up.append(Level(nn.ConvTranspose2d(f, channels, 5, 2, 2, output_padding=1)))
    return UNet(key, channels, down, up)


def normed(f: int) -> nn.Module:
    return InstanceNorm(f, affine=True)


def networks(
    *,
    image_size: Annotated[int, "side of the square pictures that it is trained on: a multiple of 2 ** levels"] = 256,
    channels: Annotated[int, "of both domains: 1 gray, 3 colour"] = 3,
    width: Annotated[
        int, "channels of G and F next to the picture; they double with each level, up to eight times as many"
    ] = 64,
    levels: Annotated[int, "how often G and F halve the side"] = 8,
    d_width: Annotated[int, "channels of D_X and D_Y next to the picture"] = 64,
    patch: Annotated[int, "pixels that a score of D_X and D_Y sees: 1, 16, 34, 70, 142 or 286"] = 70,
) -> dict[str, nn.Module]:
    """The translators G: a -> b and F: b -> a (the paper's G_A and G_B), and D_X and D_Y (its D_B and D_A)."""
    if min(image_size, channels, width, d_width) < 1 or levels < 2 or image_size % 2**levels:
        raise GanzooError(f"image_size {image_size}, levels {levels}: not a multiple of 2 ** levels, or a size below 1",
                          "Choose another image_size or other levels.")  # fmt: skip
    nets: dict[str, nn.Module] = {key: unet(of, channels, width, levels) for key, of in (("G", "a"), ("F", "b"))}
    nets |= {key: PatchGAN(channels, d_width, patch, "instance") for key in ("D_X", "D_Y")}
    return {name: net.apply(initialise) for name, net in nets.items()}


class DualGAN(TwoTranslators):
    """DualGAN: Unsupervised Dual Learning for Image-to-Image Translation (Yi et al. 2017, arXiv:1704.02510), Alg. 1.

    u of U is batch["a"], v of V is batch["b"]; G is the paper's G_A, F its G_B, D_Y its D_A, D_X its D_B.
    """

    lam: Annotated[float, "lambda_U and lambda_V, the weights of the way there and back"] = 500.0
    n_critic: Annotated[int, "updates of the critics for one of the translators"] = 3
    clip: Annotated[float, "c: every weight of a critic is kept in [-c, c]"] = 0.01
    lr: Annotated[float, "RMSProp's step for both players"] = 5e-5
    images: Annotated[int, "length in pairs"] = 240_000

    def phases(self) -> Sequence[Phase]:
        D = Player("D", [self.D_X, self.D_Y], rmsprop(self.lr, 0.9), project=self.project)
        G = Player("G", [self.G, self.F], rmsprop(self.lr, 0.9))
        return [Phase("main", [Step(D, self.d_loss, repeat=self.n_critic), Step(G, self.g_loss)], self.images)]

    def project(self) -> None:
        for D in (self.D_X, self.D_Y):
            clip_weights(D, self.clip)

    def d_loss(self, batch: Batch) -> Terms:
        """D_A(G_A(u)) - D_A(v) + D_B(G_B(v)) - D_B(u): Eqs. 1 and 2."""
        u, v = batch["a"], batch["b"]
        d_x, d_y = wasserstein.d(self.D_X(u), self.D_X(self.F(v))), wasserstein.d(self.D_Y(v), self.D_Y(self.G(u)))
        return {f"x_{name}": term for name, term in d_x.items()} | {f"y_{name}": term for name, term in d_y.items()}

    def g_loss(self, batch: Batch) -> Terms:
        """lambda ||u - G_B(G_A(u))||_1 + lambda ||v - G_A(G_B(v))||_1 - D_B(G_B(v)) - D_A(G_A(u)): Eq. 3."""
        u, v = batch["a"], batch["b"]
        fake_u, fake_v = self.F(v), self.G(u)
        return {
            "adv_g": wasserstein.g(self.D_Y(fake_v), None),
            "adv_f": wasserstein.g(self.D_X(fake_u), None),
            "cycle_u": self.lam * l1_loss(self.F(fake_v).float(), u),
            "cycle_v": self.lam * l1_loss(self.G(fake_u).float(), v),
        }
