"""Which words does GAN-CLS obey? Every caption of the drawn shapes: 2 sizes, 6 colours, 4 shapes, 4 places.

python plugins/ganzoo-stackgan/experiments/shapes.py gan_cls.shapes --out FOLDER

Prints how often the caption that fits a picture best, by the model's own encoders, has the size, the colour, the shape
and the place that were said: of what is drawn, and of real pictures. Writes shapes.png: colours across, shapes down,
small ones at the top left and large ones at the bottom right.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from pathlib import Path

import click
import torch
from ganzoo_stackgan.words import BYTES, read
from torch import Tensor
from torch.nn.functional import normalize

import ganzoo_core as gz
from ganzoo_core import imaging
from ganzoo_core.data import DATASETS, open_dataset
from ganzoo_core.data.sets.shapes import COLOURS, SHAPES
from ganzoo_core.nn import encode_text

WORDS = {
    "size": ("small", "large"),
    "colour": tuple(COLOURS),
    "shape": SHAPES,
    "place": ("top left", "top right", "bottom left", "bottom right"),
}
SAID = list(product(*WORDS.values()))
CAPTIONS = [f"a {size} {colour} {shape} at the {place}" for size, colour, shape, place in SAID]


def obeyed(v: Tensor, t: Tensor, said: Sequence[int]) -> str:
    """How often the best of all captions t [192, d] has the words of the caption that was said.  v [N, d]"""
    best = (normalize(v, dim=1) @ t.T).argmax(1).tolist()
    right = [
        sum(SAID[i][k] == SAID[j][k] for i, j in zip(said, best, strict=True)) / len(said) for k in range(len(WORDS))
    ]
    return ", ".join(
        f"{kind} {share:.0%} (by chance {1 / len(words):.0%})"
        for (kind, words), share in zip(WORDS.items(), right, strict=True)
    )


@click.command()
@click.argument("source")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True)
@click.option("-n", "n", default=8, show_default=True, help="Samples of each caption.")
@torch.no_grad()
def main(source: str, out: Path, n: int) -> None:
    model = gz.load(source)
    G, V = model.generator, model.networks["V"]
    t = normalize(G.T(encode_text(CAPTIONS, BYTES)), dim=1)
    drawn = torch.cat([V(G.sample(len(CAPTIONS), seed=seed, text=CAPTIONS)) for seed in range(n)])
    print(f"drawn: {obeyed(drawn, t, list(range(len(CAPTIONS))) * n)}")
    shapes = open_dataset("shapes:captions", image_size=32, datasets={dataset.name: dataset for dataset in DATASETS})
    real = shapes.fetch(range(n * len(CAPTIONS)))
    print(f"real: {obeyed(V(real['x']), t, [CAPTIONS.index(caption) for caption in read(real['text'])])}")
    out.mkdir(parents=True, exist_ok=True)
    shown = [
        f"a {size} {colour} {shape} at the {place}"
        for shape in SHAPES
        for size, place in (("small", "top left"), ("large", "bottom right"))
        for colour in COLOURS
    ]
    imaging.save(imaging.grid(G.sample(len(shown), seed=0, text=shown), len(COLOURS)), out / "shapes.png")


if __name__ == "__main__":
    main()
