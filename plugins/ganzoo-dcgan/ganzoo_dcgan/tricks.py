"""How to train a GAN: tricks of 2016 (Chintala, Denton, Arjovsky & Mathieu, a talk at NIPS), each an option, all off.

From memory, unchecked. That z is normal and activations leak are options of the networks.
"""

from __future__ import annotations

from typing import Annotated, Literal

import torch
from torch import Tensor
from torch.nn.functional import softplus

from ganzoo_core.errors import GanzooError
from ganzoo_core.objectives import Batch, ImagePool, Terms, TwoPlayer, to_float32


class Tricks(TwoPlayer):
    """Cross entropy, between what D says and labels that need not be 1 and 0, of pictures that need not be clean.

    d = -E [t log D(x) + (1 - t) log(1 - D(x))], t = 1 for the real and 0 for the fake unless a trick says otherwise
    """

    sigma: Tensor  # of the noise, as it is now

    d_lr: Annotated[float, "Adam's step for D; 0: that of G (two time scales, Heusel et al. 2017)"] = 0.0
    smooth: Annotated[float, "how far the label of real pictures is below 1 (Salimans et al. 2016, Sec. 3.4)"] = 0.0
    flip: Annotated[float, "share of D's labels that are exchanged, drawn anew in every step"] = 0.0
    noise: Annotated[float, "deviation of the noise on all that D sees, at first; it falls to 0 over the run"] = 0.0
    replay: Annotated[int, "fakes that are kept and shown to D again, half of the time; 0: none"] = 0
    batches: Annotated[
        Literal["separate", "joint"], "of real and of fake pictures: D's batch norm sees them apart, or mixed"
    ] = "separate"

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("smooth", "flip"):
            if not 0 <= getattr(self, name) <= 0.5:
                raise GanzooError(f"{name}={getattr(self, name)}: expected a share from 0 to 0.5")
        if self.noise:
            self.register_buffer("sigma", torch.tensor(self.noise))
        if self.replay:
            self.history = ImagePool(self.replay)

    def on_step_end(self, u: float) -> None:
        if self.noise:
            self.sigma.fill_(self.noise * (1 - u))

    def d_loss(self, batch: Batch) -> Terms:
        real, fake = self.apart(batch["x"]) if self.batches == "separate" else self.together(batch["x"])
        return {
            "real": cross_entropy(real, labels(real, 1 - self.smooth, 0.0, self.flip)),
            "fake": cross_entropy(fake, labels(fake, 0.0, 1 - self.smooth, self.flip)),
        }

    def g_loss(self, batch: Batch) -> Terms:
        return {"adv": self.loss.g(self.D(self.noisy(self.fake(len(batch["x"])))), None)}

    def apart(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Scores of real and of fake pictures, each in a batch of their own.  [N] and [N]"""
        real = self.D(self.noisy(x))
        return real, self.D(self.noisy(self.shown(len(x))))

    def together(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The same in one batch.  [N] and [N]"""
        real, fake = self.D(self.noisy(torch.cat([x, self.shown(len(x))]))).chunk(2)
        return real, fake

    def shown(self, n: int) -> Tensor:
        """Fresh fakes, or those of the history.  [n, C, H, W]"""
        fakes = self.fake(n)
        return self.history.exchange(fakes) if self.replay else fakes

    def noisy(self, x: Tensor) -> Tensor:
        return x + self.sigma * torch.randn_like(x) if self.noise else x


def labels(scores: Tensor, usual: float, other: float, flip: float) -> Tensor:
    """What D is to say: `usual`, and `other` for a share `flip` of the pictures.  [N]"""
    t = torch.full_like(scores, usual, dtype=torch.float32)
    return torch.where(torch.rand_like(t) < flip, other, t) if flip else t


def cross_entropy(scores: Tensor, t: Tensor) -> Tensor:
    """-E [t log sigmoid(s) + (1 - t) log(1 - sigmoid(s))] of scores [N] and labels [N] in [0, 1]."""
    s = to_float32(scores)
    return (t * softplus(-s) + (1 - t) * softplus(s)).mean()
