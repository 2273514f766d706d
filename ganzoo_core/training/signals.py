"""Signals during a run: end it after the step at hand, or save it and go on."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

# Windows has no SIGHUP.
ENDING = [getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGHUP") if hasattr(signal, name)]


class Signals:
    """What has been asked for since the run began; 0 where nothing has."""

    def __init__(self) -> None:
        self.ending = 0  # the signal that wants the run to end
        self.saving = False

    def end(self, signum: int, frame: FrameType | None) -> None:
        """SIGTERM, SIGHUP, SIGINT: finish the step and save; SIGINT once more: at once."""
        if signum == signal.SIGINT and self.ending == signal.SIGINT:
            raise KeyboardInterrupt
        self.ending = signum

    def save(self, signum: int, frame: FrameType | None) -> None:
        """SIGUSR1: save and go on."""
        self.saving = True


@contextmanager
def signals(wanted: bool) -> Iterator[Signals]:
    """Handlers for the length of a run, if `wanted`; the old ones afterwards."""
    heard = Signals()
    if not wanted:
        yield heard
        return
    old = {number: signal.signal(number, heard.end) for number in ENDING}
    if hasattr(signal, "SIGUSR1"):
        old[signal.SIGUSR1] = signal.signal(signal.SIGUSR1, heard.save)
    try:
        yield heard
    finally:
        for number, handler in old.items():
            signal.signal(number, handler)


@contextmanager
def deferred_interrupt(heard: Signals) -> Iterator[None]:
    """Ctrl-C inside a step, in a program that leaves it to Python: heard when the step is whole; twice: at once."""
    alone = threading.current_thread() is threading.main_thread()
    if not alone or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield
        return
    signal.signal(signal.SIGINT, heard.end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
