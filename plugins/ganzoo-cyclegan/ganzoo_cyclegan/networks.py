"""The four networks of CycleGAN (Zhu et al. 2017, Sec. 4 and App. 7.2): two residual translators, two PatchGANs."""

from __future__ import annotations

from typing import Annotated

from ganzoo_pix2pix.networks import InstanceNorm, PatchGAN
from torch import Tensor, nn

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Generator, Image, Images, initialise


def padded(f: int, f_next: int, kernel: int) -> nn.Conv2d:
    """A convolution that keeps the side: what lies beyond the border is the picture's mirror image."""
    return nn.Conv2d(f, f_next, kernel, 1, kernel // 2, padding_mode="reflect")


class Residual(nn.Module):
    """h + two 3x3 convolutions of it; after the sum there is no ReLU."""

    def __init__(self, f: int) -> None:
        super().__init__()
        self.main = nn.Sequential(
            padded(f, f, 3), InstanceNorm(f), nn.ReLU(inplace=True), padded(f, f, 3), InstanceNorm(f)
        )

    def forward(self, h: Tensor) -> Tensor:
        return h + self.main(h)


class ResNet(Generator):
    """c7s1-f, d2f, d4f, residual blocks of 4f, u2f, uf, c7s1-3 (Johnson et al. 2016): [N, C, H, W] to the same.

    Every norm is over one picture and has no weights, so none depends on its neighbours.
    """

    def __init__(self, key: str, channels: int, width: int, blocks: int) -> None:
        super().__init__()
        self.inputs = {key: Image((channels, None, None), multiple=4)}
        self.output = Images((channels, None, None))
        f = width
        layers: list[nn.Module] = [padded(channels, f, 7), InstanceNorm(f), nn.ReLU(inplace=True)]
        for f in (width, 2 * width):
            layers += [nn.Conv2d(f, 2 * f, 3, 2, 1), InstanceNorm(2 * f), nn.ReLU(inplace=True)]  # s -> s/2
        layers += [Residual(4 * width) for _ in range(blocks)]
        for f in (4 * width, 2 * width):
            layers += [nn.ConvTranspose2d(f, f // 2, 3, 2, 1, output_padding=1)]  # s -> 2s
            layers += [InstanceNorm(f // 2), nn.ReLU(inplace=True)]
        self.main = nn.Sequential(*layers, padded(width, channels, 7), nn.Tanh())

    def forward(self, x: Tensor) -> Tensor:
        return self.main(x)


def networks(
    *,
    image_size: Annotated[int, "side of the square pictures that it is trained on: a multiple of 4"] = 256,
    channels: Annotated[int, "of both domains: 1 gray, 3 colour"] = 3,
    width: Annotated[int, "channels of G and F next to the picture; the residual blocks have four times as many"] = 64,
    blocks: Annotated[int, "residual blocks of G and F: 9 for 256 px, 6 for 128"] = 9,
    d_width: Annotated[int, "channels of D_X and D_Y next to the picture"] = 64,
    patch: Annotated[int, "pixels that a score of D_X and D_Y sees: 1, 16, 34, 70, 142 or 286"] = 70,
) -> dict[str, nn.Module]:
    """The translators G: a -> b and F: b -> a; D_X judges pictures of a, D_Y those of b."""
    if min(image_size, channels, width, d_width) < 1 or blocks < 0 or image_size % 4:
        raise GanzooError(f"image_size {image_size}: not a multiple of 4, or a size below 1", "Choose another.")
    nets: dict[str, nn.Module] = {key: ResNet(of, channels, width, blocks) for key, of in (("G", "a"), ("F", "b"))}
    nets |= {key: PatchGAN(channels, d_width, patch, "instance") for key in ("D_X", "D_Y")}
    return {name: net.apply(initialise) for name, net in nets.items()}
