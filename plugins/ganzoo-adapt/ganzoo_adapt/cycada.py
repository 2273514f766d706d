"""The game of CyCADA: CycleGAN's, in which a digit must stay the digit that it is, and then features' as well."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
from ganzoo_cyclegan.objective import CycleGAN
from torch import Tensor

from ganzoo_adapt.features import Classifier
from ganzoo_core.nn import Discriminator, evaluation_mode
from ganzoo_core.objectives import Batch, Phase, Player, Step, Terms, adam, nonsaturating


class CyCADA(CycleGAN):
    """CyCADA: Cycle-Consistent Adversarial Domain Adaptation (Hoffman et al. 2018, arXiv:1711.03213).

    The source is a with its labels y, the target b; G is the paper's G_S->T, F G_T->S, S f_S, T f_T, and D_f D_feat.
    S learns the source; G and F learn to translate so that S says the same before and after; T learns what G makes of
    the source; at last D_f must not tell T's features of that from those of the target.
    """

    T: Classifier
    S: Classifier
    D_f: Discriminator

    identity: Annotated[
        float, "weight, as a part of lambda, of leaving alone what is of the domain already; 0: none"
    ] = 0.0
    sem: Annotated[float, "weight of what S says, before and after"] = 1.0
    feature: Annotated[float, "weight of D_f's verdict on T"] = 1.0
    t_lr: Annotated[float, "Adam's step for the classifiers"] = 1e-3
    f_lr: Annotated[float, "Adam's step for D_f, and for T while they play"] = 1e-4
    images_s: Annotated[int, "pictures from which S learns"] = 1_000_000
    images: Annotated[int, "length of the translators' game"] = 2_000_000
    images_t: Annotated[int, "pictures that G has made, from which T learns"] = 1_000_000
    images_f: Annotated[int, "length of the game of features"] = 1_000_000

    needs = frozenset({"a", "b", "label"})
    exported = ("G", "F", "T", "S")

    def phases(self) -> Sequence[Phase]:
        (translate,) = super().phases()
        S, T = (Player(name, [net], adam(self.t_lr, 0.9)) for name, net in (("S", self.S), ("T", self.T)))
        D, moved = (Player(name, [net], adam(self.f_lr, 0.5)) for name, net in (("D_f", self.D_f), ("T", self.T)))
        return [
            Phase("source", [Step(S, self.s_loss)], self.images_s),
            translate,
            Phase("task", [Step(T, self.t_loss)], self.images_t),
            Phase("features", [Step(D, self.d_f_loss), Step(moved, self.f_loss)], self.images_f),
        ]

    def s_loss(self, batch: Batch) -> Terms:
        """L_task(f_S, a, y) (Eq. 1)."""
        return {"source": self.S.loss(batch["a"], batch["label"])}

    def g_loss(self, batch: Batch) -> Terms:
        """CycleGAN's (Eqs. 2, 3), and L_sem (Eq. 4): CE(S(G(a)), p(S, a)) + CE(S(F(b)), p(S, b)), p the likeliest."""
        a, b = batch["a"], batch["b"]
        semantics = self.said(self.G(a), a) + self.said(self.F(b), b)
        return super().g_loss(batch) | {"sem": self.sem * semantics}

    def said(self, after: Tensor, before: Tensor) -> Tensor:
        """CE(S(after), p(S, before)); S, which has learnt, stands still."""
        with evaluation_mode(self.S):
            with torch.no_grad():
                label = self.S.logits(before).argmax(1)
            return self.S.loss(after, label)

    def t_loss(self, batch: Batch) -> Terms:
        """L_task(f_T, G(a), y)."""
        return {"task": self.T.loss(self.G(batch["a"]), batch["label"])}

    def d_f_loss(self, batch: Batch) -> Terms:
        """- E log D_f(F_T(G(a))) - E log(1 - D_f(F_T(b))), F_T the encoder of T."""
        of_a, of_b = (self.T.encoder(x) for x in (self.G(batch["a"]), batch["b"]))
        return nonsaturating.d(self.D_f(of_a), self.D_f(of_b))

    def f_loss(self, batch: Batch) -> Terms:
        """L_task(f_T, G(a), y) - E log D_f(F_T(b)): T keeps what it knows."""
        verdict = nonsaturating.g(self.D_f(self.T.encoder(batch["b"])), None)
        return self.t_loss(batch) | {"adv": self.feature * verdict}
