"""Does it draw what is said? One object in six colours, one colour over six objects; and what it learnt by heart.

python plugins/ganzoo-stackgan/experiments/words.py stackgan.emoji64 --out FOLDER

Prints how often the mean hue of what is drawn is that of the colour word, and how often it is by chance: the same
pictures against the other words. Writes colours.png, objects.png and nearest.png: samples of held-out captions, each
beside the training picture that is nearest (in the features of emoji-cnn).
"""

from __future__ import annotations

import math
from pathlib import Path

import click
import torch
from ganzoo_metrics.extractors import load_extractor
from torch import Tensor

import ganzoo_core as gz
from ganzoo_core import pictures
from ganzoo_core.data import DATASETS, Source, open_source
from ganzoo_core.data.captions import HUES, hsv
from ganzoo_core.networks import Generator

COLOURS = ("red", "orange", "yellow", "green", "blue", "purple")
OBJECTS = ("heart", "circle", "square", "book", "car", "balloon")
DATA = {dataset.name: dataset for dataset in DATASETS}


def mean_hue(x: Tensor) -> str:
    """The colour word of the circular mean of hues, weighted by chroma: of all that is drawn on white.  [3, H, W]"""
    hue, saturation, value = hsv(x)
    weight = saturation * value
    angle = torch.atan2((weight * (2 * math.pi * hue).sin()).sum(), (weight * (2 * math.pi * hue).cos()).sum())
    degrees = math.degrees(float(angle)) % 360
    return [word for start, word in HUES if start <= degrees][-1]


def drawn(net: Generator, captions: list[str], n: int) -> Tensor:
    """n samples of each caption.  [len(captions), n, C, H, W]"""
    return torch.stack([net.sample(n, seed=k, text=caption) for k, caption in enumerate(captions)])


def agreement(net: Generator, n: int) -> tuple[float, float, dict[str, float]]:
    """(how often the hue is the word's, how often it is another's, by colours)."""
    right, chance, each = 0.0, 0.0, {}
    for colour in COLOURS:
        samples = drawn(net, [f"{colour} {thing}" for thing in OBJECTS], n).flatten(0, 1)
        found = [mean_hue(x) for x in samples]
        each[colour] = found.count(colour) / len(found)
        right += each[colour] / len(COLOURS)
        others = [found.count(other) / len(found) for other in COLOURS if other != colour]
        chance += sum(others) / len(others) / len(COLOURS)
    return right, chance, each


@torch.no_grad()
def nearest(x: Tensor, source: Source) -> Tensor:
    """The training pictures whose features are nearest.  [N, C, H, W]"""
    looking = load_extractor("emoji-cnn")
    seen = source.fetch(range(len(source)))["x"]
    features = torch.cat([looking.features(looking.prepared(part)) for part in seen.split(256)])
    return seen[torch.cdist(looking.features(looking.prepared(x)), features).argmin(1)]


@click.command()
@click.argument("model")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True)
@click.option("-n", "n", default=8, show_default=True, help="Samples of each caption.")
def main(model: str, out: Path, n: int) -> None:
    net, size = gz.load(model).generator, 64
    out.mkdir(parents=True, exist_ok=True)
    right, chance, each = agreement(net, n)
    print(f"hue as said {right:.1%}, by chance {chance:.1%}: {right / max(chance, 1e-9):.1f} times")
    print(", ".join(f"{colour} {share:.0%}" for colour, share in each.items()))
    pictures.save(pictures.grid(drawn(net, [f"{c} heart" for c in COLOURS], 6).flatten(0, 1), 6), out / "colours.png")
    pictures.save(
        pictures.grid(drawn(net, [f"blue {thing}" for thing in OBJECTS], 6).flatten(0, 1), 6), out / "objects.png"
    )
    train, test = (open_source(f"emoji:captions{part}", image_size=size, datasets=DATA) for part in ("", "_test"))
    batch = test.fetch(range(0, len(test), max(1, len(test) // 24)))
    samples = net.sample(len(batch["x"]), seed=0, text=batch["text"])
    pictures.save(pictures.beside([samples, nearest(samples, train), batch["x"]]), out / "nearest.png")


if __name__ == "__main__":
    main()
