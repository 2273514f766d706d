"""The networks of DeblurGAN (Kupyn et al. 2018, Fig. 3): CycleGAN's translator learns what a blur took away."""

from __future__ import annotations

from typing import Annotated

from ganzoo_pix2pix.networks import PatchGAN
from torch import Tensor, nn

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Generator, Image, Images, initialise


def padded(f: int, f_next: int, kernel: int) -> nn.Conv2d:
    """A convolution that keeps the side: what lies beyond the border is the picture's mirror image."""
    return nn.Conv2d(f, f_next, kernel, 1, kernel // 2, padding_mode="reflect")


def norm(f: int) -> nn.InstanceNorm2d:
    """Over each picture in training; sampling takes the running statistics, as the authors' code does."""
    return nn.InstanceNorm2d(f, track_running_stats=True)


class Residual(nn.Module):
    """h + dropout of one convolution of it: a slip of the authors' code left out the block's second one."""

    def __init__(self, f: int, drop: float) -> None:
        super().__init__()
        self.main = nn.Sequential(padded(f, f, 3), norm(f), nn.ReLU(), nn.Dropout(drop))

    def forward(self, h: Tensor) -> Tensor:
        out: Tensor = h + self.main(h)
        return out


class G(Generator):
    """A blurred picture, and what its network adds to it, within [-1, 1]."""

    def __init__(self, channels: int, width: int, blocks: int, drop: float) -> None:
        super().__init__()
        self.inputs = {"a": Image((channels, None, None), multiple=4)}
        self.output = Images((channels, None, None))
        layers: list[nn.Module] = [padded(channels, width, 7), norm(width), nn.ReLU()]
        for f in (width, 2 * width):
            layers += [nn.Conv2d(f, 2 * f, 3, 2, 1), norm(2 * f), nn.ReLU()]  # s -> s/2
        layers += [Residual(4 * width, drop) for _ in range(blocks)]
        for f in (4 * width, 2 * width):
            layers += [nn.ConvTranspose2d(f, f // 2, 3, 2, 1, output_padding=1), norm(f // 2), nn.ReLU()]  # s -> 2s
        self.main = nn.Sequential(*layers, padded(width, channels, 7), nn.Tanh())

    def forward(self, a: Tensor) -> Tensor:  # [N, C, H, W] -> [N, C, H, W]
        sharp: Tensor = (a + self.main(a)).clamp(-1, 1)
        return sharp


def networks(
    *,
    image_size: Annotated[int, "side of the square crops that it is trained on: a multiple of 4"] = 256,
    channels: Annotated[int, "1 gray, 3 colour"] = 3,
    width: Annotated[int, "channels of G next to the picture; the residual blocks have four times as many"] = 64,
    blocks: Annotated[int, "residual blocks of G"] = 9,
    drop: Annotated[float, "share of numbers that residual blocks leave out at random in training"] = 0.5,
    d_width: Annotated[int, "channels of D next to the picture"] = 64,
    patch: Annotated[int, "pixels that a score of D sees: 16, 34, 70, 142 or 286"] = 70,
) -> dict[str, nn.Module]:
    """The generator G and the discriminator D."""
    if min(image_size, channels, width, d_width) < 1 or blocks < 0 or image_size % 4:
        raise GanzooError(f"image_size {image_size}: not a multiple of 4, or a size below 1", "Choose another.")
    nets: dict[str, nn.Module] = {
        "G": G(channels, width, blocks, drop), "D": PatchGAN(channels, d_width, patch, "instance"),
    }  # fmt: skip
    return {name: net.apply(initialise) for name, net in nets.items()}
