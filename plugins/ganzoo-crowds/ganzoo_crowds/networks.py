"""What the games share: DCGAN's layers for pictures, perceptrons for points in the plane, and a plain pair."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from typing import Annotated, Literal, NamedTuple

import torch
from ganzoo_dcgan import networks as dcgan
from torch import Tensor, nn
from torch.nn.functional import one_hot

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator, Generator, Images, Input, Latent, Output, Points

Layers = Literal["dcgan", "perceptron", "metz", "lin", "nguyen"]

# Arguments of all, with their meanings
LayersArg = Annotated[
    Layers, "dcgan: of pictures; the others of points: docs/rings.md's, or those of a paper's authors"
]
SideArg = Annotated[int | None, "side of the square image: 16, 32, 64 or 128; points have none"]
ChannelsArg = Annotated[int | None, "1 gray, 3 colour; points have none"]
WidthArg = Annotated[int, "f of DCGAN's layers, the channels next to the image; perceptrons have widths of their own"]
LatentArg = Annotated[int, "length of the latent z ~ N(0, 1)"]
NormArg = Annotated[dcgan.Norm, "of D's convolutions"]
ScaleArg = Annotated[float, "points: how far they reach, which G's output is multiplied by and D's input divided"]


class Perceptrons(NamedTuple):
    """The hidden widths of G and D, what follows each of their layers, and the first weights."""

    g: tuple[int, ...]
    d: tuple[int, ...]
    g_layer: Callable[[int, int], list[nn.Module]]
    d_layer: Callable[[int, int], list[nn.Module]]
    init: Callable[[nn.Module], None] = lambda _: None  # of each layer; torch's own unless it says otherwise


class Maxout(nn.Module):
    """The largest of `pieces` linear maps (Goodfellow et al. 2013)."""

    def __init__(self, inputs: int, outputs: int, pieces: int = 5) -> None:
        super().__init__()
        self.linear, self.pieces = nn.Linear(inputs, outputs * pieces), pieces

    def forward(self, h: Tensor) -> Tensor:
        return self.linear(h).unflatten(1, (-1, self.pieces)).amax(2)


def plain(activation: nn.Module) -> Callable[[int, int], list[nn.Module]]:
    return lambda inputs, outputs: [nn.Linear(inputs, outputs), activation]


def normalised(inputs: int, outputs: int) -> list[nn.Module]:
    return [nn.Linear(inputs, outputs, bias=False), nn.BatchNorm1d(outputs), nn.ReLU()]


def orthogonal(layer: nn.Module) -> None:
    if isinstance(layer, nn.Linear):
        nn.init.orthogonal_(layer.weight, gain=1.4)
        nn.init.zeros_(layer.bias)


def normal(layer: nn.Module) -> None:
    if isinstance(layer, nn.Linear):
        nn.init.normal_(layer.weight, 0.0, 0.02)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)


PERCEPTRONS = {
    "perceptron": Perceptrons((128, 128), (128, 128), plain(nn.ReLU()), plain(nn.LeakyReLU(0.2))),  # of docs/rings.py
    "metz": Perceptrons((128, 128), (128, 128), plain(nn.Tanh()), plain(nn.Tanh()), orthogonal),
    "lin": Perceptrons((400,) * 4, (200,) * 3, normalised, lambda a, b: [Maxout(a, b)], normal),
    "nguyen": Perceptrons((128, 128), (128,), plain(nn.ReLU()), plain(nn.ReLU())),
}


class Form(NamedTuple):
    """What is made, pictures or points, and the layers that make and judge it."""

    layers: Layers
    image_size: int | None
    channels: int | None
    width: int
    z_dim: int
    norm: dcgan.Norm
    scale: float

    @property
    def output(self) -> Output:
        if self.layers == "dcgan":
            side, channels = self.picture
            return Images((channels, side, side))
        return Points((2,))

    @property
    def picture(self) -> tuple[int, int]:
        """Side and channels. Errors: GanzooError where one is missing."""
        if self.image_size is None or self.channels is None:
            what = "layers dcgan: make pictures, which have image_size and channels"
            raise GanzooError(what, "Give both, or -c layers=perceptron for points.")
        return self.image_size, self.channels

    def making(self) -> nn.Sequential:
        """Fresh layers from z to a sample."""
        if self.layers == "dcgan":
            return nn.Sequential(nn.Unflatten(1, (-1, 1, 1)), *dcgan.G(*self.picture, self.width, self.z_dim).main)
        kind = PERCEPTRONS[self.layers]
        hidden = stack((self.z_dim, *kind.g), kind.g_layer)
        return nn.Sequential(*hidden, nn.Linear(kind.g[-1], 2), Scaled(self.scale)).apply(kind.init)

    def judging(self, outputs: int = 1, m: int = 1) -> tuple[nn.Sequential, nn.Linear]:
        """Fresh layers from m samples side by side to features [N, F], and from these to scores."""
        if self.layers == "dcgan":
            side, channels = self.picture
            body = dcgan.D(side, m * channels, self.width, self.norm).main[:-1]
            head = nn.Linear(16 * dcgan.stages(side, self.width)[-1], outputs, bias=False)  # DCGAN's 4x4 convolution
            nn.init.normal_(head.weight, 0.0, 0.02)
            return nn.Sequential(*body, nn.Flatten()), head
        kind = PERCEPTRONS[self.layers]
        body = nn.Sequential(Scaled(1 / self.scale), *stack((2 * m, *kind.d), kind.d_layer)).apply(kind.init)
        return body, nn.Linear(kind.d[-1], outputs).apply(kind.init)


class Scaled(nn.Module):
    def __init__(self, scale: float) -> None:
        super().__init__()
        self.scale = scale

    def forward(self, x: Tensor) -> Tensor:
        return self.scale * x


def stack(widths: tuple[int, ...], layer: Callable[[int, int], list[nn.Module]]) -> list[nn.Module]:
    return [module for a, b in pairwise(widths) for module in layer(a, b)]


def turns(n: int, k: int, device: torch.device | str = "cpu") -> Tensor:
    """Which of k generators makes which of n samples: the first n / k are by generator 0, and so on.  int64 [n]"""
    return torch.arange(n, device=device) * k // n


def in_turn(own: Sequence[nn.Module], h: Tensor) -> Tensor:
    """Each part of h [n, ...] through the layers of the generator whose turn it is: batch norm sees one's own alone."""
    parts = h.split(torch.bincount(turns(len(h), len(own))).tolist())  # type: ignore[no-untyped-call]
    return torch.cat([layers(part) for layers, part in zip(own, parts, strict=False)])


def chosen(own: Iterable[nn.Module], h: Tensor, i: Tensor) -> Tensor:
    """Of what all of them make of h [N, ...] that of generator i [N], sample by sample."""
    made = torch.stack([layers(h) for layers in own], 1)  # [N, k, ...]
    return torch.einsum("nk,nk...->n...", one_hot(i, made.shape[1]).to(made.dtype), made)


class G(Generator):
    """z -> a sample."""

    def __init__(self, form: Form) -> None:
        super().__init__()
        self.inputs: dict[str, Input] = {"z": Latent((form.z_dim,))}
        self.output = form.output
        self.main = form.making()

    def forward(self, z: Tensor) -> Tensor:  # [N, z_dim]
        return self.main(z)


class D(Discriminator):
    """A sample, or m of them side by side, -> features -> a score."""

    def __init__(self, form: Form, m: int = 1) -> None:
        super().__init__()
        self.body, self.head = form.judging(m=m)

    def forward(self, x: Tensor) -> Tensor:  # [N, C, H, W] or [N, 2] -> [N]
        return self.head(self.features(x)).flatten()

    def features(self, x: Tensor) -> Tensor:
        """What the last layer reads.  [N, F]"""
        return self.body(x)


def networks(
    *,
    layers: LayersArg = "dcgan",
    image_size: SideArg = 32,
    channels: ChannelsArg = 3,
    width: WidthArg = 64,
    z_dim: LatentArg = 100,
    norm: NormArg = "batch",
    scale: ScaleArg = 1.0,
) -> dict[str, nn.Module]:
    """The generator G and the discriminator D."""
    form = Form(layers, image_size, channels, width, z_dim, norm, scale)
    return {"G": G(form), "D": D(form)}
