"""Pictures and the same ones small: `x` and `low`, which is x / factor in both directions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from torch import Tensor

from ganzoo_core.data.dataset import Dataset, fingerprint
from ganzoo_core.data.pixels import to_float
from ganzoo_core.data.views.whole import shrunk, to_pixels
from ganzoo_core.errors import GanzooError, escape


class SuperResolution(Dataset):
    """`source` and `low`: its x made smaller, antialiased bicubic with a = -0.5, rounded to 8 bits."""

    def __init__(self, source: Dataset, factor: int, name: str = "") -> None:
        info = source.info
        if "x" not in info.keys or (info.image_size or factor) % factor:
            raise GanzooError(
                f"data {escape(info.name)}: no pictures whose sides are multiples of {factor}", "Set image_size."
            )
        self.source, self.factor = source, factor
        self.info = replace(
            info,
            name=name or f"x{factor}:{info.name}",
            keys=info.keys | {"low"},
            fingerprint=fingerprint(info.fingerprint, "low", factor),
        )

    def __len__(self) -> int:
        return len(self.source)

    def fetch(self, indices: Sequence[int]) -> dict[str, Tensor]:
        return self.with_low(self.source.fetch(indices))

    def fetch_augmented(self, indices: Sequence[int], augment_seeds: Sequence[int]) -> dict[str, Tensor]:
        return self.with_low(self.source.fetch_augmented(indices, augment_seeds))

    def with_low(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        return batch | {"low": to_float(shrunk(to_pixels(batch["x"]), self.factor))}


LICENCE = "LicenseRef-Kodak"  # released by Eastman Kodak for unrestricted usage


def halved(source: Dataset) -> Dataset:
    """x and low, half the sides."""
    return SuperResolution(source, 2)


def quartered(source: Dataset) -> Dataset:
    """x and low, a quarter of the sides."""
    return SuperResolution(source, 4)
