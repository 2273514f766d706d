"""Goodfellow et al. 2014, Prop. 1 and Thm. 1, reached by the real trainer on distributions that are known."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as fn

from ganzoo_core.nn import Discriminator, Generator, Images, Latent
from ganzoo_core.objectives import Objective, Phase, Player, Step, adam, hinge, least_squares, linear, minimax
from ganzoo_core.training.trainer import Alternating

P, Q = torch.tensor([0.1, 0.2, 0.3, 0.4]), torch.tensor([0.4, 0.3, 0.25, 0.05])
SYMBOLS, BATCH = len(P), 512


class Categorical(Generator):
    """Symbols from a distribution that is its only weight, as one-hot rows; `inverse` of a uniform latent."""

    inputs = {"u": Latent((), (0.0, 1.0))}
    output = Images((SYMBOLS,), (0.0, 1.0))

    def __init__(self, q):
        super().__init__()
        self.logits = nn.Parameter(q.log())

    def forward(self, u):
        symbol = torch.searchsorted(self.logits.softmax(0).cumsum(0), u.flatten()).clamp(max=SYMBOLS - 1)
        return fn.one_hot(symbol, SYMBOLS).float()


class Table(Discriminator):
    """One score per symbol: all discriminators that there are."""

    def __init__(self):
        super().__init__()
        self.score = nn.Linear(SYMBOLS, 1, bias=False)

    def forward(self, x):
        return self.score(x)


class FixedGenerator(Objective):
    """The inner maximisation of Alg. 1: D plays alone, against a G that stands still."""

    def __init__(self, loss, q):
        super().__init__()
        self.G, self.D, self.loss = Categorical(q), Table(), loss

    def phases(self):
        D = Player("D", [self.D], adam(0.1, 0.9), {"lr": linear(1, 0)})
        return [Phase("main", [Step(D, self.d_loss)], 400 * BATCH)]

    def d_loss(self, batch):
        return self.loss.d(self.D(batch["x"]), self.D(self.G(self.G.prior(len(batch["x"])))))


def draws_from_p(*, start, batch_size, rank, world):
    rng = torch.Generator().manual_seed(start)
    while True:
        yield {"x": fn.one_hot(torch.multinomial(P, batch_size, True, generator=rng), SYMBOLS).float()}


def trained(loss, q=Q):
    """The scores of a trained discriminator, one per symbol."""
    torch.manual_seed(0)
    game = FixedGenerator(loss, q)
    for _ in Alternating(batch_size=BATCH).run(game, draws_from_p):
        pass
    torch.testing.assert_close(game.G.logits.softmax(0), q)  # it did stand still
    return game.D.score.weight.flatten()


def value(scores, q=Q):
    """V(G, D) of Eq. 1, in expectation."""
    return float((P * fn.logsigmoid(scores)).sum() + (q * fn.logsigmoid(-scores)).sum())


def jsd(p, q):
    m = (p + q) / 2
    return float((p * (p / m).log()).sum() + (q * (q / m).log()).sum()) / 2


def test_the_trained_discriminator_is_p_over_p_plus_q():
    scores = trained(minimax)
    torch.testing.assert_close(scores.sigmoid(), P / (P + Q), rtol=0, atol=0.015)
    assert value(scores) == pytest.approx(-math.log(4) + 2 * jsd(P, Q), abs=1e-3)
    assert value(scores) <= -math.log(4) + 2 * jsd(P, Q) + 1e-6  # it is the maximum


def test_against_the_data_itself_it_is_one_half_everywhere_and_the_value_is_minus_log_4():
    scores = trained(minimax, q=P)
    torch.testing.assert_close(scores.sigmoid(), torch.full((SYMBOLS,), 0.5), rtol=0, atol=0.02)
    assert value(scores, q=P) == pytest.approx(-math.log(4), abs=1e-3)


@pytest.mark.parametrize(
    ("loss", "expected"), [(least_squares, P / (P + Q)), (hinge, (P - Q).sign())], ids=["least_squares", "hinge"]
)
def test_the_other_losses_reach_their_own_optima(loss, expected):
    torch.testing.assert_close(trained(loss), expected, rtol=0, atol=0.06)
