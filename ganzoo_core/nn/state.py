"""Leaving modules and random generators as they were."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Protocol

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


@contextmanager
def evaluation_mode(net: HasModes) -> Iterator[None]:
    """`net` in evaluation mode; afterwards every module is in the mode that it was in."""
    modes = {module: module.training for module in net.modules()}
    net.eval()
    try:
        yield
    finally:
        for module, training in modes.items():
            module.training = training
