"""The game of BEGAN: the energies of samples are held at a share gamma of those of pictures."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Annotated

import torch
from torch import Tensor

from ganzoo_core.objectives import Batch, Schedule, Terms
from ganzoo_energies.energy import EnergyGame


class BEGAN(EnergyGame):
    """BEGAN: Boundary Equilibrium Generative Adversarial Networks (Berthelot et al. 2017, arXiv:1703.10717).

    L_D = L(x) - k_t L(G(z_D)),  L_G = L(G(z_G)),  k_{t+1} = k_t + lambda_k (gamma L(x) - L(G(z_G))), kept in [0, 1]

    L(v) = E |v - D(v)| is the error of an autoencoder, gamma = E L(G(z)) / E L(x) the diversity ratio. `M` in the log
    is the paper's measure of convergence, L(x) + |gamma L(x) - L(G(z_G))|.
    """

    batchwise = True  # k follows the losses of whole batches

    gamma: Annotated[float, "diversity ratio: low for good pictures, high for various ones"] = 0.5
    lambda_k: Annotated[float, "pace of k"] = 0.001
    halve_every: Annotated[int, "real images after which steps are halved; 0: never"] = 1_600_000
    lr: Annotated[float, "Adam's step for both players, at first"] = 1e-4
    images: Annotated[int, "length in real images"] = 16_000_000
    k_t: Tensor
    real: Tensor  # L(x) of the last batch
    made: Tensor  # L(G(z_G))

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("k_t", "real", "made"):
            self.register_buffer(name, torch.zeros(()))

    def schedules(self, player: str) -> Mapping[str, Schedule]:
        every = self.halve_every or math.inf
        return {"lr": lambda u: 0.5 ** (u * self.images // every)}

    def d_loss(self, batch: Batch) -> Terms:
        x = batch["x"]
        real, fake = self.energy(x).mean(), self.energy(self.fake(len(x))).mean()
        self.real.copy_(real.detach())
        return {"real": real, "fake": -self.k_t * fake, "k": self.k_t.clone()}

    def g_loss(self, batch: Batch) -> Terms:
        made = self.energy(self.fake(len(batch["x"]))).mean()
        self.made.copy_(made.detach())
        return {"energy": made, "M": self.real + (self.gamma * self.real - self.made).abs()}

    def on_step_end(self, u: float) -> None:
        """k_{t+1} = k_t + lambda_k (gamma L(x) - L(G(z_G)))."""
        self.k_t.add_(self.gamma * self.real - self.made, alpha=self.lambda_k).clamp_(0, 1)
