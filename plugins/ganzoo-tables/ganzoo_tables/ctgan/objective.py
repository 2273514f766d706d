"""CTGAN: a critic of packs of rows, whose conditions are drawn evenly and which G must keep to."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from ganzoo_core.objectives import Batch, Optim, Terms, TwoPlayer, adam, gradient_penalty, wasserstein
from ganzoo_tables.ctgan import networks


class CTGAN(TwoPlayer):
    """Modeling Tabular data using Conditional GAN (Xu et al. 2019, arXiv:1907.00503).

    d = E C(G(z, cond) + cond) - E C(r + cond) + lambda E (||grad C(r^ + cond)||_2 - 1)^2, C judges packs,
    g = -E C(G(z, cond) + cond) + E CE(m*, d^*): the category that was asked for must be there (Sec. 4.3).

    r is a row that satisfies cond: its column drawn uniformly, its value by log-frequency.
    """

    G: networks.G
    D: networks.D
    lr: Annotated[float, "Adam's step for both players"] = 2e-4
    b1: Annotated[float, "Adam's beta_1"] = 0.5
    b2: Annotated[float, "Adam's beta_2"] = 0.9
    decay: Annotated[float, "L2 penalty on all weights, in Adam's gradient"] = 1e-6
    gp: Annotated[float, "lambda, of the gradient penalty"] = 10.0
    k: Annotated[int, "updates of D for each of G"] = 1
    images: Annotated[int, "length in rows"] = 3_000_000

    needs = frozenset({"matching", "condition"})
    loss, batchwise, slopes = wasserstein, True, True

    def optim(self, player: str) -> Optim:
        return adam(self.lr, self.b1, self.b2, decay=self.decay)

    def d_updates(self) -> int:
        return self.k

    def d_loss(self, batch: Batch) -> Terms:
        m = self.asked(batch)
        cond = [one_hot(value, self.G.conditions).float() for value in m]
        real = torch.cat([self.G.transform.encode(batch["matching"]), *cond], 1)
        fake = torch.cat([self.made(len(real), m)[1], *cond], 1)
        packs = [networks.packed(x, self.D.pac) for x in (real, fake)]
        slope = self.gp * gradient_penalty(self.D.of_packs, *packs)
        return self.loss.d(*map(self.D.of_packs, packs)) | {"gp": slope}

    def g_loss(self, batch: Batch) -> Terms:
        m = self.asked(batch)
        logits, fake = self.made(len(batch["condition"]), m)
        cond = [one_hot(value, self.G.conditions).float() for value in m]
        terms = {"adv": self.loss.g(self.D(fake, *cond), None)}
        if m:
            terms["condition"] = -self.G.transform.log_chances(logits).gather(1, m[0][:, None]).mean()
        return terms

    def asked(self, batch: Batch) -> list[Tensor]:
        """The conditions [N], where the table has any."""
        return [batch["condition"]] if self.G.conditions else []

    def made(self, n: int, m: list[Tensor]) -> tuple[Tensor, Tensor]:
        """Fresh rows as logits and as D sees them, [n, W] both."""
        logits = self.G.logits(self.G.inputs["z"].draw(n, None, next(self.G.parameters()).device), *m)
        return logits, self.G.transform.activated(logits)
