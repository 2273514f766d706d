"""The game of RCGAN: x is a series, y its label, z noise at each step; D judges every step."""

from __future__ import annotations

from typing import Annotated

from torch import Tensor

from ganzoo_core.nn import Label
from ganzoo_core.objectives import Batch, Optim, Terms, TwoPlayer, adam, sgd


class RCGAN(TwoPlayer):
    """Real-valued (Medical) Time Series Generation with Recurrent Conditional GANs (Esteban et al. 2017, 1706.02633).

    Cross-entropy at every step, all steps of a series with one verdict; where G takes labels, D sees them too.
    """

    lr: Annotated[float, "Adam's step for G"] = 1e-3
    d_lr: Annotated[float, "the step of D's gradient descent"] = 0.1
    k: Annotated[int, "updates of D for each of G"] = 3
    images: Annotated[int, "length in series"] = 5_000_000

    def __post_init__(self) -> None:
        super().__post_init__()
        labels = {name for name, declared in self.G.inputs.items() if isinstance(declared, Label)}
        self.needs = frozenset({"series"}) | labels

    def optim(self, player: str) -> Optim:
        return sgd(self.d_lr) if player == "D" else adam(self.lr, 0.9)

    def d_updates(self) -> int:
        return self.k

    def d_loss(self, batch: Batch) -> Terms:
        """- E over series and steps of log D(x, y) + log(1 - D(G(z, y), y))."""
        x, labels = batch["series"], self.labels(batch)
        return self.loss.d(self.D(x, *labels), self.D(self.fake(len(x), *labels), *labels))

    def g_loss(self, batch: Batch) -> Terms:
        """- E over series and steps of log D(G(z, y), y)."""
        labels = self.labels(batch)
        return {"adv": self.loss.g(self.D(self.fake(len(batch["series"]), *labels), *labels), None)}

    def labels(self, batch: Batch) -> list[Tensor]:
        """y, where there is one."""
        return [batch[name] for name in sorted(self.needs - {"series"})]
