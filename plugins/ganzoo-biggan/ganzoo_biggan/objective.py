"""BigGAN's game: the hinge with labels, two updates of D, and G's filters kept apart."""

from __future__ import annotations

from typing import Annotated

import torch
from ganzoo_sngan.objective import Hinge
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized

from ganzoo_biggan.networks import Standing
from ganzoo_core.objectives import Batch, Optim, Terms, adam, off_diagonal


class BigGAN(Hinge):
    """Large Scale GAN Training for High Fidelity Natural Image Synthesis (Brock et al. 2019, arXiv:1809.11096).

    What is published is the moving average of G (`ema_images` of the recipe), with standing statistics of its own.
    """

    n_dis: Annotated[int, "updates of D for each of G"] = 2
    d_lr: Annotated[float, "Adam's step for D"] = 2e-4
    g_lr: Annotated[float, "Adam's step for G"] = 5e-5
    b1: Annotated[float, "Adam's beta_1"] = 0.0
    b2: Annotated[float, "Adam's beta_2"] = 0.999
    beta: Annotated[float, "weight of the orthogonal regularisation of G"] = 1e-4
    standing: Annotated[int, "batches of samples for the statistics of what is published"] = 100
    images: Annotated[int, "length in real images: 140,000 updates of G at two batches of 2048"] = 573_000_000

    def optim(self, player: str) -> Optim:
        return adam(self.d_lr if player == "D" else self.g_lr, self.b1, self.b2)

    def g_loss(self, batch: Batch) -> Terms:
        """-E D(G(z, y), y) + beta R(G): Sec. 3.1 with Eq. 3."""
        return super().g_loss(batch) | {"ortho": self.beta * overlap(self.G)}

    def exported_networks(self) -> dict[str, nn.Module]:
        """G with standing statistics; one that has them already (a trained model) as it is."""
        return {name: with_standing(net, self.standing) for name, net in super().exported_networks().items()}


def with_standing(net: nn.Module, passes: int) -> nn.Module:
    """Other families' generators have no such statistics, and no passes make none."""
    return net.standing(passes) if isinstance(net, Standing) and passes and not bool(net.stand) else net


def overlap(net: nn.Module) -> Tensor:
    """R = sum over layers of ||W W^T o (1 - I)||_F^2, one filter a row of W (Brock et al. 2019, Eq. 3).

    The weights are those before spectral normalisation; tables of embeddings are no filters.
    """
    terms = []
    for layer in net.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            name = "parametrizations.weight.original" if is_parametrized(layer, "weight") else "weight"
            terms.append(off_diagonal(layer.get_parameter(name).flatten(1)))
    return torch.stack(terms).sum()
