"""The game of ProGAN: at every resolution a phase of fading in, and one to settle."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor
from torch.nn.functional import avg_pool2d

from ganzoo_core.losses import Terms, single, wasserstein
from ganzoo_core.objective import Batch, Objective, Phase, Player, Step, adam
from ganzoo_core.penalties import gradient_penalty
from ganzoo_progan.networks import D, G, enlarged

BATCHES = (16, 16, 16, 16, 16, 16, 14, 6, 3)  # at 4, 8 ... 1024 px, on one device of the authors'


class ProGAN(Objective):
    """Progressive Growing of GANs (Karras et al. 2017, arXiv:1710.10196): WGAN-GP's game, App. A.1."""

    def __init__(
        self,
        G: G,
        D: D,
        *,
        lam: float = 10.0,  # lambda, the weight of the gradient penalty
        drift: float = 0.001,  # eps_drift, which keeps scores of real images near 0
        lr: float = 1e-3,  # Adam's, of both players; begun afresh at each resolution
        batches: tuple[int, ...] = BATCHES,  # sizes from 4 px on; the last is that of all further ones
        fade_images: int = 600_000,  # for fading in a resolution; at 4 px there is nothing to fade
        settle_images: int = 600_000,  # for each resolution after that
        images: int = 600_000,  # the same at the last one, which is trained longest in the paper
    ) -> None:
        super().__init__()
        self.G, self.D, self.lam, self.drift, self.lr = G, D, lam, drift, lr
        self.batches, self.fade_images, self.settle_images, self.images = batches, fade_images, settle_images, images

    def phases(self) -> Sequence[Phase]:
        return [phase for depth in range(len(self.G.to_rgb)) for phase in self.resolution(depth)]

    def resolution(self, depth: int) -> list[Phase]:
        """Fading in and settling at one depth, with players of their own."""
        D, G = (Player(name, [net], adam(self.lr, 0.0, 0.99)) for name, net in (("D", self.D), ("G", self.G)))
        steps = [Step(D, self.d_loss), Step(G, self.g_loss)]
        side = 4 * 2**depth
        data = {"image_size": side, "batch_size": self.batches[min(depth, len(self.batches) - 1)]}
        last = depth == len(self.G.to_rgb) - 1
        settle = Phase(
            f"{side}px", steps, self.images if last else self.settle_images, data, partial(self.grow, depth, 1.0)
        )
        if depth == 0:
            return [settle]
        fade = Phase(f"{side}px fading in", steps, self.fade_images, data, partial(self.grow, depth, 0.0), self.fade)
        return [fade, settle]

    def grow(self, depth: int, alpha: float) -> None:
        for net in (self.G, self.D):
            net.depth.fill_(depth)
            net.alpha.fill_(alpha)

    def fade(self, u: float) -> None:
        """alpha goes from 0 to 1 on a straight line."""
        self.G.alpha.fill_(u)
        self.D.alpha.fill_(u)

    def d_loss(self, batch: Batch) -> Terms:
        """E D(G(z)) - E D(x) + lambda E (||grad D|| - 1)^2 + eps_drift E D(x)^2."""
        x = self.seen(batch["x"])
        fake = self.G(self.G.prior(len(x)))
        score = self.D(x)
        return wasserstein.d(score, self.D(fake)) | {
            "gp": self.lam * gradient_penalty(self.D, x, fake),
            "drift": self.drift * single(score).square().mean(),
        }

    def g_loss(self, batch: Batch) -> Terms:
        """-E D(G(z))."""
        return {"adv": wasserstein.g(self.D(self.G(self.G.prior(len(batch["x"])))), None)}

    def seen(self, x: Tensor) -> Tensor:
        """Real images fade in likewise: the detail that G cannot make yet is not shown."""
        alpha = float(self.G.alpha)
        return x if alpha == 1 else torch.lerp(enlarged(avg_pool2d(x, 2)), x, alpha)
