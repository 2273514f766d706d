"""CIFAR-10, from its binary files or from torchvision's.

The binary version (cifar-10-batches-bin) is preferred. The other (cifar-10-batches-py) is a pickle, which is read
by torchvision's own class only after each of its files has been found to be the one that its authors published.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from ganzoo_core.data.dataset import Dataset, DatasetInfo, Tensors, fingerprint
from ganzoo_core.data.locations import is_file, missing, search_roots
from ganzoo_core.errors import GanzooError, IntegrityError, escape

CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
RECORD = 1 + 3 * 32 * 32  # a label, then the red, green and blue planes
LARGEST = 64 << 20  # bytes of a file; a true one has 31 MB
TRAIN, TEST = tuple(f"data_batch_{i}" for i in range(1, 6)), ("test_batch",)
BINARY, PICKLED = "cifar-10-batches-bin", "cifar-10-batches-py"


def open_cifar10(
    root: Path | None, variant: str, *, image_size: int | None = None, channels: int | None = None
) -> Dataset:
    """x [n, C, size, size], 32 px and RGB unless asked, and label [n]; variants train (the default) and test."""
    pixels, labels = _tensors(root, variant == "test")
    size, channels = image_size or 32, channels or 3
    info = DatasetInfo(
        name="cifar10:test" if variant == "test" else "cifar10",
        keys=frozenset({"x", "label"}),
        image_size=size,
        channels=channels,
        classes=10,
        class_names=CLASSES,
        licence="LicenseRef-CIFAR-10",
        fingerprint=fingerprint("cifar10", pixels, labels, size, channels),
    )
    return Tensors(info, {"x": pixels}, {"label": labels})


def _tensors(root: Path | None, test: bool) -> tuple[Tensor, Tensor]:
    """Pixels uint8 [N, 3, 32, 32] and labels int64 [N]."""
    files = [f"{name}.bin" for name in (TEST if test else TRAIN)]
    places = [place / folder for place in search_roots(root) for folder in ("cifar10", ".")]
    for place in places:
        if all(is_file(place / BINARY / file) for file in files):
            return _binary([place / BINARY / file for file in files])
    for place in places:
        if is_file(place / PICKLED / files[0].removesuffix(".bin")):
            return _published(place, test)
    raise missing("cifar10", root, [f"cifar10/{BINARY}/{file}" for file in files])


def _binary(paths: list[Path]) -> tuple[Tensor, Tensor]:
    records = torch.from_numpy(np.concatenate([_records(path) for path in paths]))
    return records[:, 1:].reshape(-1, 3, 32, 32).contiguous(), records[:, 0].to(torch.int64)


def _records(path: Path) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    try:
        size = path.stat().st_size
        if size == 0 or size % RECORD or size > LARGEST:
            raise GanzooError(f"{escape(path)}: {size} bytes are not whole records of {RECORD}", "Fetch it again.")
        records = np.fromfile(path, dtype=np.uint8).reshape(-1, RECORD)
    except OSError as error:
        raise GanzooError(f"{escape(path)}: cannot be read: {error.strerror or error}") from error
    if records[:, 0].max() > 9:
        raise GanzooError(f"{escape(path)}: holds labels above 9: not a CIFAR-10 file", "Fetch it again.")
    return records


def _published(place: Path, test: bool) -> tuple[Tensor, Tensor]:
    from torchvision.datasets import CIFAR10

    _verify(place / PICKLED, [*CIFAR10.train_list, *CIFAR10.test_list, [CIFAR10.meta["filename"], CIFAR10.meta["md5"]]])
    data = CIFAR10(str(place), train=not test)  # [N, 32, 32, 3]; looks at the hashes once more
    return torch.from_numpy(data.data).permute(0, 3, 1, 2).contiguous(), torch.tensor(data.targets)


def _verify(folder: Path, published: list[list[str]]) -> None:
    from torchvision.datasets.utils import check_integrity

    for file, md5 in published:
        try:
            whole = is_file(folder / file) and check_integrity(str(folder / file), md5)
        except OSError as error:
            raise GanzooError(f"{escape(folder / file)}: cannot be read: {error.strerror}") from error
        if not whole:
            raise IntegrityError(
                f"{escape(folder / file)}: is missing or is not the file that was published, and is not read",
                f"It is a pickle, which can run code: fetch it again, or use the binary version ({BINARY}).",
            )
