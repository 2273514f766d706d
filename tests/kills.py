"""kill -9 at random moments, many of them inside a save: is a checkpoint ever damaged, lost or a mixture?

    python tests/kills.py 50        # that many kills, at least a fifth of them inside a save

Each kill hits a forked process that trains a tiny DCGAN, saves all the time and resumes from what the last one left.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

import torch

import ganzoo_core as gz
from ganzoo_core.training import checkpoint

IMAGES, BATCH, EVERY = 4000, 10, 20


def train(folder: Path, **settings) -> None:
    torch.set_num_threads(1)
    objective = gz.create("dcgan", preset="tiny")
    gz.fit(objective, "digits", out=folder, images=IMAGES, batch_size=BATCH, checkpoint_every=EVERY, ema_images=100,
           precision="fp32", **settings)  # fmt: skip


def child(folder: Path) -> int:
    """A process that trains on from where the last one was killed."""
    pid = os.fork()
    if pid:
        return pid
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    status = 1
    try:
        train(folder, resume=(folder / "run.json").exists(), force=True)
        status = 0
    finally:
        os._exit(status)


def kill_once(folder: Path, in_a_save: bool, rng: random.Random) -> tuple[bool, bool]:
    """Start, wait for the moment, kill. Returns whether it was killed, and whether inside a save."""
    pid = child(folder)
    until = time.monotonic() + rng.uniform(0.05, 1.5)
    while time.monotonic() < until or in_a_save:
        if os.waitpid(pid, os.WNOHANG)[0]:
            return False, False
        if in_a_save and saving(folder):
            break
        time.sleep(0.0002)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return True, saving(folder)


def saving(folder: Path) -> bool:
    return any((folder / "checkpoints").glob(".*"))


def published(folder: Path) -> dict[str, checkpoint.Checkpoint]:
    """Every checkpoint that has its name; raises if one of them is not whole."""
    return {path.name: checkpoint.read(path) for path in checkpoint.published(folder / "checkpoints")}


def kill_many(count: int, folder: Path, seed: int = 0) -> tuple[int, int]:
    """Kill until `count` have hit; returns that and how many hit inside a save. Asserts after each."""
    rng, hits, inside, newest = random.Random(seed), 0, 0, 0
    while hits < count:
        killed, saved = kill_once(folder, hits % 3 == 0, rng)
        hits, inside = hits + killed, inside + saved
        whole = published(folder)
        last = max(map(int, whole), default=0)
        assert last >= newest, f"a finished checkpoint was lost: {newest} was there, {last} is"
        assert all(c.position.images == int(name) for name, c in whole.items()), "a mixture"
        assert not newest or len(whole) >= min(2, newest // EVERY), f"only {sorted(whole)} left"
        newest = last
        if not killed:  # it came to its end: begin anew
            for path in (folder / "checkpoints").iterdir():
                checkpoint.discard(path)
            newest = 0
    return hits, inside


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    with tempfile.TemporaryDirectory() as place:
        hits, inside = kill_many(count, Path(place) / "run")
        print(f"{hits} kills, {inside} of them inside a save: no checkpoint damaged, lost or mixed")
        train(Path(place) / "run", resume=True)
        train(Path(place) / "unbroken")
        ours, whole = (published(Path(place) / name)[f"{IMAGES:012d}"].objective for name in ("run", "unbroken"))
        same = ours.keys() == whole.keys() and all(torch.equal(ours[name], whole[name]) for name in whole)
        print(f"the run that was killed {hits} times equals an unbroken one bit for bit: {same}")
        assert same


if __name__ == "__main__":
    main()
