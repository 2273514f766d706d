"""The game of ADDA: first the source is learnt, then another encoder learns to make features of the same kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from ganzoo_adapt.features import Classifier
from ganzoo_core.nn import Discriminator
from ganzoo_core.objectives import Batch, Objective, Phase, Player, Step, Terms, adam, nonsaturating


class ADDA(Objective):
    """Adversarial Discriminative Domain Adaptation (Tzeng, Hoffman, Saenko, Darrell 2017, arXiv:1702.05464).

    M_s and C are S's encoder and head, M_t and C are T's: T begins as S, and only its encoder moves.
    """

    T: Classifier
    S: Classifier
    D: Discriminator

    source_lr: Annotated[float, "Adam's step for what is learnt from the source"] = 1e-3
    lr: Annotated[float, "Adam's step for D"] = 2e-4
    t_lr: Annotated[float, "Adam's step for the target's encoder"] = 2e-4
    images_s: Annotated[int, "pictures of the source, from which S learns: 10,000 batches of 128"] = 1_280_000
    images: Annotated[int, "length of the game in pictures of the source: 10,000 batches of 128"] = 1_280_000

    needs = frozenset({"a", "b", "label"})
    exported = ("T", "S")

    def phases(self) -> Sequence[Phase]:
        S = Player("S", [self.S], adam(self.source_lr, 0.9))
        D, T = Player("D", [self.D], adam(self.lr, 0.5)), Player("T", [self.T.encoder], adam(self.t_lr, 0.5))
        return [
            Phase("source", [Step(S, self.s_loss)], self.images_s),
            Phase("adapt", [Step(D, self.d_loss), Step(T, self.t_loss)], self.images, on_start=self.begin),
        ]

    def begin(self) -> None:
        """M_t begins as M_s (Sec. 3.3), and C stays what it is."""
        self.T.load_state_dict(self.S.state_dict())

    def s_loss(self, batch: Batch) -> Terms:
        """CE(C(M_s(a)), y) (Eq. 9, first line)."""
        return {"source": self.S.loss(batch["a"], batch["label"])}

    def d_loss(self, batch: Batch) -> Terms:
        """- E log D(M_s(a)) - E log(1 - D(M_t(b))) (Eq. 9, second line)."""
        return nonsaturating.d(self.D(self.S.encoder(batch["a"])), self.D(self.T.encoder(batch["b"])))

    def t_loss(self, batch: Batch) -> Terms:
        """- E log D(M_t(b)): inverted labels (Eq. 9, third line)."""
        return {"adv": nonsaturating.g(self.D(self.T.encoder(batch["b"])), None)}
