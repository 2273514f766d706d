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

from ganzoo_core.nn.generator import Discriminator, Generator
from ganzoo_core.nn.inputs import cycled, from_batch
from ganzoo_core.objectives.arguments import declared_arguments, network_names
from ganzoo_core.objectives.losses import Terms
from ganzoo_core.objectives.schedules import Schedule

Batch = Mapping[str, Tensor]  # named tensors that share their first dimension N
PREVIEW = 16  # pictures that are translated for the progress grid
Optim = Callable[[Iterable[Tensor]], Optimizer]


def nothing(*_: Any) -> None:
    """What happens where a game has nothing to do."""


def adam(lr: float, b1: float = 0.5, b2: float = 0.999, eps: float = 1e-8, *, decay: float = 0.0) -> Optim:
    """Adam (Kingma & Ba 2015) in its fused kernel; `decay` times a weight is added to its gradient."""
    return partial(Adam, lr=lr, betas=(b1, b2), eps=eps, weight_decay=decay, fused=True)


def rmsprop(lr: float, alpha: float = 0.99, eps: float = 1e-8) -> Optim:
    """RMSProp (Tieleman & Hinton 2012) with torch's defaults, which are those of most papers' code."""
    return partial(RMSprop, lr=lr, alpha=alpha, eps=eps)


def sgd(lr: float, momentum: float = 0.0) -> Optim:
    """Stochastic gradient descent with momentum, in its fused kernel."""
    return partial(SGD, lr=lr, momentum=momentum, fused=True)


def descend(terms: Terms, weights: Sequence[Tensor]) -> None:
    """The gradient of the sum of all terms that carry one: how most players learn."""
    torch.stack([v.float() for v in terms.values() if v.requires_grad]).sum().backward()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, eq=False)
class Player:
    """The weights that one optimizer moves.

    Players are told apart by identity: one that returns in a later phase keeps its optimizer, a new one starts afresh.
    Within a phase names are unique. Without an optimizer a player is moved by `Move`s alone.
    """

    name: str
    nets: Sequence[nn.Module]
    optim: Optim | None = None
    schedules: Mapping[str, Schedule] = field(default_factory=dict)  # optimizer option -> factor on its first value
    backward: Callable[[Terms, Sequence[Tensor]], None] = (
        descend  # terms -> the weights' gradients, added to what is there
    )
    on_gradients: Callable[[Sequence[Tensor]], None] = (
        nothing  # between backward and step: clip, say; over all processes
    )
    project: Callable[[], None] = nothing  # after each of its updates, without gradients: back onto its feasible set

    def parameters(self) -> list[nn.Parameter]:
        """Its weights, each once."""
        return list({id(w): w for net in self.nets for w in net.parameters()}.values())


@dataclass(frozen=True)
class Step:
    """One line of a paper's algorithm: this player descends this loss."""

    player: Player
    loss: Callable[[Batch], Terms]
    every: int = 1  # on every n-th iteration only (lazy regularisation)
    repeat: int = 1  # k times in a row, each on a fresh batch


@dataclass(frozen=True)
class Move(Step):
    """A line in which a player is moved by no gradient (evolution, k-means, a closed form): `loss` itself moves it.

    It runs without gradients, and what it returns is reported.
    """


@dataclass(frozen=True)
class Phase:
    """A stretch of training with one set of steps."""

    name: str
    steps: Sequence[Step]
    images: int  # its length in real images, over all processes and repeats
    data: Mapping[str, Any] = field(
        default_factory=dict
    )  # batch_size, and options of open_dataset: image_size, channels
    on_start: Callable[[], None] = nothing  # before its first iteration; on resume too, and then the state is loaded
    on_step_end: Callable[[float], None] = nothing  # after every iteration, with u, the fraction that is done

    @property
    def players(self) -> list[Player]:
        return list({step.player: None for step in self.steps})


class Objective(nn.Module, ABC):
    """A game: its networks are its children, its losses its methods, its course its phases.

    Networks and arguments are declared in the class, and inherited::

        class LSGAN(Objective):
            G: Generator
            D: Discriminator
            lr: Annotated[float, "Adam's step for both players"] = 2e-4

    `LSGAN(G, D, lr=1e-4)` sets them; then `__post_init__` may make what follows from them. All that changes in training
    is a parameter or a buffer, so `state_dict` is the whole checkpoint. `ema` holds the moving averages of what is
    exported, when the trainer keeps any.
    """

    needs: frozenset[str] = frozenset({"x"})  # keys that a batch must have
    on_host: ClassVar[frozenset[str]] = frozenset()  # those of them that stay in the host's memory: it reads them
    exported: ClassVar[tuple[str, ...]] = ("G",)  # children that are shipped: their average, where there is one
    prepare_on: ClassVar[int] = 0  # how many real images `prepare` is shown
    batchwise: ClassVar[bool] = False  # whether a loss looks at the batch as a whole, so that micro-batches change it
    recipe: Any = None  # what it was built from (ganzoo_core.registry.recipes.Recipe)

    def __init__(self, *networks: nn.Module, **given: Any) -> None:
        super().__init__()
        self.ema = nn.ModuleDict()
        names = network_names(type(self))
        if len(networks) > len(names):
            raise TypeError(f"{type(self).__name__}: {len(networks)} networks given, {len(names)} declared")
        values = {**dict(zip(names, networks, strict=False)), **given}
        for name in names:
            if name not in values:
                raise TypeError(f"{type(self).__name__}: network {name} is missing")
        declared = declared_arguments(type(self))
        for name in values.keys() - declared.keys() - set(names):
            raise TypeError(f"{type(self).__name__}: unexpected argument {name}")
        for name in (*names, *(name for name in declared if name in given)):
            setattr(self, name, values[name])
        self.__post_init__()

    def __post_init__(self) -> None:  # most games have nothing to add
        """Once networks and arguments are set: buffers, checks, further networks."""

    @abstractmethod
    def phases(self) -> Sequence[Phase]:
        """The course of the game; called once per run.

        A player's weights have no second player in the same phase.
        """

    def prepare(self, batch: Batch) -> None:  # most games have nothing to prepare
        """Once, on fresh runs only: what must be seen of the data before the first step."""

    def exported_modules(self) -> dict[str, nn.Module]:
        """The exported networks by name, as they are trained."""
        return {name: getattr(self, name) for name in self.exported}

    def exported_networks(self) -> dict[str, nn.Module]:
        """The exported networks by name, averaged where there is an average."""
        return {name: self.ema[name] if name in self.ema else getattr(self, name) for name in self.exported}

    def discriminators(self) -> dict[str, nn.Module]:
        """Its discriminators by name: shipped beside what is exported where somebody wants to train on."""
        return {name: net for name, net in self.named_children() if isinstance(net, Discriminator)}

    @torch.no_grad()
    def sample(self, batch: Batch) -> dict[str, Tensor]:
        """Named samples for the progress grid, [n, *shape] each: what each exported generator makes of seed 0, classes
        in turn.

        What a generator is given comes out of the batch, some of it, and pictures of it are shown too.
        """
        n = len(next(iter(batch.values())))
        samples: dict[str, Tensor] = {}
        for name, net in self.exported_networks().items():
            if isinstance(net, Generator):
                given = {key: value[:PREVIEW] for key, value in from_batch(net, batch).items()}
                samples |= {key: value for key, value in given.items() if net.inputs[key].flag == "--input"}
                m = min(n, PREVIEW) if given else n
                samples[name] = net.sample(m, seed=0, **cycled(net, m), **given)
        return samples


@torch.no_grad()
def ema_update(target: nn.Module, source: nn.Module, beta: float) -> None:
    """target <- beta target + (1 - beta) source; buffers are copied."""
    for a, b in zip(target.parameters(), source.parameters(), strict=True):
        a.lerp_(b, 1 - beta)
    copy_buffers(target, source)


@torch.no_grad()
def copy_buffers(target: nn.Module, source: nn.Module) -> None:
    for a, b in zip(target.buffers(), source.buffers(), strict=True):
        a.copy_(b)
