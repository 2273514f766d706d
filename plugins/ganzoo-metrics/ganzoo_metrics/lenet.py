"""A second eye for digits: LeNet-5 (LeCun et al. 1998, Fig. 2), taught in another way than mnist-cnn.

A score says as much about its extractor as about a model. This one shares nothing with mnist-cnn but the pictures:
tanh and averages in place of ReLU and maxima, 84 features in place of 128, SGD, and no picture is ever moved about.
What both say of two models is more likely to be so.

    python -m ganzoo_metrics.lenet    # how it came to be: two minutes of one core
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, cross_entropy

from ganzoo_core.data import hash32
from ganzoo_metrics.classifiers import filled
from ganzoo_metrics.extractors import EXTRACTORS, TRAINED, Extractor, ExtractorSpec
from ganzoo_metrics.training import Part, labels, opened, report, write

NAME, DATA, TEST = "mnist-lenet", "mnist", "mnist:test"
SEED = 1  # mnist-cnn has 0
EPOCHS, BATCH, LR, MOMENTUM = 15, 64, 0.02, 0.9


class LeNet(Extractor):
    """C1, S2, C3, S4, C5, F6 and the output, with the letters of the paper; the features are F6's.

    Departures: S2 and S4 are plain averages, C3 sees all maps of S2, the output layer is linear, C1 pads 28 px to 32.
    """

    def __init__(self) -> None:
        super().__init__()
        self.name, self.image_size, self.channels, self.dim, self.sha256 = NAME, 28, 1, 84, ""
        self.classes = tuple("0123456789")
        self.c1, self.c3, self.c5 = nn.Conv2d(1, 6, 5, padding=2), nn.Conv2d(6, 16, 5), nn.Conv2d(16, 120, 5)
        self.f6, self.output = nn.Linear(120, 84), nn.Linear(84, 10)

    def maps(self, x: Tensor) -> list[Tensor]:
        c1 = self.c1(x).tanh()  # [N, 6, 28, 28]
        return [c1, self.c3(avg_pool2d(c1, 2)).tanh()]  # [N, 16, 10, 10]

    def features(self, x: Tensor) -> Tensor:
        c5 = self.c5(avg_pool2d(self.maps(x)[-1], 2)).tanh().flatten(1)  # [N, 120]
        return self.f6(c5).tanh().float()

    def scores(self, features: Tensor) -> dict[str, Tensor]:
        """Features [N, 84] to the class scores [N, 10]."""
        return {"label": self.output(features).float()}

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        features = self.features(x)
        return features, self.scores(features)["label"]


def read_lenet(spec: ExtractorSpec) -> LeNet:
    """The shipped one. Errors: as `classifiers.filled`."""
    return filled(LeNet(), spec)


def batches(x: Tensor, y: Tensor, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Full batches of all epochs, as the pictures are."""
    for epoch in range(EPOCHS):
        order = torch.randperm(len(x), generator=torch.Generator().manual_seed(hash32(seed, "epoch", epoch)))
        for at in order.split(BATCH)[: len(x) // BATCH]:  # type: ignore[no-untyped-call]
            yield x[at], y[at]


def taught(x: Tensor, y: Tensor, seed: int) -> LeNet:
    """After its lessons: SGD with momentum, whose step falls along a cosine."""
    torch.manual_seed(hash32(seed, "init"))
    net = LeNet()
    optimizer = torch.optim.SGD(net.parameters(), LR, MOMENTUM)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, EPOCHS * (len(x) // BATCH))
    for pictures, classes in batches(x, y, seed):
        loss = cross_entropy(net(pictures)[1], classes)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
    return net.eval()


def part(data: str) -> Part:
    source = opened(data, 28)
    return Part(source, torch.arange(len(source)), {"label": labels(source)})


def main() -> None:
    parser = argparse.ArgumentParser(description="Train mnist-lenet, the second extractor of digits.")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument(
        "--out", type=Path, default=TRAINED / NAME, help="folder to write; the shipped one unless given"
    )
    args = parser.parse_args()
    learn, exam = part(DATA), part(TEST)
    pictures = torch.cat([learn.source.fetch(at.tolist())["x"] for at in learn.at.split(1024)])  # type: ignore[no-untyped-call]
    net = taught(pictures, learn.targets["label"], args.seed)
    write(net, learn, args.out, f"python -m ganzoo_metrics.lenet --seed {args.seed}", epochs=EPOCHS, seed=args.seed)
    report(read_lenet(replace(EXTRACTORS[NAME], folder=args.out)), exam, args.out, TEST)


if __name__ == "__main__":
    main()
