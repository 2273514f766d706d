"""The game of Projected GANs: hinge, over the scores of all places of all maps."""

from __future__ import annotations

from typing import Annotated

from ganzoo_core.objectives import TwoPlayerAdam, hinge


class ProjectedGAN(TwoPlayerAdam):
    """Projected GANs Converge Faster (Sauer et al. 2021, arXiv:2111.01007).

    d = sum_l E max(0, 1 - D_l(P_l(x))) + E max(0, 1 + D_l(P_l(G(z)))),  g = -sum_l E D_l(P_l(G(z)))

    P_l, a frozen network and random mixing, is part of D; the sums are means over all scores.
    """

    loss, b1, b2 = hinge, 0.0, 0.99
    images: Annotated[int, "length in real images"] = 10_000_000
