"""Where the queue keeps what it makes: $GANZOO_ZOO, outside the checkout, so that editing cannot break it."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any


def home() -> Path:
    return Path(os.environ.get("GANZOO_ZOO") or Path.home() / ".cache" / "ganzoo" / "zoo")


@dataclass(frozen=True)
class Places:
    """The folders of one queue."""

    home: Path

    def run(self, id: str) -> Path:
        """The run directory of a training."""
        return self.home / "runs" / id

    def log(self, id: str) -> Path:
        """What the training printed."""
        return self.home / "logs" / f"{id}.log"

    def spent(self, id: str) -> Path:
        """How many seconds it has trained, over all its parts."""
        return self.home / "logs" / f"{id}.seconds"

    def trained(self, id: str) -> Path:
        """There once its training is over."""
        return self.home / "logs" / f"{id}.trained"

    def failed(self, id: str) -> Path:
        """The last line of a training that ended badly; delete it to try again."""
        return self.home / "logs" / f"{id}.failed"

    def out(self, id: str) -> Path:
        """The finished model, its sheet and its verdict."""
        return self.home / "outbox" / id

    def verdict(self, id: str) -> dict[str, Any] | None:
        """What became of it; None before it is finished."""
        path = self.out(id) / "verdict.json"
        found: dict[str, Any] | None = json.loads(path.read_text()) if path.exists() else None
        return found

    def seconds(self, id: str) -> float:
        path = self.spent(id)
        return float(path.read_text()) if path.exists() else 0.0

    @property
    def lock(self) -> Path:
        """Held by the one worker that there may be; its process number is in it."""
        return self.home / "worker.lock"
