"""medGAN: an autoencoder first; then G makes what its decoder turns into records, and the decoder goes on learning."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy

from ganzoo_core.objectives import Batch, Optim, Phase, Player, Step, Terms, TwoPlayer, adam, nonsaturating
from ganzoo_tables.medgan import codes, networks


class MedGAN(TwoPlayer):
    """Generating Multi-label Discrete Patient Records using GANs (Choi et al. 2017, arXiv:1703.06490).

    First E sum -x log x' - (1 - x) log(1 - x'), x' = Dec(Enc(x)); then
    d = -E log D(x, mean x) - E log(1 - D(x_z, mean x_z)),  g = -E log D(x_z, mean x_z),  x_z = Dec(G(z)),
    where g moves G and Dec.
    """

    G: networks.G
    Enc: nn.Module
    D: networks.D
    lr: Annotated[float, "Adam's step for all players"] = 1e-3
    decay: Annotated[float, "L2 penalty on all weights, in Adam's gradient"] = 1e-3
    k: Annotated[int, "updates of D for each of G"] = 2
    images: Annotated[int, "length of the game in rows"] = 5_000_000
    pretrain: Annotated[int, "rows that the autoencoder learns from before"] = 1_000_000
    pretrain_batch: Annotated[int, "rows of a batch of the autoencoder's"] = 100

    needs = frozenset({"row"})
    loss, batchwise = nonsaturating, True

    def optim(self, player: str) -> Optim:
        return adam(self.lr, 0.9, decay=self.decay)

    def d_updates(self) -> int:
        return self.k

    def phases(self) -> Sequence[Phase]:
        auto = Player("AE", [self.Enc, self.G.dec], self.optim("AE"))
        data = {"batch_size": self.pretrain_batch}
        return [Phase("pretrain", [Step(auto, self.ae_loss)], self.pretrain, data), *super().phases()]

    def ae_loss(self, batch: Batch) -> Terms:
        x = codes.encode(self.G.columns, batch["row"])
        again = self.G.decoded(self.Enc(x))
        return {"reconstruction": binary_cross_entropy(again, x, reduction="sum") / len(x)}

    def d_loss(self, batch: Batch) -> Terms:
        return super().d_loss({"x": codes.encode(self.G.columns, batch["row"])})

    def g_loss(self, batch: Batch) -> Terms:
        return super().g_loss({"x": batch["row"]})

    def fake(self, n: int, *conditions: Tensor) -> Tensor:
        """Dec(G(z)).  [n, W]"""
        return self.G.soft(self.G.prior(n))
