"""table-GAN's G, D and C: DCGAN's layers of 5 x 5 kernels at stride 2, padded as TensorFlow pads them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, ClassVar

from torch import Tensor, nn
from torch.nn.functional import pad

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator, Generator, Latent, initialise
from ganzoo_tables.columns import EXAMPLE, Column, unpacked
from ganzoo_tables.ctgan.networks import ColumnsArg
from ganzoo_tables.kinds import Tables, refuse_missing
from ganzoo_tables.tablegan import squares


class Up(nn.ConvTranspose2d):
    """Twice the side: TensorFlow's SAME, whose one odd line lies at the end."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__(channels, out, 5, 2, padding=1)

    def forward(self, x: Tensor) -> Tensor:  # type: ignore[override]
        return super().forward(x)[..., :-1, :-1]


class Down(nn.Conv2d):
    """Half the side, likewise."""

    def __init__(self, channels: int, out: int) -> None:
        super().__init__(channels, out, 5, 2)

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(pad(x, (1, 2, 1, 2)))


class G(Generator):
    """z ~ U(-1, 1) -> 2 x 2 -> BN, ReLU, and twice the side -> ... -> tanh."""

    sample_batch_size: ClassVar[int] = 64

    def __init__(self, texts: tuple[str, ...], columns: Sequence[Column], side: int, width: int, z_dim: int) -> None:
        super().__init__()
        self.columns, self.side = tuple(columns), side
        self.inputs, self.output = {"z": Latent((z_dim,), (-1.0, 1.0))}, Tables((len(columns),), texts)
        depth = int(math.log2(side)) - 1
        widths = [width << i for i in reversed(range(depth))]  # 256, 128, 64 of side 16
        self.fc = nn.Linear(z_dim, 4 * widths[0])
        layers: list[nn.Module] = [nn.BatchNorm2d(widths[0]), nn.ReLU()]
        for channels, out in pairwise(widths):
            layers += [Up(channels, out), nn.BatchNorm2d(out), nn.ReLU()]
        self.main = nn.Sequential(*layers, Up(widths[-1], 1), nn.Tanh())
        self.apply(initialise)

    def forward(self, z: Tensor) -> Tensor:
        """[N, C]"""
        return squares.decode(self.columns, self.square(z))

    def square(self, z: Tensor) -> Tensor:
        """[N, 1, side, side]"""
        made: Tensor = self.main(self.fc(z).unflatten(1, (-1, 2, 2)))
        return made


class D(Discriminator):
    """LeakyReLU_0.2, BN but in the first layer; down to 1 x 1, and a score.  [N]"""

    def __init__(self, side: int, width: int) -> None:
        super().__init__()
        widths = [width << i for i in range(int(math.log2(side)))]  # 64, 128, 256, 512 of side 16
        layers: list[nn.Module] = [Down(1, widths[0]), nn.LeakyReLU(0.2)]
        for channels, out in pairwise(widths):
            layers += [Down(channels, out), nn.BatchNorm2d(out), nn.LeakyReLU(0.2)]
        self.main, self.score = nn.Sequential(*layers), nn.Linear(widths[-1], 1)
        self.apply(initialise)

    def features(self, x: Tensor) -> Tensor:
        """[N, F]"""
        return self.main(x).flatten(1)

    def forward(self, x: Tensor) -> Tensor:
        return self.score(self.features(x)).flatten()

    def score_and_features(self, x: Tensor) -> tuple[Tensor, Tensor]:
        f = self.features(x)
        return self.score(f).flatten(), f


class C(D):
    """The classifier: as D, its score is the logit of the label."""


def networks(
    *,
    columns: ColumnsArg = EXAMPLE,
    side: Annotated[int, "of the square that a row is written into: 4, 8, 16 ..."] = 16,
    width: Annotated[int, "channels of G's last and D's first layer"] = 64,
    z_dim: Annotated[int, "length of the latent"] = 100,
) -> dict[str, nn.Module]:
    """The generator G, the discriminator D and the classifier C."""
    described = unpacked(columns)
    refuse_missing(described, "tablegan")
    if side < 4 or side & (side - 1):
        raise GanzooError(f"side {side}: is not 4, 8, 16 ...", "Choose one of these.")
    if len(described) > side * side:
        raise GanzooError(f"side {side}: has no room for {len(described)} columns", f"Say -c side={2 * side}.")
    return {"G": G(columns, described, side, width, z_dim), "D": D(side, width), "C": C(side, width)}
