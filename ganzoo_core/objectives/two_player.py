"""The game of Goodfellow et al. 2014 with its losses left open: a family fills in `loss`, `penalty`, or more."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar

from torch import Tensor, nn

from ganzoo_core.nn.generator import Discriminator, Generator
from ganzoo_core.objectives.losses import Adversarial, Terms, nonsaturating
from ganzoo_core.objectives.objective import Batch, Objective, Optim, Phase, Player, Step, adam
from ganzoo_core.objectives.penalties import require_no_batch_norm
from ganzoo_core.objectives.schedules import Schedule


class TwoPlayer(Objective):
    """Goodfellow et al. 2014, Alg. 1: D moves some times, then G, each by its own optimizer.

    x is an image, z a latent; r = D(x) and s = D(G(z)) are scores, higher = more real.
    """

    G: Generator
    D: Discriminator
    images: Annotated[int, "length in real images"] = 15_000_000

    loss: Adversarial = nonsaturating
    slopes: ClassVar[bool] = False  # whether D pays for its slope, and so has to judge samples one by one

    def __post_init__(self) -> None:
        if self.slopes:
            require_no_batch_norm(self.D)

    @abstractmethod
    def optim(self, player: str) -> Optim:
        """The optimizer of "D" or "G"."""

    def schedules(self, player: str) -> Mapping[str, Schedule]:
        """Factors on the optimizer's options; none unless a game says so."""
        return {}

    def nets(self, player: str) -> Sequence[nn.Module]:
        """What "D" or "G" moves: the network of that name, unless a game adds a head."""
        return [self.D if player == "D" else self.G]

    def d_updates(self) -> int:
        """Updates of D for each of G."""
        return 1

    def phases(self) -> Sequence[Phase]:
        D = Player("D", self.nets("D"), self.optim("D"), self.schedules("D"), project=self.project)
        G = Player("G", self.nets("G"), self.optim("G"), self.schedules("G"))
        steps = [Step(D, self.d_loss, repeat=self.d_updates()), Step(G, self.g_loss)]
        return [Phase("main", steps, self.images, on_step_end=self.on_step_end)]

    def d_loss(self, batch: Batch) -> Terms:
        """`loss.d` of real and fake samples, each in a batch of their own, and the penalty."""
        x = batch["x"]
        r, fake = self.D(x), self.fake(len(x))
        return self.loss.d(r, self.D(fake)) | self.penalty(x, fake)

    def g_loss(self, batch: Batch) -> Terms:
        """`loss.g`, on fresh z; where it is relative, against the scores of the real batch."""
        x = batch["x"]
        real = self.D(x) if self.loss.relative else None
        return {"adv": self.loss.g(self.D(self.fake(len(x))), real)}

    def penalty(self, x: Tensor, fake: Tensor) -> Terms:
        """What D pays beyond its loss; nothing unless a game says so."""
        return {}

    def project(self) -> None:
        """What is done after each update of D; nothing unless a game says so."""

    def on_step_end(self, u: float) -> None:
        """What is done after each iteration, u of the run being over; nothing unless a game says so."""

    def fake(self, n: int, *conditions: Tensor) -> Tensor:
        """G of all that it draws afresh for n samples, and of conditions.  [n, ...]"""
        return self.G(*self.G.priors(n).values(), *conditions)


class TwoPlayerAdam(TwoPlayer):
    """With Adam for both: k updates of D for each of G."""

    lr: Annotated[float, "Adam's step for both players"] = 2e-4
    b1: Annotated[float, "Adam's beta_1"] = 0.5
    b2: Annotated[float, "Adam's beta_2"] = 0.999
    k: Annotated[int, "updates of D for each of G"] = 1

    def optim(self, player: str) -> Optim:
        return adam(self.lr, self.b1, self.b2)

    def d_updates(self) -> int:
        return self.k
