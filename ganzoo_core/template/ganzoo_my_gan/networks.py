"""The networks of MyGAN."""

from __future__ import annotations

from torch import Tensor, nn

from ganzoo_core.errors import GanzooError
from ganzoo_core.networks import Discriminator, Generator, Input, Output


class G(Generator):
    """z -> 4x4 -> ... -> the image: each stage doubles the side."""

    def __init__(self, image_size: int, channels: int, width: int, z_dim: int) -> None:
        super().__init__()
        self.inputs = {"z": Input("latent", (z_dim,))}
        self.output = Output((channels, image_size, image_size))
        layers: list[nn.Module] = [nn.Linear(z_dim, 16 * width), nn.Unflatten(1, (width, 4, 4)), nn.ReLU()]
        for _ in range(doublings(image_size)):
            layers += [nn.Upsample(scale_factor=2), nn.Conv2d(width, width, 3, padding=1), nn.ReLU()]
        self.main = nn.Sequential(*layers, nn.Conv2d(width, channels, 3, padding=1), nn.Tanh())

    def forward(self, z: Tensor) -> Tensor:  # [N, z_dim] -> [N, C, H, W] in [-1, 1]
        return self.main(z)


class D(Discriminator):
    """The image -> ... -> 4x4 -> its score: each stage halves the side."""

    def __init__(self, image_size: int, channels: int, width: int) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(channels, width, 3, padding=1), nn.LeakyReLU(0.2)]
        for _ in range(doublings(image_size)):
            layers += [nn.Conv2d(width, width, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        self.body = nn.Sequential(*layers, nn.Flatten())
        self.head = nn.Linear(16 * width, 1)

    def forward(self, x: Tensor) -> Tensor:  # [N, C, H, W] -> [N], higher = more real, no sigmoid
        return self.head(self.features(x)).flatten()

    def features(self, x: Tensor) -> Tensor:
        return self.body(x)


def doublings(image_size: int) -> int:
    n = image_size.bit_length() - 3
    if image_size < 8 or image_size != 2 ** (n + 2):
        raise GanzooError(f"image_size {image_size}: not 8, 16, 32, 64 ...", "Choose one; images are resized to it.")
    return n


def networks(
    *,
    image_size: int = 64,  # side of the square image: 8, 16, 32, 64 ...
    channels: int = 3,  # 1 gray, 3 colour
    width: int = 64,  # channels of every stage
    z_dim: int = 64,  # length of the latent z ~ N(0, 1)
) -> dict[str, nn.Module]:
    """The generator G and the discriminator D."""
    return {"G": G(image_size, channels, width, z_dim), "D": D(image_size, channels, width)}
