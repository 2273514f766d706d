"""The game of 3D-GAN: Goodfellow's, in which D rests while it tells the last batch apart too well."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Annotated, Any

import torch
from torch import Tensor
from torch.optim import Adam

from ganzoo_core.nn import Discriminator, Generator
from ganzoo_core.objectives import Batch, Optim, Terms, TwoPlayer, adam, nonsaturating


class GAN3D(TwoPlayer):
    """3D Generative-Adversarial Modeling (Wu, Zhang, Xue, Freeman & Tenenbaum 2016, arXiv:1610.07584).

    d = -E log D(x) - E log(1 - D(G(z))), Eq. 1;  g = -E log D(G(z)), z ~ U[0, 1]

    D moves only where it was right on at most 80 % of its last batch (Sec. 3.1): in three dimensions G's part of the
    game is the harder one.
    """

    G: Generator
    D: Discriminator
    lr: Annotated[float, "Adam's step for G (Sec. 3.1)"] = 2.5e-3
    d_lr: Annotated[float, "Adam's step for D (Sec. 3.1)"] = 1e-5
    b1: Annotated[float, "Adam's beta_1, of both"] = 0.5
    limit: Annotated[float, "D rests while it was right on a larger share of its last batch; 1: never"] = 0.8
    images: Annotated[int, "length in solids"] = 5_000_000

    needs = frozenset({"voxels"})
    batchwise = True  # D rests by what it was on the whole batch
    accuracy: Tensor  # of D on its last batch

    def __post_init__(self) -> None:
        super().__post_init__()
        self.register_buffer("accuracy", torch.zeros(()))

    def optim(self, player: str) -> Optim:
        return adam(self.lr, self.b1) if player == "G" else resting_adam(self.d_lr, self.b1)

    def d_loss(self, batch: Batch) -> Terms:
        """Eq. 1; without a gradient where D was right too often on the batch before."""
        x = batch["voxels"]
        r, s = self.D(x), self.D(self.fake(len(x)))
        moves = (self.accuracy <= self.limit).float()
        with torch.no_grad():
            self.accuracy.copy_(((r > 0).float().mean() + (s < 0).float().mean()) / 2)
        return {name: gated(term, moves) for name, term in nonsaturating.d(r, s).items()}

    def g_loss(self, batch: Batch) -> Terms:
        return {"adv": nonsaturating.g(self.D(self.fake(len(batch["voxels"]))), None)}


def gated(term: Tensor, moves: Tensor) -> Tensor:
    """The value of a term, and its gradient only where `moves` is 1."""
    return moves * term + (1 - moves) * term.detach()


def resting_adam(lr: float, b1: float) -> Optim:
    return partial(RestingAdam, lr=lr, betas=(b1, 0.999))


class RestingAdam(Adam):
    """Adam that stands still, its moments too, where no weight has a gradient: a player that rests.

    That is decided on the device, so nobody waits for it: the fused kernel skips a step whose `found_inf` is 1, which
    is how mixed precision leaves out a batch. Gradients are averaged over processes by then, so all do the same.
    """

    found_inf: Tensor

    def __init__(self, weights: Iterable[Tensor], **options: Any) -> None:
        super().__init__(weights, **options, fused=True)

    def step(self, closure: Callable[[], float] | None = None) -> float | None:  # type: ignore[override]
        """One step, or none."""
        slopes = [w.grad for group in self.param_groups for w in group["params"] if w.grad is not None]
        self.found_inf = (torch.stack([g.detach().abs().amax() for g in slopes]).amax() == 0).float()
        return super().step(closure)
