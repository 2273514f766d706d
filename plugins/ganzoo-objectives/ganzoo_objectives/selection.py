"""Games that choose what a player learns from: the best samples, better latents, samples in the data's place."""

from __future__ import annotations

from typing import Annotated, ClassVar

import torch
from torch import Tensor
from torch.nn.functional import softplus

from ganzoo_core.nn import Latent
from ganzoo_core.objectives import Batch, Terms, TwoPlayerAdam, hinge, to_float32


class TopK(TwoPlayerAdam):
    """Top-k Training of GANs (Sinha et al. 2020, arXiv:2002.06224): G learns from the samples that D likes best.

    d = DCGAN's,  g = the mean of -log sigmoid(s) over the k highest s; k falls from the batch to a share nu of it
    """

    batchwise = True
    nu: Annotated[float, "what k falls to, in batches"] = 0.5
    gamma: Annotated[float, "what k is multiplied by after each hundredth of the run"] = 0.99
    kept: Tensor  # k, in batches

    def __post_init__(self) -> None:
        super().__post_init__()
        self.register_buffer("kept", torch.ones(()))

    def g_loss(self, batch: Batch) -> Terms:
        s = to_float32(self.D(self.fake(len(batch["x"])))).flatten().sort(descending=True).values
        k = (self.kept * len(s)).ceil()
        best = torch.arange(len(s), device=s.device) < k
        return {"adv": (softplus(-s) * best).sum() / k}

    def on_step_end(self, u: float) -> None:
        self.kept.fill_(max(self.nu, self.gamma ** (100 * u)))


class LOGAN(TwoPlayerAdam):
    """LOGAN: Latent Optimisation for GANs (Wu et al. 2019, arXiv:1912.00953), with natural gradients.

    Both players are shown G(z'), z' = z + dz within z's range, dz = alpha g / (beta + |g|^2), g = d D(G(z)) / dz,
    and pay w |dz|^2 beyond the hinge. The gradient goes through dz
    """

    loss = hinge
    alpha: Annotated[float, "length of the step in z"] = 0.9
    beta: Annotated[float, "damping: of gradients far above it the step is alpha / |g|"] = 0.1
    cost: Annotated[float, "w, the weight of the squared step"] = 0.1
    share: Annotated[float, "c, the part of z that is optimised: its first elements"] = 0.8

    def d_loss(self, batch: Batch) -> Terms:
        z, cost = self.optimised(len(batch["x"]))
        return self.loss.d(self.D(batch["x"]), self.D(self.G(z))) | {"cost": cost}

    def g_loss(self, batch: Batch) -> Terms:
        z, cost = self.optimised(len(batch["x"]))
        return {"adv": self.loss.g(self.D(self.G(z)), None), "cost": cost}

    def optimised(self, n: int) -> tuple[Tensor, Tensor]:
        """z' [N, z_dim], and w E |dz|^2."""
        z = self.G.prior(n).requires_grad_()
        (g,) = torch.autograd.grad(to_float32(self.D(self.G(z))).sum(), z, create_graph=True)
        dz = self.alpha * g / (self.beta + g.square().sum(1, keepdim=True))
        dz = dz * (torch.arange(z.shape[1], device=z.device) < self.share * z.shape[1])
        return self.within(z + dz), self.cost * dz.square().sum(1).mean()

    def within(self, z: Tensor) -> Tensor:
        """z in its range, where it has one."""
        (latent,) = self.G.inputs.values()
        return z.clamp(*latent.range) if isinstance(latent, Latent) and latent.range else z


class APA(TwoPlayerAdam):
    """Deceive D: Adaptive Pseudo Augmentation (Jiang et al. 2021, arXiv:2111.06849), for few pictures.

    With probability p a picture of the data is replaced by a sample, which D is told is real; p rises while
    lambda_r = E sign D(real) is above t, and falls while it is below
    """

    batchwise = True
    t: ClassVar[float] = 0.6
    every: ClassVar[int] = 4  # updates of D between two moves of p
    pace: Annotated[int, "real images in which p may go from 0 to 1"] = 500_000
    p: Tensor
    signs: Tensor  # sum of the signs of scores since p last moved
    seen: Tensor  # of how many
    updates: Tensor  # of D

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("p", "signs", "seen", "updates"):
            self.register_buffer(name, torch.zeros(()))

    def d_loss(self, batch: Batch) -> Terms:
        r = self.deceived(batch["x"])
        self.signs.add_(r.detach().sign().sum())
        self.seen.add_(r.numel())
        return self.loss.d(r, self.D(self.fake(len(batch["x"])))) | {"p": self.p.clone()}

    def deceived(self, x: Tensor) -> Tensor:
        """Scores of the pictures x, each with probability p of a sample in its place.  [N]

        Each kind is judged in a batch of its own, so that ADA, which goes well with it, knows what is real.
        """
        r, pseudo = self.D(x), self.D(self.fake(len(x)))
        return torch.where(torch.rand(r.shape, device=x.device) < self.p, pseudo, r)

    def project(self) -> None:
        """Every fourth time p moves, by the pictures that were seen over the pace."""
        due = (self.updates.add_(1) % self.every == 0).float()
        self.p.add_(due * (self.signs / self.seen - self.t).sign() * self.seen / self.pace).clamp_(0, 1)
        for past in (self.signs, self.seen):
            past.mul_(1 - due)
