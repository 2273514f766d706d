"""The networks of the semi-supervised experiments (Salimans et al. 2016, Sec. 5), as in the authors' code.

D is a classifier: K logits, of which the real classes' total, Z(x) = sum exp l_k(x), says how real x is:
D(x) = Z / (Z + 1), so the score is log Z, and no (K+1)-th logit is needed.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, linear, softplus

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator, Generator, Images, Latent

Shape = tuple[int, int, int]  # C, H, W


class Normed(nn.Module):
    """Weight normalisation (Salimans & Kingma 2016): y = g w x / ||w|| + b, with a gain g that is set once by the data.

    Of a dense layer, or with a kernel of a convolution. `weight` is [out, in] or [out, in, k, k].
    """

    g: Tensor  # [out]

    def __init__(self, n_in: int, n_out: int, kernel: int = 0, stride: int = 1, padding: int = 0) -> None:
        super().__init__()
        size = (kernel, kernel) if kernel else ()
        std = 0.05 if kernel else 0.1
        self.weight, self.bias = nn.Parameter(std * torch.randn(n_out, n_in, *size)), nn.Parameter(torch.zeros(n_out))
        self.register_buffer("g", torch.ones(n_out))
        self.stride, self.padding = stride, padding

    def forward(self, x: Tensor) -> Tensor:
        norm = self.weight.flatten(1).norm(dim=1) / self.g
        w = self.weight / norm.reshape(-1, *[1] * (self.weight.ndim - 1))
        if w.ndim == 2:
            return linear(x, w, self.bias)
        return conv2d(x, w, self.bias, self.stride, self.padding)

    @torch.no_grad()
    def begin(self, x: Tensor) -> None:
        """Set g and b so that what it makes of the data has mean 0 and standard deviation 1 (their Sec. 3)."""
        y = self(x).transpose(0, 1).flatten(1)  # [out, N ...]
        self.g /= y.std(1).clamp(min=1e-6)
        self.bias.copy_(-y.mean(1) / y.std(1).clamp(min=1e-6))


class Scaled(Normed):
    """The last layer, whose gain is trained: how sure the logits are is to be learnt."""

    def __init__(self, n_in: int, n_out: int) -> None:
        super().__init__(n_in, n_out)
        del self.g
        self.g = nn.Parameter(torch.ones(n_out))


class Noise(nn.Module):
    """Gaussian noise, in training only."""

    def __init__(self, std: float) -> None:
        super().__init__()
        self.std = std

    def forward(self, x: Tensor) -> Tensor:
        return x + self.std * torch.randn_like(x) if self.training else x


class D(Discriminator):
    """Layers up to the features, and those from there to the K logits."""

    def __init__(self, layers: Sequence[nn.Module], head: Sequence[nn.Module]) -> None:
        super().__init__()
        self.main, self.head = nn.Sequential(*layers), nn.Sequential(*head)

    def forward(self, x: Tensor) -> Tensor:  # [N, C, H, W] -> [N]
        return self.logits(x).logsumexp(1)

    def logits(self, x: Tensor) -> Tensor:
        """l_1 ... l_K, in float32.  [N, K]"""
        return self.classified(x)[0]

    def features(self, x: Tensor) -> Tensor:
        """What is matched: the last activations, before the head's noise.  [N, F]"""
        return self.main(x)

    def classified(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """(logits, features) in one pass."""
        h = self.main(x)
        return self.head(h).float(), h

    @torch.no_grad()
    def begin(self, x: Tensor) -> None:
        """Set the gains of all layers by a batch of images."""
        for layer in (*self.main, *self.head):
            if isinstance(layer, Normed):
                layer.begin(x)
            x = layer(x)


class G(Generator):
    """z, uniform in the unit hypercube -> layers -> the image."""

    def __init__(self, layers: Sequence[nn.Module], shape: Shape, z_dim: int) -> None:
        super().__init__()
        self.inputs, self.output = {"z": Latent((z_dim,), (0.0, 1.0))}, Images(shape)
        self.main = nn.Sequential(*layers)

    def forward(self, z: Tensor) -> Tensor:
        return self.main(z)


def dense(shape: Shape, width: int, z_dim: int, classes: int) -> tuple[G, D]:
    """For MNIST: D 784-1000-500-250-250-250-K with noise before every layer, G z-500-500-784."""
    pixels, hidden = math.prod(shape), [width, width // 2, width // 4, width // 4, width // 4]
    d: list[nn.Module] = [Unit(), nn.Flatten()]
    for n, n_next, std in zip([pixels, *hidden], hidden, [0.3, *[0.5] * 4], strict=False):
        d += [Noise(std), Normed(n, n_next), nn.ReLU()]
    g: list[nn.Module] = []
    for n in (z_dim, width // 2):
        g += [nn.Linear(n, width // 2, bias=False), nn.BatchNorm1d(width // 2, affine=False), Shift(width // 2)]
        g += [Softplus()]
    g += [pixels_of(width // 2, pixels), nn.Sigmoid(), nn.Unflatten(1, shape), Signed()]
    return G(g, shape, z_dim), D(d, [Noise(0.5), Scaled(hidden[-1], classes)])


def pixels_of(n: int, n_next: int) -> nn.Module:
    """The last layer of G for MNIST; weights from N(0, 0.1^2), so that its first images differ."""
    layer = nn.Linear(n, n_next)
    nn.init.normal_(layer.weight, 0.0, 0.1)
    nn.init.zeros_(layer.bias)
    return layer


def convolutional(shape: Shape, width: int, z_dim: int, classes: int) -> tuple[G, D]:
    """For CIFAR-10: D nine convolutions of 96 and 192, G 4x4x512 and three 5x5 of stride 2; width is the 96."""
    channels, side, f = shape[0], shape[1], width
    d: list[nn.Module] = [nn.Dropout(0.2)]
    for n, n_next, kernel, stride, padding in (
        (channels, f, 3, 1, 1), (f, f, 3, 1, 1), (f, f, 3, 2, 1), (0, 0, 0, 0, 0),
        (f, 2 * f, 3, 1, 1), (2 * f, 2 * f, 3, 1, 1), (2 * f, 2 * f, 3, 2, 1), (0, 0, 0, 0, 0),
        (2 * f, 2 * f, 3, 1, 0), (2 * f, 2 * f, 1, 1, 0), (2 * f, 2 * f, 1, 1, 0),
    ):  # fmt: skip
        d += [Normed(n, n_next, kernel, stride, padding), nn.LeakyReLU(0.2)] if n else [nn.Dropout(0.5)]
    d += [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    ups, first = [16 * f // 3, 8 * f // 3, 4 * f // 3], side // 8  # 512, 256, 128
    g: list[nn.Module] = [nn.Linear(z_dim, ups[0] * first**2, bias=False), nn.Unflatten(1, (ups[0], first, first))]
    for n, n_next in pairwise(ups):
        g += [nn.BatchNorm2d(n, affine=False), nn.ReLU(), up(n, n_next, bias=False)]
    g += [nn.BatchNorm2d(ups[-1], affine=False), nn.ReLU(), up(ups[-1], channels, bias=True), nn.Tanh()]
    return G(g, shape, z_dim), D(d, [Scaled(2 * f, classes)])


def up(n: int, n_next: int, bias: bool) -> nn.Module:
    """Twice the side, 5x5; weights from N(0, 0.05^2)."""
    layer = nn.ConvTranspose2d(n, n_next, 5, 2, 2, output_padding=1, bias=bias)
    nn.init.normal_(layer.weight, 0.0, 0.05)
    return layer


class Shift(nn.Module):
    """The bias of a batch norm that has no gain."""

    def __init__(self, n: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(n))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.bias


class Softplus(nn.Module):
    """log(1 + e^x) - log 2, which is about 0 in the mean.

    Without the - log 2 its 500 units have a common mean of 0.8, along which one step of Adam, of 3e-3, moves each logit
    by more than 1: G's images were all the same, black and white, after thirty steps.
    """

    def forward(self, x: Tensor) -> Tensor:
        return softplus(x) - math.log(2)


class Unit(nn.Module):
    """Pixels of [-1, 1] as the authors' code for MNIST has them, in [0, 1]."""

    def forward(self, x: Tensor) -> Tensor:
        return (x + 1) / 2


class Signed(nn.Module):
    """And back."""

    def forward(self, x: Tensor) -> Tensor:
        return 2 * x - 1


BODIES = {"convolutional": convolutional, "dense": dense}


def networks(
    *,
    body: Annotated[Literal["convolutional", "dense"], "as for CIFAR-10, or as for MNIST"] = "convolutional",
    image_size: Annotated[int, "side of the square image; of convolutions a multiple of 8"] = 32,
    channels: Annotated[int, "1 gray, 3 colour"] = 3,
    classes: Annotated[int, "K"] = 10,
    width: Annotated[int, "channels of D's first convolutions; of dense layers, units of the first"] = 96,
    z_dim: Annotated[int, "length of the latent z, uniform in [0, 1]"] = 100,
) -> dict[str, nn.Module]:
    """The generator G and the classifier D."""
    if body == "convolutional" and (image_size < 16 or image_size % 8 or width % 3):
        raise GanzooError(
            f"image_size {image_size}, width {width}: not multiples of 8 (from 16) and of 3", "Or take body=dense."
        )
    g, d = BODIES[body]((channels, image_size, image_size), width, z_dim, classes)
    return {"G": g, "D": d}
