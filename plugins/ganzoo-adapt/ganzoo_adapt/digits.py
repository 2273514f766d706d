"""MNIST's digits over patches of photographs, as MNIST-M has them (Ganin & Lempitsky 2015, arXiv:1409.7495).

The photographs are Kodak's, in half their size: 01-20 for training, 21-24 for testing. MNIST-M's own are BSDS500's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from ganzoo_adapt.domains import Domains
from ganzoo_core.data import DATASETS, Dataset, fingerprint, hash32, open_dataset
from ganzoo_core.errors import GanzooError

SIDE, COLOUR = 28, 3  # px and channels, unless asked
PHOTOGRAPH = 512  # px of a training photograph's middle square, before it is halved
VERSION = 1  # of how patches are drawn
SETS = {entry.name: entry for entry in DATASETS}


def open_mnist_kodak(
    root: Path | None, variant: str, *, image_size: int | None = None, channels: int | None = None
) -> Dataset:
    """x [n, 3, size, size], 28 px unless asked, and label [n]; "test" has MNIST's test digits and other photographs.

    "adapt": a and label of every other training digit, plain, in colour, and b of one of the rest; "simulated": a of
    digits that invert a ramp from one colour to another. Errors: GanzooError for any other number of channels, and for
    sides above 256.
    """
    if channels not in (None, COLOUR):
        raise GanzooError(f"data set mnist_kodak: has {COLOUR} channels, not {channels}", "Say -c channels=3.")
    size, part = image_size or SIDE, "test" if variant == "test" else "train"
    if size > PHOTOGRAPH // 2:
        raise GanzooError(f"data set mnist_kodak: has no patches of {size} px", f"Ask for {PHOTOGRAPH // 2} at most.")
    digits = open_dataset(f"mnist:{part}", root=root, image_size=size, channels=COLOUR, datasets=SETS)
    target = MnistKodak(digits, photographs(root, part), part)
    if variant not in ("adapt", "simulated"):
        return target
    source = digits if variant == "adapt" else Simulated(digits)
    return Domains(f"mnist_kodak:{variant}", source, target, range(0, len(digits), 2), range(1, len(digits), 2))


def photographs(root: Path | None, part: str) -> Dataset:
    """x and low, which is half of x: the middles of 01-20, or 21-24 whole."""
    if part == "test":
        return open_dataset("kodak:x2_test", root=root, channels=COLOUR, datasets=SETS)
    return open_dataset("kodak:x2", root=root, image_size=PHOTOGRAPH, channels=COLOUR, datasets=SETS)


class MnistKodak(Dataset):
    """|patch - digit| of pixels in [0, 1]: a digit is where a photograph is inverted.

    Example i has always the same patch.
    """

    def __init__(self, digits: Dataset, source: Dataset, part: str) -> None:
        self.digits = digits
        self.photographs = source.fetch(range(len(source)))["low"]  # [20, 3, 256, 256] or [4, 3, 256, 384]
        name = "mnist_kodak:test" if part == "test" else "mnist_kodak"
        self.info = replace(
            digits.info,
            name=name,
            licence=f"{digits.info.licence} AND {source.info.licence}",
            fingerprint=fingerprint(digits.info.fingerprint, source.info.fingerprint, name, VERSION),
        )

    def __len__(self) -> int:
        return len(self.digits)

    def fetch(self, indices: Sequence[int]) -> dict[str, Tensor]:
        batch = self.digits.fetch(indices)
        return {"x": inverted(self.patches(indices), batch["x"]), "label": batch["label"]}

    def patches(self, indices: Sequence[int]) -> Tensor:
        """One for each example.  [n, 3, size, size]"""
        size, (count, _, height, width) = self.info.image_size or SIDE, self.photographs.shape
        cut = []
        for i in indices:
            which, top, left = (
                hash32(0, f"{self.info.name} {what}", i) % sides
                for what, sides in (("which", count), ("top", height - size + 1), ("left", width - size + 1))
            )
            cut.append(self.photographs[which, :, top : top + size, left : left + size])
        return torch.stack(cut)


class Simulated(Dataset):
    """What a simulator knows of photographs: that they have colours. Each digit inverts a ramp of its own.

    Example i has always the same one.
    """

    def __init__(self, digits: Dataset) -> None:
        self.digits = digits
        self.info = replace(digits.info, fingerprint=fingerprint(digits.info.fingerprint, "simulated", VERSION))

    def __len__(self) -> int:
        return len(self.digits)

    def fetch(self, indices: Sequence[int]) -> dict[str, Tensor]:
        batch = self.digits.fetch(indices)
        ramps = torch.stack([ramp(hash32(0, "simulated", i), batch["x"].shape[-1]) for i in indices])
        return {"x": inverted(ramps, batch["x"]), "label": batch["label"]}


def ramp(seed: int, size: int) -> Tensor:
    """From one colour to another, in any direction.  [3, size, size] in [-1, 1]"""
    rng = torch.Generator().manual_seed(seed)
    one, other, way = 2 * torch.rand(3, COLOUR, generator=rng) - 1
    at = torch.linspace(-1, 1, size)
    along = (way[0] * at[:, None] + way[1] * at) / (way[:2].abs().sum() + 1e-6)  # [size, size] in [-1, 1]
    return torch.lerp(one[:, None, None], other[:, None, None], (along + 1) / 2)


def inverted(patches: Tensor, digits: Tensor) -> Tensor:
    """|p - d| of pixels in [0, 1], told in [-1, 1] as both are."""
    return (patches - digits).abs() - 1
