"""A press of a button from its beginning to its end: bounded in time, told of in one line, its files taken away.

A thread cannot be killed. But whatever a network does goes through its layers, so each layer looks at the clock first,
and past the limit raises: the press ends there, with its memory and its place in the queue. One layer is what it may
take longer; what loops without ever calling a layer would not be ended.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache, wraps
from math import inf
from pathlib import Path
from typing import Any

from torch.nn.modules.module import register_module_forward_pre_hook

from ganzoo_core.errors import GanzooError
from ganzoo_studio.limits import SAMPLING

until: ContextVar[float] = ContextVar("until", default=inf)  # of the clock that never goes back
folders: ContextVar[list[Path]] = ContextVar("folders")  # of the press that is going on


def look_at_clock(module: Any, given: Any) -> None:
    """Before each layer. Errors: GanzooError for a press that takes too long."""
    if time.monotonic() > until.get():
        raise GanzooError(
            f"this took more than {SAMPLING} seconds, and was ended", "Ask for less, or use the command line."
        )


@cache
def give_layers_a_clock() -> None:
    """Once in a process, for all networks; it changes no number."""
    register_module_forward_pre_hook(look_at_clock)


@contextmanager
def press(seconds: float = SAMPLING) -> Iterator[None]:
    """Within it, layers have this long, and folders are made that are gone at its end."""
    give_layers_a_clock()
    ends, made = until.set(time.monotonic() + seconds), folders.set([])
    try:
        yield
    finally:
        for folder in folders.get():
            shutil.rmtree(folder, ignore_errors=True)
        folders.reset(made)
        until.reset(ends)


def folder(room: Path) -> Path:
    """An empty one, until the press is over."""
    made = Path(tempfile.mkdtemp(dir=room))
    folders.get().append(made)
    return made


def bounded(answer: Callable[..., Any]) -> Callable[..., Any]:
    """The same as one press."""

    @wraps(answer)
    def whole(*given: Any) -> Any:
        with press():
            return answer(*given)

    return whole
