"""Exact samples: sample i of a seed is the same in every process of one machine, however many are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Protocol, SupportsIndex

import torch
from torch import Tensor

from ganzoo_core.errors import GanzooError, UnknownNameError, escape
from ganzoo_core.nn.device import computing_in
from ganzoo_core.nn.inputs import Input
from ganzoo_core.nn.state import evaluation_mode
from ganzoo_core.nn.streams import DrawFrom, stream

if TYPE_CHECKING:
    from torch import nn

CPU = torch.device("cpu")
TOO_SMALL = ("Padding size should be less than", "Kernel size can't be greater than")  # as torch says it
Priors = Callable[[int, torch.Generator], dict[str, Tensor]]  # (n, rng) -> what is drawn, by name


class Sampled(Protocol):
    """What is asked of a generator that is sampled."""

    inputs: Mapping[str, Input]

    @property
    def sample_batch_size(self) -> int: ...

    def priors(self, n: int, rng: torch.Generator | None = None) -> dict[str, Tensor]: ...
    def parameters(self) -> Iterator[nn.Parameter]: ...
    def modules(self) -> Iterator[nn.Module]: ...
    def eval(self) -> Any: ...


Forward = Callable[..., Tensor]


def plainly(net: Sampled, forward: Forward, arguments: Sequence[Tensor]) -> Tensor:
    return forward(*arguments)


# How samples are made of what `forward` takes: whoever makes a program of a network looks on here.
forward_pass: ContextVar[Callable[[Sampled, Forward, Sequence[Tensor]], Tensor]] = ContextVar(
    "forward_pass", default=plainly
)


@torch.no_grad()
def sample_deterministic(
    net: Sampled,
    forward: Forward,
    n: int,
    seed: int,
    given: Mapping[str, Any],
    priors: Priors | None = None,
) -> Tensor:
    """n samples of `forward`, which is `net` or `net` with options, float32 on its device; see Generator.sample.

    What `forward` makes is the whole sample (cut to its range, too): a program that is exported is made of it.

    `priors` draws the latents where that is an option too (truncation); else `net.priors` does. Every chunk is full,
    the last one too: how many samples are asked for then changes neither the inner noise nor the order in which a
    matrix product sums. Any number of threads may sample one network at once. Errors: GanzooError for fewer than one
    sample and for conditions that do not fit.
    """
    if not isinstance(n, SupportsIndex):
        raise GanzooError(f"{escape(repr(n), 40)} samples: is no number", 'A class is given by name: label="3".')
    if n < 1:
        raise GanzooError(f"{n} samples: asked for none", "Ask for one at least.")
    device = next(net.parameters()).device
    for name in given.keys() - net.inputs.keys():
        raise UnknownNameError("sampling option", name, net.inputs)
    free = {k for k, v in net.inputs.items() if v.drawn and given.get(k) is None and v.default is None}
    conditions = {k: v.rows(k, given.get(k), n, device) for k, v in net.inputs.items() if k not in free}
    chunks = []
    with evaluation_mode(net), computing_in(torch.float32, device):
        for start in range(0, n, net.sample_batch_size):
            which = range(start, start + net.sample_batch_size)
            drawn = latents(priors or net.priors, seed, which)
            arguments = [drawn[k].to(device) if k in free else conditions[k][clipped(which, n)] for k in net.inputs]
            draws = DrawFrom(lambda device, start=start: stream(device, seed, "noise", start))  # type: ignore[misc]
            with draws, large_enough(net, conditions):
                chunks.append(forward_pass.get()(net, forward, arguments).float())
    return (chunks[0] if len(chunks) == 1 else torch.cat(chunks))[:n]  # a copy of a photograph enlarged is gigabytes


@contextmanager
def large_enough(net: Sampled, conditions: Mapping[str, Tensor]) -> Iterator[None]:
    """What is given may be too small for a network that mirrors it, or has no place left of it.

    Errors: GanzooError.
    """
    try:
        yield
    except RuntimeError as fault:
        free = [name for name, declared in net.inputs.items() if name in conditions and None in declared.shape]
        if not free or not any(reason in str(fault) for reason in TOO_SMALL):
            raise
        sides = "x".join(str(side) for side in reversed(conditions[free[0]].shape[-2:]))
        raise GanzooError(f"{free[0]}: {sides} is too small for this network", "Give a larger one.") from None


def latents(priors: Priors, seed: int, which: Sequence[int]) -> dict[str, Tensor]:
    """The latents of samples `which` of a seed, each from its own stream on the CPU, so on any device the same."""
    each = [priors(1, stream(CPU, seed, "sample", i)) for i in which]
    return {name: torch.cat([one[name] for one in each]) for name in each[0]}


def clipped(which: Sequence[int], n: int) -> list[int]:
    """Rows of the conditions for samples `which`; beyond the n that were asked for, the last one again."""
    return [min(i, n - 1) for i in which]
