"""Does it draw what is said? One object in six colours, one colour over six objects; and what it learnt by heart.

python plugins/ganzoo-stackgan/experiments/words.py stackgan.emoji64 --out FOLDER

Prints, for both stages, how often the mean hue of what is drawn is that of the colour word, and how often it is by
chance: the same pictures against the six words in turn. The captions are a colour and one of six things, or a colour
and a held-out caption; beside them, real held-out pictures. Prints how often the model's own encoders find the thing
that was said among six in the same colour. Writes colours.png, objects.png, nearest.png (samples of held-out captions,
the training pictures nearest to them in the features of emoji-cnn, and the pictures that the captions belong to) and
met.png (samples of training captions beside the pictures that they belong to).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import click
import torch
from ganzoo_metrics.extractors import load_extractor
from ganzoo_stackgan.words import BYTES, read
from torch import Tensor
from torch.nn.functional import normalize

import ganzoo_core as gz
from ganzoo_core import imaging
from ganzoo_core.data import DATASETS, Dataset, open_dataset
from ganzoo_core.data.sets.emoji_captions import HUES, hsv, recaptioned
from ganzoo_core.data.views.captions import Captioned
from ganzoo_core.nn import Generator, encode_text

COLOURS = ("red", "orange", "yellow", "green", "blue", "purple")
OBJECTS = ("heart", "circle", "square", "book", "car", "balloon")
SHOWN = ("heart", "balloon", "circle")  # of these, in all colours
DATA = {dataset.name: dataset for dataset in DATASETS}
HELD_OUT, DRAWN = 24, 1000  # captions; real pictures


def mean_hue(x: Tensor) -> str:
    """The colour word of the circular mean of hues, weighted by chroma: of all that is drawn on white.  [3, H, W]"""
    hue, saturation, value = hsv(x)
    weight = saturation * value
    angle = torch.atan2((weight * (2 * math.pi * hue).sin()).sum(), (weight * (2 * math.pi * hue).cos()).sum())
    degrees = math.degrees(float(angle)) % 360
    return [word for start, word in HUES if start <= degrees][-1]


def drawn(net: Generator, captions: Sequence[str], n: int) -> Tensor:
    """n samples of each caption, Stage I's and Stage II's.  [len(captions) n, 2, C, H, W]"""
    text = [caption for caption in captions for _ in range(n)]
    return torch.stack(net.sample(len(text), seed=0, text=text, stages=True).chunk(2, -1), 1)


def agreement(found: dict[str, list[str]]) -> str:
    """How often the hue is the word's; how often it is any of the six words'; by colours."""
    right = {colour: hues.count(colour) / len(hues) for colour, hues in found.items()}
    mean = sum(right.values()) / len(right)
    chance = sum(hues.count(any_) / len(hues) for hues in found.values() for any_ in COLOURS) / len(COLOURS) ** 2
    each = ", ".join(f"{colour} {share:.0%}" for colour, share in right.items())
    return f"{mean:.1%}, by chance {chance:.1%}: {mean / max(chance, 1e-9):.1f} times ({each})"


def obeyed(net: Generator, things: Sequence[str], n: int) -> list[str]:
    """The agreement of Stage I and of Stage II on each of `things` in each colour."""
    samples = {c: drawn(net, [recaptioned(thing, c) for thing in things], n) for c in COLOURS}
    return [agreement({c: [mean_hue(x) for x in both[:, stage]] for c, both in samples.items()}) for stage in (0, 1)]


@torch.no_grad()
def found(model: gz.Model, things: Sequence[str], n: int) -> list[str]:
    """How often what is drawn fits its own thing best of all in the same colour: of Stage I and of Stage II, by things.

    V and T judge, which were trained on real pictures only and left alone since.
    """
    net, V = model.generator, model.networks["V"]
    right = torch.zeros(2, len(things))
    for colour in COLOURS:
        captions = [recaptioned(thing, colour) for thing in things]
        meant = normalize(net.T(encode_text(captions, BYTES)), dim=1)  # [K, d]
        for stage, x in enumerate(drawn(net, captions, n).unbind(1)):
            best = (V(x) @ meant.T).argmax(1).view(len(things), n)
            right[stage] += (best == torch.arange(len(things))[:, None]).float().mean(1) / len(COLOURS)
    chance = 1 / len(things)
    return [
        f"{share.mean():.1%}, by chance {chance:.1%} "
        f"({', '.join(f'{thing} {one:.0%}' for thing, one in zip(things, share, strict=True))})"
        for share in right
    ]


def real(source: Dataset) -> str:
    """The agreement of real pictures with captions that name a colour, as they are trained on: all that can be had."""
    found: dict[str, list[str]] = {colour: [] for colour in COLOURS}
    batch = source.fetch_augmented([k % len(source) for k in range(DRAWN)], range(DRAWN))
    for x, caption in zip(batch["x"], read(batch["text"]), strict=True):
        for colour in set(caption.split()) & set(COLOURS):
            found[colour].append(mean_hue(x))
    return agreement(found)


@torch.no_grad()
def nearest(x: Tensor, source: Dataset) -> Tensor:
    """The training pictures whose features are nearest.  [N, C, H, W]"""
    looking = load_extractor("emoji-cnn")
    seen = source.fetch(range(len(source)))["x"]
    features = torch.cat([looking.features(looking.prepared(part)) for part in seen.split(256)])
    return seen[torch.cdist(looking.features(looking.prepared(x)), features).argmin(1)]


@click.command()
@click.argument("source")
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), required=True)
@click.option("-n", "n", default=8, show_default=True, help="Samples of each caption.")
def main(source: str, out: Path, n: int) -> None:
    model, size = gz.load(source), 64
    net = model.generator
    out.mkdir(parents=True, exist_ok=True)
    train, test = (open_dataset(f"emoji:captions{part}", image_size=size, datasets=DATA) for part in ("", "_test"))
    assert isinstance(test, Captioned)
    every = max(1, len(test) // HELD_OUT)
    for name, things in (("six things", OBJECTS), ("held-out captions", test.captions[::every])):
        for stage, said in zip(("Stage I", "Stage II"), obeyed(net, things, n), strict=True):
            print(f"hue as said, {name}, {stage}: {said}")
    print(f"hue as said, real pictures of held-out captions: {real(test)}")
    for stage, said in zip(("Stage I", "Stage II"), found(model, OBJECTS, n), strict=True):
        print(f"thing as said, {stage}: {said}")
    colours = drawn(net, [f"{c} {thing}" for thing in SHOWN for c in COLOURS], 2)[:, 1]
    imaging.save(imaging.grid(across(colours), len(COLOURS)), out / "colours.png")
    objects = drawn(net, [f"{c} {thing}" for c in ("blue", "red", "green") for thing in OBJECTS], 2)[:, 1]
    imaging.save(imaging.grid(across(objects), len(OBJECTS)), out / "objects.png")
    batch = test.fetch(range(0, len(test), every))
    samples = net.sample(len(batch["x"]), seed=0, text=batch["text"])
    imaging.save(imaging.beside([samples, nearest(samples, train), batch["x"]]), out / "nearest.png")
    batch = train.fetch(range(0, len(train), len(train) // HELD_OUT))
    imaging.save(imaging.beside([net.sample(len(batch["x"]), seed=0, text=batch["text"]), batch["x"]]), out / "met.png")


def across(samples: Tensor) -> Tensor:
    """Pairs of samples of 18 captions, six captions in a row and each pair one above the other.  [36, C, H, W]"""
    return samples.unflatten(0, (-1, len(COLOURS), 2)).transpose(1, 2).flatten(0, 2)


if __name__ == "__main__":
    main()
