"""A GAN is a game: who plays it (Player), what a move is (Step), how long it goes on (Phase), all in one Objective."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.optim import SGD, Adam, Optimizer, RMSprop

from ganzoo_core.losses import Terms
from ganzoo_core.networks import Generator, cycled, fed
from ganzoo_core.schedules import Schedule

Batch = Mapping[str, Tensor]  # named tensors that share their first dimension N
SHOWN = 16  # pictures that are translated for the progress grid
Optim = Callable[[Iterable[Tensor]], Optimizer]


def nothing(*_: Any) -> None:
    """What happens where a game has nothing to do."""


def adam(lr: float, b1: float = 0.5, b2: float = 0.999, eps: float = 1e-8) -> Optim:
    """Adam (Kingma & Ba 2015) in its fused kernel."""
    return partial(Adam, lr=lr, betas=(b1, b2), eps=eps, fused=True)


def rmsprop(lr: float, alpha: float = 0.99, eps: float = 1e-8) -> Optim:
    """RMSProp (Tieleman & Hinton 2012) with torch's defaults, which are those of most papers' code."""
    return partial(RMSprop, lr=lr, alpha=alpha, eps=eps)


def sgd(lr: float, momentum: float = 0.0) -> Optim:
    """Stochastic gradient descent with momentum, in its fused kernel."""
    return partial(SGD, lr=lr, momentum=momentum, fused=True)


@dataclass(frozen=True, eq=False)
class Player:
    """The weights that one optimizer moves.

    Players are told apart by identity: one that returns in a later phase keeps its optimizer, a new one starts afresh.
    """

    name: str
    nets: Sequence[nn.Module]
    optim: Optim
    schedules: Mapping[str, Schedule] = field(default_factory=dict)  # optimizer option -> factor on its first value
    project: Callable[[], None] = nothing  # after each of its updates, back onto its feasible set

    def parameters(self) -> list[nn.Parameter]:
        return list({id(w): w for net in self.nets for w in net.parameters()}.values())


@dataclass(frozen=True)
class Step:
    """One line of a paper's algorithm: this player descends this loss."""

    player: Player
    loss: Callable[[Batch], Terms]
    every: int = 1  # on every n-th iteration only (lazy regularisation)
    repeat: int = 1  # k times in a row, each on a fresh batch


@dataclass(frozen=True)
class Phase:
    """A stretch of training with one set of steps."""

    name: str
    steps: Sequence[Step]
    images: int  # its length in real images, over all processes and repeats
    data: Mapping[str, Any] = field(default_factory=dict)  # options of the loader, e.g. image_size or batch_size
    enter: Callable[[], None] = nothing  # before its first iteration; a resumed run enters, then loads its state
    after: Callable[[float], None] = nothing  # after every iteration, with u, the fraction that is done

    @property
    def players(self) -> list[Player]:
        return list({step.player: None for step in self.steps})


class Objective(nn.Module, ABC):
    """A game: its networks are its children, its losses its methods, its course its phases.

    All that changes in training is a parameter or a buffer, so `state_dict` is the whole checkpoint. `averages` holds
    the moving averages of what is published, when the trainer keeps any.
    """

    needs: ClassVar[frozenset[str]] = frozenset({"x"})  # keys that a batch must have
    published: ClassVar[tuple[str, ...]] = ("G",)  # children that are shipped: their average, where there is one
    external: ClassVar[tuple[str, ...]] = ()  # frozen strangers (VGG): no part of the state
    prepare_on: ClassVar[int] = 0  # how many real images `prepare` is shown
    recipe: Any = None  # what it was built from (ganzoo_core.recipes.Recipe)

    def __init__(self) -> None:
        super().__init__()
        self.averages = nn.ModuleDict()

    @abstractmethod
    def phases(self) -> Sequence[Phase]:
        """The course of the game; called once per run."""

    def prepare(self, batch: Batch) -> None:  # most games have nothing to prepare
        """Once, on fresh runs only: what must be seen of the data before the first step."""

    def shipped(self) -> dict[str, nn.Module]:
        """The published networks by name, averaged where there is an average."""
        return {name: self.averages[name] if name in self.averages else getattr(self, name) for name in self.published}

    @torch.no_grad()
    def sample(self, batch: Batch) -> dict[str, Tensor]:
        """Named images for the progress grid: what each published generator makes of seed 0, classes in turn.

        Pictures that a generator is given come out of the batch, some of it, and are shown too.
        """
        n = len(next(iter(batch.values())))
        images: dict[str, Tensor] = {}
        for name, net in self.shipped().items():
            if isinstance(net, Generator):
                given = {key: value[:SHOWN] for key, value in fed(net, batch).items()}
                images |= {key: value for key, value in given.items() if net.inputs[key].kind == "image"}
                m = min(n, SHOWN) if given else n
                images[name] = net.sample(m, seed=0, **cycled(net, m), **given)
        return images


@torch.no_grad()
def average(target: nn.Module, source: nn.Module, beta: float) -> None:
    """target <- beta target + (1 - beta) source; buffers are copied."""
    for a, b in zip(target.parameters(), source.parameters(), strict=True):
        a.lerp_(b, 1 - beta)
    copy_buffers(target, source)


@torch.no_grad()
def copy_buffers(target: nn.Module, source: nn.Module) -> None:
    for a, b in zip(target.buffers(), source.buffers(), strict=True):
        a.copy_(b)
