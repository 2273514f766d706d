"""What happens when a generator is sampled: the forward pass, what it was called with, and what it drew."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from ganzoo_core.errors import GanzooError
from ganzoo_core.models.programs.randomness import Drawn, Law
from ganzoo_core.nn.generator import Generator
from ganzoo_core.nn.inputs import Input
from ganzoo_core.nn.sampling import Forward, Sampled, forward_pass
from ganzoo_core.nn.streams import stream


@dataclass
class Captured:
    """Samples of one seed, and all that they are made of."""

    net: Any  # whose inputs are taken: the generator, or a part of it
    forward: Forward
    arguments: dict[str, Tensor]  # of `forward`, by the names of the inputs, in their order: [n, ...]
    laws: list[Law]
    draws: list[Tensor]  # inside of it, [n, ...], or [1, ...] where one is for all
    samples: Tensor  # [n, *output.shape]

    @property
    def inputs(self) -> Mapping[str, Input]:
        found: Mapping[str, Input] = self.net.inputs
        return found


@dataclass
class Watch:
    """Calls forward passes and keeps what they were called with."""

    passes: list[tuple[Sampled, Forward, Sequence[Tensor]]] = field(default_factory=list)
    draws: list[list[tuple[Law, Tensor]]] = field(default_factory=list)

    def __call__(self, net: Sampled, forward: Forward, arguments: Sequence[Tensor]) -> Tensor:
        self.passes.append((net, forward, arguments))
        self.draws.append([])
        with Drawn(self.draw):
            return forward(*arguments)

    def draw(self, law: Law, make: Callable[[], Tensor]) -> Tensor:
        value = make()
        self.draws[-1].append((law, value))
        return value


def capture(net: Generator, options: Mapping[str, Any], seed: int = 0, larger: int = 0) -> Captured:
    """Sample a full batch, two samples at least, and look on. What must be given and is not in `options` is made up.

    Errors: GanzooError for options that make samples by more than forward passes alone.
    """
    watch, n = Watch(), max(2, net.sample_batch_size)
    mark = forward_pass.set(watch)
    try:
        samples = net.sample(n, seed=seed, **{**made_up(net, n, options, seed, larger), **options})
    finally:
        forward_pass.reset(mark)
    nets, forwards, arguments = zip(*watch.passes, strict=True)
    rows = [torch.cat(each) for each in zip(*arguments, strict=True)]
    if len(rows[0]) != n or len({len(drawn) for drawn in watch.draws}) > 1:
        raise GanzooError("these options make a sample of several forward passes", "Leave them out.")
    laws = [law for law, _ in watch.draws[0]]
    draws = [together([value for _, value in each]) for each in zip(*watch.draws, strict=True)]
    return Captured(nets[0], forwards[0], dict(zip(nets[0].inputs, rows, strict=True)), laws, draws, samples)


def made_up(net: Generator, n: int, options: Mapping[str, Any], seed: int, larger: int) -> dict[str, Tensor]:
    """Values of the inputs that a user must give."""
    rng = stream(torch.device("cpu"), seed, "trial")
    wanted = {name: i for name, i in net.inputs.items() if is_free(i) and not i.drawn and name not in options}
    return {name: declared.trial(n, rng, larger) for name, declared in wanted.items()}


def is_free(declared: Input) -> bool:
    """Whether it has to be given, or drawn, every time."""
    return declared.default is None


def together(values: Sequence[Tensor]) -> Tensor:
    """One draw of several passes."""
    return values[0] if len(values) == 1 else torch.cat(list(values))
