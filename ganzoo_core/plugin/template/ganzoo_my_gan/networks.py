"""The networks of MyGAN."""

from typing import Annotated

from torch import Tensor, nn

from ganzoo_core.nn import Discriminator, Generator, Images, Latent, doublings


class G(Generator):
    """z -> 4x4 -> ... -> the image: each stage doubles the side."""

    def __init__(self, image_size: int, channels: int, width: int, z_dim: int) -> None:
        super().__init__()
        self.inputs, self.output = {"z": Latent((z_dim,))}, Images((channels, image_size, image_size))
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
        self.main = nn.Sequential(*layers, nn.Flatten(), nn.Linear(16 * width, 1), nn.Flatten(0))

    def forward(self, x: Tensor) -> Tensor:  # [N, C, H, W] -> [N], higher = more real, no sigmoid
        return self.main(x)


def networks(
    *,
    image_size: Annotated[int, "side of the square image: 8, 16, 32, 64 ..."] = 64,
    channels: Annotated[int, "1 gray, 3 colour"] = 3,
    width: Annotated[int, "channels of every stage"] = 64,
    z_dim: Annotated[int, "length of the latent z ~ N(0, 1)"] = 64,
) -> dict[str, nn.Module]:
    """The generator G and the discriminator D."""
    return {"G": G(image_size, channels, width, z_dim), "D": D(image_size, channels, width)}
