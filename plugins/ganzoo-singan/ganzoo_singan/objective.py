"""A game on every scale of one picture, each on top of the ones that are over."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Annotated

import torch
from torch import Tensor

from ganzoo_core.nn import evaluation_mode
from ganzoo_core.objectives import (
    Batch,
    Critic,
    Objective,
    Phase,
    Player,
    Step,
    Terms,
    adam,
    input_gradient,
    interpolate,
    wasserstein,
)
from ganzoo_singan import networks
from ganzoo_singan.pyramid import resize, shrunk

SHOWN = 8  # samples in a progress grid


class SinGAN(Objective):
    """SinGAN: Learning a Generative Model from a Single Natural Image (Rott Shaham et al. 2019, arXiv:1905.01164).

    min_Gn max_Dn L_adv(G_n, D_n) + alpha L_rec(G_n): Eq. 5, for n from the coarsest scale (0 here, N there) to the
    finest. x_n is the picture at scale n.
    """

    G: networks.G
    D: networks.D
    iterations: Annotated[tuple[int, ...], "on each scale from the coarsest; the last: on all further ones"] = (2000,)
    repeat: Annotated[int, "updates of D, then of G, in an iteration"] = 3
    lr: Annotated[float, "Adam's step for both; a tenth of it in the last fifth of a scale"] = 5e-4
    lam: Annotated[float, "lambda, the weight of the gradient penalty"] = 0.1
    alpha: Annotated[float, "the weight of the reconstruction"] = 10.0
    noise: Annotated[float, "sigma_n in root mean squared errors of the reconstruction below"] = 0.1

    prepare_on = 1
    x: Tensor  # the picture, [1, C, H, W]
    y_star: Tensor  # what the scale in training is given of z*: the reconstruction below it, enlarged; [1, C, h, w]

    def __post_init__(self) -> None:
        super().__post_init__()
        channels = self.G.output.shape[0] or 1
        self.register_buffer("x", torch.zeros(1, channels, self.G.longest_side, self.G.longest_side))
        self.register_buffer("y_star", torch.zeros(1, channels, 1, 1))

    def prepare(self, batch: Batch) -> None:
        """The picture is seen: from here on its size is known, and with it the scales."""
        x = batch["x"][:1]
        h, w = x.shape[2:]
        by = min(1.0, self.G.longest_side / max(h, w))
        self.x = settled(resize(x, (shrunk(h, by), shrunk(w, by))))
        self.G.stand_at((self.x.shape[2], self.x.shape[3]))  # and says in one line where the picture is too small

    def phases(self) -> Sequence[Phase]:
        return [self.phase(n, f"{h}x{w}") for n, (h, w) in enumerate(self.G.sizes())]

    def phase(self, n: int, size: str) -> Phase:
        last_fifth = {"lr": lambda u: 1.0 if u < 0.8 else 0.1}
        D = Player("D", [self.D.nets[n]], adam(self.lr), last_fifth)
        G = Player("G", [self.G.nets[n]], adam(self.lr), last_fifth)
        steps = [
            Step(D, partial(self.d_loss, n), repeat=self.repeat),
            Step(G, partial(self.g_loss, n), repeat=self.repeat),
        ]
        iterations = self.iterations[min(n, len(self.iterations) - 1)]
        return Phase(f"scale {n}: {size}", steps, iterations * self.repeat, on_start=partial(self.enter, n))

    @torch.no_grad()
    def enter(self, n: int) -> None:
        """Scale n begins: those below are over, its weights are theirs where they fit, sigma_n follows (Sec. 2.3)."""
        self.G.climb_to(n)
        self.train()
        self.G.nets[:n].eval()
        if n == 0:
            self.y_star = settled(torch.zeros_like(self.real(0)))
            return
        if self.G.nets[n].width == self.G.nets[n - 1].width:
            self.G.nets[n].load_state_dict(self.G.nets[n - 1].state_dict())
            self.D.nets[n].load_state_dict(self.D.nets[n - 1].state_dict())
        self.y_star = settled(resize(self.G.reconstruction(n - 1), self.G.sizes()[n]))
        self.G.amp[n] = self.noise * (self.y_star - self.real(n)).square().mean().sqrt()

    def real(self, n: int) -> Tensor:
        """x_n.  [1, C, h, w]"""
        return resize(self.x, self.G.sizes()[n])

    def fake(self, n: int, count: int) -> Tensor:
        """Random samples of scale n.  [count, C, h, w]"""
        z = self.G.prior(count)
        return self.G.climb(self.G.empty(count), 0, self.G.sizes(), self.G.fresh(z), n)

    def d_loss(self, n: int, batch: Batch) -> Terms:
        """E D(x~_n) - E D(x_n) + lambda E (||grad D|| - 1)^2, scores averaged over all patches (Sec. 2.2)."""
        x, fake = self.real(n), self.fake(n, len(batch["x"]))
        gp = pixelwise_penalty(lambda x: self.D(x, n), x.expand_as(fake), fake)
        return wasserstein.d(self.D(x, n), self.D(fake, n)) | {"gp": self.lam * gp}

    def g_loss(self, n: int, batch: Batch) -> Terms:
        """-E D(x~_n) + alpha ||G_n(z*_n, y*_n) - x_n||^2: Eqs. 5 to 7, the square a mean over pixels."""
        adv = wasserstein.g(self.D(self.fake(n, len(batch["x"])), n), None)
        same = self.G.refined(n, self.G.star(n, self.G.sizes()[n]), self.y_star)
        return {"adv": adv, "rec": self.alpha * (same.float() - self.real(n)).square().mean()}

    def sample(self, batch: Batch) -> dict[str, Tensor]:
        """The picture at the scale in training, its reconstruction, and samples."""
        n = self.G.finest
        with evaluation_mode(self.G):
            rec = self.G.reconstruction()
        net = self.exported_networks()["G"]
        assert isinstance(net, networks.G)
        return {"x": self.real(n), "rec": rec.clamp(-1, 1), "G": net.sample(min(len(batch["x"]), SHOWN), seed=0)}


def pixelwise_penalty(D: Critic, real: Tensor, fake: Tensor) -> Tensor:
    """E (||grad D(x^)||_2 - 1)^2, the norm over the channels of each pixel: what the authors' code penalises."""
    slopes = input_gradient(D, interpolate(real, fake)).norm(dim=1)  # [N, h, w]
    return (slopes - 1).square().mean()


def settled(x: Tensor) -> Tensor:
    """A copy in the memory format in which a resumed run finds it: the last bits of a convolution depend on that."""
    return x.clone(memory_format=torch.contiguous_format).contiguous(memory_format=torch.channels_last)
