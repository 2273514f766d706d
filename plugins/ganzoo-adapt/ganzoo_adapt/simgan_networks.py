"""SimGAN's networks: a refiner that keeps the size all the way, and a discriminator of local patches."""

from __future__ import annotations

from typing import Annotated

from torch import Tensor, nn
from torch.nn.functional import relu

from ganzoo_adapt.networks import T, check_sizes
from ganzoo_core.nn import Discriminator, Generator, Image, Images


class Block(nn.Module):
    """h + two 3x3 convolutions of it, and a ReLU of the sum."""

    def __init__(self, f: int) -> None:
        super().__init__()
        self.main = nn.Sequential(nn.Conv2d(f, f, 3, 1, 1), nn.ReLU(), nn.Conv2d(f, f, 3, 1, 1))

    def forward(self, h: Tensor) -> Tensor:
        return relu(h + self.main(h))


class R(Generator):
    """The refiner: a synthetic picture -> the same as if it were real, [N, C, H, W] both."""

    def __init__(self, channels: int, width: int, blocks: int) -> None:
        super().__init__()
        self.inputs, self.output = {"a": Image((channels, None, None))}, Images((channels, None, None))
        first, last = [nn.Conv2d(channels, width, 3, 1, 1), nn.ReLU()], [nn.Conv2d(width, channels, 1), nn.Tanh()]
        self.main = nn.Sequential(*first, *(Block(width) for _ in range(blocks)), *last)

    def forward(self, a: Tensor) -> Tensor:
        x: Tensor = self.main(a)
        return x


class D(Discriminator):
    """Each place is real or refined: the published softmax of two is the logistic function of their difference."""

    def __init__(self, channels: int, width: int) -> None:
        super().__init__()
        f = width // 3
        self.main = nn.Sequential(
            nn.Conv2d(channels, width, 3, 2, 1), nn.ReLU(), nn.Conv2d(width, 2 * f, 3, 2, 1), nn.ReLU(),
            nn.MaxPool2d(3, 1, 1), nn.Conv2d(2 * f, f, 3, 1, 1), nn.ReLU(), nn.Conv2d(f, f, 1), nn.ReLU(),
            nn.Conv2d(f, 2, 1),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:  # [N, C, H, W] -> [N, ceil(H / 4), ceil(W / 4)]
        refined, real = self.main(x).unbind(1)
        score: Tensor = real - refined
        return score


def networks(
    *,
    image_size: Annotated[int, "side of the square pictures, from 17 on"] = 55,
    channels: Annotated[int, "of both domains: 1 gray, 3 colour"] = 1,
    classes: Annotated[int, "how many labels synthetic pictures have"] = 10,
    width: Annotated[int, "channels of R"] = 64,
    blocks: Annotated[int, "residual blocks of R"] = 4,
    d_width: Annotated[int, "channels of D next to the picture; then two thirds, and a third"] = 96,
    t_width: Annotated[int, "channels of T and S next to the picture"] = 64,
) -> dict[str, nn.Module]:
    """The refiner R: a -> b, D, which judges patches, the classifier T, and S, its twin that sees the source alone."""
    check_sizes(image_size, channels, classes, width, d_width - 2, t_width)
    nets: dict[str, nn.Module] = {"R": R(channels, width, blocks), "D": D(channels, d_width)}
    return nets | {name: T(image_size, channels, t_width, classes) for name in ("T", "S")}
