"""The game of Projected GANs: hinge, over the scores of all places of all maps."""

from __future__ import annotations

from typing import Annotated

from ganzoo_core.objectives import Optim, TwoPlayer, adam, hinge


class ProjectedGAN(TwoPlayer):
    """Projected GANs Converge Faster (Sauer et al. 2021, arXiv:2111.01007).

    d = sum_l E max(0, 1 - D_l(P_l(x))) + E max(0, 1 + D_l(P_l(G(z)))),  g = -sum_l E D_l(P_l(G(z)))

    P_l, a frozen network and random mixing, is part of D; the sums are means over all scores.
    """

    loss = hinge
    d_lr: Annotated[float, "Adam's step for D"] = 2e-4
    g_lr: Annotated[float, "Adam's step for G: narrow ones want a longer one"] = 2e-4
    b1: Annotated[float, "Adam's beta_1"] = 0.0
    b2: Annotated[float, "Adam's beta_2"] = 0.99
    images: Annotated[int, "length in real images"] = 10_000_000

    def optim(self, player: str) -> Optim:
        return adam(self.d_lr if player == "D" else self.g_lr, self.b1, self.b2)
