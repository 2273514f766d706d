"""What both families have: a classifier of pictures, whose layers PixelDA's D has as well, and residual blocks."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn

from ganzoo_core.errors import GanzooError

HALVINGS = 4


class T(nn.Module):
    """The task: four convolutions that halve the side, and a logit of each class."""

    def __init__(self, image_size: int, channels: int, width: int, classes: int) -> None:
        super().__init__()
        side = -(-image_size // 2**HALVINGS)
        self.main = nn.Sequential(*halving(channels, width), nn.Flatten(), nn.Linear(8 * width * side**2, classes))

    def forward(self, x: Tensor) -> Tensor:  # [N, C, H, W] -> [N, K]
        logits: Tensor = self.main(x)
        return logits


def halving(channels: int, width: int) -> list[nn.Module]:
    """To 8 times the width; norms are of each picture by itself, behind the slopes, all but the first."""
    layers: list[nn.Module] = [nn.Conv2d(channels, width, 3, 2, 1), nn.LeakyReLU(0.2)]
    for f, f_next in pairwise(width * 2**i for i in range(HALVINGS)):
        layers += [nn.Conv2d(f, f_next, 3, 2, 1), nn.LeakyReLU(0.2), nn.InstanceNorm2d(f_next)]
    return layers


def check_sizes(image_size: int, *others: int) -> None:
    """Errors: GanzooError for pictures that are too small to be halved four times, and for widths below 1."""
    if image_size <= 2**HALVINGS or min(others) < 1:
        what = f"image_size {image_size}: not above {2**HALVINGS}, or a width below 1"
        raise GanzooError(what, "Choose another.")
