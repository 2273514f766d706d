"""Leaving modules and random generators as they were."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import torch
from torch import nn


def reseed(seed: int) -> None:
    """Seed the global generators that are in use: the CPU's, and those of devices that have been touched.

    `torch.manual_seed` would also queue the seed for devices that are not, where no `preserve_rng` could undo it.
    """
    torch.default_generator.manual_seed(seed)
    for device in touched():
        device.manual_seed_all(seed)


def touched() -> list[Any]:
    """The modules (torch.cuda, torch.xpu) of the kinds of device that are in use."""
    return [device for device in (torch.cuda, torch.xpu) if device.is_initialized()]


@contextmanager
def preserve_rng() -> Iterator[None]:
    """Leaves the global generators as they were; those of devices only where some are in use."""
    with ExitStack() as stack:
        stack.enter_context(torch.random.fork_rng(()))
        for device in touched():
            kind = device.__name__.rpartition(".")[2]
            stack.enter_context(torch.random.fork_rng(range(device.device_count()), device_type=kind))
        yield


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
