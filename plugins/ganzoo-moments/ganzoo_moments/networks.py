"""DCGAN's pair with a critic of several outputs, which are the space in which batches are compared."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

from ganzoo_dcgan.networks import D as DCGAND
from ganzoo_dcgan.networks import G, Norm, rectifier, stages
from torch import Tensor, nn

from ganzoo_core.nn import Discriminator, initialise


class Critic(Discriminator):
    """DCGAN's D with h_dim outputs in place of one score."""

    def __init__(self, image_size: int, channels: int, width: int, h_dim: int, norm: Norm) -> None:
        super().__init__()
        *body, _ = DCGAND(image_size, channels, width, norm).main
        outputs = nn.Conv2d(stages(image_size, width)[-1], h_dim, 4, 1, 0, bias=False)  # 4x4 -> 1x1
        self.main = nn.Sequential(*body, outputs).apply(initialise if norm == "batch" else by_fan_in)

    def forward(self, x: Tensor) -> Tensor:  # [N, C, H, W] -> [N, h_dim]
        return self.main(x).flatten(1)

    def features(self, x: Tensor) -> Tensor:
        """The outputs themselves.  [N, h_dim]"""
        return self(x)


def by_fan_in(layer: nn.Module) -> None:
    """First weights that keep the size of activations (He et al. 2015): DCGAN's N(0, 0.02) counts on norms."""
    if isinstance(layer, nn.Conv2d):
        nn.init.kaiming_normal_(layer.weight, a=0.2)


def decoder(image_size: int, channels: int, width: int, h_dim: int) -> nn.Sequential:
    """The layers of DCGAN's G; not itself one, for who loads a discriminator alone builds no generator."""
    widths = [*stages(image_size, width)[::-1], channels]
    layers: list[nn.Module] = [
        nn.Unflatten(1, (h_dim, 1, 1)),
        nn.ConvTranspose2d(h_dim, widths[0], 4, 1, 0, bias=False),
    ]
    for f, f_next in pairwise(widths):
        layers += [nn.BatchNorm2d(f), rectifier(0.0), nn.ConvTranspose2d(f, f_next, 4, 2, 1, bias=False)]  # s -> 2s
    return nn.Sequential(*layers, nn.Tanh()).apply(initialise)


class AutoencodingCritic(Critic):
    """A critic from whose outputs a decoder draws the picture again."""

    def __init__(self, image_size: int, channels: int, width: int, h_dim: int, norm: Norm) -> None:
        super().__init__(image_size, channels, width, h_dim, norm)
        self.decoder = decoder(image_size, channels, width, h_dim)

    def decode(self, h: Tensor) -> Tensor:
        """Pictures of outputs.  [N, h_dim] -> [N, C, H, W]"""
        return self.decoder(h)


def networks(
    *,
    image_size: Annotated[int, "side of the square image: 16, 32, 64 or 128"] = 64,
    channels: Annotated[int, "1 gray, 3 colour"] = 3,
    width: Annotated[int, "f, the channels of the stage next to the image; they double at each stage towards 4x4"] = 64,
    z_dim: Annotated[int, "length of the latent z"] = 100,
    h_dim: Annotated[int, "outputs of the critic"] = 256,
    norm: Annotated[
        Norm, "of the critic's convolutions: none where a loss looks at samples one by one (gradient penalties)"
    ] = "batch",
) -> dict[str, nn.Module]:
    """DCGAN's generator G, and the critic D."""
    return {
        "G": G(image_size, channels, width, z_dim),
        "D": Critic(image_size, channels, width, h_dim, norm),
    }


def autoencoding(
    *,
    image_size: Annotated[int, "side of the square image: 16, 32, 64 or 128"] = 64,
    channels: Annotated[int, "1 gray, 3 colour"] = 3,
    width: Annotated[int, "f, the channels of the stage next to the image; they double at each stage towards 4x4"] = 64,
    z_dim: Annotated[int, "n_z, length of the latent z and of the critic's output"] = 100,
) -> dict[str, nn.Module]:
    """DCGAN's generator G, and the critic D with a decoder."""
    return {
        "G": G(image_size, channels, width, z_dim),
        "D": AutoencodingCritic(image_size, channels, width, z_dim, "batch"),
    }
