"""What games of one translator have alike: no way back, so something else must tie an answer to its question."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Annotated

from torch import nn

from ganzoo_core.nn import Discriminator, Generator
from ganzoo_core.objectives import Batch, ImagePool, Objective, Phase, Player, Step, Terms, adam, halfway_to_zero


class OneSided(Objective):
    """x of the domain X is batch["a"], y of Y is batch["b"]; G: X -> Y, D judges pictures of Y by patches."""

    G: Generator
    D: Discriminator

    pool: Annotated[int, "fakes that each discriminator is shown again; 0: none"] = 50
    lr: Annotated[float, "Adam's step for both players; from half the course on it falls to 0"] = 2e-4
    images: Annotated[int, "length in pictures of each domain"] = 267_000

    needs = frozenset({"a", "b"})

    def __post_init__(self) -> None:
        super().__post_init__()
        self.history = ImagePool(self.pool)

    def judges(self) -> Sequence[nn.Module]:
        """All discriminators."""
        return [self.D]

    def phases(self) -> Sequence[Phase]:
        G = Player("G", [self.G], adam(self.lr, 0.5), {"lr": halfway_to_zero})
        D = Player("D", self.judges(), adam(self.lr, 0.5), {"lr": halfway_to_zero})
        return [Phase("main", [Step(G, self.g_loss), Step(D, self.d_loss)], self.images)]

    @abstractmethod
    def g_loss(self, batch: Batch) -> Terms:
        """What G minimises."""

    @abstractmethod
    def d_loss(self, batch: Batch) -> Terms:
        """What the discriminators minimise."""
