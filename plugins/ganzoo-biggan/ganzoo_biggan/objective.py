"""BigGAN's game: the hinge with labels, two updates of D, and G's filters kept apart."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from ganzoo_sngan.objective import Hinge
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized

from ganzoo_biggan.networks import G as BigG
from ganzoo_core.losses import Terms
from ganzoo_core.networks import Discriminator, Generator
from ganzoo_core.objective import Batch, Phase, Player, Step, adam


class BigGAN(Hinge):
    """Large Scale GAN Training for High Fidelity Natural Image Synthesis (Brock et al. 2019, arXiv:1809.11096).

    What is published is the moving average of G (`ema_images` of the recipe), with standing statistics of its own.
    """

    def __init__(
        self,
        G: Generator,
        D: Discriminator,
        *,
        n_dis: int = 2,  # updates of D for each of G
        d_lr: float = 2e-4,  # Adam's step for D
        g_lr: float = 5e-5,  # Adam's step for G
        b1: float = 0.0,  # Adam's beta_1
        b2: float = 0.999,  # Adam's beta_2
        beta: float = 1e-4,  # weight of the orthogonal regularisation of G
        standing: int = 100,  # batches of samples for the statistics of what is published
        images: int = 573_000_000,  # length in real images: 140,000 updates of G at two batches of 2048
    ) -> None:
        super().__init__(G, D, 1)
        self.n_dis, self.d_lr, self.g_lr, self.b1, self.b2 = n_dis, d_lr, g_lr, b1, b2
        self.beta, self.standing, self.images = beta, standing, images

    def phases(self) -> Sequence[Phase]:
        D = Player("D", [self.D], adam(self.d_lr, self.b1, self.b2))
        G = Player("G", [self.G], adam(self.g_lr, self.b1, self.b2))
        return [Phase("main", [Step(D, self.d_loss, repeat=self.n_dis), Step(G, self.g_loss)], self.images)]

    def g_loss(self, batch: Batch) -> Terms:
        """-E D(G(z, y), y) + beta R(G): Sec. 3.1 with Eq. 3."""
        return super().g_loss(batch) | {"ortho": self.beta * overlap(self.G)}

    def shipped(self) -> dict[str, nn.Module]:
        """G with standing statistics; one that has them already (a trained model) as it is."""
        return {name: standing(net, self.standing) for name, net in super().shipped().items()}


def standing(net: nn.Module, passes: int) -> nn.Module:
    """Other families' generators have no such statistics."""
    return net.standing(passes) if isinstance(net, BigG) and not bool(net.stand) else net


def overlap(net: nn.Module) -> Tensor:
    """R = sum over layers of ||W W^T o (1 - I)||_F^2, one filter a row of W (Brock et al. 2019, Eq. 3).

    The weights are those before spectral normalisation; tables of embeddings are no filters.
    """
    terms = []
    for layer in net.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            weight = layer.parametrizations.weight.original if is_parametrized(layer, "weight") else layer.weight
            terms.append(off_diagonal(weight.flatten(1)))
    return torch.stack(terms).sum()


def off_diagonal(W: Tensor) -> Tensor:
    """||W W^T o (1 - I)||_F^2 as ||W^T W||_F^2 - sum_i ||w_i||^4, by whichever Gram matrix is smaller.

    A layer of 24,576 filters of 20 weights would otherwise need 2.4 GB.
    """
    with torch.autocast(W.device.type, enabled=False):  # differences of large numbers
        gram = W.T @ W if W.shape[0] > W.shape[1] else W @ W.T
        return gram.square().sum() - W.square().sum(1).square().sum()
