"""D2GAN: one discriminator that rewards real samples, one that rewards made ones, and a generator between both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from ganzoo_core.nn import Discriminator
from ganzoo_core.objectives import Batch, Terms, TwoPlayerAdam, to_float32
from ganzoo_crowds import networks as shared

FAR = -15.0  # below it log softplus(s) is s, to float32's last bit


def log_softplus(score: Tensor) -> Tensor:
    """log D for D = softplus(score) > 0; finite, with its gradient, for any score."""
    s = to_float32(score)
    return torch.where(s <= FAR, s, softplus(s.clamp(min=FAR)).log())


class D2GAN(TwoPlayerAdam):
    """Dual Discriminator Generative Adversarial Nets (Nguyen et al. 2017, arXiv:1709.03831).

    J = alpha E log D1(x) - E D1(G(z)) - E D2(x) + beta E log D2(G(z)),  D1, D2 > 0: both climb it, and G descends

    D is the paper's D1. At the best D1 = alpha p / q and D2 = beta q / p, J is alpha KL(p || q) + beta KL(q || p) and a
    constant: the first makes G cover all modes, the second makes it keep to them.
    """

    D2: Discriminator
    alpha: Annotated[float, "weight of E log D1(x), and so of KL(p || q)"] = 0.2
    beta: Annotated[float, "weight of E log D2(G(z)), and so of KL(q || p)"] = 0.1

    def nets(self, player: str) -> Sequence[nn.Module]:
        return [self.D, self.D2] if player == "D" else [self.G]

    def d_loss(self, batch: Batch) -> Terms:
        """-J."""
        x = batch["x"]
        fake = self.fake(len(x))
        return {
            "real1": -self.alpha * log_softplus(self.D(x)).mean(),
            "fake1": softplus(to_float32(self.D(fake))).mean(),
            "real2": softplus(to_float32(self.D2(x))).mean(),
            "fake2": -self.beta * log_softplus(self.D2(fake)).mean(),
        }

    def g_loss(self, batch: Batch) -> Terms:
        """J, as far as it depends on G."""
        fake = self.fake(len(batch["x"]))
        return {
            "adv1": -softplus(to_float32(self.D(fake))).mean(),
            "adv2": self.beta * log_softplus(self.D2(fake)).mean(),
        }


def networks(
    *,
    layers: shared.LayersArg = "dcgan",
    image_size: shared.SideArg = 32,
    channels: shared.ChannelsArg = 3,
    width: shared.WidthArg = 64,
    z_dim: shared.LatentArg = 100,
    norm: shared.NormArg = "batch",
    scale: shared.ScaleArg = 1.0,
) -> dict[str, nn.Module]:
    """The generator G, and the discriminators D and D2, of one kind."""
    form = shared.Form(layers, image_size, channels, width, z_dim, norm, scale)
    return {"G": shared.G(form), "D": shared.D(form), "D2": shared.D(form)}
