"""The game of GANomaly: normal pictures are made again, and so are their codes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from torch.nn.functional import l1_loss, mse_loss

from ganzoo_core.objectives import Batch, Objective, Phase, Player, Step, Terms, adam, nonsaturating
from ganzoo_structure import ganomaly_networks as networks


class GANomaly(Objective):
    """GANomaly: Semi-Supervised Anomaly Detection via Adversarial Training (Akcay et al. 2018, arXiv:1805.06725).

    x is a normal picture, z its code, x' what the decoder makes of that, z' the code of x'.
    """

    G: networks.G
    D: networks.D
    w_adv: Annotated[float, "weight of D's features"] = 1.0
    w_con: Annotated[float, "weight of the pictures"] = 50.0
    w_enc: Annotated[float, "weight of the codes"] = 1.0
    lr: Annotated[float, "Adam's step for both players"] = 2e-4
    b1: Annotated[float, "Adam's beta_1"] = 0.5
    images: Annotated[int, "length in real images: 15 epochs of MNIST without a digit"] = 810_000

    def phases(self) -> Sequence[Phase]:
        D, G = Player("D", [self.D], adam(self.lr, self.b1)), Player("G", [self.G], adam(self.lr, self.b1))
        return [Phase("main", [Step(G, self.g_loss), Step(D, self.d_loss)], self.images)]

    def d_loss(self, batch: Batch) -> Terms:
        """Half of -E log D(x) - E log(1 - D(x'))."""
        x = batch["x"]
        terms = nonsaturating.d(self.D(x), self.D(self.G(x)))
        return {name: value / 2 for name, value in terms.items()}

    def g_loss(self, batch: Batch) -> Terms:
        """w_adv |f(x) - f(x')|^2 + w_con |x - x'|_1 + w_enc |z - z'|^2: means over all numbers."""
        x = batch["x"]
        made, z, z_again = self.G.codes(x)
        return {
            "adv": self.w_adv * mse_loss(self.D.features(made), self.D.features(x)),
            "con": self.w_con * l1_loss(made, x),
            "enc": self.w_enc * mse_loss(z_again, z),
        }
