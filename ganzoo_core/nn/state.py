"""Leaving modules and random generators as they were."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import torch
from torch import nn


def preserve_rng() -> AbstractContextManager[None]:
    """Leaves the global generators as they were; those of GPUs only where some are in use."""
    gpus = range(torch.cuda.device_count()) if torch.cuda.is_initialized() else ()  # type: ignore[no-untyped-call]
    return torch.random.fork_rng(gpus)


class HasModes(Protocol):
    """A module, or what behaves like one."""

    def modules(self) -> Iterator[nn.Module]: ...
    def eval(self) -> Any: ...


@dataclass
class Borrowed:
    """A module that is in evaluation mode for a while."""

    training: bool  # how it was before
    users: int = 0  # how many want it so; the last one puts it back


BORROWED: WeakKeyDictionary[nn.Module, Borrowed] = WeakKeyDictionary()
LOCK = Lock()


@contextmanager
def evaluation_mode(net: HasModes) -> Iterator[None]:
    """`net` in evaluation mode; afterwards every module is in the mode that it was in.

    Several threads may ask for it: a module stays in evaluation mode until the last of them is done with it.
    """
    modules = list(net.modules())
    with LOCK:
        for module in modules:
            BORROWED.setdefault(module, Borrowed(module.training)).users += 1
        net.eval()
    try:
        yield
    finally:
        with LOCK:
            for module in modules:
                BORROWED[module].users -= 1
                if not BORROWED[module].users:
                    module.training = BORROWED.pop(module).training
