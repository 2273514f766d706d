"""The game of SRGAN: first the network learns to be right, then to look right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch
from torch import Tensor

from ganzoo_core.losses import Terms, nonsaturating
from ganzoo_core.networks import Discriminator, Generator
from ganzoo_core.objective import Batch, Objective, Phase, Player, Step, adam
from ganzoo_core.schedules import linear
from ganzoo_srgan.content import SPACES
from ganzoo_srgan.networks import bicubic


class SRGAN(Objective):
    """Photo-Realistic Single Image Super-Resolution Using a GAN (Ledig et al. 2016, arXiv:1609.04802).

    x is I^HR, a crop of a photograph; low is I^LR, the same crop made smaller; G(low) is I^SR.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"x", "low"})
    external: ClassVar[tuple[str, ...]] = ("content",)

    def __init__(
        self,
        G: Generator,
        D: Discriminator,
        *,
        content: Literal["vgg54", "pixels"] = "vgg54",  # where the GAN's content is compared; vgg54 needs its weights
        adv: float = 1e-3,  # weight of the adversarial loss (Eq. 3)
        mse_lr: float = 1e-4,  # Adam's step while the loss is MSE
        mse_lr_end: float = 1.0,  # its factor at the end of that phase, on a straight line
        lr: float = 1e-4,  # Adam's step of the GAN; a tenth of it in the second half (Sec. 3.2)
        mse_images: int = 16_000_000,  # length of the MSE phase in crops: 1e6 updates of 16; 0: there is none
        images: int = 3_200_000,  # length of the GAN phase: 2e5 updates of 16; 0: SRResNet alone
    ) -> None:
        super().__init__()
        self.G, self.D, self.content = G, D, SPACES[content]()
        self.adv, self.lr, self.images = adv, lr, images
        self.mse_lr, self.mse_lr_end, self.mse_images = mse_lr, mse_lr_end, mse_images

    def phases(self) -> Sequence[Phase]:
        R = Player("R", [self.G], adam(self.mse_lr, 0.9), {"lr": linear(1.0, self.mse_lr_end)})
        D = Player("D", [self.D], adam(self.lr, 0.9), {"lr": a_tenth_at_half})
        G = Player("G", [self.G], adam(self.lr, 0.9), {"lr": a_tenth_at_half})
        right = Phase("srresnet", [Step(R, self.mse_loss)], self.mse_images)
        real = Phase("srgan", [Step(D, self.d_loss), Step(G, self.g_loss)], self.images, enter=self.look)
        return [phase for phase in (right, real) if phase.images]

    def look(self) -> None:
        """Before the GAN begins: VGG's weights, where it is VGG that compares."""
        self.content.load(next(self.G.parameters()).device)

    def mse_loss(self, batch: Batch) -> Terms:
        """l_MSE, Eq. 4, of pixels in [-1, 1]."""
        return {"mse": (self.G(batch["low"]).float() - batch["x"]).square().mean()}

    def d_loss(self, batch: Batch) -> Terms:
        """-E log D(I^HR) - E log(1 - D(G(I^LR))), Eq. 2."""
        return nonsaturating.d(self.D(batch["x"]), self.D(self.G(batch["low"])))

    def g_loss(self, batch: Batch) -> Terms:
        """l_X + 1e-3 l_Gen, Eq. 3: content as in Eq. 4 or 5, and -log D(G(I^LR)), Eq. 6."""
        fake = self.G(batch["low"])
        content = (self.content(fake).float() - self.content(batch["x"]).float()).square()
        return {"content": content.mean(), "adv": self.adv * nonsaturating.g(self.D(fake), None)}

    @torch.no_grad()
    def sample(self, batch: Batch) -> dict[str, Tensor]:
        """Bicubic enlargements, ours, and the truth."""
        G, low = self.shipped()["G"], batch["low"]
        assert isinstance(G, Generator)
        enlarged = bicubic(low, batch["x"].shape[-1] // low.shape[-1])
        return {"bicubic": enlarged, "G": G.sample(len(low), seed=0, low=low), "x": batch["x"]}


def a_tenth_at_half(u: float) -> float:
    """1e-4 for the first 1e5 updates, 1e-5 for the others (Sec. 3.2)."""
    return 1.0 if u < 0.5 else 0.1
