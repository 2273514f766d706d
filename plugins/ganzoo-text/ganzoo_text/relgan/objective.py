"""RelGAN: soft words carry D's gradient to G, and harden as the game goes on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, softplus

from ganzoo_core.nn import Discriminator
from ganzoo_core.objectives import Batch, Objective, Phase, Player, Step, Terms, adam, to_float32
from ganzoo_text.language import Writer
from ganzoo_text.seqgan.objective import clipped


class RelGAN(Objective):
    """RelGAN: Relational Generative Adversarial Networks for Text Generation (Nie, Narodytska & Patel, ICLR 2019).

    First -E sum_t log G(x_t | x_1 .. x_t-1). Then, over the S embeddings of D,
    d = -E log sigmoid(D(x) - D(y)),  g = -E log sigmoid(D(y) - D(x)),
    y_t = softmax(beta (o_t + g_t)) of G's logits o_t and Gumbel's noise g_t, beta = beta_max^(n / N) in iteration n of
    N; the word that G goes on from is argmax (o_t + g_t).
    """

    G: Writer
    D: Discriminator
    mle_lr: Annotated[float, "Adam's step for G before the game"] = 1e-2
    g_lr: Annotated[float, "Adam's step for G in the game"] = 1e-4
    d_lr: Annotated[float, "Adam's step for D"] = 1e-4
    beta_max: Annotated[float, "how hard soft words are at the end: 1 on the oracle, 100 or 1,000 on words"] = 1.0
    d_steps: Annotated[int, "updates of D for each of G"] = 5
    mle: Annotated[int, "lines that G learns by likelihood"] = 1_500_000
    images: Annotated[int, "length of the game in lines; 0: likelihood alone"] = 1_000_000

    needs = frozenset({"tokens"})
    beta: Tensor

    def __post_init__(self) -> None:
        self.register_buffer("beta", torch.ones(()))

    def phases(self) -> Sequence[Phase]:
        likely, G = (Player(name, [self.G], adam(lr, 0.9), on_gradients=clipped)
                     for name, lr in (("MLE", self.mle_lr), ("G", self.g_lr)))  # fmt: skip
        D = Player("D", [self.D], adam(self.d_lr, 0.9), on_gradients=clipped)
        learning = Phase("likelihood", [Step(likely, self.mle_loss)], self.mle)
        game = Phase("game", [Step(G, self.g_loss), Step(D, self.d_loss, repeat=self.d_steps)], self.images,
                     on_step_end=self.harden)  # fmt: skip
        return [phase for phase in (learning, game) if phase.images]

    def mle_loss(self, batch: Batch) -> Terms:
        x = batch["tokens"]
        return {"nll": cross_entropy(self.G.language.told(x).flatten(0, 1), x.flatten())}

    def d_loss(self, batch: Batch) -> Terms:
        x = batch["tokens"]
        return {"pair": relative(self.D(x), self.D(self.soft(len(x))))}

    def g_loss(self, batch: Batch) -> Terms:
        x = batch["tokens"]
        return {"adv": relative(self.D(self.soft(len(x))), self.D(x))}

    def soft(self, n: int) -> Tensor:
        """Soft words y of n lines.  [N, L, V]"""
        device = self.beta.device
        word, state, made = torch.zeros(n, dtype=torch.int64, device=device), None, list[Tensor]()
        for _ in range(self.G.output.shape[0] or 0):
            o, state = self.G.language.step(word, state)
            noisy = o - torch.empty_like(o).exponential_().log()  # Gumbel's noise is -log of an exponential
            word = noisy.argmax(1)
            made.append((self.beta * noisy).softmax(1))
        return torch.stack(made, 1)

    @torch.no_grad()
    def harden(self, u: float) -> None:
        """beta = beta_max^u"""
        self.beta.fill_(self.beta_max**u)


def relative(a: Tensor, b: Tensor) -> Tensor:
    """-E log sigmoid(a - b) (Jolicoeur-Martineau 2018, RSGAN)."""
    return softplus(to_float32(b) - to_float32(a)).mean()
