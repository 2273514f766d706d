"""Streams of random numbers: one for each purpose, and what draws inside of a network draws from them, too.

Nothing here moves a generator that anybody else can see, so any number of threads may draw at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from threading import Lock
from typing import Any

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode  # where PyTorch documents it (Extending PyTorch)

from ganzoo_core.seeds import hash_bytes

STREAM = "shake256-mt19937"  # how samples are drawn, for config.json: whoever changes `stream` changes this
WORDS = 624  # of 32 bits: the state of the Mersenne twister
HEAD = 24  # bytes of a CPU generator's state before them: its seed, and that all words are still to be used
LENDING = Lock()


def stream(device: torch.device, seed: int, purpose: str, *counts: int) -> torch.Generator:
    """A generator on `device` for one purpose at one point: stream(device, seed, "sample", i).

    On a CPU its whole state, 19,937 bits, is a hash of what it is for (`manual_seed` would use 32 bits: among 70,000
    samples two would be alike); elsewhere the 64 bits of its seed are.
    """
    rng = torch.Generator(device)
    if device.type != "cpu":
        return rng.manual_seed(int.from_bytes(hash_bytes(8, seed, purpose, *counts), "little"))
    state = rng.get_state()
    words = np.frombuffer(hash_bytes(4 * WORDS, seed, purpose, *counts), "<u4").astype(np.int64)
    state[HEAD : HEAD + 8 * WORDS].view(torch.int64).copy_(torch.from_numpy(words))  # each in 8 bytes
    return rng.set_state(state)


class DrawFrom(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Within it, what this thread draws comes from generators of its own: `make(device)`, made when it is needed.

    It holds for whatever draws and is given no generator: inner noise, dropout, first weights. Other threads draw
    from the global generators as before, and these do not move.
    """

    def __init__(self, make: Callable[[torch.device], torch.Generator]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.make = make
        self.generators: dict[torch.device, torch.Generator] = {}

    def __torch_dispatch__(
        self, op: Any, types: Sequence[type], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        given = dict(kwargs or {})
        if torch.Tag.nondeterministic_seeded not in op.tags or given.get("generator") is not None:
            return op(*args, **given)
        device = device_of(args, given)
        if device.type == "meta":  # draws nothing
            return op(*args, **given)
        if device not in self.generators:
            self.generators[device] = self.make(device)
        rng, seeded = self.generators[device], with_generator(op)
        return seeded(*args, **{**given, "generator": rng}) if seeded else lent(rng, op, args, given)


def device_of(args: Sequence[Any], given: Mapping[str, Any]) -> torch.device:
    """Where an operation draws."""
    tensors = (item for item in (*args, *given.values()) if isinstance(item, torch.Tensor))
    device: torch.device | None = given.get("device") or next((tensor.device for tensor in tensors), None)
    return torch.device("cpu") if device is None else torch.empty(0, device=device).device  # cuda is cuda:0, say


@cache
def with_generator(op: Any) -> Any:
    """The same operation with an argument for a generator; None where PyTorch has none."""
    wanted = typed(op) | {("generator", "Optional[Generator]")}
    overloads = (getattr(op.overloadpacket, name) for name in op.overloadpacket.overloads())
    return next((each for each in overloads if typed(each) == wanted), None)


def typed(op: Any) -> set[tuple[str, str]]:
    """An operation's arguments with their types."""
    return {(argument.name, str(argument.type)) for argument in op._schema.arguments}


def lent(rng: torch.Generator, op: Any, args: Sequence[Any], given: Mapping[str, Any]) -> Any:
    """The result of an operation that draws from the global generator only: it has the state of `rng` meanwhile."""
    cpu = rng.device.type == "cpu"
    shared = torch.default_generator if cpu else torch.cuda.default_generators[rng.device.index]
    with LENDING:
        before = shared.get_state()
        shared.set_state(rng.get_state())
        try:
            return op(*args, **given)
        finally:
            rng.set_state(shared.get_state())
            shared.set_state(before)
