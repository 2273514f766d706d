"""The game of SRGAN: first the network learns to be right, then to look right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal

import torch
from torch import Tensor

from ganzoo_core.nn import Discriminator, Generator
from ganzoo_core.objectives import Batch, Objective, Phase, Player, Step, Terms, adam, linear, nonsaturating
from ganzoo_srgan.content import SPACES
from ganzoo_srgan.networks import bicubic

Space = Literal["vgg54", "lite0", "pixels"]


class SRGAN(Objective):
    """Photo-Realistic Single Image Super-Resolution Using a GAN (Ledig et al. 2016, arXiv:1609.04802).

    x is I^HR, a crop of a photograph; low is I^LR, the same crop made smaller; G(low) is I^SR.
    """

    G: Generator
    D: Discriminator
    content: Annotated[Space, "where the GAN compares content; vgg54 needs its file"] = "vgg54"
    adv: Annotated[float, "weight of the adversarial loss (Eq. 3)"] = 1e-3
    mse_lr: Annotated[float, "Adam's step while the loss is MSE"] = 1e-4
    mse_lr_end: Annotated[float, "its factor at the end of that phase, on a straight line"] = 1.0
    lr: Annotated[float, "Adam's step of the GAN; a tenth of it in the second half (Sec. 3.2)"] = 1e-4
    mse_images: Annotated[int, "length of the MSE phase in crops: 1e6 updates of 16; 0: there is none"] = 16_000_000
    images: Annotated[int, "length of the GAN phase: 2e5 updates of 16; 0: SRResNet alone"] = 3_200_000

    needs = frozenset({"x", "low"})

    def __post_init__(self) -> None:
        super().__post_init__()
        self.space = SPACES[self.content]()

    def phases(self) -> Sequence[Phase]:
        R = Player("R", [self.G], adam(self.mse_lr, 0.9), {"lr": linear(1.0, self.mse_lr_end)})
        D = Player("D", [self.D], adam(self.lr, 0.9), {"lr": a_tenth_at_half})
        G = Player("G", [self.G], adam(self.lr, 0.9), {"lr": a_tenth_at_half})
        right = Phase("srresnet", [Step(R, self.mse_loss)], self.mse_images)
        real = Phase("srgan", [Step(D, self.d_loss), Step(G, self.g_loss)], self.images)
        return [phase for phase in (right, real) if phase.images]

    def mse_loss(self, batch: Batch) -> Terms:
        """l_MSE, Eq. 4, of pixels in [-1, 1]."""
        return {"mse": (self.G(batch["low"]).float() - batch["x"]).square().mean()}

    def d_loss(self, batch: Batch) -> Terms:
        """-E log D(I^HR) - E log(1 - D(G(I^LR))), Eq. 2."""
        return nonsaturating.d(self.D(batch["x"]), self.D(self.G(batch["low"])))

    def g_loss(self, batch: Batch) -> Terms:
        """l_X + 1e-3 l_Gen, Eq. 3: content as in Eq. 4 or 5, and -log D(G(I^LR)), Eq. 6."""
        fake = self.G(batch["low"])
        content = (self.space(fake).float() - self.space(batch["x"]).float()).square()
        return {"content": content.mean(), "adv": self.adv * nonsaturating.g(self.D(fake), None)}

    @torch.no_grad()
    def sample(self, batch: Batch) -> dict[str, Tensor]:
        """Bicubic enlargements, ours, and the truth."""
        G, low = self.exported_networks()["G"], batch["low"]
        assert isinstance(G, Generator)
        enlarged = bicubic(low, batch["x"].shape[-1] // low.shape[-1])
        return {"bicubic": enlarged, "G": G.sample(len(low), seed=0, low=low), "x": batch["x"]}


def a_tenth_at_half(u: float) -> float:
    """1e-4 for the first 1e5 updates, 1e-5 for the others (Sec. 3.2)."""
    return 1.0 if u < 0.5 else 0.1
