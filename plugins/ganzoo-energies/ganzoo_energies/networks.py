"""The two pairs of networks: EBGAN's, which MAGAN has too, and BEGAN's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from ganzoo_dcgan.networks import G as DCGANG
from ganzoo_dcgan.networks import rectifier, stages
from torch import Tensor, nn

from ganzoo_core.nn import Generator, Images, Latent, doublings, initialise
from ganzoo_energies.energy import Autoencoder

# EBGAN and MAGAN: DCGAN's generator, and an autoencoder of DCGAN's layers


class ConvolutionalD(Autoencoder):
    """Three or so convolutions down to a 4x4 code, and their mirror image up again; the energy is a squared error."""

    p = 2.0

    def __init__(self, image_size: int, channels: int, width: int) -> None:
        super().__init__()
        widths = stages(image_size, width)
        down: list[nn.Module] = []
        for i, f in enumerate(widths):
            down += [nn.Conv2d(widths[i - 1] if i else channels, f, 4, 2, 1, bias=False)]  # s -> s/2
            down += [nn.BatchNorm2d(f)] if i else []
            down += [rectifier(0.2)]
        up: list[nn.Module] = []
        for f, f_next in zip(widths[:0:-1], widths[-2::-1], strict=True):
            up += [
                nn.ConvTranspose2d(f, f_next, 4, 2, 1, bias=False),
                nn.BatchNorm2d(f_next),
                rectifier(0.0),
            ]  # s -> 2s
        self.encoder = nn.Sequential(*down)
        self.decoder = nn.Sequential(*up, nn.ConvTranspose2d(width, channels, 4, 2, 1, bias=False), nn.Tanh())
        self.apply(initialise)


def narrowly(layer: nn.Module) -> None:
    """G's first weights: N(0, 0.002), a tenth of D's."""
    if isinstance(layer, nn.ConvTranspose2d):
        nn.init.normal_(layer.weight, 0.0, 0.002)


def convolutional(
    *,
    image_size: Annotated[int, "side of the square image: 16, 32, 64 or 128"] = 64,
    channels: Annotated[int, "1 gray, 3 colour"] = 3,
    width: Annotated[int, "f, the channels of the stage next to the image; they double at each stage towards 4x4"] = 64,
    z_dim: Annotated[int, "length of the latent z"] = 100,
    d_width: Annotated[int, "f of D: low enough, and its code holds less than the image; 0: that of G"] = 0,
) -> dict[str, nn.Module]:
    """DCGAN's generator G, and the autoencoder D."""
    G = DCGANG(image_size, channels, width, z_dim)
    return {"G": G.apply(narrowly), "D": ConvolutionalD(image_size, channels, d_width or width)}


# BEGAN: a decoder, as G and again as half of D


class Decoder(nn.Sequential):
    """h -> 8x8 -> ... -> the image: two convolutions on each side, then every pixel becomes four."""

    def __init__(self, image_size: int, channels: int, n: int, h_dim: int) -> None:
        layers: list[nn.Module] = [nn.Linear(h_dim, 64 * n), nn.Unflatten(1, (n, 8, 8))]
        for i in range(doublings(image_size, first=8, least=16, most=256) + 1):
            layers += [nn.Upsample(scale_factor=2)] if i else []
            layers += [layer for _ in range(2) for layer in (nn.Conv2d(n, n, 3, padding=1), nn.ELU(inplace=True))]
        super().__init__(*layers, nn.Conv2d(n, channels, 3, padding=1))


def encoder(image_size: int, channels: int, n: int, h_dim: int) -> Iterator[nn.Module]:
    """The image -> ... -> 8x8 -> h: n more channels on each side; the second convolution of a side halves it."""
    deepest = doublings(image_size, first=8, least=16, most=256)
    yield from (nn.Conv2d(channels, n, 3, padding=1), nn.ELU(inplace=True))
    for i in range(deepest + 1):
        f = n * (i + 1)
        yield from (nn.Conv2d(max(i, 1) * n, f, 3, padding=1), nn.ELU(inplace=True))
        yield from (nn.Conv2d(f, f, 3, stride=2 if i < deepest else 1, padding=1), nn.ELU(inplace=True))
    yield from (nn.Flatten(), nn.Linear(64 * n * (deepest + 1), h_dim))


class BEGANG(Generator):
    """The decoder on z ~ U(-1, 1). Nothing bounds the image but its training."""

    def __init__(self, image_size: int, channels: int, n: int, z_dim: int) -> None:
        super().__init__()
        self.inputs = {"z": Latent((z_dim,), range=(-1.0, 1.0))}
        self.output = Images((channels, image_size, image_size))
        self.decoder = Decoder(image_size, channels, n, z_dim)

    def forward(self, z: Tensor) -> Tensor:  # [N, z_dim] -> [N, C, H, W]
        return self.decoder(z)


class BEGAND(Autoencoder):
    """The encoder, and G's decoder with weights of its own; the energy is an absolute error."""

    p = 1.0

    def __init__(self, image_size: int, channels: int, n: int, h_dim: int) -> None:
        super().__init__()
        self.encoder = nn.Sequential(*encoder(image_size, channels, n, h_dim))
        self.decoder = Decoder(image_size, channels, n, h_dim)


def began(
    *,
    image_size: Annotated[int, "side of the square image: 16, 32, 64, 128 or 256"] = 64,
    channels: Annotated[int, "1 gray, 3 colour"] = 3,
    n: Annotated[int, "filters of G, and of D next to the image; D's encoder has n more at each stage"] = 128,
    h_dim: Annotated[int, "N_h = N_z, the length of D's code and of the latent z"] = 64,
) -> dict[str, nn.Module]:
    """The generator G and the autoencoder D."""
    return {"G": BEGANG(image_size, channels, n, h_dim), "D": BEGAND(image_size, channels, n, h_dim)}
