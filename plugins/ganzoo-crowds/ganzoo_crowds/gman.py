"""GMAN: several discriminators, and a generator that hears their mean, the strictest of them, or what is between."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator
from ganzoo_core.objectives import Batch, Terms, TwoPlayerAdam, nonsaturating, to_float32
from ganzoo_crowds import networks as shared


class GMAN(TwoPlayerAdam):
    """Generative Multi-Adversarial Networks (Durugkar et al. 2016, arXiv:1611.01673).

    D_i:  -E log D_i(x) - E log(1 - D_i(G(z))), each on its own
    G:    sum_i w_i V_i,  w = softmax(lambda V), where V_i = -E log D_i(G(z)) is what G loses to D_i

    lambda = 0 is the mean of all, a forgiving teacher; lambda -> infinity the hardest of them. With c > 0, GMAN*, G
    chooses lambda itself, and is paid c lambda: where all D_i agree, harder ones cost it nothing.
    """

    D: Several
    lam: Annotated[float, "lambda, 0 or more: how much G hears the hardest of the D_i; in GMAN* the first one"] = 1.0
    c: Annotated[float, "what G is paid for lambda, which it then chooses (GMAN*); 0: lambda stays"] = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if not hasattr(self.D, "judges"):
            raise GanzooError(f"gman: {type(self.D).__name__} is one discriminator", "It plays on networks of its own.")
        if self.lam < 0 or (self.c and not self.lam):
            raise GanzooError(f"lam {self.lam}: lambda is no such number", "Choose 0 or more; above 0 where c is.")
        self.strictness = Strictness(self.lam)

    def nets(self, player: str) -> Sequence[nn.Module]:
        if player == "D":
            return [self.D]
        return [self.G, self.strictness] if self.c else [self.G]

    def d_loss(self, batch: Batch) -> Terms:
        """The sum of what each D_i pays: none hears of the others."""
        x = batch["x"]
        real, fake = self.D.score_and_features(x)[1], self.D.score_and_features(self.fake(len(x)))[1]
        return {name: self.D.n * term for name, term in nonsaturating.d(real, fake).items()}

    def g_loss(self, batch: Batch) -> Terms:
        scores = to_float32(self.D.score_and_features(self.fake(len(batch["x"])))[1])  # [N, n]
        lam = self.strictness()
        paid = {"strict": -self.c * lam} if self.c else {}
        return {"adv": mixed(softplus(-scores).mean(0), lam), "lambda": lam.detach()} | paid


def mixed(V: Tensor, lam: Tensor) -> Tensor:
    """The mean of V weighted by softmax(lambda V), through which gradients go as well.  [n], [] -> []"""
    return ((lam * V).softmax(0) * V).sum()


class Strictness(nn.Module):
    """lambda = softplus(raw) >= 0."""

    def __init__(self, lam: float) -> None:
        super().__init__()
        self.raw = nn.Parameter(torch.tensor(lam + math.log(-math.expm1(-lam)) if lam else -torch.inf))

    def forward(self) -> Tensor:
        return softplus(self.raw)


class Several(Discriminator):
    """D_1 .. D_n, which share nothing. Their score together is the mean."""

    def __init__(self, form: shared.Form, n: int) -> None:
        super().__init__()
        self.n = n
        self.judges = nn.ModuleList(shared.D(form) for _ in range(n))

    def forward(self, x: Tensor) -> Tensor:  # -> [N]
        return self.score_and_features(x)[0]

    def features(self, x: Tensor) -> Tensor:
        """The score of each.  [N, n]"""
        return torch.stack([judge(x) for judge in self.judges], 1)

    def score_and_features(self, x: Tensor) -> tuple[Tensor, Tensor]:
        scores = self.features(x)
        return scores.mean(1), scores


def networks(
    *,
    discriminators: Annotated[int, "n, how many discriminators, 1 or more"] = 5,
    layers: shared.LayersArg = "dcgan",
    image_size: shared.SideArg = 32,
    channels: shared.ChannelsArg = 3,
    width: shared.WidthArg = 64,
    z_dim: shared.LatentArg = 100,
    norm: shared.NormArg = "batch",
    scale: shared.ScaleArg = 1.0,
) -> dict[str, nn.Module]:
    """The generator G, and the discriminators as one D."""
    if discriminators < 1:
        raise GanzooError(f"discriminators {discriminators}: is no number of them", "Choose 1 or more.")
    form = shared.Form(layers, image_size, channels, width, z_dim, norm, scale)
    return {"G": shared.G(form), "D": Several(form, discriminators)}
