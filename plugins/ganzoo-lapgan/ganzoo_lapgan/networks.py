"""The networks of LAPGAN (Denton et al. 2015, Sec. 4.1; the authors' code): perceptrons below, convolutions above."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot, relu

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator, Generator, Images, Label, Latent, doublings
from ganzoo_lapgan.pyramid import up

Shape = tuple[int, int, int]  # C, H, W


class CoarseG(nn.Module):
    """G_K: z and the class -> two layers of rectified linear units -> the coarsest picture, by tanh."""

    def __init__(self, shape: Shape, width: int, z_dim: int, classes: int) -> None:
        super().__init__()
        self.shape, self.classes = shape, classes
        self.main = nn.Sequential(
            nn.Linear(z_dim + classes, width), nn.ReLU(),
            nn.Linear(width, width), nn.ReLU(),
            nn.Linear(width, math.prod(shape)), nn.Tanh(),
        )  # fmt: skip

    def forward(self, z: Tensor, *y: Tensor) -> Tensor:  # [N, z_dim], [N] -> [N, C, 8, 8]
        x: Tensor = self.main(with_class(z, self.classes, *y))
        return x.unflatten(1, self.shape)  # type: ignore[no-untyped-call]


class CoarseD(nn.Module):
    """D_K: the pixels and the class -> two layers with dropout -> the score."""

    def __init__(self, shape: Shape, width: int, classes: int) -> None:
        super().__init__()
        self.classes = classes
        self.main = nn.Sequential(
            nn.Linear(math.prod(shape) + classes, width), nn.ReLU(), nn.Dropout(),
            nn.Linear(width, width), nn.ReLU(), nn.Dropout(),
            nn.Linear(width, 1),
        )  # fmt: skip

    def forward(self, x: Tensor, *y: Tensor) -> Tensor:  # [N, C, 8, 8], [N] -> [N]
        score: Tensor = self.main(with_class(x.flatten(1), self.classes, *y))
        return score.flatten()


class FineG(nn.Module):
    """G_k: l_k, a plane of noise and one of the class -> three convolutions -> the band-pass h~_k."""

    def __init__(self, channels: int, side: int, width: int, classes: int) -> None:
        super().__init__()
        self.plane = Plane(classes, side) if classes else None
        self.main = nn.Sequential(
            nn.Conv2d(channels + 1 + bool(classes), width, 7, padding=3), nn.ReLU(),
            nn.Conv2d(width, width, 7, padding=3), nn.ReLU(),
            nn.Conv2d(width, channels, 5, padding=2),
        )  # fmt: skip

    def forward(self, z: Tensor, low: Tensor, *y: Tensor) -> Tensor:  # [N, 1, s, s], [N, C, s, s], [N]
        planes = [low, z] if self.plane is None else [low, z, self.plane(*y)]
        h: Tensor = self.main(torch.cat(planes, 1))
        return h


class FineD(nn.Module):
    """D_k: h_k + l_k (Sec. 3.1), a picture, and a plane of the class -> two convolutions, dropout -> the score."""

    def __init__(self, channels: int, side: int, width: int, classes: int) -> None:
        super().__init__()
        self.plane = Plane(classes, side) if classes else None
        self.conv1 = nn.Conv2d(channels + bool(classes), width, 5, padding=2)
        self.conv2 = nn.Conv2d(width, width, 5, stride=2, padding=2)
        self.drop = nn.Dropout()
        self.linear = nn.Linear(width * (side // 2) ** 2, 1)

    def forward(self, x: Tensor, *y: Tensor) -> Tensor:  # [N, C, s, s], [N] -> [N]
        x = x if self.plane is None else torch.cat([x, self.plane(*y)], 1)
        features = relu(self.conv2(relu(self.conv1(x))))
        score: Tensor = self.linear(self.drop(features).flatten(1))
        return score.flatten()


class Plane(nn.Linear):
    """The class through a linear layer, as one more channel (Sec. 3.1).  [N] -> [N, 1, s, s]"""

    def __init__(self, classes: int, side: int) -> None:
        super().__init__(classes, side * side)
        self.classes, self.side = classes, side

    def forward(self, y: Tensor) -> Tensor:
        plane = super().forward(one_hot(y, self.classes).to(self.weight.dtype))
        return plane.unflatten(1, (1, self.side, self.side))  # type: ignore[no-untyped-call]


def with_class(x: Tensor, classes: int, *y: Tensor) -> Tensor:
    """[N, d] -> [N, d + classes]: a one-hot vector beside it, where there are classes."""
    return torch.cat([x, one_hot(y[0], classes).to(x.dtype)], 1) if classes else x


class G(Generator):
    """All levels, 0 the coarsest (the paper's K): I~_0 = G_0(z0), I~_k = u(I~_k-1) + G_k(zk, u(I~_k-1)): Eq. 5."""

    def __init__(self, shape: Shape, sides: Sequence[int], coarse: CoarseG, fine: Sequence[FineG], z_dim: int) -> None:
        super().__init__()
        noise = {f"z{k}": Latent((1, s, s), (-1.0, 1.0)) for k, s in enumerate(sides) if k > 0}
        label = {"label": Label(coarse.classes)} if coarse.classes else {}
        self.inputs = {"z0": Latent((z_dim,), (-1.0, 1.0)), **noise, **label}
        self.output = Images(shape)
        self.nets = nn.ModuleList([coarse, *fine])

    def forward(self, *inputs: Tensor) -> Tensor:
        """z0 [N, z_dim], z1 [N, 1, 16, 16] ..., then the labels [N] where there are classes.  -> [N, C, H, W]"""
        z, y = inputs[: len(self.nets)], inputs[len(self.nets) :]
        x: Tensor = self.nets[0](z[0], *y)
        for k in range(1, len(self.nets)):
            low = up(x)
            x = low + self.nets[k](z[k], low, *y)
        return x.clamp(-1, 1)

    def noise(self, k: int, n: int) -> Tensor:
        """z_k for n samples, U(-1, 1)."""
        z = torch.rand(n, *cast(tuple[int, ...], self.inputs[f"z{k}"].shape), device=next(self.parameters()).device)
        return 2 * z - 1


class D(Discriminator):
    """The discriminators of all levels: D(x, k, y) is the score of level k; without k, of the finest."""

    def __init__(self, coarse: CoarseD, fine: Sequence[FineD]) -> None:
        super().__init__()
        self.nets = nn.ModuleList([coarse, *fine])

    def forward(self, x: Tensor, k: int = -1, *y: Tensor) -> Tensor:  # [N, C, s, s], k, [N] -> [N]
        score: Tensor = self.nets[k](x, *y)
        return score


def levels(image_size: int, coarsest: int) -> list[int]:
    """The sides of all levels, from the coarsest."""
    n = doublings(image_size, first=coarsest, least=coarsest, most=max(1024, coarsest))
    return [coarsest * 2**k for k in range(n + 1)]


def networks(
    *,
    image_size: Annotated[int, "side of the square image: `coarsest` doubled some times"] = 32,
    channels: Annotated[int, "1 gray, 3 colour"] = 3,
    classes: Annotated[int, "of labels; 0: without"] = 0,
    coarsest: Annotated[int, "side of the coarsest level, whose networks are perceptrons"] = 8,
    z_dim: Annotated[
        int, "length of the coarsest latent z0 ~ U(-1, 1); those above are planes of the image's size"
    ] = 100,
    g_units: Annotated[int, "in each of the two hidden layers of the coarsest G"] = 1200,
    d_units: Annotated[int, "in each of the two hidden layers of the coarsest D"] = 600,
    widths: Annotated[
        tuple[int, ...], "channels of G's layers on each finer level; the last is that of all further"
    ] = (64, 128),
    d_width: Annotated[int, "channels of D's layers on the finer levels"] = 64,
) -> dict[str, nn.Module]:
    """The generator G and the discriminator D, each with networks for all levels."""
    if min(image_size, channels, coarsest, z_dim, g_units, d_units, d_width, *widths) < 1 or classes < 0 or not widths:
        raise GanzooError("a size below 1", "Every size of these networks is at least 1.")
    first, *finer = sides = levels(image_size, coarsest)
    small = (channels, first, first)
    fine_g = [FineG(channels, s, widths[min(k, len(widths) - 1)], classes) for k, s in enumerate(finer)]
    fine_d = [FineD(channels, s, d_width, classes) for s in finer]
    whole = (channels, image_size, image_size)
    g = G(whole, sides, CoarseG(small, g_units, z_dim, classes), fine_g, z_dim)
    return {"G": g, "D": D(CoarseD(small, d_units, classes), fine_d)}
