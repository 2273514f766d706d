"""VEEGAN: a reconstructor F leads from samples back to z, and from data to where z should be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

import torch
from torch import Tensor, nn

from ganzoo_core.nn import Discriminator
from ganzoo_core.objectives import (
    Batch,
    Phase,
    Player,
    Step,
    Terms,
    TwoPlayerAdam,
    minimax_d,
    nonsaturating_g,
    to_float32,
    wasserstein_g,
)
from ganzoo_crowds import networks as shared


class VEEGAN(TwoPlayerAdam):
    """VEEGAN: Reducing Mode Collapse in GANs using Implicit Variational Learning (Srivastava et al. 2017, 1705.07761).

    d = -E log D(x, F(x)) - E log(1 - D(G(z), z)),  g = -E logit D(G(z), z) + E ||z - F(G(z))||^2,
    f = -E log(1 - D(x, F(x))) + E ||z - F(G(z))||^2

    D tells pairs apart: data with what F makes of it, and samples with what they were made of. Where G drops a mode, F
    sends its data to no z that G knows better, which D sees.
    """

    D: Joint
    F: Reconstructor

    def phases(self) -> Sequence[Phase]:
        (phase,) = super().phases()
        F = Player("F", [self.F], self.optim("F"))
        return [replace(phase, steps=[*phase.steps, Step(F, self.f_loss)])]

    def d_loss(self, batch: Batch) -> Terms:
        x = batch["x"]
        z = self.G.prior(len(x))
        return minimax_d(self.D(x, self.F(x)), self.D(self.G(z), z))

    def g_loss(self, batch: Batch) -> Terms:
        z = self.G.prior(len(batch["x"]))
        fake = self.G(z)
        return {"adv": wasserstein_g(self.D(fake, z)), "z": self.distance(z, fake)}

    def f_loss(self, batch: Batch) -> Terms:
        x = batch["x"]
        z = self.G.prior(len(x))
        return {"adv": nonsaturating_g(-self.D(x, self.F(x))), "z": self.distance(z, self.G(z))}

    def distance(self, z: Tensor, fake: Tensor) -> Tensor:
        """From z to what F reads in its sample."""
        return (z - to_float32(self.F(fake))).square().sum(1).mean()


class Joint(Discriminator):
    """The score of a sample together with a z."""

    def __init__(self, form: shared.Form, hidden: int) -> None:
        super().__init__()
        self.body, head = form.judging()
        joined = nn.Linear(head.in_features + form.z_dim, hidden)
        self.both = nn.Sequential(joined, nn.LeakyReLU(0.2), nn.Linear(hidden, 1))

    def forward(self, x: Tensor, z: Tensor) -> Tensor:  # [N, ...], [N, z_dim] -> [N]
        return self.both(torch.cat([self.body(x), z], 1)).flatten()


class Reconstructor(nn.Module):
    """A sample -> z."""

    def __init__(self, form: shared.Form) -> None:
        super().__init__()
        self.body, self.head = form.judging(outputs=form.z_dim)

    def forward(self, x: Tensor) -> Tensor:  # [N, ...] -> [N, z_dim]
        return self.head(self.body(x))


def networks(
    *,
    hidden: Annotated[int, "width of the layer in which D sees a sample's features and z together"] = 128,
    layers: shared.LayersArg = "dcgan",
    image_size: shared.SideArg = 32,
    channels: shared.ChannelsArg = 3,
    width: shared.WidthArg = 64,
    z_dim: shared.LatentArg = 100,
    norm: shared.NormArg = "batch",
    scale: shared.ScaleArg = 1.0,
) -> dict[str, nn.Module]:
    """The generator G, the discriminator D of pairs and the reconstructor F."""
    form = shared.Form(layers, image_size, channels, width, z_dim, norm, scale)
    return {"G": shared.G(form), "D": Joint(form, hidden), "F": Reconstructor(form)}
