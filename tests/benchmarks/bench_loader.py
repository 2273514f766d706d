"""What the loader alone delivers: images per second from a folder of 10,000 JPEGs at 64 px, by number of workers.

python tests/benchmarks/bench_loader.py [--images 10000] [--size 64] [--workers 0 1 2]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from ganzoo_core.data import stream
from ganzoo_core.data.dataset import Dataset
from ganzoo_core.data.folder.folder import open_folder

BATCH = 64


def write_pictures(folder: Path, count: int, size: int) -> None:
    """Smooth noise, which takes about as many bytes as photographs do."""
    rng = np.random.default_rng(0)
    for i in range(count):
        coarse = Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8))
        coarse.resize((size, size), Image.Resampling.BICUBIC).save(folder / f"{i:06}.jpg", quality=90)


def rate(source: Dataset, workers: int, images: int, start: int) -> float:
    """Images per second of `images` images from position `start` on, workers' start left out."""
    batches = stream(source, batch_size=BATCH, seed=0, start=start, workers=workers)
    for _ in range(4):
        next(batches)
    began = time.perf_counter()
    for _ in range(images // BATCH):
        next(batches)
    passed = time.perf_counter() - began
    batches.close()
    return images // BATCH * BATCH / passed


def measure(folder: Path, size: int, images: int, workers: Sequence[int]) -> None:
    began = time.perf_counter()
    source = open_folder(str(folder), image_size=size)
    print(f"opened in {time.perf_counter() - began:.1f} s, {source.describe()}")
    for count in workers:
        first, later = (rate(source, count, images, start) for start in (0, images))
        print(f"workers {count}: {first:,.0f} img/s in the first epoch, {later:,.0f} later, per worker "
              f"{later / max(count, 1):,.0f}", flush=True)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=10_000)
    parser.add_argument("--size", type=int, default=64, help="side of the files' pictures, and of those served")
    parser.add_argument("--workers", type=int, nargs="+", default=[0, 1, 2])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        write_pictures(Path(folder), options.images, options.size)
        measure(Path(folder), options.size, options.images, options.workers)


if __name__ == "__main__":
    main()
