"""SeqGAN: G learns its words by likelihood first, then by what D says of the lines that they may still become."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Annotated

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, log_softmax
from torch.nn.utils import clip_grad_norm_

from ganzoo_core.objectives import Batch, Objective, Phase, Player, Step, Terms, adam, minimax
from ganzoo_text.seqgan import networks

CLIP = 5.0


class SeqGAN(Objective):
    """SeqGAN: Sequence Generative Adversarial Nets with Policy Gradient (Yu et al. 2017, arXiv:1609.05473).

    First -E sum_t log G(x_t | x_1 .. x_t-1); D learns data from samples; then
    g = -E sum_t Q_t log G(y_t | y_1 .. y_t-1) (Eq. 6-7),
    Q_t = the mean of D over `rollouts` lines that R makes of y_1 .. y_t; D itself of whole lines (Eq. 4),
    d = -E log D(x) - E log(1 - D(y)) (Eq. 5). R follows G: R <- beta R + (1 - beta) G.
    """

    G: networks.G
    D: networks.D
    mle_lr: Annotated[float, "Adam's step for G before the game"] = 1e-2
    g_lr: Annotated[float, "Adam's step for G in the game"] = 1e-2
    d_lr: Annotated[float, "Adam's step for D"] = 1e-4
    rollouts: Annotated[int, "lines that each beginning is finished to"] = 16
    beta: Annotated[float, "how much of R stays after each iteration"] = 0.8
    d_steps: Annotated[int, "updates of D for each of G"] = 15
    mle: Annotated[int, "lines that G learns by likelihood"] = 1_200_000
    d_first: Annotated[int, "lines that D learns before the game"] = 100_000
    images: Annotated[int, "length of the game in lines"] = 200_000

    needs = frozenset({"tokens"})

    def __post_init__(self) -> None:
        self.R = copy.deepcopy(self.G).requires_grad_(False)

    def phases(self) -> Sequence[Phase]:
        likely, G = (Player(name, [self.G], adam(lr, 0.9), on_gradients=clipped)
                     for name, lr in (("MLE", self.mle_lr), ("G", self.g_lr)))  # fmt: skip
        D = Player("D", [self.D], adam(self.d_lr, 0.9))
        return [
            Phase("likelihood", [Step(likely, self.mle_loss)], self.mle),
            Phase("first_d", [Step(D, self.d_loss)], self.d_first),
            Phase("game", [Step(G, self.g_loss), Step(D, self.d_loss, repeat=self.d_steps)], self.images,
                  on_start=self.catch_up, on_step_end=self.follow),
        ]  # fmt: skip

    def mle_loss(self, batch: Batch) -> Terms:
        x = batch["tokens"]
        return {"nll": cross_entropy(self.G.language.told(x).flatten(0, 1), x.flatten())}

    def d_loss(self, batch: Batch) -> Terms:
        x = batch["tokens"]
        return minimax.d(self.D(x), self.D(self.lines(len(x))))

    def g_loss(self, batch: Batch) -> Terms:
        y = self.lines(len(batch["tokens"]))
        said = log_softmax(self.G.language.told(y), 2).gather(2, y[:, :, None])[:, :, 0]
        q = self.rewards(y)
        return {"adv": -(said * q).sum(1).mean(), "reward": q[:, -1].mean().detach()}

    @torch.no_grad()
    def rewards(self, y: Tensor) -> Tensor:
        """Q of each word of lines y [N, L].  [N, L]"""
        n, length = y.shape
        before, state, found = torch.zeros_like(y[:, 0]), None, []
        for t in range(length - 1):
            _, state = self.R.language.step(before, state)
            before = y[:, t]
            beginnings = [value.repeat_interleave(self.rollouts, 1) for value in state]
            word = before.repeat_interleave(self.rollouts)
            u = torch.rand(len(word), length - 1 - t, device=y.device)
            rest = self.R.language.written(u, word, (beginnings[0], beginnings[1]))
            whole = torch.cat([y[:, : t + 1].repeat_interleave(self.rollouts, 0), rest], 1)
            found.append(self.D(whole).sigmoid().view(n, self.rollouts).mean(1))
        return torch.stack([*found, self.D(y).sigmoid()], 1)

    @torch.no_grad()
    def lines(self, n: int) -> Tensor:
        """y ~ G, int64 [n, L]."""
        return self.G.language.written(self.G.prior(n))

    def catch_up(self) -> None:
        """R is G as the game begins."""
        self.R.load_state_dict(self.G.state_dict())

    @torch.no_grad()
    def follow(self, u: float) -> None:
        """R <- beta R + (1 - beta) G"""
        for mine, theirs in zip(self.R.parameters(), self.G.parameters(), strict=True):
            mine.lerp_(theirs, 1 - self.beta)


def clipped(weights: Sequence[Tensor]) -> None:
    """Gradients of no more than 5 altogether."""
    clip_grad_norm_([w for w in weights if w.grad is not None], CLIP)
