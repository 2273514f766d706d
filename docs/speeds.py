"""How fast the models that ship draw and learn, on one thread: python docs/speeds.py [ID ...] writes docs/speeds.json.

Learning is the model's own command, watched for some seconds after its first line of log: a game of several phases is
seen in its first. What stands in the file is kept, unless an ID is named; a quarter of a minute for each. `make docs`
prints it in docs/zoo.md.
"""

from __future__ import annotations

import json
import os
import shlex
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import torch

import ganzoo_core as gz
from ganzoo_core.errors import tell_user
from ganzoo_core.models import Model

ROOT = Path(__file__).resolve().parent.parent
FILE = Path(__file__).with_suffix(".json")
SAMPLES, TIMES = 16, 3
WATCHED, PATIENCE = 6.0, 300.0  # seconds of learning, and for two lines of log
ONE = {**os.environ, "OMP_NUM_THREADS": "1"}


def draws(model: Model) -> float:
    """Samples a second, in sixteens; free sides are about 64 pixels."""
    rng = torch.Generator().manual_seed(0)
    wanted = {name: i for name, i in model.generator.inputs.items() if not i.drawn and i.default is None}
    inputs = {name: declared.trial(SAMPLES, rng) for name, declared in wanted.items()}
    took = []
    for seed in range(1 + TIMES):
        begun = time.perf_counter()
        model.sample(SAMPLES, seed=seed, **inputs)
        took.append(time.perf_counter() - begun)
    return SAMPLES / statistics.median(took[1:])


def learns(model: Model) -> float:
    """Examples a second of the command that trained it; 0: it never began."""
    with TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        words = shlex.split(model.config["training"]["command"])[1:]  # without "ganzoo"
        line = [sys.executable, "-m", "ganzoo_core", *words, "--out", str(out)]
        run = subprocess.Popen(line, env=ONE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            return watched(run, out / "log.jsonl")
        finally:
            run.kill()
            run.wait()


def watched(run: subprocess.Popen[bytes], log: Path) -> float:
    """From the first line of log to the last within WATCHED seconds, or to the one after; 0: there is none."""
    seen: list[tuple[float, int]] = []
    begun = time.perf_counter()
    while run.poll() is None and time.perf_counter() - begun < PATIENCE:
        now, found = time.perf_counter(), images(log)
        if found and (not seen or found > seen[-1][1]):
            seen.append((now, found))
        if len(seen) > 1 and now - seen[0][0] > WATCHED:
            break
        time.sleep(0.1)
    if len(seen) < 2:
        return 0.0
    (first, before), (last, after) = seen[0], seen[-1]
    return (after - before) / (last - first)


def images(log: Path) -> int:
    """Of the last whole line."""
    lines = log.read_text("utf-8").split("\n")[:-1] if log.exists() else []
    return int(json.loads(lines[-1])["images"]) if lines else 0


def main() -> None:
    torch.set_num_threads(1)
    known = json.loads(FILE.read_text("utf-8")) if FILE.exists() else {}
    for folder in sorted(ROOT.glob("plugins/*/*/weights/*"), key=lambda path: path.name):
        if folder.name in sys.argv[1:] or (len(sys.argv) == 1 and folder.name not in known):
            model = gz.load(folder)
            known[folder.name] = {"draws": round(draws(model), 1), "learns": round(learns(model), 1)}
            FILE.write_text(json.dumps(known, indent=1, sort_keys=True) + "\n", "utf-8")
            tell_user(f"{folder.name}: draws {known[folder.name]['draws']}/s, learns {known[folder.name]['learns']}/s")


if __name__ == "__main__":
    main()
