"""The game of MUNIT: pictures of both domains share contents, and each domain has styles of its own."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor
from torch.nn.functional import l1_loss

from ganzoo_core.objectives import Batch, Terms
from ganzoo_couples import munit_networks as networks
from ganzoo_couples.unit import TwoAutoencoders

PREVIEW = 16  # pictures of each domain that are translated for the progress grid
DRAWN = 3  # times each


class MUNIT(TwoAutoencoders):
    """Multimodal Unsupervised Image-to-Image Translation (Huang et al. 2018, arXiv:1804.04732).

    A content c and a style s make a picture; translated, it keeps c, and s ~ N(0, I) is of the other domain.
    """

    G: networks.G
    F: networks.G
    lam_s: Annotated[float, "weight of finding the style of a translation again"] = 1.0
    lam_c: Annotated[float, "weight of finding the content of a translation again"] = 1.0
    lam_cycle: Annotated[float, "weight of the way there and back, in its own style; 0: none"] = 0.0

    def translated(self, x: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
        s_x, s_y = self.F.prior(len(y)), self.G.prior(len(x))
        return self.F(y, s_x), self.G(x, s_y)

    def g_loss(self, batch: Batch) -> Terms:
        """Pictures from their own content and style; contents and styles from translations; translations that please.

        E^c_x and E^s_y are parts of G, E^c_y and E^s_x of F.
        """
        x, y = batch["a"], batch["b"]
        c_x, c_y, own_x, own_y = self.G.content(x), self.F.content(y), self.F.style(x), self.G.style(y)
        s_x, s_y = self.F.prior(len(y)), self.G.prior(len(x))
        fake_x, fake_y = self.F.decode(c_y, s_x), self.G.decode(c_x, s_y)
        back_x, back_y = self.F.content(fake_y), self.G.content(fake_x)
        terms = {
            **self.pleased(fake_x, fake_y),
            "rec_x": self.lam_x * l1_loss(self.F.decode(c_x, own_x).float(), x),
            "rec_y": self.lam_x * l1_loss(self.G.decode(c_y, own_y).float(), y),
            "s_x": self.lam_s * l1_loss(self.F.style(fake_x).float(), s_x),
            "s_y": self.lam_s * l1_loss(self.G.style(fake_y).float(), s_y),
            "c_x": self.lam_c * l1_loss(back_x.float(), c_x.float()),
            "c_y": self.lam_c * l1_loss(back_y.float(), c_y.float()),
        }
        if self.lam_cycle:
            terms |= {
                "cycle_x": self.lam_cycle * l1_loss(self.F.decode(back_x, own_x).float(), x),
                "cycle_y": self.lam_cycle * l1_loss(self.G.decode(back_y, own_y).float(), y),
            }
        return terms

    @torch.no_grad()
    def sample(self, batch: Batch) -> dict[str, Tensor]:
        """Pictures of each domain, and what they are in the other in several styles."""
        shown = dict[str, Tensor]()
        for key, name in (("a", "G"), ("b", "F")):
            pictures, net = batch[key][:PREVIEW], self.exported_networks()[name]
            assert isinstance(net, networks.G)
            drawn = {f"{name}{i}": net.sample(len(pictures), seed=i, **{key: pictures}) for i in range(DRAWN)}
            shown |= {key: pictures} | drawn
        return shown
