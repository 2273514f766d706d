"""The game of MMD GAN: the kernel of a maximum mean discrepancy is learnt against the generator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

import torch
from torch import Tensor
from torch.nn.functional import mse_loss, relu

from ganzoo_core.errors import GanzooError
from ganzoo_core.objectives import Batch, Optim, Phase, Step, Terms, clip_weights, rmsprop
from ganzoo_moments.embedding import EmbeddingGame

SIGMAS = (1.0, 2.0, 4.0, 8.0, 16.0)


class MMDGAN(EmbeddingGame):
    """MMD GAN: Towards Deeper Understanding of Moment Matching Network (Li et al. 2017, arXiv:1705.08584).

    d = -M + 8 (E |x - Dec(h(x))|^2 + E |G(z) - Dec(h(G(z)))|^2) - 16 R,  g = M + 16 R,
    M = MMD(h(x), h(G(z))) of a mixture of Gaussian kernels,  R = -mean over outputs of max(0, E h(G(z)) - E h(x))

    M is the distance itself, the root of the biased estimate; R lets outputs be no lower on pictures than on samples,
    on average. D's weights are clipped, its decoder's are not.
    """

    lr: Annotated[float, "RMSProp's step for both players"] = 5e-5
    clip: Annotated[float, "bound on every weight of the critic"] = 0.01
    auto: Annotated[float, "weight of the autoencoder: h must not forget what a picture was; 0: none"] = 8.0
    rank: Annotated[float, "weight of R"] = 16.0
    k: Annotated[int, "updates of the critic for each of G"] = 5
    k_often: Annotated[int, "updates of the critic in the warm-up, and in every `often`-th iteration"] = 100
    often: Annotated[int, "iterations of which one has `k_often` updates of the critic; 0: none has"] = 500
    warm_up: Annotated[int, "real images of the warm-up: 25 updates of G at 100 batches of 64; 0: none"] = 160_000

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.auto and not hasattr(self.D, "decode"):
            what = f"{type(self.D).__name__}: no decoder, and MMD GAN's critic is an autoencoder"
            raise GanzooError(what, "Play without: -c auto=0.")

    def optim(self, player: str) -> Optim:
        return rmsprop(self.lr)

    def d_updates(self) -> int:
        return self.k

    def phases(self) -> Sequence[Phase]:
        (main,) = super().phases()
        d_step, g_step = main.steps
        more = [Step(d_step.player, self.d_loss, every=self.often, repeat=self.k_often - self.k)] if self.often else []
        warm_up = Phase("warm_up", [replace(d_step, repeat=self.k_often), g_step], self.warm_up)
        return [*([warm_up] if self.warm_up else []), replace(main, steps=[*more, d_step, g_step])]

    def project(self) -> None:
        """The critic's weights back into their box."""
        for name, child in self.D.named_children():
            if name != "decoder":
                clip_weights(child, self.clip)

    def d_loss(self, batch: Batch) -> Terms:
        x = batch["x"]
        fake = self.fake(len(x))
        a, b = self.h(x), self.h(fake)
        terms = {"mmd": -mmd2(a, b).clamp(min=1e-12).sqrt(), "rank": -self.rank * one_sided(a, b)}
        return terms | (self.forgotten(x, fake, a, b) if self.auto else {})

    def forgotten(self, x: Tensor, fake: Tensor, a: Tensor, b: Tensor) -> Terms:
        """How badly pictures are drawn again from their outputs."""
        D: Any = self.D
        return {
            "auto_real": self.auto * mse_loss(D.decode(a), x),
            "auto_fake": self.auto * mse_loss(D.decode(b), fake),
        }

    def g_loss(self, batch: Batch) -> Terms:
        x = batch["x"]
        a, b = self.h(x), self.h(self.fake(len(x)))
        return {"mmd": mmd2(a, b).clamp(min=1e-12).sqrt(), "rank": self.rank * one_sided(a, b)}


def mmd2(a: Tensor, b: Tensor) -> Tensor:
    """mean k(a, a') + mean k(b, b') - 2 mean k(a, b), of points [N, F]: biased, each point beside itself too."""
    return kernel(a, a).mean() + kernel(b, b).mean() - 2 * kernel(a, b).mean()


def kernel(a: Tensor, b: Tensor) -> Tensor:
    """sum over sigma of exp(-|a - b|^2 / (2 sigma^2)).  [N, F], [M, F] -> [N, M]"""
    squares = (a[:, None] - b[None]).square().sum(2)
    return torch.stack([(-squares / (2 * sigma**2)).exp() for sigma in SIGMAS]).sum(0)


def one_sided(a: Tensor, b: Tensor) -> Tensor:
    """R = -mean over outputs of max(0, E b - E a), of points [N, F]: 0 where no output is lower on pictures."""
    return -relu(b.mean(0) - a.mean(0)).mean()
