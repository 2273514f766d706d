"""Where thin dark lines run, by a classical filter: a stand-in for what a physician would draw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ganzoo_core.data import Dataset, fingerprint
from ganzoo_core.errors import GanzooError, escape

WIDTHS = (1.0, 2.0, 3.0)  # px: deviations of the Gaussians whose curvature is looked at
STRONG = 0.02  # of a picture in [0, 1]: what answers more is a vessel
GREEN = 1  # the channel in which vessels are darkest
VERSION = 1


class Vessels(Dataset):
    """`photo`, x of the source, and `region`: where the filter of Sato et al. 1998 answers in its green channel."""

    def __init__(self, source: Dataset) -> None:
        info, self.source = source.info, source
        if "x" not in info.keys or not info.image_size:
            raise GanzooError(f"data {escape(info.name)}: has no pictures of one size", "Give vessels:retina.")
        ridges()
        self.info = replace(
            info, name=f"vessels:{info.name}", keys=frozenset({"photo", "region"}), classes=None, class_names=(),
            fingerprint=fingerprint(info.fingerprint, "vessels", WIDTHS, STRONG, VERSION),
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.source)

    def fetch(self, indices: Sequence[int]) -> dict[str, Tensor]:
        return masked(self.source.fetch(indices)["x"])

    def fetch_augmented(self, indices: Sequence[int], augment_seeds: Sequence[int]) -> dict[str, Tensor]:
        return masked(self.source.fetch_augmented(indices, augment_seeds)["x"])


def masked(x: Tensor) -> dict[str, Tensor]:
    """Pictures [n, C, H, W] in [-1, 1] and their vessels [n, 1, H, W]."""
    green = x[:, min(GREEN, x.shape[1] - 1)]
    region = np.stack([vessels(((picture + 1) / 2).numpy()) for picture in green])
    return {"photo": x, "region": torch.from_numpy(region)[:, None]}


def vessels(gray: NDArray[np.float32]) -> NDArray[np.float32]:
    """1 where a dark line runs through a picture [H, W] in [0, 1], else 0."""
    found: NDArray[np.float32] = (ridges()(gray, sigmas=WIDTHS, black_ridges=True) > STRONG).astype(np.float32)
    return found


def ridges() -> Any:
    """scikit-image's filter. Errors: GanzooError that says how to have it."""
    try:
        from skimage.filters import sato
    except ImportError:
        what = "vessels are found by scikit-image, which is not installed"
        raise GanzooError(what, "pip install 'ganzoo-masks[vessels]'.") from None
    return sato
