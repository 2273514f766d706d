"""The games of ContraGAN and ReACGAN: pictures are compared with each other and with their class."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Annotated

from ganzoo_biggan.objective import with_standing
from ganzoo_sngan.objective import Hinge
from torch import Tensor, nn
from torch.nn.functional import normalize

from ganzoo_classes import losses
from ganzoo_core.objectives import Batch, Optim, Terms, adam, hinge


class Contrasting(Hinge):
    """The hinge, and for both players a term on what E makes of D's features: of real ones for D, of fakes for G."""

    batchwise = True

    E: nn.Module
    P: nn.Module
    lam: Annotated[float, "lambda, the weight of the comparison"] = 1.0
    n_dis: Annotated[int, "updates of D for each of G"] = 5
    lr: Annotated[float, "Adam's step for both players"] = 2e-4
    b1: Annotated[float, "Adam's beta_1"] = 0.5
    b2: Annotated[float, "Adam's beta_2"] = 0.999
    standing: Annotated[int, "batches of samples for the statistics of what is published"] = 100
    images: Annotated[int, "length in real images: 100,000 updates of G at 5 batches of 64"] = 32_000_000

    def optim(self, player: str) -> Optim:
        return adam(self.lr, self.b1, self.b2)

    def nets(self, player: str) -> Sequence[nn.Module]:
        return [self.D, self.E, self.P] if player == "D" else [self.G]

    @abstractmethod
    def compared(self, h: Tensor, w: Tensor, y: Tensor) -> Tensor:
        """What embeddings h and proxies w [N, d] of length 1 cost."""

    def d_loss(self, batch: Batch) -> Terms:
        x, y = batch["x"], batch["label"]
        r, h = self.D.score_and_features(x)
        return hinge.d(r, self.D(self.fake(len(y), y))) | {"compared": self.lam * self.of(h, y)}

    def g_loss(self, batch: Batch) -> Terms:
        y = batch["label"]
        s, h = self.D.score_and_features(self.fake(len(y), y))
        return {"adv": hinge.g(s, None), "compared": self.lam * self.of(h, y)}

    def of(self, h: Tensor, y: Tensor) -> Tensor:
        return self.compared(normalize(self.E(h).float()), normalize(self.P(y).float()), y)

    def exported_networks(self) -> dict[str, nn.Module]:
        """G with standing statistics, as BigGAN's."""
        return {name: with_standing(net, self.standing) for name, net in super().exported_networks().items()}


class ContraGAN(Contrasting):
    """ContraGAN: Contrastive Learning for Conditional Image Generation (Kang & Park 2020, arXiv:2006.12681), 2C."""

    t: Annotated[float, "temperature"] = 1.0

    def compared(self, h: Tensor, w: Tensor, y: Tensor) -> Tensor:
        return losses.two_c(h, w, y, self.t)


class ReACGAN(Contrasting):
    """Rebooting ACGAN: Auxiliary Classifier GANs with Stable Training (Kang et al. 2021, arXiv:2111.01118), D2D-CE."""

    lam: Annotated[float, "lambda, the weight of the comparison"] = 0.5
    t: Annotated[float, "temperature"] = 0.5
    m_p: Annotated[float, "how near to its proxy a picture is near enough; m_n = 1 - m_p"] = 0.98
    lr: Annotated[float, "Adam's step for both players"] = 2.83e-4

    def compared(self, h: Tensor, w: Tensor, y: Tensor) -> Tensor:
        return losses.d2d_ce(h, w, y, self.t, self.m_p)
