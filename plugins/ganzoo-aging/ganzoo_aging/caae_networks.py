"""The networks of CAAE (Zhang, Song & Qi 2017), in the sizes of the authors' code: 5x5 kernels throughout."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, one_hot, relu

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator, Generator, Image, Images, Input, Label, doublings

Shape = tuple[int, int, int]  # C, H, W


def signed(label: Tensor, classes: int, repeats: int) -> Tensor:
    """One-hot codes of -1 and 1, `repeats` times one after the other.  [N] -> [N, classes * repeats]"""
    return (2.0 * one_hot(label, classes) - 1).repeat(1, repeats)


class Halve(nn.Sequential):
    """A convolution of stride 2 from s to s / 2, padded as TensorFlow does: one before, two behind."""

    def __init__(self, f: int, f_next: int) -> None:
        super().__init__(nn.ZeroPad2d((1, 2, 1, 2)), nn.Conv2d(f, f_next, 5, 2))


class Double(nn.ConvTranspose2d):
    """The transpose of `Halve`, from s to 2 s."""

    def __init__(self, f: int, f_next: int) -> None:
        super().__init__(f, f_next, 5, 2, padding=1)

    def forward(self, x: Tensor, output_size: list[int] | None = None) -> Tensor:
        return super().forward(x, output_size)[..., :-1, :-1]


class Encoder(nn.Sequential):
    """E: the image -> ... -> 4x4 -> z in [-1, 1]: each stage halves the side."""

    def __init__(self, shape: Shape, width: int, z_dim: int) -> None:
        widths = [width * 2**i for i in range(doublings(shape[1]))]
        stages = [(Halve(f, f_next), nn.ReLU()) for f, f_next in pairwise([shape[0], *widths])]
        layers = [layer for stage in stages for layer in stage]
        super().__init__(*layers, nn.Flatten(), nn.Linear(16 * widths[-1], z_dim), nn.Tanh())


class Decoder(nn.Module):
    """The paper's G: z and what it is conditioned on -> 4x4 -> ... -> the image: each stage doubles the side."""

    def __init__(self, shape: Shape, width: int, taken: int) -> None:
        super().__init__()
        n = doublings(shape[1])
        first, *widths = [width * 2 ** (n - 1 - i) for i in range(n)]
        self.first, self.fc = first, nn.Linear(taken, 16 * first)
        half, quarter = max(1, width // 2), max(1, width // 4)
        stages = [(Double(f, f_next), nn.ReLU()) for f, f_next in pairwise([first, *widths, half])]
        layers = [layer for stage in stages for layer in stage]
        self.main = nn.Sequential(
            *layers, nn.ConvTranspose2d(half, quarter, 5, 1, 2), nn.ReLU(),
            nn.ConvTranspose2d(quarter, shape[0], 5, 1, 2), nn.Tanh(),
        )  # fmt: skip

    def forward(self, h: Tensor) -> Tensor:  # [N, taken] -> [N, C, H, W]
        return self.main(relu(self.fc(h)).reshape(-1, self.first, 4, 4))


class G(Generator):
    """A picture and an age -> the picture at that age: E, whose z keeps who it is, and the paper's G.

    With `attribute` G is told that, too: 0 or 1, as the picture has it.
    """

    def __init__(self, shape: Shape, classes: int, width: int, z_dim: int, attribute: bool) -> None:
        super().__init__()
        self.inputs: dict[str, Input] = {"x": Image(shape), "age": Label(classes)}
        if attribute:
            self.inputs["attribute"] = Label(2)
        self.output, self.z_dim = Images(shape), z_dim
        self.told = [(kinds, z_dim // kinds) for kinds in ((classes, 2) if attribute else (classes,))]
        self.E = Encoder(shape, width, z_dim)
        self.G = Decoder(shape, width, z_dim + sum(kinds * repeats for kinds, repeats in self.told))

    def forward(self, x: Tensor, age: Tensor, *attribute: Tensor) -> Tensor:
        return self.decode(self.E(x), age, *attribute)

    def decode(self, z: Tensor, *conditions: Tensor) -> Tensor:
        """G(z, l): conditions are repeated until they are about as long as z, as in the authors' code."""
        codes = [signed(c, kinds, n) for c, (kinds, n) in zip(conditions, self.told, strict=True)]
        return self.G(torch.cat([z, *(code.to(z.dtype) for code in codes)], 1))


class Dz(nn.Sequential):
    """z -> 64 -> 32 -> 16 -> its score: is it a draw from the prior, or E's?"""

    def __init__(self, z_dim: int, units: tuple[int, ...]) -> None:
        hidden = [(nn.Linear(n, m), nn.BatchNorm1d(m), nn.ReLU()) for n, m in pairwise([z_dim, *units])]
        layers = [layer for stage in hidden for layer in stage]
        super().__init__(*layers, nn.Linear(units[-1], 1), nn.Flatten(0))


class Dimg(Discriminator):
    """x -> half the side, where age and attribute join as channels -> ... -> 8x8 -> a layer over all -> its score."""

    def __init__(self, shape: Shape, classes: int, width: int, units: int, attribute: bool) -> None:
        super().__init__()
        n = doublings(shape[1], first=8, least=16)
        widths = [width * 2**i for i in range(n)]
        self.told = [(classes, 1), (2, classes // 2)] if attribute else [(classes, 1)]
        seen = [widths[0] + sum(kinds * repeats for kinds, repeats in self.told), *widths[1:]]
        self.first = nn.Sequential(Halve(shape[0], widths[0]), nn.BatchNorm2d(widths[0]), nn.ReLU())
        stages = [(Halve(f, f_next), nn.BatchNorm2d(f_next), nn.ReLU()) for f, f_next in pairwise(seen)]
        self.main = nn.Sequential(*(layer for stage in stages for layer in stage), nn.Flatten())
        self.fc, self.score = nn.Linear(64 * seen[-1], units), nn.Linear(units, 1)

    def forward(self, x: Tensor, *conditions: Tensor) -> Tensor:  # [N, C, H, W], [N] ... -> [N]
        h = self.first(x)
        codes = [signed(c, kinds, n).to(h.dtype) for c, (kinds, n) in zip(conditions, self.told, strict=True)]
        maps = [code[:, :, None, None].expand(-1, -1, *h.shape[2:]) for code in codes]
        h = self.main(torch.cat([h, *maps], 1))
        return self.score(leaky_relu(self.fc(h), 0.2)).flatten()


class V(nn.Sequential):
    """The verifier: x -> ... -> 4x4 -> the two logits of the attribute."""

    def __init__(self, shape: Shape, width: int) -> None:
        widths = [width * 2**i for i in range(doublings(shape[1]))]
        stages = [(Halve(f, f_next), nn.LeakyReLU(0.2)) for f, f_next in pairwise([shape[0], *widths])]
        layers = [layer for stage in stages for layer in stage]
        super().__init__(*layers, nn.Flatten(), nn.Linear(16 * widths[-1], 2))


@torch.no_grad()
def initialise(layer: nn.Module) -> None:
    """The first weights of the authors' code: normal, by the geometric mean of what comes in and goes out."""
    if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d, nn.Linear)):
        n, m, *kernel = layer.weight.shape
        gain = 2.0 if type(layer) is nn.Conv2d else 1.0
        nn.init.normal_(layer.weight, 0.0, math.sqrt(gain / (math.sqrt(n * m) * math.prod(kernel))))
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)


def networks(
    *,
    image_size: Annotated[int, "side of the square image: 16, 32, 64, 128 ..."] = 128,
    channels: Annotated[int, "1 gray, 3 colour"] = 3,
    classes: Annotated[int, "age groups, in order"] = 10,
    attribute: Annotated[bool, "whether G and Dimg are told a binary attribute, too: the gender of UTKFace"] = False,
    width: Annotated[int, "channels at half the side, of E; they double at each stage towards 4x4, in G as well"] = 64,
    z_dim: Annotated[int, "length of the code z in [-1, 1]"] = 50,
    dz_units: Annotated[tuple[int, ...], "of Dz's hidden layers"] = (64, 32, 16),
    d_width: Annotated[int, "channels at half the side, of Dimg and of the verifier"] = 16,
    d_units: Annotated[int, "of Dimg's layer over all places"] = 1024,
) -> dict[str, nn.Module]:
    """G, which holds the paper's E and G; Dz and Dimg; and the verifier V."""
    if classes < 2 or z_dim < classes:
        raise GanzooError(f"classes {classes}, z_dim {z_dim}", "Give 2 ages or more, and a z that is no shorter.")
    if min(width, d_width, d_units, *dz_units) < 1 or not dz_units:
        raise GanzooError("a size below 1", "Every layer needs one unit at least.")
    shape = (channels, image_size, image_size)
    nets = {
        "G": G(shape, classes, width, z_dim, attribute),
        "Dz": Dz(z_dim, dz_units),
        "Dimg": Dimg(shape, classes, d_width, d_units, attribute),
        "V": V(shape, d_width),
    }
    for net in nets.values():
        net.apply(initialise)
    return nets
