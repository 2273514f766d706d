"""How far the queue is: a line for each model."""

from __future__ import annotations

import fcntl
from collections.abc import Sequence

from ganzoo_core.cli.output import table
from ganzoo_core.errors import tell_user
from zoo.manifest import Entry
from zoo.places import Places
from zoo.worker import last_line


def show(entries: Sequence[Entry], places: Places) -> None:
    frozen = sum(entry.frozen for entry in entries)
    rows = [row(entry, places) for entry in entries if not entry.frozen]
    table(f"The queue in {places.home}", ["id", "state", "minutes", "score", "wanted", "baseline"], rows)
    tell_user(f"{frozen} released models are frozen; {'a worker is at it' if working(places) else 'no worker runs'}")


def row(entry: Entry, places: Places) -> list[str]:
    assert entry.score is not None
    found, minutes = places.verdict(entry.id), f"{places.seconds(entry.id) / 60:.0f}"
    score, wanted = "", f"{entry.score.metric} {entry.score}"
    if found is not None:
        state, score = "beats it" if found["beats"] else "falls short", f"{found['value']:.4g}"
    elif places.failed(entry.id).exists():
        state = f"failed: {places.failed(entry.id).read_text().strip()}"
    elif places.run(entry.id).exists():
        state = last_line(places.log(entry.id)) if places.log(entry.id).exists() else "begun"
    else:
        state = "waiting" if entry.device == "cpu" else f"waiting for {entry.device}"
    return [entry.id, state[:60], minutes, score, wanted, entry.score.baseline]


def working(places: Places) -> bool:
    """Whether the lock is held."""
    if not places.lock.exists():
        return False
    with open(places.lock) as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return True
    return False
