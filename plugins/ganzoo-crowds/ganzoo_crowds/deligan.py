"""DeLiGAN: the latent is a mixture of Gaussians that are learnt, so that few data fill it without gaps."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor, nn

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Category, Generator, Input, Latent
from ganzoo_core.objectives import Batch, Terms, TwoPlayerAdam, nonsaturating
from ganzoo_crowds import networks as shared


class DeLiGAN(TwoPlayerAdam):
    """DeLiGAN: Generative Adversarial Networks for Diverse and Limited Data (Gurumurthy et al. 2017, arXiv:1706.02071).

    z = mu_i + sigma_i eps,  i uniform in 1 .. N, eps ~ N(0, 1);  mu and sigma are learnt with G
    g = -E log D(G(z)) + lam sum_i (1 - sigma_i)^2 / N:  without the second term sigma_i would fall to 0, and G make N
    samples alone
    """

    loss = nonsaturating
    G: Reparameterised
    lam: Annotated[float, "weight of what keeps sigma from falling to 0"] = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.G, Reparameterised):
            raise GanzooError(f"deligan: {type(self.G).__name__} has no mixture", "It plays on networks of its own.")

    def g_loss(self, batch: Batch) -> Terms:
        return super().g_loss(batch) | {"sigma": self.lam * (1 - self.G.sigma).square().mean()}


class Reparameterised(Generator):
    """eps and a component i -> z = mu_i + sigma_i eps -> a sample."""

    def __init__(self, form: shared.Form, components: int, sigma: float) -> None:
        super().__init__()
        self.inputs: dict[str, Input] = {"eps": Latent((form.z_dim,)), "i": Category(components)}
        self.output = form.output
        self.mu = nn.Parameter(torch.empty(components, form.z_dim).uniform_(-1, 1))
        self.sigma = nn.Parameter(torch.full((components, form.z_dim), sigma))
        self.main = form.making()

    def forward(self, eps: Tensor, i: Tensor) -> Tensor:  # [N, z_dim], int64 [N]
        return self.main(self.mu[i] + self.sigma[i] * eps)


def networks(
    *,
    components: Annotated[int, "N, how many Gaussians the latent is a mixture of, 1 or more"] = 50,
    sigma: Annotated[float, "their first standard deviation"] = 0.2,
    layers: shared.LayersArg = "dcgan",
    image_size: shared.SideArg = 32,
    channels: shared.ChannelsArg = 3,
    width: shared.WidthArg = 64,
    z_dim: Annotated[int, "length of the latent z"] = 30,
    norm: shared.NormArg = "batch",
    scale: shared.ScaleArg = 1.0,
) -> dict[str, nn.Module]:
    """The generator G with its mixture, and the discriminator D."""
    if components < 1:
        raise GanzooError(f"components {components}: is no number of them", "Choose 1 or more.")
    form = shared.Form(layers, image_size, channels, width, z_dim, norm, scale)
    return {"G": Reparameterised(form, components, sigma), "D": shared.D(form)}
