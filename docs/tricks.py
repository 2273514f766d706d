"""What does each trick of 2016 bring? DCGAN on the ring and on small MNIST, with one trick at a time, over five seeds.

    python docs/tricks.py           # writes docs/tricks.md; an hour and a half of one core
    python docs/tricks.py --seeds 1 --trick plain --trick flip=0.05

Finished runs are kept in tricks.json of the given folder, so what was interrupted goes on.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import torch
from ganzoo_metrics.modes import modes
from rings import BATCH, ITERATIONS, SAMPLES, D, G

import ganzoo_core as gz
from ganzoo_core.data import ring_modes
from ganzoo_core.metrics import EvalConfig, evaluate
from ganzoo_core.nn import Latent

TRICKS: dict[str, dict[str, Any]] = {
    "plain": {},
    "joint batches": {"batches": "joint"},
    "smooth=0.1": {"smooth": 0.1},
    "flip=0.05": {"flip": 0.05},
    "noise=0.1": {"noise": 0.1},
    "noise=0.5": {"noise": 0.5},
    "d_lr twice": {"d_lr": 2.0},  # times lr
    "d_lr half": {"d_lr": 0.5},
    "replay=640": {"replay": 640},
    "uniform z": {"prior": "uniform"},
    "G leaks": {"leak": 0.2},
    "D does not": {"d_leak": 0.0},
}
NETWORKS = {"prior", "leak", "d_leak"}
IMAGES = 40_000
HEAD = """# The tricks of 2016, measured

*How to train a GAN*, a talk of Chintala, Denton, Arjovsky and Mathieu, gave a generation its recipes. Each is an
option of `dcgan` (`ganzoo_dcgan/tricks.py`); `python docs/tricks.py` trains with one at a time and writes this page.
`plain` has separate batches, hard labels, clean pictures, one step for both, fresh fakes, normal z, ReLU in G and
LeakyReLU in D.

**Ring**, seeds: {seeds}; 8 Gaussians on a circle, two perceptrons, as in [rings.md](rings.md): 2,000 updates of
batch 128, Adam's step 1e-3. **MNIST** at 16 px, seeds: {digits}; preset `digits` (width 32, batch 32, step 2e-4),
40,000 images, FID of 10,000 samples through `mnist-cnn`. Means over the seeds; in brackets the least and the most. The
ring's perceptrons have no batch norm: there joint batches change nothing but the last digits, which shows what these
do.

| | ring: modes of 8 | good samples | MNIST: FID[mnist-cnn] |
|---|---|---|---|
"""


def ring(trick: dict[str, Any], seed: int) -> dict[str, float]:
    """Modes found, and the share of good samples."""
    torch.manual_seed(seed)
    nets = {"G": G(1.0, trick.get("leak", 0.0)), "D": D(1.0, trick.get("d_leak", 0.2))}
    if trick.get("prior") == "uniform":
        nets["G"].inputs = {"z": Latent((16,), range=(-1.0, 1.0))}
    objective = gz.create("dcgan", preset="digits", networks=nets, **settings(trick, 1e-3, games=True))
    gz.fit(objective, "ring", images=ITERATIONS * BATCH, batch_size=BATCH, seed=seed, ema_images=10_000,
           precision="fp32", device="cpu")  # fmt: skip
    found = modes(objective.exported_networks()["G"].sample(SAMPLES, seed=seed), *ring_modes())
    return {"found": found.found, "good": found.good}


def mnist(trick: dict[str, Any], seed: int) -> dict[str, float]:
    """FID through mnist-cnn."""
    torch.manual_seed(seed)
    objective = gz.create("dcgan", preset="digits", **settings(trick, 2e-4, games=False))
    config = EvalConfig("mnist", n=10_000, metrics=("fid",), extractor="mnist-cnn")
    with TemporaryDirectory() as run:
        gz.fit(objective, "mnist", images=IMAGES, batch_size=32, seed=seed, ema_images=2_000, device="cpu", out=run)
        return {"fid": evaluate(gz.load(run), config)[0].value}


def settings(trick: dict[str, Any], lr: float, games: bool) -> dict[str, Any]:
    """Arguments of the recipe; those of the networks are left out where these are given."""
    chosen = {name: value for name, value in trick.items() if not (games and name in NETWORKS)}
    if "d_lr" in chosen:
        chosen["d_lr"] *= lr
    return {"lr": lr, **chosen}


def cell(values: list[float], form: str) -> str:
    spread = f" ({min(values):{form}}-{max(values):{form}})" if len(values) > 1 else ""
    return f"{statistics.mean(values):{form}}{spread}"


def row(name: str, rings: list[dict[str, float]], digits: list[dict[str, float]]) -> str:
    found, good = ([run[key] for run in rings] for key in ("found", "good"))
    fid = cell([run["fid"] for run in digits], ".2f")
    return f"| {name} | {cell(found, '.1f')} | {100 * statistics.mean(good):.0f} % | {fid} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--trick", action="append", choices=TRICKS, help="default: all")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--digits", type=int, help="seeds on MNIST; default: as many")
    parser.add_argument("--keep", type=Path, default=Path("runs"), help="folder of tricks.json")
    options = parser.parse_args()
    torch.set_num_threads(1)
    names, seeds = options.trick or list(TRICKS), range(options.seeds)
    some = range(options.seeds if options.digits is None else options.digits)
    done = Done(options.keep)
    wanted = [(ring, name, seed) for seed in seeds for name in names]
    wanted += [(mnist, name, seed) for seed in some for name in names]
    found = {task: done.result(*task) for task in wanted}
    rows = [row(n, [found[ring, n, seed] for seed in seeds], [found[mnist, n, seed] for seed in some]) for n in names]
    print("\n".join(rows))
    if not options.trick:
        head = HEAD.format(seeds=len(seeds), digits=len(some))
        (Path(__file__).parent / "tricks.md").write_text(head + "\n".join(rows) + "\n", "utf-8")


class Done:
    """Results that are kept in tricks.json of a folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.notes = folder / "tricks.json"
        self.results: dict[str, dict[str, float]] = json.loads(self.notes.read_text()) if self.notes.exists() else {}

    def result(self, run: Callable[[dict[str, Any], int], dict[str, float]], name: str, seed: int) -> dict[str, float]:
        """The one that is kept, or a new one."""
        key = f"{run.__name__}/{name}/{seed}"
        if key not in self.results:
            self.results[key] = run(TRICKS[name], seed)
            self.notes.write_text(json.dumps(self.results, indent=1))
            print(key, self.results[key], flush=True)
        return self.results[key]


if __name__ == "__main__":
    main()
