"""BourGAN: a latent with the shape of the data, by Bourgain's embedding, whose distances G keeps."""

from __future__ import annotations

import math
from typing import Annotated

import torch
from torch import Tensor, nn

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Category, Generator, Input, Latent
from ganzoo_core.objectives import Batch, Terms, TwoPlayerAdam, nonsaturating, to_float32
from ganzoo_crowds import networks as shared

HALF = 0.5  # a set of Bourgain's holds a point with probability 1/2, 1/4, 1/8 ...
EPS = 1e-8  # keeps the logarithm of a distance finite


class BourGAN(TwoPlayerAdam):
    """BourGAN: Generative Networks with Metric Embeddings (Xiao et al. 2018, arXiv:1805.07674).

    z = f(x_i) + sigma eps,  i uniform among n points of the data, f Bourgain's embedding of them
    g = -E log D(G(z)) + alpha E (log |G(z) - G(z')| - log r |z - z'|)^2,  r the ratio of distances before and after f

    Modes that lie apart in the data lie apart in this latent, too. In a Gaussian none do, and G would have to tear it.
    """

    loss = nonsaturating
    G: Embedded
    alpha: Annotated[float, "weight of the distances that G is to keep"] = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.G, Embedded):
            raise GanzooError(f"bourgan: {type(self.G).__name__} embeds no data", "It plays on networks of its own.")
        self.prepare_on = len(self.G.anchors)  # type: ignore[misc]

    def prepare(self, batch: Batch) -> None:
        self.G.embed(batch["x"])

    def g_loss(self, batch: Batch) -> Terms:
        (z, fake), (z_2, fake_2) = (self.both(len(batch["x"])) for _ in range(2))
        kept = log_distance(fake, fake_2) - log_distance(z, z_2) - self.G.ratio.log()
        return {"adv": self.loss.g(self.D(fake), None), "distance": self.alpha * kept.square().mean()}

    def both(self, n: int) -> tuple[Tensor, Tensor]:
        """z and G(z)."""
        z = self.G.latent(*self.G.priors(n).values())
        return z, self.G.main(z)


def log_distance(a: Tensor, b: Tensor) -> Tensor:
    """log |a - b|, row by row.  [N, ...] -> [N]"""
    return (to_float32(a - b).flatten(1).square().sum(1) + EPS).log() / 2


def bourgain(d: Tensor, m: int) -> Tensor:
    """Bourgain's embedding of a metric space of n points: how far each one is from random sets of them.

    Each coordinate is the distance to one set; of ceil(log2 n) sizes there are m sets each, drawn from the global
    generator. No coordinate lies farther apart than the points do; without a common factor, the space is distorted by
    O(log n) at most (Bourgain 1985).  [n, n] -> [n, m ceil(log2 n)], centred, of variance 1 on average
    """
    n, sizes = len(d), depth(len(d))
    chances = HALF ** torch.arange(1, sizes + 1, device=d.device).repeat_interleave(m)
    inside = torch.rand(len(chances), n, device=d.device) < chances[:, None]
    farther = torch.full_like(d[:, :1], math.inf)
    f = torch.cat([torch.where(chosen, d, farther).amin(1, keepdim=True) for chosen in inside], 1)
    f = torch.where(f.isfinite(), f, torch.zeros_like(f))  # of an empty set
    f = f - f.mean(0)
    return f / (f.square().mean().sqrt() + EPS)


def distances(x: Tensor) -> Tensor:
    """Of all pairs, exact for near ones, too.  [n, F] -> [n, n]"""
    return torch.cdist(x, x, compute_mode="donot_use_mm_for_euclid_dist")


def depth(n: int) -> int:
    """ceil(log2 n), 1 at least."""
    return max(1, (n - 1).bit_length())


class Embedded(Generator):
    """eps and a point i of the data -> z, near where the point is embedded -> a sample."""

    anchors: Tensor  # f(x_i)  [n, m ceil(log2 n)]
    ratio: Tensor  # r: the typical distance of data for a distance of 1 between anchors

    def __init__(self, form: shared.Form, points: int, m: int, sigma: float) -> None:
        super().__init__()
        self.inputs: dict[str, Input] = {"eps": Latent((form.z_dim,)), "i": Category(points)}
        self.output, self.m, self.sigma = form.output, m, sigma
        self.register_buffer("anchors", torch.randn(points, form.z_dim))  # until the data are seen
        self.register_buffer("ratio", torch.ones(()))
        self.main = form.making()

    def embed(self, x: Tensor) -> None:
        """Take as many points of the data as there are anchors for a metric space.  [n, ...]"""
        d = distances(x.flatten(1))
        f = bourgain(d, self.m)
        apart = ~torch.eye(len(x), dtype=torch.bool, device=x.device) & (d > 0)
        self.anchors.copy_(f)
        self.ratio.copy_(((d[apart] + EPS) / (distances(f)[apart] + EPS)).log().mean().exp())

    def latent(self, eps: Tensor, i: Tensor) -> Tensor:
        """z.  [N, z_dim]"""
        return self.anchors[i] + self.sigma * eps

    def forward(self, eps: Tensor, i: Tensor) -> Tensor:  # [N, z_dim], int64 [N]
        return self.main(self.latent(eps, i))


def networks(
    *,
    points: Annotated[int, "n, how many points of the data are embedded, 2 or more"] = 512,
    m: Annotated[int, "sets of each size; z has m ceil(log2 n) numbers"] = 5,
    sigma: Annotated[float, "of the noise around a point; anchors have a standard deviation of 1"] = 0.1,
    layers: shared.LayersArg = "dcgan",
    image_size: shared.SideArg = 32,
    channels: shared.ChannelsArg = 3,
    width: shared.WidthArg = 64,
    norm: shared.NormArg = "batch",
    scale: shared.ScaleArg = 1.0,
) -> dict[str, nn.Module]:
    """The generator G with its points, and the discriminator D."""
    if points < 2 or m < 1:
        raise GanzooError(
            f"points {points}, m {m}: make no embedding", "Choose 2 or more points, and an m of 1 or more."
        )
    form = shared.Form(layers, image_size, channels, width, m * depth(points), norm, scale)
    return {"G": Embedded(form, points, m, sigma), "D": shared.D(form)}
