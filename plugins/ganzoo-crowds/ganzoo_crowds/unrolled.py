"""Unrolled GAN: G descends what D will say after some steps more, and knows how these depend on it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, NamedTuple

import torch
from torch import Tensor
from torch.func import functional_call
from torch.optim import Optimizer

from ganzoo_core.objectives import Batch, Optim, Terms, TwoPlayerAdam, adam, minimax

EPS = 1e-8  # Adam's


class Moments(NamedTuple):
    """What Adam remembers of all weights: the means of their gradient and of its square, and after how many steps."""

    m: Tensor
    v: Tensor
    t: Tensor


class UnrolledGAN(TwoPlayerAdam):
    """Unrolled Generative Adversarial Networks (Metz et al. 2016, arXiv:1611.02163).

    f(theta_G, theta_D) = -E log D(x) - E log(1 - D(G(z))) is descended by D, and climbed by G where D will be:
    d = f(theta_G, theta_D),  g = -f(theta_G, theta_D^K),  theta_D^K being theta_D after K steps of Adam on f

    The gradient of g goes through these steps: G is told what D will do about the samples that it makes.
    """

    loss = minimax
    unroll: Annotated[int, "K, the steps of D that G looks ahead; 0: the minimax game as it was"] = 5
    d_pace: Annotated[float, "D's step in units of lr, G's"] = 1.0
    remembered: Optimizer | None = None  # D's, once the trainer has it

    def optim(self, player: str) -> Optim:
        return self.remember if player == "D" else adam(self.lr, self.b1, self.b2, EPS)

    def remember(self, weights: Iterable[Tensor]) -> Optimizer:
        """D's optimizer, of which the steps ahead need what it remembers."""
        self.remembered = adam(self.d_pace * self.lr, self.b1, self.b2, EPS)(weights)
        return self.remembered

    def g_loss(self, batch: Batch) -> Terms:
        x = batch["x"]
        fake = self.fake(len(x))
        return {"adv": -self.f(self.ahead(x, fake), x, fake)}

    def f(self, theta: Tensor, x: Tensor, fake: Tensor) -> Tensor:
        """The value of the game where D's weights are `theta`, [W]."""
        shapes = {name: w.shape for name, w in self.D.named_parameters()}
        parts = torch.split(theta, [shape.numel() for shape in shapes.values()])
        weights = {name: part.view(shape) for (name, shape), part in zip(shapes.items(), parts, strict=True)}
        buffers = {name: buffer.clone() for name, buffer in self.D.named_buffers()}
        r, s = (functional_call(self.D, (weights, buffers), (samples,)) for samples in (x, fake))
        return torch.stack([*self.loss.d(r, s).values()]).sum()

    def ahead(self, x: Tensor, fake: Tensor) -> Tensor:
        """theta_D^K, a function of the samples."""
        theta = joined(self.D.parameters()).detach().requires_grad_()
        moments = self.moments(theta)
        for _ in range(self.unroll):
            (slope,) = torch.autograd.grad(self.f(theta, x, fake), [theta], create_graph=True)
            theta, moments = self.stepped(theta, slope, moments)
        return theta

    def moments(self, theta: Tensor) -> Moments:
        states = [self.remembered.state.get(w, {}) for w in self.D.parameters()] if self.remembered else [{}]
        if not all(states):
            return Moments(torch.zeros_like(theta), torch.zeros_like(theta), theta.new_zeros(()))
        m, v = (joined(state[key] for state in states) for key in ("exp_avg", "exp_avg_sq"))
        return Moments(m, v, states[0]["step"])

    def stepped(self, theta: Tensor, slope: Tensor, before: Moments) -> tuple[Tensor, Moments]:
        """One step of Adam that can be differentiated, also where a slope is 0."""
        t = before.t + 1
        m = self.b1 * before.m + (1 - self.b1) * slope
        v = self.b2 * before.v + (1 - self.b2) * slope.square()
        size = (v / (1 - self.b2**t) + EPS**2).sqrt()
        return theta - self.d_pace * self.lr * m / (1 - self.b1**t) / size, Moments(m, v, t)


def joined(tensors: Iterable[Tensor]) -> Tensor:
    """One after the other, flat."""
    return torch.cat([tensor.reshape(-1) for tensor in tensors])
