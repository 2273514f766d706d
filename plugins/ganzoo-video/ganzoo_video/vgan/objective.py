"""The game of VGAN: Goodfellow's, of clips, and a mask that should be sparse."""

from __future__ import annotations

from typing import Annotated

from ganzoo_core.errors import GanzooError
from ganzoo_core.objectives import Batch, Terms, TwoPlayerAdam
from ganzoo_video.vgan.networks import TwoStream
from ganzoo_video.windows import window


class VGAN(TwoPlayerAdam):
    """Generating Videos with Scene Dynamics (Vondrick et al. 2016, arXiv:1609.02612).

    Eq. 1, with -log D(G(z)) for G; and lambda |m(z)|_1, so that the background explains what it can (Eq. 3).
    """

    G: TwoStream

    lam: Annotated[float, "lambda, the weight of |m|_1, a mean over the mask"] = 0.1
    images: Annotated[int, "length in real clips"] = 3_000_000

    needs = frozenset({"video"})

    def __post_init__(self) -> None:
        super().__post_init__()
        if not isinstance(self.G, TwoStream):
            raise GanzooError("vgan: needs a generator with a mask", "Take its own networks.")

    def d_loss(self, batch: Batch) -> Terms:
        x = window(batch["video"], self.G.output.shape[0] or 1)
        return self.loss.d(self.D(x), self.D(self.fake(len(x))))

    def g_loss(self, batch: Batch) -> Terms:
        made = self.G.streams(self.G.prior(len(batch["video"])))
        return {"adv": self.loss.g(self.D(made.video), None), "mask": self.lam * made.mask.abs().mean()}
