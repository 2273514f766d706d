"""A run of the A, B, A game on real digits, for several processes: python aba.py OUT WORKERS ITERATIONS [--resume]

Ends after that many iterations as an interrupted process would: with no word of farewell.
"""

from __future__ import annotations

import os
import sys

import torch
from games import ABA, BATCH

from ganzoo_core.training import run


def main() -> None:
    out, workers, iterations = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    torch.set_num_threads(1)
    torch.manual_seed(0 if "--resume" not in sys.argv else 9)  # another start, which the checkpoint must undo
    settings = run.Settings(
        batch_size=BATCH, out=out, workers=workers, checkpoint_every=BATCH, ema_images=20, precision="fp32",
        device="cpu", resume="--resume" in sys.argv, data_options={"image_size": 8, "channels": 3},
    )  # fmt: skip
    for i, _ in enumerate(run.train(ABA(), "digits", settings), 1):
        if i == iterations:
            os._exit(0)


if __name__ == "__main__":
    main()
