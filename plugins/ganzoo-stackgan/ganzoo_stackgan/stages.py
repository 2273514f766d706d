"""The two stages of StackGAN and their discriminators (Zhang et al. 2017, Sec. 3; tensors as in the authors' code)."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate, relu

from ganzoo_core.nn import Discriminator, doublings

WHITE = 0.99  # the lightest that a tanh should have to reach
Drawn = tuple[Tensor, Tensor, Tensor]  # picture, mu, log sigma^2


class Augmentation(nn.Module):
    """Conditioning augmentation: c ~ N(mu(e), sigma(e)^2), Sec. 3.2."""

    def __init__(self, dim: int, c_dim: int) -> None:
        super().__init__()
        self.fc = nn.Linear(dim, 2 * c_dim)

    def forward(self, e: Tensor, spread: float = 1.0) -> tuple[Tensor, Tensor, Tensor]:
        """c, mu and log sigma^2, each [N, c]; the latter two behind a ReLU, as in the authors' code."""
        mu, logvar = relu(self.fc(e)).float().chunk(2, 1)
        return mu + spread * (logvar / 2).exp() * torch.randn_like(mu), mu, logvar


class StageI(nn.Module):
    """(e, z) -> 4x4 -> nearest neighbours twice as large, convolved, over and over -> a small picture."""

    def __init__(self, size: int, channels: int, width: int, z_dim: int, dim: int, c_dim: int) -> None:
        super().__init__()
        n = doublings(size)  # of 4x4
        f = 8 * width
        self.ca = Augmentation(dim, c_dim)
        self.fc = nn.Sequential(nn.Linear(c_dim + z_dim, f * 16, bias=False), nn.BatchNorm1d(f * 16), nn.ReLU())
        self.up = nn.Sequential(*[up(f // 2**i, f // 2 ** (i + 1)) for i in range(n)])
        self.image = nn.Sequential(conv3(f // 2**n, channels), nn.Tanh())

    def forward(self, e: Tensor, z: Tensor, spread: float = 1.0) -> Drawn:
        c, mu, logvar = self.ca(e, spread)
        h = self.fc(torch.cat([z, c], 1))
        return self.image(self.up(h.unflatten(1, (-1, 4, 4)))), mu, logvar


class StageII(nn.Module):
    """The small picture and the words once more -> features at a quarter of its side -> residual blocks -> larger.

    With `keep` the small picture, enlarged, lies under what is drawn, before the tanh: at 1 Stage II begins with it.
    """

    def __init__(
        self, small: int, size: int, channels: int, width: int, dim: int, c_dim: int, blocks: int, keep: float
    ) -> None:
        super().__init__()
        self.keep, self.scale = keep, size // small
        f = 4 * width
        ups = doublings(size) - doublings(small) + 2
        self.ca = Augmentation(dim, c_dim)
        self.encoder = nn.Sequential(
            conv3(channels, width), nn.ReLU(),
            nn.Conv2d(width, 2 * width, 4, 2, 1, bias=False), nn.BatchNorm2d(2 * width), nn.ReLU(),
            nn.Conv2d(2 * width, f, 4, 2, 1, bias=False), nn.BatchNorm2d(f), nn.ReLU(),
        )  # fmt: skip
        self.joint = nn.Sequential(conv3(c_dim + f, f), nn.BatchNorm2d(f), nn.ReLU())
        self.residual = nn.Sequential(*[Residual(f) for _ in range(blocks)])
        self.up = nn.Sequential(*[up(f // 2**i, f // 2 ** (i + 1)) for i in range(ups)])
        self.image = conv3(f // 2**ups, channels)

    def forward(self, small: Tensor, e: Tensor, spread: float = 1.0) -> Drawn:
        c, mu, logvar = self.ca(e, spread)
        h = self.encoder(small)
        h = self.residual(self.joint(torch.cat([h, tiled(c, h)], 1)))
        kept = self.keep * interpolate(small.clamp(-WHITE, WHITE).atanh(), scale_factor=self.scale, mode="bilinear")
        return torch.tanh(self.image(self.up(h)) + kept), mu, logvar


class Residual(nn.Module):
    """relu(h + conv BN ReLU conv BN h)."""

    def __init__(self, f: int) -> None:
        super().__init__()
        self.main = nn.Sequential(conv3(f, f), nn.BatchNorm2d(f), nn.ReLU(), conv3(f, f), nn.BatchNorm2d(f))

    def forward(self, h: Tensor) -> Tensor:
        return relu(h + self.main(h))


class D(Discriminator):
    """A picture down to 4x4; there the words are put beside it, and one score says whether both are real and fit.

    With `alone` (Stage II) another score looks at the picture without the words.
    """

    def __init__(self, size: int, channels: int, width: int, c_dim: int, alone: bool) -> None:
        super().__init__()
        widths = [width * 2**i for i in range(doublings(size))]
        layers: list[nn.Module] = [nn.Conv2d(channels, width, 4, 2, 1, bias=False), nn.LeakyReLU(0.2)]
        for f, f_next in pairwise(widths):
            layers += [nn.Conv2d(f, f_next, 4, 2, 1, bias=False), nn.BatchNorm2d(f_next), nn.LeakyReLU(0.2)]
        f = widths[-1]
        while f > 8 * width:  # back to 8 f
            layers += [conv3(f, f // 2), nn.BatchNorm2d(f // 2), nn.LeakyReLU(0.2)]
            f //= 2
        self.main = nn.Sequential(*layers)
        self.joint = nn.Sequential(conv3(f + c_dim, f), nn.BatchNorm2d(f), nn.LeakyReLU(0.2))
        self.score = nn.Conv2d(f, 1, 4, 4)
        self.lone = nn.Conv2d(f, 1, 4, 4) if alone else None

    def forward(self, x: Tensor, *conditions: Tensor) -> Tensor:  # [N, C, H, W], [N, c] -> [N]
        return self.fit(self.features(x), conditions[0])

    def features(self, x: Tensor) -> Tensor:  # -> [N, 8 f, 4, 4]
        return self.main(x)

    def fit(self, h: Tensor, c: Tensor) -> Tensor:
        """The score of features beside words.  [N]"""
        return self.score(self.joint(torch.cat([h, tiled(c, h)], 1))).flatten()

    def judge(self, h: Tensor) -> Tensor:
        """The score of features alone.  [N]"""
        assert self.lone is not None
        return self.lone(h).flatten()


def tiled(c: Tensor, h: Tensor) -> Tensor:
    """c [N, c] at every place of h: [N, c, H, W]."""
    return c.to(h.dtype)[:, :, None, None].expand(-1, -1, *h.shape[2:])


def conv3(f: int, f_next: int) -> nn.Conv2d:
    return nn.Conv2d(f, f_next, 3, 1, 1, bias=False)


def up(f: int, f_next: int) -> nn.Sequential:
    """Twice the side by nearest neighbours, then 3x3, batch norm, ReLU."""
    return nn.Sequential(nn.Upsample(scale_factor=2), conv3(f, f_next), nn.BatchNorm2d(f_next), nn.ReLU())
