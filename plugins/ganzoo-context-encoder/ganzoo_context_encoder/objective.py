"""The game of the context encoder: the hole's own pixels, and a little doubt whether they are real."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
from torch import Tensor
from torch.nn.functional import max_pool2d

from ganzoo_context_encoder import networks
from ganzoo_core.objectives import Batch, Objective, Phase, Player, Step, Terms, adam, linear, nonsaturating


class ContextEncoderGAN(Objective):
    """Context Encoders: Feature Learning by Inpainting (Pathak et al. 2016, arXiv:1604.07379).

    x is a picture, mask the part M that is to be drawn, G the paper's F. Of M, the outermost `overlap` pixels are shown
    to G all the same, and count `border` times as much: what it draws is to join what is around it.
    """

    G: networks.G
    D: networks.D
    l2: Annotated[float, "weight of the reconstruction loss (Eq. 3)"] = 0.999
    power: Annotated[float, "of the reconstruction error: 2 as published"] = 2.0
    adv: Annotated[float, "weight of the adversarial loss (Eq. 3)"] = 0.001
    overlap: Annotated[int, "px along the border of the mask that G sees; 0: it sees nothing of it"] = 4
    border: Annotated[float, "how much more these count"] = 10.0
    jitter: Annotated[int, "px by which each picture is moved at random, and mirrored or not; 0: neither"] = 0
    lr: Annotated[float, "Adam's step for D"] = 2e-4
    g_lr: Annotated[float, "Adam's step for G: ten times as long (Sec. 4)"] = 2e-3
    lr_end: Annotated[float, "the factor of both at the end, on a straight line"] = 1.0
    images: Annotated[int, "length in real images: 500 epochs of 100,000"] = 50_000_000

    needs = frozenset({"x", "mask"})

    def phases(self) -> Sequence[Phase]:
        falling = {"lr": linear(1.0, self.lr_end)}
        D = Player("D", [self.D], adam(self.lr), falling)
        G = Player("G", [self.G], adam(self.g_lr), falling)
        return [Phase("main", [Step(D, self.d_loss), Step(G, self.g_loss)], self.images)]

    def d_loss(self, batch: Batch) -> Terms:
        """-E log D(x) - E log(1 - D(F((1 - M) x))), Eq. 2: D sees all that is drawn, and not the context."""
        x = self.jittered(batch["x"])
        return nonsaturating.d(self.D(self.G.window(x)), self.D(self.drawn(x, batch["mask"])))

    def g_loss(self, batch: Batch) -> Terms:
        """0.999 E |M (x - F((1 - M) x))|^p + 0.001 L_adv, Eqs. 1 and 3; -E log D for the latter, as is usual."""
        x = self.jittered(batch["x"])
        fake, weights = self.drawn(x, batch["mask"]), self.G.window(self.weights(batch["mask"]))
        rec = (weights * (fake.float() - self.G.window(x)).abs().pow(self.power)).mean()
        return {"rec": self.l2 * rec, "adv": self.adv * nonsaturating.g(self.D(fake), None)}

    def jittered(self, x: Tensor) -> Tensor:
        """Each picture moved by up to `jitter` pixels and mirrored or not: what random crops are for larger ones."""
        if not self.jitter:
            return x
        (n, _, h, w), j, device = x.shape, self.jitter, x.device
        down, right = torch.randint(-j, j + 1, (2, n, 1), device=device)
        rows = (torch.arange(h, device=device) + down).clamp(0, h - 1)  # [N, H]; beyond the edge, the edge again
        columns = (torch.arange(w, device=device) + right).clamp(0, w - 1)  # [N, W]
        columns = torch.where(torch.rand(n, 1, device=device) < 0.5, columns, columns.flip(1))
        return x.permute(0, 2, 3, 1)[torch.arange(n)[:, None, None], rows[:, :, None], columns[:, None]].movedim(3, 1)

    def drawn(self, x: Tensor, mask: Tensor) -> Tensor:
        """F((1 - M) x).  [N, C, side, side]"""
        fake: Tensor = self.G(self.G.masked(x, self.hole(mask)))
        return fake

    def hole(self, mask: Tensor) -> Tensor:
        """What G does not see: the mask without its outermost pixels.  [N, 1, H, W]"""
        return 1 - max_pool2d(1 - mask, 2 * self.overlap + 1, 1, self.overlap)

    def weights(self, mask: Tensor) -> Tensor:
        """1 in the hole, `border` on the overlap, 0 outside the mask.  [N, 1, H, W]"""
        return mask + (self.border - 1) * (mask - self.hole(mask))

    @torch.no_grad()
    def sample(self, batch: Batch) -> dict[str, Tensor]:
        """Pictures with holes, filled in by us, and whole."""
        G, x = self.exported_networks()["G"], batch["x"]
        assert isinstance(G, networks.G)
        inputs = {"x": x, "mask": batch["mask"]}
        return {"masked": G.masked(x, batch["mask"]), "G": G.sample(len(x), seed=0, **inputs), "x": x}
