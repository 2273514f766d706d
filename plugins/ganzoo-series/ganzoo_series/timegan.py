"""The game of TimeGAN: x is a series in [0, 1], h = E(x) its hidden states, e = main(z) made ones, S the supervisor."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from torch import Tensor, nn

from ganzoo_core.nn import Discriminator
from ganzoo_core.objectives import Batch, Objective, Phase, Player, Step, Terms, adam, nonsaturating
from ganzoo_series.timegan_networks import G as TimeG

EPS = 1e-6  # of a deviation's root


class TimeGAN(Objective):
    """Time-series Generative Adversarial Networks (Yoon, Jarrett, van der Schaar 2019, NeurIPS).

    E and R learn to code series, S to foretell the next hidden state, then all play: G and D in the hidden space.
    Weights are those of the authors' code.
    """

    G: TimeG
    E: nn.Module
    D: Discriminator

    gamma: Annotated[float, "weight of D's verdict on states that S has not touched"] = 1.0
    eta: Annotated[float, "weight of what S foretells, for G"] = 100.0
    moments: Annotated[float, "weight of means and deviations, for G"] = 100.0
    recovered: Annotated[float, "weight of what R makes of h, for E and R"] = 10.0
    lam: Annotated[float, "weight of what S foretells, for E and R"] = 0.1
    rest: Annotated[float, "a loss of D's below which D learns nothing"] = 0.15
    lr: Annotated[float, "Adam's step for all players"] = 1e-3
    images_e: Annotated[int, "series on which E and R begin: 50,000 batches"] = 6_400_000
    images_s: Annotated[int, "series on which S begins: as many"] = 6_400_000
    images: Annotated[int, "length of the game in series: as many iterations, two updates of G and E in each"] = (
        12_800_000
    )

    needs = frozenset({"series"})
    batchwise = True  # means and deviations of a batch

    def phases(self) -> Sequence[Phase]:
        optim = adam(self.lr, 0.9)
        E, S = Player("E", [self.E, self.G.R], optim), Player("S", [self.G.S], optim)
        all_e, G = Player("E", [self.E, self.G.R], optim), Player("G", [self.G.main, self.G.S], optim)
        D = Player("D", [self.D], optim)
        joint = [Step(G, self.g_loss, repeat=2), Step(all_e, self.e_loss, repeat=2), Step(D, self.d_loss)]
        return [
            Phase("embedding", [Step(E, self.recovery_loss)], self.images_e),
            Phase("supervised", [Step(S, self.supervised_loss)], self.images_s),
            Phase("joint", joint, self.images),
        ]

    def recovery_loss(self, batch: Batch) -> Terms:
        """10 sqrt(E (R(E(x)) - x)^2)."""
        x = unit(batch)
        return {"recovery": self.recovered * rmse(self.G.R(self.E(x)), x)}

    def supervised_loss(self, batch: Batch) -> Terms:
        """E (S(h)_t - h_{t+1})^2."""
        return {"foretold": self.foretold(self.E(unit(batch)))}

    def foretold(self, h: Tensor) -> Tensor:
        """How far S is from the next hidden state."""
        return (self.G.S(h)[:, :-1] - h[:, 1:]).float().square().mean()

    def g_loss(self, batch: Batch) -> Terms:
        """-E log D(S(e)) - gamma E log D(e) + eta sqrt(foretold) + moments (|deviations| + |means|)."""
        x = unit(batch)
        e = self.G.main(self.G.prior(len(x)))
        led = self.G.S(e)
        return {
            "adv": nonsaturating.g(self.D(led), None),
            "adv_e": self.gamma * nonsaturating.g(self.D(e), None),
            "foretold": self.eta * (self.foretold(self.E(x)) + EPS**2).sqrt(),
            "moments": self.moments * apart(self.G.R(led), x),
        }

    def e_loss(self, batch: Batch) -> Terms:
        """10 sqrt(E (R(E(x)) - x)^2) + 0.1 E (S(h)_t - h_{t+1})^2."""
        return {**self.recovery_loss(batch), "foretold": self.lam * self.foretold(self.E(unit(batch)))}

    def d_loss(self, batch: Batch) -> Terms:
        """-E log D(h) - E log(1 - D(S(e))) - gamma E log(1 - D(e)); without a gradient where it is below `rest`."""
        x = unit(batch)
        e = self.G.main(self.G.prior(len(x)))
        score, score_e = self.D(self.G.S(e)), self.D(e)
        terms = nonsaturating.d(self.D(self.E(x)), score)
        return gated({**terms, "fake_e": self.gamma * nonsaturating.d(score, score_e)["fake"]}, self.rest)


def unit(batch: Batch) -> Tensor:
    """The series in [0, 1]."""
    return (batch["series"] + 1) / 2


def rmse(x: Tensor, y: Tensor) -> Tensor:
    """The root of the mean square."""
    return ((x - y).float().square().mean() + EPS**2).sqrt()


def apart(made: Tensor, x: Tensor) -> Tensor:
    """How far deviations and means over a batch are, at each moment of each column: mean absolute difference."""
    deviations = [(s.float().var(0, unbiased=False) + EPS).sqrt() for s in (made, x)]
    means = [s.float().mean(0) for s in (made, x)]
    return (deviations[0] - deviations[1]).abs().mean() + (means[0] - means[1]).abs().mean()


def gated(terms: Terms, least: float | Tensor) -> Terms:
    """Terms whose gradient vanishes where their sum is below `least`: no device is waited for."""
    loss = sum(term.detach() for term in terms.values())
    gate = (loss > least).float()  # type: ignore[union-attr]
    return {name: gate * term + (1 - gate) * term.detach() for name, term in terms.items()}
