"""The encoder that a model publishes, as the answer and as the start of a search, beside a search that has none.

python plugins/ganzoo-autoencoders/experiments/projection.py SOURCE ...

Of 16 test digits, spread evenly: the median mean squared error, pixels in [-1, 1], as docs/latent.md has it.
"""

from __future__ import annotations

import sys

from ganzoo_latent.encoder import published
from ganzoo_latent.likeness import Likeness
from ganzoo_latent.painter import Painter
from ganzoo_latent.project import project

import ganzoo_core as gz
from ganzoo_core.data import open_dataset
from ganzoo_core.metrics import registry

HOW_MANY, STEPS = 16, 100
WAYS = {"encoder": (True, False), "hybrid": (True, True), "search": (False, True)}  # from E; and then search


def main() -> None:
    zoo = registry()
    for source in sys.argv[1:]:
        model = gz.load(source)
        painter = Painter(model.generator)
        data = open_dataset("mnist:test", image_size=painter.shape[-1], datasets=zoo.datasets, views=zoo.views)
        x = data.fetch(range(0, len(data), len(data) // HOW_MANY))["x"][:HOW_MANY]
        own = published(model.networks, painter)
        for name, (from_e, search) in WAYS.items():
            if own is None and from_e:
                continue
            start = own if from_e else None
            found = [project(painter, Likeness(one[None]), encoder=start, search=search, steps=STEPS) for one in x]
            errors = sorted(one.pixels for one in found)
            print(f"{source} {name}: {(errors[HOW_MANY // 2 - 1] + errors[HOW_MANY // 2]) / 2:.4f}")


if __name__ == "__main__":
    main()
