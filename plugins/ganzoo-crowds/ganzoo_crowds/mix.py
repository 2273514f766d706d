"""MIX+GAN: several generators against several discriminators, each side a mixture whose weights are learnt as well."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot, softplus

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Generator, Input, Latent
from ganzoo_core.objectives import Batch, Terms, TwoPlayerAdam, to_float32
from ganzoo_crowds import networks as shared
from ganzoo_crowds.gman import Several


class MixGAN(TwoPlayerAdam):
    """Generalization and Equilibrium in Generative Adversarial Nets (Arora et al. 2017, arXiv:1703.00573), MIX+GAN.

    D:  sum_ij w_i v_j (-E log D_j(x) - E log(1 - D_j(G_i(z)))) + lambda R(v)
    G:  sum_ij w_i v_j (-E log D_j(G_i(z))) + lambda R(w)

    w and v are softmaxes that their sides learn; R(w) = -1/T sum_i log w_i, so that none of the T is given up. With
    mixtures a finite game has an equilibrium, if only nearly (Thm. 4.2).
    """

    G: Generators
    D: Judges
    lam: Annotated[float, "lambda, the weight of R: 0 lets mixtures end with one of them"] = 0.01

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.G, Generators) or not hasattr(self.D, "judges"):
            raise GanzooError("mix_gan: needs mixtures of networks", "It plays on networks of its own.")

    def d_loss(self, batch: Batch) -> Terms:
        x = batch["x"]
        real, fake = softplus(-self.scores(x)).mean(0), self.by_generator(softplus(self.scores(self.fake(len(x)))))
        w, v = self.G.weights(), self.D.weights()
        return {"real": real @ v, "fake": w @ fake @ v, "even": self.lam * unevenness(v)}

    def g_loss(self, batch: Batch) -> Terms:
        lost = self.by_generator(softplus(-self.scores(self.fake(len(batch["x"])))))
        w, v = self.G.weights(), self.D.weights()
        return {"adv": w @ lost @ v, "even": self.lam * unevenness(w)}

    def scores(self, x: Tensor) -> Tensor:
        """What each D_j says.  [N, T]"""
        return to_float32(self.D.score_and_features(x)[1])

    def by_generator(self, each: Tensor) -> Tensor:
        """Means over the samples of each generator, which lie in its turn.  [N, T] -> [K, T]"""
        turns = one_hot(shared.turns(len(each), self.G.K, each.device), self.G.K).to(each.dtype)  # [N, K]
        return (turns / turns.sum(0)).T @ each

    def fake(self, n: int, *conditions: Tensor) -> Tensor:
        """As many of each generator, whatever its weight."""
        return self.G.each(self.G.priors(n)["z"])


def unevenness(w: Tensor) -> Tensor:
    """R(w) = -1/T sum_i log w_i: log T where all are equal, and more elsewhere.  [T] -> []"""
    return -w.log().mean()


class Weights(nn.Module):
    """A softmax of T numbers, equal at first."""

    def __init__(self, T: int) -> None:
        super().__init__()
        self.alpha = nn.Parameter(torch.zeros(T))

    def forward(self) -> Tensor:
        return self.alpha.softmax(0)


class Generators(Generator):
    """G_1 .. G_K, which share nothing; `which` ~ U(0, 1) falls into the share w_i of one of them."""

    def __init__(self, form: shared.Form, K: int) -> None:
        super().__init__()
        self.inputs: dict[str, Input] = {"z": Latent((form.z_dim,)), "which": Latent((1,), range=(0.0, 1.0))}
        self.output, self.K = form.output, K
        self.own, self.weights = nn.ModuleList(form.making() for _ in range(K)), Weights(K)

    def forward(self, z: Tensor, which: Tensor) -> Tensor:  # [N, z_dim], [N, 1]
        i = (which > self.weights().cumsum(0)[:-1].to(which.dtype)).sum(1)
        return shared.chosen(self.own, z, i)

    def each(self, z: Tensor) -> Tensor:
        """The samples of `turns`."""
        return shared.in_turn(list(self.own), z)


class Judges(Several):
    """D_1 .. D_T. Their score together is the mean by their weights."""

    def __init__(self, form: shared.Form, n: int) -> None:
        super().__init__(form, n)
        self.weights = Weights(n)

    def score_and_features(self, x: Tensor) -> tuple[Tensor, Tensor]:
        scores = self.features(x)
        return scores @ self.weights().to(scores.dtype), scores


def networks(
    *,
    players: Annotated[int, "T, how many generators, and how many discriminators, 1 or more"] = 3,
    layers: shared.LayersArg = "dcgan",
    image_size: shared.SideArg = 32,
    channels: shared.ChannelsArg = 3,
    width: shared.WidthArg = 64,
    z_dim: shared.LatentArg = 100,
    norm: shared.NormArg = "batch",
    scale: shared.ScaleArg = 1.0,
) -> dict[str, nn.Module]:
    """The generators as one G, and the discriminators as one D."""
    if players < 1:
        raise GanzooError(f"players {players}: is no number of them", "Choose 1 or more.")
    form = shared.Form(layers, image_size, channels, width, z_dim, norm, scale)
    return {"G": Generators(form, players), "D": Judges(form, players)}
