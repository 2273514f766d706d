"""The pair of 3D-GAN (Wu et al. 2016, Sec. 3.1 and App. A): DCGAN's, a dimension up."""

from __future__ import annotations

from itertools import pairwise
from typing import Annotated

from torch import Tensor, nn

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator, Generator, Latent, doublings
from ganzoo_volumes.kinds import Volumes

START = 4  # cells a side that the first layer makes


class G(Generator):
    """z ~ U[z_low, 1] to a solid: 4 cells a side, doubled layer by layer; batch norm and ReLU, at the end a sigmoid.

    Batch norm looks at all places together. What z is on average makes a pattern that is the same in every sample;
    from U[0, 1] it is larger than what z varies, and a narrow G learns it and nothing else: one solid for every z.
    """

    def __init__(self, z_dim: int, z_low: float, side: int, widths: list[int]) -> None:
        super().__init__()
        self.inputs, self.output = {"z": Latent((z_dim,), range=(z_low, 1.0))}, Volumes((1, side, side, side))
        first = nn.ConvTranspose3d(z_dim, widths[0], START, 1, 0, bias=False)
        layers: list[nn.Module] = [first, nn.BatchNorm3d(widths[0]), nn.ReLU()]
        for f_in, f in pairwise(widths):
            layers += [nn.ConvTranspose3d(f_in, f, 4, 2, 1, bias=False), nn.BatchNorm3d(f), nn.ReLU()]
        self.main = nn.Sequential(*layers, nn.ConvTranspose3d(widths[-1], 1, 4, 2, 1, bias=False), nn.Sigmoid())

    def forward(self, z: Tensor) -> Tensor:  # [N, z_dim] -> [N, 1, X, Y, Z] in [0, 1]
        return self.main(z[:, :, None, None, None])


class D(Discriminator):
    """The mirror image, with leaky ReLU (0.2), to one score a solid; the sigmoid is in the loss."""

    def __init__(self, widths: list[int]) -> None:
        super().__init__()
        layers: list[nn.Module] = [nn.Conv3d(1, widths[0], 4, 2, 1, bias=False), nn.LeakyReLU(0.2)]
        for f_in, f in pairwise(widths):
            layers += [nn.Conv3d(f_in, f, 4, 2, 1, bias=False), nn.BatchNorm3d(f), nn.LeakyReLU(0.2)]
        self.main = nn.Sequential(*layers, nn.Conv3d(widths[-1], 1, START, 1, 0), nn.Flatten(0))

    def forward(self, x: Tensor) -> Tensor:  # [N, 1, X, Y, Z] -> [N]
        return self.main(x)


def initialise(layer: nn.Module) -> None:
    """DCGAN's first weights: N(0, 0.02), no bias, scales N(1, 0.02)."""
    if isinstance(layer, (nn.Conv3d, nn.ConvTranspose3d)):
        nn.init.normal_(layer.weight, 0.0, 0.02)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
    elif isinstance(layer, nn.BatchNorm3d):
        nn.init.normal_(layer.weight, 1.0, 0.02)


def networks(
    *,
    image_size: Annotated[int, "cells a side: 8, 16, 32, 64 ..."] = 64,
    width: Annotated[int, "channels next to the solid, in both networks; they double with each layer"] = 64,
    z_dim: Annotated[int, "numbers of z"] = 200,
    z_low: Annotated[float, "the least that a number of z can be, 1 is the most; -1 draws them around nought"] = 0.0,
) -> dict[str, nn.Module]:
    """The generator G(z) and the discriminator D(x) of cubes of voxels."""
    n = doublings(image_size, first=START)
    if min(width, z_dim) < 1 or z_low >= 1:
        what = f"width {width}, z_dim {z_dim}: below 1, or z_low {z_low} is not"
        raise GanzooError(what, "The published are 64, 200 and 0.")
    widths = [width * 2**i for i in range(n)]
    nets: dict[str, nn.Module] = {"G": G(z_dim, z_low, image_size, widths[::-1]), "D": D(widths)}
    return {name: net.apply(initialise) for name, net in nets.items()}
