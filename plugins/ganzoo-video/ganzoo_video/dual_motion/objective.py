"""The game of Dual Motion GAN: frames and flow, each foretold in two ways, and each judged by a discriminator."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, NamedTuple

import torch
from torch import Tensor, nn

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator
from ganzoo_core.objectives import (
    Batch,
    Objective,
    Phase,
    Player,
    Step,
    Terms,
    adam,
    halfway_to_zero,
    nonsaturating,
    to_float32,
)
from ganzoo_video.dual_motion.networks import DualMotion, Future
from ganzoo_video.windows import windows

SEEN = 2  # frames before the first that is foretold


class Told(NamedTuple):
    """The frames of a batch that are foretold, one below the other, [M, ...] each."""

    last: Tensor
    true: Tensor
    true_flow: Tensor
    future: Future
    mean: Tensor
    logvar: Tensor


class DualMotionGAN(Objective):
    """Dual Motion GAN for Future-Flow Embedded Video Prediction (Liang et al. 2017, arXiv:1708.00284).

    The frame that is drawn implies a flow (which Q estimates), and the flow that is drawn implies a frame (the last
    one, warped): D_I judges both frames and D_F both flows, so each generator is trained by both discriminators.
    """

    G: DualMotion
    Q: nn.Module
    D_I: Discriminator
    D_F: Discriminator

    lr: Annotated[float, "Adam's step for all players; it falls to 0 in the second half"] = 1e-4
    b1: Annotated[float, "Adam's beta_1"] = 0.5
    b2: Annotated[float, "Adam's beta_2"] = 0.999
    frames: Annotated[int, "length of the clips that are learnt from"] = 11
    adv: Annotated[float, "weight of each of the four adversarial terms"] = 1e-3
    kl: Annotated[float, "weight of the KL of z to N(0, 1), a mean over its elements"] = 1e-4
    flow: Annotated[float, "weight of the squared differences of flow, a mean over pixels"] = 0.1
    images: Annotated[int, "length in real clips"] = 1_000_000

    needs = frozenset({"video", "flow"})

    def __post_init__(self) -> None:
        if not isinstance(self.G, DualMotion):
            raise GanzooError("dual_motion: needs a generator of frames and flow", "Take its own networks.")
        if self.frames <= SEEN:
            raise GanzooError(f"-c frames={self.frames}: too few to foretell one", f"Give {SEEN + 1} at least.")

    def phases(self) -> Sequence[Phase]:
        def player(name: str, *nets: nn.Module) -> Player:
            return Player(name, nets, adam(self.lr, self.b1, self.b2), {"lr": halfway_to_zero})

        steps = [
            Step(player("Q", self.Q), self.q_loss),
            Step(player("D", self.D_I, self.D_F), self.d_loss),
            Step(player("G", self.G), self.g_loss),
        ]
        return [Phase("main", steps, self.images)]

    def told(self, batch: Batch) -> Told:
        """A window of each clip: what G says of every frame from the third on."""
        video, flow = windows(self.frames, batch["video"], batch["flow"])
        mean, logvar = (x[:, SEEN - 1 :].flatten(0, 1) for x in self.G.encoded(video[:, :-1]))
        last, true = video[:, SEEN - 1 : -1].flatten(0, 1), video[:, SEEN:].flatten(0, 1)
        z = mean + (logvar / 2).exp() * torch.randn_like(mean)
        return Told(last, true, flow[:, SEEN - 1 :].flatten(0, 1), self.G.future(last, z), mean, logvar)

    def q_loss(self, batch: Batch) -> Terms:
        """Q learns the flow of real frames."""
        video, flow = windows(self.frames, batch["video"], batch["flow"])
        found = self.Q(video[:, :-1].flatten(0, 1), video[:, 1:].flatten(0, 1))
        return {"flow": mse(found, flow.flatten(0, 1))}

    def d_loss(self, batch: Batch) -> Terms:
        """D_I: real frames, those that are drawn, those that are warped. D_F: real flow, that which is drawn, and
        that which the drawn frame implies."""
        told = self.told(batch)
        future, implied = told.future, self.Q(told.last, told.future.drawn)
        return {
            **judged(self.D_I, "frame", told.true, future.drawn, future.warped),
            **judged(self.D_F, "flow", told.true_flow, future.flow, implied),
        }

    def g_loss(self, batch: Batch) -> Terms:
        told = self.told(batch)
        future, implied = told.future, self.Q(told.last, told.future.drawn)
        return {
            "drawn": mse(future.drawn, told.true),
            "warped": mse(future.warped, told.true),
            "fused": mse(future.fused, told.true),
            "flow": self.flow * mse(future.flow, told.true_flow),
            "implied_flow": self.flow * mse(implied, told.true_flow),
            "kl": self.kl * kl(told.mean, told.logvar),
            "adv_drawn": self.adv * nonsaturating.g(self.D_I(future.drawn), None),
            "adv_warped": self.adv * nonsaturating.g(self.D_I(future.warped), None),
            "adv_flow": self.adv * nonsaturating.g(self.D_F(future.flow), None),
            "adv_implied": self.adv * nonsaturating.g(self.D_F(implied), None),
        }


def judged(D: Discriminator, what: str, real: Tensor, drawn: Tensor, implied: Tensor) -> Terms:
    """-log D(real), and the mean of -log(1 - D) over both that are made."""
    terms = nonsaturating.d(D(real), torch.cat([D(drawn), D(implied)]))
    return {f"{half}_{what}": value for half, value in terms.items()}


def mse(made: Tensor, true: Tensor) -> Tensor:
    """Mean (made - true)^2. Absolute differences long teach nothing but the background, most of a frame."""
    return (to_float32(made) - true).square().mean()


def kl(mean: Tensor, logvar: Tensor) -> Tensor:
    """KL(N(mean, exp logvar) || N(0, 1)), the mean over elements."""
    mean, logvar = to_float32(mean), to_float32(logvar)
    return (mean.square() + logvar.exp() - 1 - logvar).mean() / 2
