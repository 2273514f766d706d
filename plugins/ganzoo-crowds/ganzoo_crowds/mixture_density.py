"""A mixture density GAN: the discriminator places samples in space, real ones near the corners of a simplex."""

from __future__ import annotations

import math
from typing import Annotated

import torch
from torch import Tensor, nn

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator
from ganzoo_core.objectives import TwoPlayerAdam, to_float32
from ganzoo_crowds import networks as shared

NEAREST = -1e-4  # the largest log p of which log(1 - p) is taken


class MixtureDensityGAN(TwoPlayerAdam):
    """Mixture Density Generative Adversarial Networks (Eghbal-zadeh et al. 2018, arXiv:1811.00152).

    min_G max_D  E log lk(D(x)) + E log(lambda - lk(D(G(z)))),  lk(e) = 1/C sum_i N(e; mu_i, 1)

    lambda is lk at a corner, so that p = lk / lambda is a probability: Goodfellow's game with another head. G descends
    -E log lk(D(G(z))). Each corner gathers samples that are alike, and G is led to all of them.
    """

    D: MixtureDensity

    def __post_init__(self) -> None:
        super().__post_init__()
        if not hasattr(self.D, "place"):
            raise GanzooError(
                f"mixture_density_gan: {type(self.D).__name__} places nothing", "It plays on networks of its own."
            )


class MixtureDensity(Discriminator):
    """e = D(x) in R^d, and its score log p - log(1 - p), whose sigmoid is p = lk(e) / lambda."""

    corners: Tensor  # [C, d]

    def __init__(self, form: shared.Form, d: int, reach: float) -> None:
        super().__init__()
        self.body, self.head = form.judging(outputs=d)
        self.register_buffer("corners", simplex(d, reach), persistent=False)

    def forward(self, x: Tensor) -> Tensor:  # -> [N]
        log_p = self.log_p(self.place(x))
        return log_p - log_rest(log_p)

    def place(self, x: Tensor) -> Tensor:
        """e.  [N, d]"""
        return self.head(self.body(x))

    def features(self, x: Tensor) -> Tensor:
        """What the last layer reads.  [N, F]"""
        return self.body(x)

    def log_p(self, e: Tensor) -> Tensor:
        """log lk(e) - log lambda, at most 0 but for a hair between the corners.  [N, d] -> [N]"""
        here, corner = (self.log_density(at) for at in (to_float32(e), self.corners[:1]))
        return here - corner

    def log_density(self, e: Tensor) -> Tensor:
        """log sum_i exp(-|e - mu_i|^2 / 2).  [N, d] -> [N]"""
        return (-(e[:, None] - self.corners).square().sum(2) / 2).logsumexp(1)


def log_rest(log_p: Tensor) -> Tensor:
    """log(1 - p), which nothing comes nearer to -infinity than at a corner."""
    return (-torch.expm1(log_p.clamp(max=NEAREST))).log()


def simplex(d: int, reach: float) -> Tensor:
    """d + 1 corners in R^d, each sqrt(2) reach from every other, about 0.  [d + 1, d]"""
    rows = torch.zeros(d, d + 1)  # Helmert's: orthonormal, and at right angles to (1, ..., 1)
    for k in range(1, d + 1):
        rows[k - 1, :k], rows[k - 1, k] = 1.0, -float(k)
        rows[k - 1] /= math.sqrt(k * (k + 1))
    return reach * rows.T.contiguous()


def networks(
    *,
    places: Annotated[int, "d, dimensions in which D places samples; there are d + 1 corners"] = 9,
    reach: Annotated[float, "corners are sqrt(2) times this apart, in standard deviations of the mixture"] = 3.0,
    layers: shared.LayersArg = "dcgan",
    image_size: shared.SideArg = 32,
    channels: shared.ChannelsArg = 3,
    width: shared.WidthArg = 64,
    z_dim: shared.LatentArg = 100,
    norm: shared.NormArg = "batch",
    scale: shared.ScaleArg = 1.0,
) -> dict[str, nn.Module]:
    """The generator G and the discriminator D."""
    if places < 1 or reach <= 0:
        raise GanzooError(f"places {places}, reach {reach}: no simplex", "Choose 1 or more, and above 0.")
    form = shared.Form(layers, image_size, channels, width, z_dim, norm, scale)
    return {"G": shared.G(form), "D": MixtureDensity(form, places, reach)}
