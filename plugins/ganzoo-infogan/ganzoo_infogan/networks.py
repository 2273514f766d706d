"""The networks of InfoGAN's experiment on MNIST (Chen et al. 2016, App. C.1), for sides that are multiples of 4."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, one_hot

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Between, Category, Code, Discriminator, Generator, Images, Latent, initialise, latents

SLOPE = 0.1  # of the leaky rectifiers


class Codes(NamedTuple):
    """What Q makes of an image: the parameters of Q(c|x)."""

    logits: Tensor  # of the categorical code  [N, K]
    mean: Tensor  # of the continuous codes  [N, U]
    log_variance: Tensor  # [N, U]


class G(Generator):
    """(z, c, u) -> 1x1 -> a quarter of the side -> a half -> the image in [0, 1]."""

    def __init__(self, shape: tuple[int, int, int], width: int, z_dim: int, categories: int, codes: int) -> None:
        super().__init__()
        self.inputs = {
            "z": Latent((z_dim,)),
            "c": Category(categories),
            "u": Code((codes,), (-1.0, 1.0)),
        }
        self.output, self.categories, self.codes = Images(shape), categories, codes
        channels, side, f = shape[0], shape[1] // 4, 16 * width
        self.main = nn.Sequential(
            nn.ConvTranspose2d(z_dim + categories + codes, f, 1, 1, bias=False), nn.BatchNorm2d(f), nn.ReLU(),
            nn.ConvTranspose2d(f, 2 * width, side, 1, bias=False), nn.BatchNorm2d(2 * width), nn.ReLU(),
            nn.ConvTranspose2d(2 * width, width, 4, 2, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(),
            nn.ConvTranspose2d(width, channels, 4, 2, 1, bias=False), nn.Sigmoid(),
        )  # fmt: skip
        self.apply(initialise)

    def forward(self, z: Tensor, c: Tensor, u: Tensor) -> Tensor:
        latent = torch.cat([z, one_hot(c, self.categories).to(z.dtype), u], 1)  # [N, z_dim + K + U]
        return 2 * self.main(latent[:, :, None, None]) - 1

    def sample(self, n: int, *, seed: int, traverse: Annotated[int, Between(-1, 4)] = -1, **inputs: Any) -> Tensor:
        """See Generator.sample. With `traverse` i the samples are a sheet: a row for each category, and from left to
        right the continuous code i from -2 to 2, all else alike (Fig. 2); n is a multiple of the categories.
        """
        if traverse >= 0:
            inputs = {**self.sheet(n, seed, traverse), **inputs}
        return super().sample(n, seed=seed, **inputs)

    def sheet(self, n: int, seed: int, i: int) -> dict[str, Tensor]:
        """Latents of n = K columns samples in which only the category and the i-th continuous code change."""
        columns, rest = divmod(n, self.categories)
        if rest or columns < 2 or i >= self.codes:
            raise GanzooError(
                f"traverse {i} over {n} samples: there are {self.categories} categories and {self.codes} codes",
                f"Ask for -n {10 * self.categories} and a code below {self.codes}.",
            )
        drawn = latents(self.priors, seed, [0])
        u = torch.zeros(self.codes).repeat(n, 1)
        u[:, i] = torch.linspace(-2, 2, columns).repeat(self.categories)
        c = torch.arange(self.categories).repeat_interleave(columns)
        return {"z": drawn["z"].repeat(n, 1), "c": c, "u": u}


class D(Discriminator):
    """x -> a half of the side -> a quarter -> a vector, from which the score is read, and by Q the codes."""

    def __init__(self, shape: tuple[int, int, int], width: int) -> None:
        super().__init__()
        f = 16 * width
        self.main = nn.Sequential(
            nn.Conv2d(shape[0], width, 4, 2, 1), nn.LeakyReLU(SLOPE),
            nn.Conv2d(width, 2 * width, 4, 2, 1, bias=False), nn.BatchNorm2d(2 * width), nn.LeakyReLU(SLOPE),
            nn.Conv2d(2 * width, f, shape[1] // 4, bias=False), nn.BatchNorm2d(f), nn.LeakyReLU(SLOPE),
        )  # fmt: skip
        self.score = nn.Conv2d(f, 1, 1)
        self.apply(initialise)

    def forward(self, x: Tensor) -> Tensor:  # [N, C, H, W] -> [N]
        return self.score_and_features(x)[0]

    def features(self, x: Tensor) -> Tensor:
        """[N, 16 width]"""
        return self.main((x + 1) / 2).flatten(1)  # the authors' images lie in [0, 1]

    def score_and_features(self, x: Tensor) -> tuple[Tensor, Tensor]:
        h = self.features(x)
        return self.score(h[:, :, None, None]).flatten(), h


class Q(nn.Module):
    """D's features -> the parameters of Q(c|x)."""

    def __init__(self, width: int, categories: int, codes: int) -> None:
        super().__init__()
        f = 2 * width
        self.hidden, self.norm = nn.Conv2d(16 * width, f, 1, bias=False), nn.BatchNorm2d(f)
        self.category, self.mean, self.log_variance = (nn.Conv2d(f, n, 1) for n in (categories, codes, codes))
        self.apply(initialise)

    def forward(self, h: Tensor) -> Codes:
        h = leaky_relu(self.norm(self.hidden(h[:, :, None, None])), SLOPE)
        return Codes(*(head(h).flatten(1).float() for head in (self.category, self.mean, self.log_variance)))


def networks(
    *,
    image_size: Annotated[int, "side of the square image, a multiple of 4"] = 28,
    channels: Annotated[int, "1 gray, 3 colour"] = 1,
    width: Annotated[int, "channels at half the side, in both"] = 64,
    z_dim: Annotated[int, "length of the incompressible noise z ~ N(0, 1)"] = 62,
    categories: Annotated[int, "K, values of the categorical code c"] = 10,
    codes: Annotated[int, "continuous codes u, each uniform in [-1, 1]"] = 2,
) -> dict[str, nn.Module]:
    """The generator G(z, c, u), the discriminator D, and Q on D's features."""
    if image_size < 8 or image_size % 4:
        raise GanzooError(f"image_size {image_size}: not a multiple of 4 from 8", "Choose one; images are resized.")
    shape = (channels, image_size, image_size)
    return {"G": G(shape, width, z_dim, categories, codes), "D": D(shape, width), "Q": Q(width, categories, codes)}
