"""make demo: the main job on real data in about a minute. Trains a DCGAN on the digits inside scikit-learn, samples it,
samples a model that was trained before, and measures how far the samples are from real digits. Works offline."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import torch
from torch import Tensor

import ganzoo_core as gz
from ganzoo_core import imaging
from ganzoo_core.data import open_dataset
from ganzoo_core.registry.plugins import registry
from ganzoo_core.training.callbacks.console import progress

FOLDER = Path("demo")


def nearest(images: Tensor, real: Tensor) -> float:
    """Mean Euclidean distance per pixel, in grey levels of 0..255, from each image to its nearest real digit."""
    distance = torch.cdist(images.flatten(1), real.flatten(1)).amin(1)  # [N]
    return float(distance.mean() / real[0].numel() ** 0.5 * 127.5)


def show(images: Tensor, name: str, times: int = 1) -> None:
    """A sheet of 64 images, enlarged so that 16 pixels can be looked at."""
    sheet = imaging.grid(images[:64])
    imaging.save(sheet.resize((times * sheet.width, times * sheet.height), 0), FOLDER / name)


def main() -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    source = open_dataset("digits", datasets=dict(registry().datasets.items()))
    print(f"real data   {source.describe()}")

    start = time.monotonic()
    objective = gz.create("dcgan", preset="digits")
    gz.fit(objective, "digits", out=FOLDER / "run", callbacks=(progress,))
    print(f"trained     dcgan, preset digits, in {time.monotonic() - start:.0f} s")

    fakes = gz.load(FOLDER / "run").sample(256, seed=0)
    digits = source.fetch(range(len(source)))["x"]
    held, known = digits[:256], digits[256:]
    show(fakes, "digits.png", 3)
    show(held, "real.png", 3)
    show(gz.load("dcgan.mnist").sample(64, seed=0), "dcgan.mnist.png", 2)

    noise = torch.rand(fakes.shape, generator=torch.Generator().manual_seed(0)) * 2 - 1
    print("mean distance to the nearest real digit (grey levels per pixel; lower is closer):")
    for name, images in {"real digits held out": held, "our samples": fakes, "noise": noise}.items():
        print(f"  {name:22}{nearest(images, known):6.1f}")
    print("pictures:")
    for name, what in {
        "digits.png": "64 samples of the GAN that was just trained",
        "real.png": "64 real digits, for comparison",
        "dcgan.mnist.png": "64 samples of the model trained on MNIST that ships with ganzoo-dcgan",
        "run/samples": "how the digits came into being",
    }.items():
        print(f"  {FOLDER / name!s:24}{what}")


if __name__ == "__main__":
    main()
