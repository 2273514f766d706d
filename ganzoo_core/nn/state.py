"""Leaving modules and random generators as they were."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

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
