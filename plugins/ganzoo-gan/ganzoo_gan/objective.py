"""The first adversarial game."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from ganzoo_core.losses import Terms, nonsaturating
from ganzoo_core.networks import Discriminator, Generator
from ganzoo_core.objective import Batch, Objective, Phase, Player, Step, adam, sgd
from ganzoo_core.penalties import clip_rows
from ganzoo_core.schedules import Schedule, exponential, saturating
from ganzoo_gan.networks import G as Perceptron


class GAN(Objective):
    """Generative Adversarial Nets (Goodfellow et al. 2014, arXiv:1406.2661), Alg. 1.

    x is an image, z a latent, D(x) the score whose sigmoid is the paper's probability that x is real.
    What the paper leaves to its code (rates, momentum, norms) is that of the authors' configuration for MNIST.
    """

    prepare_on = 1000

    def __init__(
        self,
        G: Generator,
        D: Discriminator,
        *,
        k: int = 1,  # updates of D for each of G
        rule: Literal["momentum", "adam"] = "momentum",  # of learning: the published one, or Adam with b1 = 0.5
        lr: float = 0.1,  # G's first step; D's is half of it
        max_norm: float = 0.0,  # bound on the norm of the weights into each unit of D; 0: none
        images: int = 25_000_000,  # length in real images: 500 epochs of MNIST's first 50,000
    ) -> None:
        super().__init__()
        self.G, self.D = G, D
        self.k, self.rule, self.lr, self.max_norm, self.images = k, rule, lr, max_norm, images

    def prepare(self, batch: Batch) -> None:
        """A perceptron begins at the pixels' marginals, as in the authors' code; other networks as they are."""
        if isinstance(self.G, Perceptron):
            self.G.begin_at(batch["x"].mean(0))

    def phases(self) -> Sequence[Phase]:
        D, G = self.players()
        return [Phase("main", [Step(D, self.d_loss, repeat=self.k), Step(G, self.g_loss)], self.images)]

    def players(self) -> tuple[Player, Player]:
        # The authors' code descends half of Alg. 1's loss of D: under momentum, the whole at half the rate.
        if self.rule == "adam":
            d_rule, g_rule, schedules = adam(self.lr / 2), adam(self.lr), {}
        else:
            d_rule, g_rule, schedules = sgd(self.lr / 2, 0.5), sgd(self.lr, 0.5), self.schedules()
        D = Player("D", [self.D], d_rule, schedules, self.project)
        return D, Player("G", [self.G], g_rule, schedules)

    def schedules(self) -> Mapping[str, Schedule]:
        """The rate is divided by 1.000004 at each update, down to 1e-6; momentum climbs to 0.7 in 250 epochs."""
        updates, epochs = self.images / (100 * self.k), self.images / 50_000
        return {
            "lr": exponential(1.000004**-updates, floor=1e-6 / self.lr),
            "momentum": saturating(0.7 / 0.5, at=250 / epochs),
        }

    def project(self) -> None:
        if self.max_norm:
            clip_rows(self.D, self.max_norm)

    def d_loss(self, batch: Batch) -> Terms:
        """-E log D(x) - E log(1 - D(G(z))): Eq. 1, D's side of Alg. 1."""
        x = batch["x"]
        return nonsaturating.d(self.D(x), self.D(self.G(self.G.prior(len(x)))))

    def g_loss(self, batch: Batch) -> Terms:
        """-E log D(G(z)): Sec. 3, which gives a stronger gradient than Alg. 1's E log(1 - D(G(z)))."""
        fake = self.G(self.G.prior(len(batch["x"])))
        return {"adv": nonsaturating.g(self.D(fake), None)}
