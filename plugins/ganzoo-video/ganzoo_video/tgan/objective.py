"""The game of TGAN: the Wasserstein GAN with a critic whose weights' singular values are clipped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from ganzoo_core.errors import GanzooError
from ganzoo_core.objectives import Batch, Move, Optim, Phase, Player, Step, Terms, TwoPlayer, rmsprop, wasserstein
from ganzoo_video.tgan.networks import TemporalGenerator
from ganzoo_video.windows import window


class TGAN(TwoPlayer):
    """Temporal Generative Adversarial Nets with Singular Value Clipping (Saito et al. 2017, arXiv:1611.06624).

    Eq. 7, the critic being 1-Lipschitz: every `every` iterations the singular values of its layers' matrices are
    clipped to 1, and the gains of its batch norms to the standard deviations by which they divide (Alg. 1).
    """

    G: TemporalGenerator

    lr: Annotated[float, "RMSProp's step for both players"] = 5e-5
    n_critic: Annotated[int, "updates of D for each of G"] = 5
    every: Annotated[int, "iterations between two clippings"] = 5
    images: Annotated[int, "length in real clips"] = 16_000_000

    loss = wasserstein
    needs = frozenset({"video"})

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.G, TemporalGenerator):
            raise GanzooError("tgan: needs a generator of as many codes as frames", "Take its own networks.")

    def optim(self, player: str) -> Optim:
        return rmsprop(self.lr)

    def phases(self) -> Sequence[Phase]:
        D, G = Player("D", [self.D], self.optim("D")), Player("G", [self.G], self.optim("G"))
        steps = [Move(D, self.clip, self.every), Step(D, self.d_loss, repeat=self.n_critic), Step(G, self.g_loss)]
        return [Phase("main", steps, self.images)]

    def d_loss(self, batch: Batch) -> Terms:
        x = window(batch["video"], self.G.output.shape[0] or 1)
        return self.loss.d(self.D(x), self.D(self.fake(len(x))))

    def g_loss(self, batch: Batch) -> Terms:
        return {"adv": self.loss.g(self.D(self.fake(len(batch["video"]))), None)}

    def clip(self, batch: Batch) -> Terms:
        """Back onto the critics whose layers do not stretch."""
        for layer in self.D.modules():
            clip_layer(layer)
        return {}


@torch.no_grad()
def clip_layer(layer: nn.Module) -> None:
    """The singular values of a layer's matrix [out, all else] to 1; a batch norm's gains to its running deviation."""
    if isinstance(layer, _BatchNorm):
        assert layer.running_var is not None
        limit = (layer.running_var + layer.eps).sqrt()
        layer.weight.copy_(layer.weight.clamp(max=limit, min=torch.zeros_like(limit)))
    elif isinstance(layer, (nn.Conv2d, nn.Conv3d, nn.Linear)):
        layer.weight.copy_(clipped(layer.weight))


def clipped(weight: Tensor) -> Tensor:
    """The nearest weight [out, ...] whose matrix has no singular value above 1."""
    u, s, v = torch.linalg.svd(weight.flatten(1).float(), full_matrices=False)
    return (u * s.clamp(max=1) @ v).view_as(weight)
