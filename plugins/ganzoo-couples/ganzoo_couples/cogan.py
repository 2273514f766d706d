"""The game of CoGAN: two GANs that share weights, each on a domain of its own, and no pairs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
from torch import Tensor

from ganzoo_core.nn import Discriminator
from ganzoo_core.objectives import Batch, Objective, Phase, Player, Step, Terms, adam, nonsaturating
from ganzoo_couples.cogan_networks import G

PREVIEW = 16  # couples in the progress grid


class CoGAN(Objective):
    """Coupled Generative Adversarial Networks (Liu & Tuzel 2016, arXiv:1606.07536).

    min_G max_D E log f_a(x_a) + E log(1 - f_a(g_a(z))) + E log f_b(x_b) + E log(1 - f_b(g_b(z))): only the weights
    that g_a and g_b share tie the two together.
    """

    G: G
    D: Discriminator
    lr: Annotated[float, "Adam's step for both players"] = 2e-4
    decay: Annotated[float, "of all weights, within Adam"] = 5e-4
    images: Annotated[int, "length in pictures of each domain: 5,000 batches of 64"] = 320_000

    needs = frozenset({"a", "b"})

    def phases(self) -> Sequence[Phase]:
        optim = adam(self.lr, decay=self.decay)
        D, G = Player("D", [self.D], optim), Player("G", [self.G], optim)
        return [Phase("main", [Step(D, self.d_loss), Step(G, self.g_loss)], self.images)]

    def scores(self, a: Tensor, b: Tensor) -> tuple[Tensor, ...]:
        """f_a(a) and f_b(b), in one pass.  [N, C, H, W] each -> [N] each"""
        domain = torch.arange(2, device=a.device).repeat_interleave(len(a))
        return self.D(torch.cat([a, b]), domain).chunk(2)

    def drawn(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """g_a(z) and g_b(z): as many couples as there are pictures."""
        return self.G.couple(self.G.prior(len(batch["a"])))

    def d_loss(self, batch: Batch) -> Terms:
        """-E log f(x) - E log(1 - f(g(z))) of both domains: cross-entropy over real and fake."""
        real, fake = self.scores(batch["a"], batch["b"]), self.scores(*self.drawn(batch))
        each = [nonsaturating.d(r, f) for r, f in zip(real, fake, strict=True)]
        return {f"{key}_{name}": v for key, terms in zip("ab", each, strict=True) for name, v in terms.items()}

    def g_loss(self, batch: Batch) -> Terms:
        """-E log f_a(g_a(z)) - E log f_b(g_b(z))."""
        a, b = self.scores(*self.drawn(batch))
        return {"a": nonsaturating.g(a, None), "b": nonsaturating.g(b, None)}

    @torch.no_grad()
    def sample(self, batch: Batch) -> dict[str, Tensor]:
        """Couples: the same z in both domains."""
        net, n = self.exported_networks()["G"], min(len(batch["a"]), PREVIEW)
        assert isinstance(net, G)
        return {key: net.sample(n, seed=0, domain=i) for i, key in enumerate("ab")}
