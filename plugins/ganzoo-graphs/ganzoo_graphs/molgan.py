"""The game of MolGAN: a critic asks for graphs like the data, a reward network for those that are worth more."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Literal

import torch
from torch import Tensor
from torch.nn.functional import mse_loss, one_hot

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator
from ganzoo_core.objectives import (
    Batch,
    Optim,
    Phase,
    Player,
    Step,
    Terms,
    TwoPlayer,
    adam,
    gradient_penalty,
    wasserstein,
)
from ganzoo_graphs.graphs import hard, joined, rings, soft, valences, valid
from ganzoo_graphs.networks import G

Relaxed = Literal["softmax", "gumbel", "straight"]
Reward = Literal["valid", "ring"]


def gumbel(logits: Tensor, noise: Tensor) -> Tensor:
    """softmax(logits + noise)"""
    return (logits + noise).softmax(-1)


def straight(logits: Tensor, noise: Tensor) -> Tensor:
    """The kind that is drawn, as a one among zeros; its gradient is that of `gumbel`."""
    y = gumbel(logits, noise)
    return one_hot(y.argmax(-1), y.shape[-1]).to(y.dtype) - y.detach() + y


RELAXED: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {
    "softmax": lambda logits, noise: logits.softmax(-1), "gumbel": gumbel, "straight": straight,
}  # fmt: skip
REWARDS: Mapping[str, Callable[[Tensor, Sequence[int]], Tensor]] = {
    "valid": valid, "ring": lambda graphs, limits: valid(graphs, limits) & (rings(graphs) > 0),
}  # fmt: skip


class MolGAN(TwoPlayer):
    """MolGAN: An implicit generative model for small molecular graphs (De Cao & Kipf 2018, arXiv:1805.11973).

    d = -E D(x) + E D(y) + gp E (||grad D(x^)|| - 1)^2, y = (X, A) soft graphs of G (Gulrajani et al. 2017),
    g = lambda (-E D(y)) + (1 - lambda) (-E R(y)),
    r = E (R(x) - reward(x))^2 + E (R(y) - reward(y))^2: R learns what has no gradient, and G follows it (DDPG).

    In the first phase lambda is 1.
    """

    G: G
    D: Discriminator
    R: Discriminator
    loss, slopes = wasserstein, True
    lr: Annotated[float, "Adam's step for all three"] = 1e-3
    b1: Annotated[float, "Adam's beta_1, of all three"] = 0.9
    k: Annotated[int, "updates of D for each of G"] = 5
    gp: Annotated[float, "weight of the penalty on D's slope"] = 10.0
    lam: Annotated[float, "lambda: how much G heeds D, and 1 - lambda how much R"] = 0.5
    relaxed: Annotated[Relaxed, "what D sees of G's chances: themselves, with Gumbel's noise, or what that draws"] = (
        "softmax"
    )
    reward: Annotated[Reward, "what is worth 1: a graph that is valid, or a valid one with a ring"] = "valid"
    pretrain: Annotated[int, "length of the phase without reward, in graphs"] = 20_000_000
    images: Annotated[int, "length of the phase with it, in graphs; 0: there is none"] = 20_000_000

    needs = frozenset({"graph"})

    def optim(self, player: str) -> Optim:
        return adam(self.lr, self.b1)

    def phases(self) -> Sequence[Phase]:
        D, G, R = (Player(name, [net], self.optim(name)) for name, net in
                   (("D", self.D), ("G", self.G), ("R", self.R)))  # fmt: skip
        critic, rewarder = Step(D, self.d_loss, repeat=self.k), Step(R, self.r_loss)
        first = Phase("likeness", [critic, Step(G, self.g_loss), rewarder], self.pretrain)
        then = Phase("reward", [critic, Step(G, self.rewarded_g_loss), rewarder], self.images)
        return [phase for phase in (first, then) if phase.images]

    def d_loss(self, batch: Batch) -> Terms:
        x = self.real(batch)
        y = self.fake(len(x))
        return {**wasserstein.d(self.D(x), self.D(y)), "gp": self.gp * gradient_penalty(self.D, x, y)}

    def g_loss(self, batch: Batch) -> Terms:
        """lambda = 1"""
        return {"adv": wasserstein.g(self.D(self.fake(len(batch["graph"]))), None)}

    def rewarded_g_loss(self, batch: Batch) -> Terms:
        y = self.fake(len(batch["graph"]))
        worth = -self.R(y).sigmoid().mean()
        return {"adv": self.lam * wasserstein.g(self.D(y), None), "reward": (1 - self.lam) * worth}

    def r_loss(self, batch: Batch) -> Terms:
        x = self.real(batch)
        y = self.fake(len(x))
        return {"real": self.error(x), "fake": self.error(y)}

    def error(self, x: Tensor) -> Tensor:
        """E (R(x) - reward(x))^2, the reward that of the likeliest kinds; R is sigmoid of a score."""
        worth = REWARDS[self.reward](hard(x, self.G.kinds), valences(self.G.output.atoms))  # type: ignore[attr-defined]
        return mse_loss(self.R(x).sigmoid(), worth.float())

    def real(self, batch: Batch) -> Tensor:
        """The data as networks see them. Errors: GanzooError for graphs of another size than G's."""
        graphs = batch["graph"]
        if graphs.shape[1] != self.G.nodes:
            raise GanzooError(f"graphs of {graphs.shape[1]} places, not {self.G.nodes}", "Set nodes: -c nodes=...")
        return soft(graphs, self.G.kinds, self.G.bonds)

    def fake(self, n: int, *conditions: Tensor) -> Tensor:
        """Soft graphs y of n fresh z.  [n, N, kinds + N bonds]"""
        X, A = self.G.logits(self.G.prior(n))
        relax = RELAXED[self.relaxed]
        return joined(relax(X, noise_like(X)), self.G.without_loops(relax(A, both_ways(noise_like(A)))))


def both_ways(A: Tensor) -> Tensor:
    """What is above the diagonal of [n, N, N, Y], below it too, so that a bond is drawn once."""
    above = A.movedim(3, 1).triu(1)
    return (above + above.transpose(2, 3)).movedim(1, 3)


def noise_like(logits: Tensor) -> Tensor:
    """Gumbel's: -log of an exponential."""
    return -torch.empty_like(logits).exponential_().log()
