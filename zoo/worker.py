"""The worker: one training after the other, each finished, measured and drawn into the outbox. Killed, it goes on."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from ganzoo_core.errors import GanzooError, tell_user
from zoo.finish import finish
from zoo.manifest import Entry
from zoo.places import Places

MINUTES = 80  # of one thread: the folder may vanish, so no training is longer
GANZOO = Path(sys.executable).parent / "ganzoo"
TICK = 5.0  # seconds between two notes of the time spent


def work(entries: Sequence[Entry], places: Places, devices: frozenset[str]) -> None:
    """Train what is missing, in order. Errors: GanzooError where another worker is at it."""
    for folder in ("runs", "logs", "outbox"):
        (places.home / folder).mkdir(parents=True, exist_ok=True)
    with open(places.lock, "a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise GanzooError(f"{places.home}: a worker is at it already", "`make zoo-status` shows how far.") from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        for entry in entries:
            if wanted(entry, places, devices):
                one(entry, places)


def wanted(entry: Entry, places: Places, devices: frozenset[str]) -> bool:
    """Whether it is to be trained here, and neither finished nor failed."""
    done = places.verdict(entry.id) is not None or places.failed(entry.id).exists()
    return not entry.frozen and entry.device in devices and not done


def one(entry: Entry, places: Places) -> None:
    """Train, measure and draw one model; whatever goes wrong is noted, and the queue goes on."""
    try:
        if not places.trained(entry.id).exists():
            train(entry, places)
            places.trained(entry.id).touch()
        finish(entry, places)
    except Exception as fault:
        places.failed(entry.id).write_text(f"{type(fault).__name__}: {fault}\n")
        tell_user(f"{entry.id}: {fault}")


def train(entry: Entry, places: Places) -> None:
    """Begin a training, or go on with it where it was saved; what takes too long ends as it is.

    Errors: GanzooError with the last line it printed.
    """
    run, before = places.run(entry.id), places.seconds(entry.id)
    words = entry.resume(run) if (run / "run.json").exists() else entry.train(run)
    with open(places.log(entry.id), "ab") as log:
        child = subprocess.Popen([str(GANZOO), *words], stdout=log, stderr=log)
    over, clock = False, Clock(child.pid)
    while child.poll() is None:
        try:
            child.wait(TICK)
        except subprocess.TimeoutExpired:
            spent = before + clock.seconds()
            places.spent(entry.id).write_text(f"{spent:.0f}")
            if spent > 60 * MINUTES and not over:
                over = True
                child.terminate()  # saves; the model is that of the last checkpoint
    if child.returncode and not over:
        raise GanzooError(last_line(places.log(entry.id)) or f"ended with {child.returncode}")


class Clock:
    """Seconds of a process: what its threads worked where the system tells, for others work too; else by the wall."""

    def __init__(self, pid: int) -> None:
        self.stat, self.begun = Path(f"/proc/{pid}/stat"), time.monotonic()

    def seconds(self) -> float:
        try:
            ticks = self.stat.read_text().rpartition(")")[2].split()[11:13]  # in user and in system mode
            return sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")
        except (OSError, ValueError):
            return time.monotonic() - self.begun


def last_line(path: Path) -> str:
    lines = path.read_text(errors="replace").replace("\r", "\n").split("\n")
    return next((line.strip() for line in reversed(lines) if line.strip()), "")
