"""The game of StackGAN: words, then Stage I, then Stage II, each left alone by the next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
from torch import Tensor
from torch.nn.functional import adaptive_avg_pool2d, softplus

from ganzoo_core.nn import Generator
from ganzoo_core.objectives import Batch, Phase, Player, Step, Terms, adam, to_float32
from ganzoo_stackgan import networks
from ganzoo_stackgan.stages import D
from ganzoo_stackgan.words import ImageEncoder, Spoken, shifted

SHOWN = 16


class StackGAN(Spoken):
    """StackGAN: Text to Photo-realistic Image Synthesis (Zhang et al. 2017, arXiv:1612.03242), Secs. 3.3 and 3.4.

    x is a picture, e the embedding of its words, c the condition drawn around mu(e). D sees mu(e).
    """

    G: networks.G
    D1: D
    D2: D
    V: ImageEncoder
    lam: Annotated[float, "lambda, the weight of the KL term; 1 in the paper, 2 in the authors' code"] = 2.0
    lr: Annotated[float, "Adam's step for all; it is halved `halvings` times in each stage"] = 2e-4
    halvings: Annotated[int, "every 100 of 600 epochs"] = 6
    words_lr: Annotated[float, "Adam's step while words are learnt"] = 1e-3
    words_images: Annotated[int, "length of that phase; 0: embeddings are given"] = 1_000_000
    stage1_images: Annotated[int, "length of Stage I: 600 epochs of COCO"] = 50_000_000
    images: Annotated[int, "length of Stage II"] = 50_000_000

    def phases(self) -> Sequence[Phase]:
        D1, G1, D2, G2 = (
            Player(name, [net], adam(self.lr), {"lr": self.halved})
            for name, net in (("D1", self.D1), ("G1", self.G.G1), ("D2", self.D2), ("G2", self.G.G2))
        )
        stages = [
            Phase("stage1", [Step(D1, self.d1_loss), Step(G1, self.g1_loss)], self.stage1_images),
            Phase("stage2", [Step(D2, self.d2_loss), Step(G2, self.g2_loss)], self.images),
        ]
        return [*self.words_phase(self.words_lr, self.words_images), *stages]

    def halved(self, u: float) -> float:
        return 0.5 ** min(int(u * self.halvings), self.halvings)

    def d1_loss(self, batch: Batch) -> Terms:
        """Eq. 3, with pairs that do not belong together as in GAN-CLS: (x, e), (G1(z, c), e), (x, e')."""
        x, e = self.seen(batch["x"]), self.G.T(batch["text"])
        fake, mu, _ = self.G.G1(e, self.G.prior(len(e)))
        h, h_fake = self.D1.features(x), self.D1.features(fake)
        return {
            "real": real(self.D1.fit(h, mu)),
            "fake": fooled(self.D1.fit(h_fake, mu)) / 2,
            "wrong": fooled(self.D1.fit(h, shifted(mu))) / 2,
        }

    def g1_loss(self, batch: Batch) -> Terms:
        """Eq. 4: -log D(G1(z, c), e) + lambda KL(N(mu, sigma^2) || N(0, 1)).

        D is told mu as it is: G must not learn to fool it by telling it nothing.
        """
        e = self.G.T(batch["text"])
        fake, mu, logvar = self.G.G1(e, self.G.prior(len(e)))
        return {"adv": real(self.D1.fit(self.D1.features(fake), mu.detach())), "kl": self.lam * divergence(mu, logvar)}

    def d2_loss(self, batch: Batch) -> Terms:
        """Eq. 5, and the same without words, averaged as in the authors' code."""
        x, e = batch["x"], self.G.T(batch["text"])
        fake, mu, _ = self.G.G2(self.sketch(e), e)
        h, h_fake = self.D2.features(x), self.D2.features(fake)
        return {
            "real": (real(self.D2.fit(h, mu)) + real(self.D2.judge(h))) / 2,
            "fake": (fooled(self.D2.fit(h_fake, mu)) + fooled(self.D2.judge(h_fake))) / 3,
            "wrong": fooled(self.D2.fit(h, shifted(mu))) / 3,
        }

    def g2_loss(self, batch: Batch) -> Terms:
        """Eq. 6, likewise."""
        e = self.G.T(batch["text"])
        fake, mu, logvar = self.G.G2(self.sketch(e), e)
        h = self.D2.features(fake)
        adv = real(self.D2.fit(h, mu.detach())) + real(self.D2.judge(h))
        return {"adv": adv, "kl": self.lam * divergence(mu, logvar)}

    def sketch(self, e: Tensor) -> Tensor:
        """Stage I's picture, as it is.  [N, C, h, w]"""
        small, _, _ = self.G.G1(e, self.G.prior(len(e)))
        return small.detach()

    def seen(self, x: Tensor) -> Tensor:
        """Real pictures as small as Stage I's: the mean over blocks of pixels."""
        return adaptive_avg_pool2d(x, x.shape[-1] >> len(self.scales()))

    def scales(self) -> range:
        """How often Stage II doubles the side of Stage I's pictures."""
        return range(len(self.G.G2.up) - 2)

    @torch.no_grad()
    def sample(self, batch: Batch) -> dict[str, Tensor]:
        """Both stages of what the captions say, beside what they were written about."""
        G, text = self.exported_networks()["G"], batch["text"][:SHOWN]
        assert isinstance(G, Generator)
        return {"G": G.sample(len(text), seed=0, text=text, stages=True), "x": batch["x"][:SHOWN]}


def real(scores: Tensor) -> Tensor:
    """-E log D."""
    return softplus(-to_float32(scores)).mean()


def fooled(scores: Tensor) -> Tensor:
    """-E log(1 - D)."""
    return softplus(to_float32(scores)).mean()


def divergence(mu: Tensor, logvar: Tensor) -> Tensor:
    """KL(N(mu, sigma^2) || N(0, 1)), a mean over all numbers as in the authors' code."""
    return (mu.square() + logvar.exp() - 1 - logvar).mean() / 2
