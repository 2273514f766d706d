"""Progress of a measurement on stderr."""

from __future__ import annotations

import sys
import time
from typing import Any

from ganzoo_core.errors import tell_user


class Meter:
    """Progress on stderr: a bar on a terminal, a line every ten seconds elsewhere.

    Within `with Meter() as meter`, `meter(what, done, total)` is said as often as one likes, of as many kinds of work.
    """

    def __enter__(self) -> Meter:
        self.bar, self.tasks, self.last = None, dict[str, Any](), time.monotonic()
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import Progress

            self.bar = Progress(console=Console(stderr=True), transient=True)
            self.bar.start()
        return self

    def __call__(self, what: str, done: int, total: int) -> None:
        if self.bar is not None:
            if what not in self.tasks:
                self.tasks[what] = self.bar.add_task(what, total=total)
            self.bar.update(self.tasks[what], completed=done, total=total)
        elif time.monotonic() - self.last > 10:
            self.last = time.monotonic()
            tell_user(f"{what}: {done:,} of {total:,}")

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.stop()
