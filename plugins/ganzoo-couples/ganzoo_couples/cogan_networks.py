"""The networks of CoGAN (Liu & Tuzel 2016) for digits: two generators that differ in their last layer alone, two
discriminators that differ in their first.
"""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor, nn

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator, Generator, Images, Label, Latent, initialise

SIDE = 28  # pixels: what the layers come to
DOMAINS = ("a", "b")


class G(Generator):
    """g_a and g_b: what is shared draws the meaning, a head for each domain its look.

    One z is a couple, so the pictures of one seed in both domains belong together.
    """

    def __init__(self, channels: int, width: int, z_dim: int) -> None:
        super().__init__()
        shape = (channels, SIDE, SIDE)
        self.inputs = {"z": Latent((z_dim,), (-1.0, 1.0)), "domain": Label(2, DOMAINS)}
        self.output = Images(shape)
        f = [width * i for i in (8, 4, 2, 1)]
        layers = [nn.ConvTranspose2d(z_dim, f[0], 4), nn.BatchNorm2d(f[0], affine=False), nn.PReLU()]  # [N, ., 4, 4]
        for i in range(3):  # sides 7, 13, 25
            layers += [nn.ConvTranspose2d(f[i], f[i + 1], 3, 2, 1), nn.BatchNorm2d(f[i + 1], affine=False), nn.PReLU()]
        self.shared = nn.Sequential(*layers)
        self.a = nn.ConvTranspose2d(f[3], channels, 6, 1, 1)  # side 28
        self.b = nn.ConvTranspose2d(f[3], channels, 6, 1, 1)

    def couple(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """(g_a(z), g_b(z)): [N, z_dim] -> [N, C, 28, 28] in [-1, 1], twice. The paper's pixels lie in [0, 1]."""
        h = self.shared(z[:, :, None, None])
        return 2 * self.a(h).sigmoid() - 1, 2 * self.b(h).sigmoid() - 1

    def forward(self, z: Tensor, domain: Tensor) -> Tensor:
        a, b = self.couple(z)
        return torch.where((domain == 0)[:, None, None, None], a, b)


class D(Discriminator):
    """f_a and f_b: a first layer for each domain, and all others shared; the score is log p(real) - log p(fake)."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        f, units = 5 * width // 2, 25 * width
        self.a, self.b = nn.Conv2d(channels, width, 5), nn.Conv2d(channels, width, 5)  # side 24
        self.shared = nn.Sequential(
            nn.Conv2d(width, f, 5), nn.MaxPool2d(2), nn.Conv2d(f, units, 4), nn.PReLU(), nn.Conv2d(units, 2, 1)
        )  # sides 12 -> 8, 4, 1
        self.pool = nn.MaxPool2d(2)

    def forward(self, x: Tensor, domain: Tensor) -> Tensor:  # [N, C, 28, 28], [N] -> [N]
        x = (x + 1) / 2
        first = torch.where((domain == 0)[:, None, None, None], self.a(x), self.b(x))
        fake, real = self.shared(self.pool(first)).flatten(1).unbind(1)
        return real - fake


def networks(
    *,
    image_size: Annotated[int, "side of the square pictures: 28"] = SIDE,
    channels: Annotated[int, "of both domains: 1 gray, 3 colour"] = 1,
    width: Annotated[int, "channels of G before its heads; eight times as many at 4x4"] = 128,
    z_dim: Annotated[int, "length of the latent z ~ U(-1, 1), which both domains share"] = 100,
    d_width: Annotated[int, "channels of D's first layers: an even number"] = 20,
) -> dict[str, nn.Module]:
    """G(z, domain) and D(x, domain), domain 0 for a and 1 for b."""
    if image_size != SIDE:
        raise GanzooError(f"image_size {image_size}: these networks draw {SIDE} px", f"Take {SIDE}.")
    if min(channels, width, z_dim, d_width) < 1 or d_width % 2:
        raise GanzooError(f"d_width {d_width}: odd, or a size below 1", "Choose another.")
    return {"G": G(channels, width, z_dim).apply(initialise), "D": D(channels, d_width).apply(initialise)}
