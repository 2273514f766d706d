"""The game of EBGAN: a margin between the energies of pictures and of samples, and the pulling-away term."""

from __future__ import annotations

from typing import Annotated

from torch import Tensor
from torch.nn.functional import normalize, relu

from ganzoo_core.objectives import Batch, Optim, Terms, adam, to_float32
from ganzoo_energies.energy import EnergyGame


class EBGAN(EnergyGame):
    """Energy-based Generative Adversarial Networks (Zhao, Mathieu & LeCun 2016, arXiv:1609.03126).

    d = E(x) + max(0, m - E(G(z))),  g = E(G(z)) + lambda_PT f_PT(S)

    E is D's energy, the error of an autoencoder, m the margin, S = Enc(G(z)) the codes of a batch. With lambda_PT above
    0 it is EBGAN-PT.
    """

    batchwise = True  # the pulling-away term

    m: Annotated[float, "margin: samples with more energy than this are of no concern to D"] = 20.0
    pull: Annotated[float, "lambda_PT, weight of the pulling-away term; 0: EBGAN without it"] = 0.0
    d_lr: Annotated[float, "Adam's step for D"] = 1e-3
    lr: Annotated[float, "Adam's step for G"] = 2e-4

    def optim(self, player: str) -> Optim:
        return adam(self.d_lr if player == "D" else self.lr, self.b1, self.b2)

    def d_loss(self, batch: Batch) -> Terms:
        x = batch["x"]
        return {"real": self.energy(x).mean(), "fake": relu(self.m - self.energy(self.fake(len(x)))).mean()}

    def g_loss(self, batch: Batch) -> Terms:
        score, S = self.D.score_and_features(self.fake(len(batch["x"])))
        return {"energy": -score.mean(), "pull": self.pull * pulling_away(S)}


def pulling_away(S: Tensor) -> Tensor:
    """f_PT = 1 / (N (N - 1)) sum over i != j of cos(S_i, S_j)^2 of codes [N, F]: 0 where all are orthogonal, 1 where
    all are one; 0 of a single code."""
    u, N = normalize(to_float32(S), dim=1), len(S)
    cosines = u @ u.T
    return (cosines.square().sum() - cosines.diagonal().square().sum()) / max(N * (N - 1), 1)
