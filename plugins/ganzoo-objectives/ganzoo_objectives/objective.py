"""Games that differ from DCGAN's in a pair of losses or a penalty; most are one declaration.

Throughout, x is an image, z a latent, r = D(x) and s = D(G(z)) are scores, higher = more real; x^ lies on the line
between an image and a sample.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

import torch
from torch import Tensor
from torch.linalg import vector_norm
from torch.nn.functional import relu

from ganzoo_core.objectives import (
    Batch,
    Schedule,
    Terms,
    TwoPlayerAdam,
    dragan_penalty,
    exponential,
    hinge,
    least_squares,
    linear,
    one_sided_gradient_penalty,
    r1,
    to_float32,
    wasserstein,
)
from ganzoo_objectives import losses, penalties
from ganzoo_objectives.adversary import Lagrangian, Weighted

# Another pair of losses


class LSGAN(TwoPlayerAdam):
    """Least Squares GANs (Mao et al. 2017, arXiv:1611.04076), Eq. 9.

    d = 1/2 E (r - 1)^2 + 1/2 E s^2,  g = 1/2 E (s - 1)^2
    """

    loss = least_squares


class GeometricGAN(TwoPlayerAdam):
    """Geometric GAN (Lim & Ye 2017, arXiv:1705.02894): D has a margin, as a support vector machine.

    d = E max(0, 1 - r) + E max(0, 1 + s),  g = -E s
    """

    loss = hinge


class BoundarySeekingGAN(TwoPlayerAdam):
    """Boundary-Seeking GANs (Hjelm et al. 2017, arXiv:1702.08431), for continuous data.

    d = -E log sigmoid(r) - E log sigmoid(-s),  g = 1/2 E s^2
    """

    loss = losses.boundary_seeking


class SoftmaxGAN(TwoPlayerAdam):
    """Softmax GAN (Lin 2017, arXiv:1704.06191), over both batches B = B+ and B-.

    d = log Z - 1/|B+| sum_{B+} score,  g = log Z - 1/|B| sum_B score,  Z = sum_B e^score
    """

    batchwise = True
    loss = losses.softmax


class RSGAN(TwoPlayerAdam):
    """RSGAN of The relativistic discriminator (Jolicoeur-Martineau 2018, arXiv:1807.00734): over pairs.

    d = -E log sigmoid(r - s),  g = -E log sigmoid(s - r)
    """

    loss = losses.rsgan


class RaGAN(TwoPlayerAdam):
    """RaSGAN of The relativistic discriminator (Jolicoeur-Martineau 2018, arXiv:1807.00734): against the average.

    d = -E log sigmoid(r - E s) - E log sigmoid(E r - s),  g the same with r and s exchanged
    """

    batchwise = True
    loss = losses.ragan


class RaLSGAN(TwoPlayerAdam):
    """RaLSGAN of The relativistic discriminator (Jolicoeur-Martineau 2018, arXiv:1807.00734).

    d = E (r - E s - 1)^2 + E (s - E r + 1)^2,  g the same with r and s exchanged
    """

    batchwise = True
    loss = losses.ralsgan


class RaHingeGAN(TwoPlayerAdam):
    """RaHingeGAN of The relativistic discriminator (Jolicoeur-Martineau 2018, arXiv:1807.00734).

    d = E max(0, 1 - (r - E s)) + E max(0, 1 + (s - E r)),  g the same with r and s exchanged
    """

    batchwise = True
    loss = losses.rahinge


class FGAN(TwoPlayerAdam):
    """f-GAN (Nowozin et al. 2016, arXiv:1606.00709): a variational bound of an f-divergence, Eq. 6.

    d = -E g_f(r) + E f*(g_f(s)),  g = -E g_f(s) (Sec. 3.2), with g_f and f* of Tab. 2
    """

    divergence: Annotated[losses.Divergence, "which f: Kullback-Leibler, its reverse, Pearson ..."] = "kl"

    def __post_init__(self) -> None:
        super().__post_init__()
        self.loss = losses.f_divergences[self.divergence]


# A penalty on slopes


class DRAGAN(Weighted):
    """On Convergence and Stability of GANs (Kodali et al. 2017, arXiv:1705.07215), Eq. 1.

    d = DCGAN's + lambda E (||grad D(x + delta)|| - 1)^2,  g = DCGAN's
    """

    batchwise = True
    slopes = True

    def penalty(self, x: Tensor, fake: Tensor) -> Terms:
        return {"gp": self.lam * dragan_penalty(self.D, x)}


class R1GAN(Weighted):
    """Which Training Methods for GANs do actually Converge? (Mescheder et al. 2018, arXiv:1801.04406), Eq. 9.

    d = DCGAN's + gamma/2 E ||grad D(x)||^2,  g = DCGAN's
    """

    slopes = True

    def penalty(self, x: Tensor, fake: Tensor) -> Terms:
        return {"r1": self.lam / 2 * r1(self.D, x)}


class JSRegularizedGAN(Weighted):
    """Stabilizing Training of GANs through Regularization (Roth et al. 2017, arXiv:1705.09367).

    d = DCGAN's + gamma/2 (E sigmoid(-r)^2 ||grad r||^2 + E sigmoid(s)^2 ||grad s||^2),  g = DCGAN's
    """

    slopes = True
    anneal: Annotated[float, "what gamma falls to, in units of `lam`; 1: it is constant"] = 1.0
    gamma: Tensor

    def __post_init__(self) -> None:
        super().__post_init__()
        self.register_buffer("gamma", torch.tensor(self.lam))

    def penalty(self, x: Tensor, fake: Tensor) -> Terms:
        return {"js": self.gamma / 2 * penalties.js_regularizer(self.D, x, fake)}

    def on_step_end(self, u: float) -> None:
        self.gamma.fill_(self.lam * exponential(self.anneal)(u))


class WGANLP(Weighted):
    """On the regularization of Wasserstein GANs (Petzka et al. 2018, arXiv:1709.08894), Eq. 8.

    d = -E r + E s + lambda E max(0, ||grad D(x^)|| - 1)^2,  g = -E s
    """

    loss, slopes = wasserstein, True

    def penalty(self, x: Tensor, fake: Tensor) -> Terms:
        return {"lp": self.lam * one_sided_gradient_penalty(self.D, x, fake)}


class WGANDiv(Weighted):
    """Wasserstein Divergence for GANs (Wu et al. 2018, arXiv:1712.01026).

    d = -E r + E s + k E ||grad D(x^)||^p,  g = -E s,  k = 2 (our `lam`; 10 in the authors' code) and p = 6
    """

    loss, slopes = wasserstein, True
    p: ClassVar[float] = 6.0

    def penalty(self, x: Tensor, fake: Tensor) -> Terms:
        return {"div": self.lam * penalties.divergence_penalty(self.D, x, fake, self.p)}


class BWGAN(Weighted):
    """Banach Wasserstein GAN (Adler & Lunz 2018, arXiv:1806.06621), for the norms L^p.

    d = (-E r + E s) / gamma + lambda E (||grad D(x^)||_q / gamma - 1)^2 + 1e-5 E r^2,  g = -E s / gamma,
    with lambda = E ||x||_p (times `lam`), gamma = E ||x||_q and 1/p + 1/q = 1; steps fall linearly to 0
    """

    slopes, prepare_on = True, 1000

    lam: Annotated[float, "weight of the penalty, in units of E ||x||_p"] = 1.0
    p: Annotated[float, "exponent of the norm between images; 2 is WGAN-GP's"] = 10.0
    b1, b2, k = 0.0, 0.9, 5
    size: Tensor  # E ||x||_p
    gamma: Tensor  # E ||x||_q

    def __post_init__(self) -> None:
        super().__post_init__()
        self.q = self.p / (self.p - 1)
        self.register_buffer("gamma", torch.ones(()))
        self.register_buffer("size", torch.ones(()))

    def prepare(self, batch: Batch) -> None:
        """lambda and gamma: the mean norms of real images, in the space and in its dual."""
        x = batch["x"].flatten(1)
        self.size.copy_(vector_norm(x, ord=self.p, dim=1).mean())
        self.gamma.copy_(vector_norm(x, ord=self.q, dim=1).mean())

    def schedules(self, player: str) -> Mapping[str, Schedule]:
        return {"lr": linear(1.0, 0.0)}

    def d_loss(self, batch: Batch) -> Terms:
        x = batch["x"]
        fake = self.fake(len(x))
        r, s = to_float32(self.D(x)), to_float32(self.D(fake))
        penalty = penalties.banach_penalty(self.D, x, fake, self.gamma, self.q)
        terms = wasserstein.d(r / self.gamma, s / self.gamma)
        return terms | {"gp": self.lam * self.size * penalty, "drift": 1e-5 * r.square().mean()}

    def g_loss(self, batch: Batch) -> Terms:
        return {"adv": wasserstein.g(self.D(self.fake(len(batch["x"]))), None) / self.gamma}


# A constraint


class FisherGAN(Lagrangian):
    """Fisher GAN (Mroueh & Sercu 2017, arXiv:1705.09675), Eq. 9 and Alg. 1.

    d = -E r + E s under 1/2 E r^2 + 1/2 E s^2 = 1,  g = -E s
    """

    def omega(self, x: Tensor, fake: Tensor, r: Tensor, s: Tensor) -> Tensor:
        return (r.square().mean() + s.square().mean()) / 2


class SobolevGAN(Lagrangian):
    """Sobolev GAN (Mroueh et al. 2017, arXiv:1711.04894), Alg. 1.

    d = -E r + E s under 1/2 E ||grad D(x)||^2 + 1/2 E ||grad D(G(z))||^2 = 1,  g = -E s
    """

    slopes = True

    def omega(self, x: Tensor, fake: Tensor, r: Tensor, s: Tensor) -> Tensor:
        return penalties.sobolev_energy(self.D, x, fake)


# A loss that sees the images too


class LossSensitiveGAN(Weighted):
    """Loss-Sensitive GAN (Qi 2017, arXiv:1701.06264); a score is minus the paper's loss L. tau is our `lam`.

    d = E max(0, Delta - r + s),  g = -E s,  Delta = tau ||x - G(z)||_1: a sample is to lose by as much as it is off
    """

    def d_loss(self, batch: Batch) -> Terms:
        x = batch["x"]
        fake = self.fake(len(x))
        margin = self.lam * (x - fake).abs().flatten(1).sum(1)
        return {"hinge": relu(margin - to_float32(self.D(x)) + to_float32(self.D(fake))).mean()}

    def g_loss(self, batch: Batch) -> Terms:
        return {"adv": wasserstein.g(self.D(self.fake(len(batch["x"]))), None)}


class GANQP(Weighted):
    """GAN-QP (Su 2018, arXiv:1811.07296): a quadratic potential in the difference of paired scores, delta = r - s.

    d = -E delta + E delta^2 / (2 lambda ||x - G(z)||_1),  g = E delta; the norm is a mean over pixels
    """

    def d_loss(self, batch: Batch) -> Terms:
        x = batch["x"]
        fake = self.fake(len(x))
        delta = to_float32(self.D(x)) - to_float32(self.D(fake))
        distance = (x - fake).abs().flatten(1).mean(1)
        return {"delta": -delta.mean(), "square": (delta.square() / (2 * self.lam * distance)).mean()}

    def g_loss(self, batch: Batch) -> Terms:
        x = batch["x"]
        return {"adv": (to_float32(self.D(x)) - to_float32(self.D(self.fake(len(x))))).mean()}


class CoulombGAN(TwoPlayerAdam):
    """Coulomb GANs (Unterthiner et al. 2017, arXiv:1708.08819): D learns the field of real and fake charges.

    d = 1/2 E_a (D(a) - Phi(a))^2 over both batches a, Phi their field under Plummer's kernel,  g = -1/2 E s
    """

    batchwise = True
    d: ClassVar[float] = 1.0  # the field falls with this power of the distance: the authors' dimension 3, less 2
    eps: ClassVar[float] = 1.0  # and is softened below this one

    def d_loss(self, batch: Batch) -> Terms:
        x = batch["x"]
        fake = self.fake(len(x))
        return {"real": self.misfit(x, x, fake), "fake": self.misfit(fake, x, fake)}

    def misfit(self, at: Tensor, x: Tensor, fake: Tensor) -> Tensor:
        """Half the squared error of D at one batch, which is half of all points."""
        field = penalties.potential(at, x, fake, self.d, self.eps)
        return (to_float32(self.D(at)) - field).square().mean() / 4

    def g_loss(self, batch: Batch) -> Terms:
        return {"adv": wasserstein.g(self.D(self.fake(len(batch["x"]))), None) / 2}
