"""What the labels alone teach: the classifier of both games, trained on the 100 labelled digits and nothing else.

python plugins/ganzoo-semi/experiments/labels_alone.py
"""

from __future__ import annotations

import torch
from torch.nn.functional import cross_entropy

from ganzoo_core.data import DATASETS, open_dataset
from ganzoo_core.registry.recipes import build, recipe

STEPS, BATCH = 1500, 50
SETS = {d.name: d for d in DATASETS}


def trained(seed: int) -> torch.nn.Module:
    """The classifier after 1,500 steps with the games' Adam."""
    torch.manual_seed(seed)
    game = build(recipe("catgan", preset="mnist"))
    labelled = open_dataset("mnist:labels100", image_size=32, datasets=SETS).fetch(range(100))
    optimizer = torch.optim.Adam(game.D.parameters(), game.lr, (game.b1, 0.999))
    for _ in range(STEPS):
        which = torch.randint(0, 100, (BATCH,))
        loss = cross_entropy(game.D.logits(labelled["x_labelled"][which]), labelled["label"][which])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return game.D.eval()


@torch.no_grad()
def error(net: torch.nn.Module) -> float:
    """On the 10,000 test digits."""
    batch = open_dataset("mnist:test", image_size=32, datasets=SETS).fetch(range(10_000))
    logits = torch.cat([net.logits(x) for x in batch["x"].split(1000)])  # type: ignore[operator]
    return float((logits.argmax(1) != batch["label"]).double().mean())


if __name__ == "__main__":
    print(*(f"{100 * error(trained(seed)):.2f} %" for seed in range(3)))
