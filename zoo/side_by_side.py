"""How many small trainings a card does best at once: they are bound by launches, so several fill it better than one.

python -m zoo.side_by_side DEVICE     a child: trains a DCGAN for some seconds whenever a line comes, says how far
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

import torch

from ganzoo_core.registry.recipes import build, recipe
from ganzoo_core.testing.synthetic import synthetic
from ganzoo_core.training.trainer import Alternating
from zoo.manifest import ROOT

NUMBERS = (1, 2, 4, 6)
BATCH = 64


def child(device: str) -> None:
    """Each line is a number of seconds to train for; the answer is how many images that were."""
    made = recipe("dcgan", preset="mnist", given={"width": 32})
    game = build(made)
    loader = synthetic(game.needs, made.args)
    run = Alternating(batch_size=BATCH, images=10**12, device=device, precision=torch.bfloat16).run(game, loader)
    next(run)
    print("ready", flush=True)
    for line in sys.stdin:
        end, images = time.monotonic() + float(line), 0
        while time.monotonic() < end:
            next(run)
            images += BATCH
        if device.startswith("cuda"):
            torch.cuda.synchronize()
        print(images, flush=True)


def measure(device: str, seconds: float = 3.0, numbers: Sequence[int] = NUMBERS) -> dict[int, float]:
    """Images per second of so many trainings together."""
    words = [sys.executable, "-m", "zoo.side_by_side", device]
    children = [
        subprocess.Popen(words, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(max(numbers))
    ]
    try:
        for one in children:
            assert one.stdout is not None and one.stdout.readline().strip() == "ready"
        return {n: together(children[:n], seconds) for n in numbers}
    finally:
        for one in children:
            one.kill()
            one.communicate()


def together(children: Sequence[subprocess.Popen[str]], seconds: float) -> float:
    for one in children:
        assert one.stdin is not None
        one.stdin.write(f"{seconds}\n")
        one.stdin.flush()
    return sum(int(one.stdout.readline()) for one in children if one.stdout) / seconds


def best(rates: Mapping[int, float]) -> int:
    """The number with the highest rate; of equals within 5 % the smaller."""
    top = max(rates.values())
    return min(n for n, rate in rates.items() if rate >= 0.95 * top)


if __name__ == "__main__":
    child(sys.argv[1])
