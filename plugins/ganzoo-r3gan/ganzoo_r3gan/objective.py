"""The game of R3GAN: relativistic scores of pairs, both zero-centred gradient penalties, and a burn-in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import torch
from ganzoo_objectives.losses import rsgan
from torch import Tensor
from torch.optim import Adam

from ganzoo_core.objectives import Batch, Optim, Schedule, Terms, TwoPlayer, cosine, score_and_r1


class R3GAN(TwoPlayer):
    """The GAN is dead; long live the GAN! A Modern Baseline GAN (Huang et al. 2024, arXiv:2501.05441).

    d = E softplus(-(D(x) - D(G(z)))) + gamma / 2 (E ||grad D(x)||^2 + E ||grad D(G(z))||^2),
    g = E softplus(-(D(G(z)) - D(x))), over pairs of a real image and a sample

    It plays on any pair of networks; what G takes beside latents (a label, or nothing) comes from the batch. In the
    burn-in gamma and the step fall and beta_2 rises, each along half a cosine; then they stay.
    """

    loss, slopes = rsgan, True
    weight: Tensor  # gamma, as it is now

    lr: Annotated[float, "Adam's step for both players, at the start"] = 2e-4
    end_lr: Annotated[float, "the step after the burn-in"] = 5e-5
    b2: Annotated[float, "Adam's beta_2 at the start; beta_1 is 0"] = 0.9
    end_b2: Annotated[float, "beta_2 after the burn-in"] = 0.99
    gamma: Annotated[float, "weight of both penalties, R1 and R2, at the start"] = 150.0
    end_gamma: Annotated[float, "their weight after the burn-in"] = 15.0
    burn_in: Annotated[float, "the fraction of the run in which all of these come to their end"] = 0.2
    images: Annotated[int, "length in real images"] = 100_000_000

    def __post_init__(self) -> None:
        super().__post_init__()
        self.conditions = tuple(name for name, taken in self.G.inputs.items() if not taken.drawn)
        self.needs = frozenset({"x", *self.conditions})
        self.register_buffer("weight", torch.tensor(float(self.gamma)))

    def optim(self, player: str) -> Optim:
        return lambda weights: BurningIn(weights, lr=self.lr, beta2=self.b2)

    def schedules(self, player: str) -> Mapping[str, Schedule]:
        ends = {"lr": self.end_lr / self.lr, "beta2": self.end_b2 / self.b2}
        return {option: cosine(end, self.burn_in) for option, end in ends.items()}

    def on_step_end(self, u: float) -> None:
        self.weight.fill_(self.gamma * cosine(self.end_gamma / self.gamma, self.burn_in)(u))

    def d_loss(self, batch: Batch) -> Terms:
        x, y = batch["x"], [batch[name] for name in self.conditions]
        real, at_real = score_and_r1(lambda x: self.D(x, *y), x)
        fake, at_fake = score_and_r1(lambda x: self.D(x, *y), self.fake(len(x), *y))
        half = self.weight / 2
        return self.loss.d(real, fake) | {"r1": half * at_real, "r2": half * at_fake}

    def g_loss(self, batch: Batch) -> Terms:
        x, y = batch["x"], [batch[name] for name in self.conditions]
        return {"adv": self.loss.g(self.D(self.fake(len(x), *y), *y), self.D(x, *y))}


class BurningIn(Adam):
    """Adam, beta_1 = 0, whose beta_2 is an option of its own, so that a schedule can move it."""

    def __init__(self, weights: Any, lr: float, beta2: float) -> None:
        super().__init__(weights, lr=lr, betas=(0.0, beta2), fused=True)
        for group in self.param_groups:
            group["beta2"] = beta2

    def step(self, closure: Any = None) -> Any:
        for group in self.param_groups:
            group["betas"] = (0.0, group["beta2"])
        return super().step(closure)
