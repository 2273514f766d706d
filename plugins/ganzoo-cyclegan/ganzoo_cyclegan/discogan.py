"""DiscoGAN (Kim et al. 2017): encoders that end in decoders, DCGAN's discriminators, and matched features."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn.functional import mse_loss

from ganzoo_core.nn import Discriminator, Generator, Image, Images, doublings
from ganzoo_core.objectives import Batch, Phase, Player, Step, Terms, adam, nonsaturating
from ganzoo_cyclegan.objective import TwoTranslators


class Translator(Generator):
    """Down to 4x4 and back by strides of 2, perhaps through a bottleneck of 1x1: [N, C, S, S] to the same."""

    def __init__(self, key: str, channels: int, widths: Sequence[int], bottleneck: int) -> None:
        super().__init__()
        side = 4 * 2 ** len(widths)
        self.inputs, self.output = {key: Image((channels, side, side))}, Images((channels, side, side))
        layers = halving(channels, widths)
        f = widths[-1]
        if bottleneck:
            layers += [nn.Conv2d(f, bottleneck, 4, bias=False), nn.BatchNorm2d(bottleneck), nn.LeakyReLU(0.2)]
            layers += [nn.ConvTranspose2d(bottleneck, f, 4, bias=False), nn.BatchNorm2d(f), nn.ReLU()]
        for f_next in widths[-2::-1]:
            layers += [nn.ConvTranspose2d(f, f_next, 4, 2, 1, bias=False), nn.BatchNorm2d(f_next), nn.ReLU()]
            f = f_next
        self.main = nn.Sequential(*layers, nn.ConvTranspose2d(f, channels, 4, 2, 1, bias=False), nn.Sigmoid())

    def forward(self, x: Tensor) -> Tensor:
        return 2 * self.main((x + 1) / 2) - 1  # the paper's pixels lie in [0, 1]


class D(Discriminator):
    """DCGAN's: the side is halved down to 4x4, then there is one score."""

    def __init__(self, channels: int, widths: Sequence[int]) -> None:
        super().__init__()
        self.main = nn.Sequential(*halving(channels, widths), nn.Conv2d(widths[-1], 1, 4, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        return self.score_and_features(x)[0]

    def features(self, x: Tensor) -> Tensor:
        return self.score_and_features(x)[1]

    def score_and_features(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Scores [N], and the activations of all levels but the first, each level scaled to a mean square of its own.

        The squared length of a difference of features is then the sum over levels of its mean square.
        """
        h, maps = (x + 1) / 2, list[Tensor]()
        for layer in self.main[:-1]:
            h = layer(h)
            if isinstance(layer, nn.LeakyReLU):
                maps.append(h.flatten(1) / h[0].numel() ** 0.5)
        return self.main[-1](h).flatten(), torch.cat(maps[1:], 1)


def halving(channels: int, widths: Sequence[int]) -> list[nn.Module]:
    """From the picture down to 4x4; the level next to the picture has no norm."""
    layers: list[nn.Module] = []
    for i, f in enumerate(widths):
        layers.append(nn.Conv2d(widths[i - 1] if i else channels, f, 4, 2, 1, bias=False))
        layers += [nn.BatchNorm2d(f)] if i else []
        layers.append(nn.LeakyReLU(0.2))
    return layers


def networks(
    *,
    image_size: Annotated[int, "side of the square pictures: 16, 32, 64 or 128"] = 64,
    channels: Annotated[int, "of both domains: 1 gray, 3 colour"] = 3,
    width: Annotated[int, "channels of all four next to the picture; they double with each level, down to 4x4"] = 64,
    bottleneck: Annotated[
        int, "channels of a 1x1 layer in the middle of G and F: 0 none, 100 in the authors' larger one"
    ] = 0,
) -> dict[str, nn.Module]:
    """The translators G: a -> b and F: b -> a (the paper's G_AB and G_BA), and D_X and D_Y (its D_A and D_B)."""
    widths = [width * 2**i for i in range(doublings(image_size, least=16, most=128))]
    nets: dict[str, nn.Module] = {k: Translator(of, channels, widths, bottleneck) for k, of in (("G", "a"), ("F", "b"))}
    return nets | {key: D(channels, widths) for key in ("D_X", "D_Y")}


class DiscoGAN(TwoTranslators):
    """Learning to Discover Cross-Domain Relations with GANs (Kim et al. 2017, arXiv:1703.05192).

    x of A is batch["a"], y of B is batch["b"]; G is the paper's G_AB, F its G_BA, D_X its D_A, D_Y its D_B. The weights
    of the terms, the matched features and the first stretch that hardly reconstructs are the authors' code's.
    """

    matched: Annotated[float, "part of matched features in the adversarial term; the scores have the rest"] = 0.9
    g_steps: Annotated[int, "updates of G and F for one of D_X and D_Y"] = 2
    lr: Annotated[float, "Adam's step for both players"] = 2e-4
    decay: Annotated[float, "Adam's weight decay"] = 1e-5
    early: Annotated[float, "weight of reconstruction in the first stretch; the adversarial term has the rest"] = 0.01
    late: Annotated[float, "the same, from then on"] = 0.5
    warm_up: Annotated[int, "pairs in the first stretch: 10,000 of the authors' iterations"] = 427_000
    images: Annotated[int, "pairs after it"] = 4_000_000

    def phases(self) -> Sequence[Phase]:
        optim = adam(self.lr, decay=self.decay)
        D, G = Player("D", [self.D_X, self.D_Y], optim), Player("G", [self.G, self.F], optim)

        def stretch(name: str, rate: float, images: int) -> Phase:
            g_step = Step(G, partial(self.g_loss, rate=rate), repeat=self.g_steps)
            return Phase(name, [Step(D, self.d_loss), g_step], images)

        return [stretch("warm_up", self.early, self.warm_up), stretch("main", self.late, self.images)]

    def d_loss(self, batch: Batch) -> Terms:
        """Half of L_D_A + L_D_B: Eqs. 6 and 8."""
        x, y = batch["a"], batch["b"]
        d_x = nonsaturating.d(self.D_X(x), self.D_X(self.F(y)))
        d_y = nonsaturating.d(self.D_Y(y), self.D_Y(self.G(x)))
        ends = {"x": d_x, "y": d_y}
        return {f"{end}_{name}": term / 2 for end, terms in ends.items() for name, term in terms.items()}

    def g_loss(self, batch: Batch, rate: float) -> Terms:
        """(1 - rate) (L_GAN_A + L_GAN_B) + rate (L_CONST_A + L_CONST_B): Eqs. 3, 4 and 7, with the code's weights."""
        x, y = batch["a"], batch["b"]
        fake_x, fake_y = self.F(y), self.G(x)
        return {
            "adv_g": (1 - rate) * self.fooled(self.D_Y, y, fake_y),
            "adv_f": (1 - rate) * self.fooled(self.D_X, x, fake_x),
            "const_x": rate * mse_loss(self.F(fake_y).float(), x) / 4,  # Eq. 3; of pixels in [0, 1] it is a fourth
            "const_y": rate * mse_loss(self.G(fake_x).float(), y) / 4,
        }

    def fooled(self, D: Discriminator, real: Tensor, fake: Tensor) -> Tensor:
        """-E log D(fake), Eq. 4, and how far the mean features of fakes are from those of real pictures."""
        (_, of_real), (score, of_fake) = D.score_and_features(real), D.score_and_features(fake)
        gap = (of_real.float().mean(0) - of_fake.float().mean(0)).square().sum()
        return (1 - self.matched) * nonsaturating.g(score, None) + self.matched * gap
