"""How the shipped extractors came to be: python -m ganzoo_metrics.training mnist-cnn

Minutes on one core. Seeded; prints the accuracy on pictures that it never saw, measured on the files that it wrote.
"""

from __future__ import annotations

import argparse
import json
import math
import platform
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple, Protocol

import safetensors.torch
import torch
from torch import Tensor, nn
from torch.nn.functional import affine_grid, cross_entropy, dropout, grid_sample
from torch.nn.utils.fusion import fuse_conv_bn_eval
from torch.optim.lr_scheduler import OneCycleLR

from ganzoo_core.data import DATASETS, STYLES, Dataset, Emoji, hash32, open_dataset, write_aside
from ganzoo_core.nn import cpu_has_bf16
from ganzoo_metrics.classifiers import PLANS, Classifier, read_classifier, read_config
from ganzoo_metrics.extractors import EXTRACTORS, TRAINED, Extractor, to_size

BATCH = 128
SMOOTHING = 0.05  # of the labels
DROPOUT = 0.3  # of the features
DECAY = 5e-4


class Course(NamedTuple):
    """What a classifier is taught on, for how long, and how pictures are moved about."""

    data: str
    test: str  # a data set, or "" for the part that is held out
    epochs: int
    lr: float  # at its highest
    degrees: float  # rotated by up to so much, to both sides
    shift: float  # moved by up to so many pixels
    scale: float  # enlarged or shrunk by up to this factor
    mirror: bool
    background: float  # what moves in from outside
    coarse: int  # every other batch is shown with so many pixels, or more, to a side


COURSES: Mapping[str, Course] = {
    "mnist-cnn": Course("mnist", "mnist:test", 6, 4e-3, 10, 2, 1.4, False, -1, 8),
    "fashion-cnn": Course("fashion_mnist", "fashion_mnist:test", 8, 4e-3, 4, 1.5, 1.08, True, -1, 16),
    "emoji-cnn": Course("emoji:all", "", 20, 3e-3, 8, 2, 1.15, True, 1, 24),
}


class Examined(Protocol):
    """An extractor that says something of pictures."""

    name: str

    def prepared(self, x: Tensor) -> Tensor: ...
    def features(self, x: Tensor) -> Tensor: ...
    def scores(self, features: Tensor) -> dict[str, Tensor]: ...


class Part(NamedTuple):
    """Pictures of a source, by their indices [n], and what each head is to say of them, int64 [N]."""

    source: Dataset
    at: Tensor
    targets: Mapping[str, Tensor]


def parts(course: Course, image_size: int) -> tuple[Part, Part]:
    """To learn from and to be examined on."""
    source = opened(course.data, image_size)
    if isinstance(source, Emoji):
        style = torch.tensor([STYLES.index(name) for name in source.styles])
        targets = {"group": labels(source), "style": style}
        held_out = source.held_out
        return Part(source, (~held_out).nonzero()[:, 0], targets), Part(source, held_out.nonzero()[:, 0], targets)
    test = opened(course.test, image_size)
    return (
        Part(source, torch.arange(len(source)), {"label": labels(source)}),
        Part(test, torch.arange(len(test)), {"label": labels(test)}),
    )


def opened(data: str, image_size: int) -> Dataset:
    return open_dataset(data, image_size=image_size, datasets={record.name: record for record in DATASETS})


def labels(source: Dataset) -> Tensor:
    lots = torch.arange(len(source)).split(1024)  # type: ignore[no-untyped-call]
    return torch.cat([source.fetch(at.tolist())["label"] for at in lots])


def moved(x: Tensor, course: Course, rng: torch.Generator) -> Tensor:
    """Each picture [N, C, H, W] mirrored or not, turned, scaled and shifted by amounts of its own."""
    n, side = len(x), x.shape[-1]
    u = torch.rand(5, n, generator=rng) * 2 - 1
    turn, scale = u[0] * math.radians(course.degrees), course.scale ** u[1]
    shift = u[2:4] * 2 * course.shift / side  # a side is 2 long
    flip = u[4].sign() if course.mirror else torch.ones(n)
    rows = [scale * turn.cos() * flip, -scale * turn.sin(), shift[0], scale * turn.sin() * flip, scale * turn.cos()]
    theta = torch.stack([*rows, shift[1]], dim=1).view(n, 2, 3)
    grid = affine_grid(theta, list(x.shape), align_corners=False)
    return grid_sample(x - course.background, grid, align_corners=False) + course.background  # zeros from outside


def coarsened(x: Tensor, course: Course, rng: torch.Generator) -> Tensor:
    """A batch as it looks after being small: samples of GANs, and some data, have fewer pixels."""
    full = x.shape[-1]
    side = int(torch.randint(course.coarse, 2 * full - course.coarse, (), generator=rng))
    return x if side >= full else to_size(to_size(x, side), full)


def batches(part: Part, course: Course, seed: int) -> Iterator[tuple[Tensor, dict[str, Tensor]]]:
    """Full batches of all epochs, moved about."""
    for epoch in range(course.epochs):
        rng = torch.Generator().manual_seed(hash32(seed, "epoch", epoch))
        order = part.at[torch.randperm(len(part.at), generator=rng)]
        for at in order.split(BATCH)[: len(order) // BATCH]:  # type: ignore[no-untyped-call]
            x = part.source.fetch(at.tolist())["x"]
            x = coarsened(moved(x, course, rng), course, rng)
            yield x, {head: target[at] for head, target in part.targets.items()}


def taught(name: str, part: Part, seed: int) -> Classifier:
    """A classifier with batch norm, after its course: Adam with one cycle of the step size."""
    course = COURSES[name]
    torch.manual_seed(hash32(seed, "init"))
    net = Classifier(name, norm=nn.BatchNorm2d).to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(net.parameters(), weight_decay=DECAY, fused=True)
    steps = course.epochs * (len(part.at) // BATCH)
    schedule = OneCycleLR(optimizer, course.lr, total_steps=steps)
    for step, (x, targets) in enumerate(batches(part, course, seed), 1):
        with torch.autocast("cpu", torch.bfloat16, enabled=cpu_has_bf16()):
            scores = net.scores(dropout(net.features(x), DROPOUT))
        losses = [cross_entropy(scores[h], y, label_smoothing=SMOOTHING) for h, y in targets.items()]
        loss = torch.stack(losses).sum()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
        if step % 200 == 0 or step == steps:
            print(f"{name}: step {step} of {steps}, loss {loss.item():.3f}", file=sys.stderr)
    return net.eval()


def folded(net: Classifier) -> Classifier:
    """The same function without batch norm: its scales and shifts are put into the convolutions before it."""
    pairs = [(net, "conv", "norm"), *((block, f"conv{i}", f"norm{i}") for block in net.blocks for i in (1, 2))]
    for module, conv, norm in pairs:
        setattr(module, conv, fuse_conv_bn_eval(getattr(module, conv), getattr(module, norm)))
        setattr(module, norm, nn.Identity())
    return net


@torch.no_grad()
def accuracy(net: Examined, part: Part) -> dict[str, float]:
    """The fraction of pictures whose class has the highest score, by head."""
    right = dict.fromkeys(part.targets, 0)
    for at in part.at.split(500):  # type: ignore[no-untyped-call]
        scores = net.scores(net.features(net.prepared(part.source.fetch(at.tolist())["x"])))
        for head, target in part.targets.items():
            right[head] += int((scores[head].argmax(1) == target[at]).sum())
    return {head: count / len(part.at) for head, count in right.items()}


def write(net: Extractor, part: Part, folder: Path, command: str, *, epochs: int, seed: int) -> None:
    """model.safetensors and a config.json without the accuracy, which is measured on them."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {key: tensor.detach().half().contiguous() for key, tensor in net.state_dict().items()}
    data = safetensors.torch.save(tensors)
    write_aside(folder / "model.safetensors", data)
    info = part.source.info
    config = {
        "name": net.name,
        "sha256": sha256(data).hexdigest(),
        "bytes": len(data),
        "licence": "Apache-2.0",
        "dataset": {"name": info.name, "licence": info.licence, "images": len(part.at)},
        "epochs": epochs,
        "seed": seed,
        "command": command,
        "versions": {"python": platform.python_version(), "torch": torch.__version__,
                     "ganzoo-metrics": version("ganzoo-metrics")},
    }  # fmt: skip
    write_config(folder, config)


def report(net: Examined, exam: Part, folder: Path, on: str) -> None:
    """Examine what was written, print the result and write it into config.json."""
    result = accuracy(net, exam)
    tested = {"on": on, "images": len(exam.at)}
    write_config(folder, {**read_config(folder), "tested": tested, "accuracy": result})
    for head, value in result.items():
        print(f"{net.name}: {head}: {value:.2%} of {len(exam.at):,} unseen pictures")


def write_config(folder: Path, config: Mapping[str, object]) -> None:
    write_aside(folder / "config.json", (json.dumps(config, indent=2) + "\n").encode())


def main() -> None:
    parser = argparse.ArgumentParser(description="Train one of the extractors that ganzoo-metrics ships.")
    parser.add_argument("name", choices=PLANS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="folder to write; the shipped one unless given")
    args = parser.parse_args()
    folder, course = args.out or TRAINED / args.name, COURSES[args.name]
    learn, exam = parts(course, PLANS[args.name].image_size)
    net = folded(taught(args.name, learn, args.seed))
    command = f"python -m ganzoo_metrics.training {args.name} --seed {args.seed}"
    write(net, learn, folder, command, epochs=course.epochs, seed=args.seed)
    shipped = read_classifier(replace(EXTRACTORS[args.name], folder=folder))
    report(shipped, exam, folder, course.test or "a tenth of the base emoji, held out")


if __name__ == "__main__":
    main()
