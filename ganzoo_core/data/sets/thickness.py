"""MNIST's digits, each drawn at one of six thicknesses: an ordinal condition that changes a picture and not its class.

A stand-in for age that needs no photograph of anybody: thickness is the age, the digit the identity.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor

from ganzoo_core.data.dataset import KEPT_BYTES, Dataset, fingerprint
from ganzoo_core.data.kept import Kept, room_for
from ganzoo_core.data.pixels import taken, to_channels, to_float, to_size
from ganzoo_core.data.sets.strokes import SIDE, drawn, lines, slant
from ganzoo_core.errors import GanzooError
from ganzoo_core.seeds import hash32

THICKNESSES = (1.0, 1.8, 2.6, 3.4, 4.2, 5.0)  # pixels
VERSION = 1  # of what is drawn


class Thickness(Dataset):
    """Pictures of `source` (gray, 28 px) thinned to lines and drawn anew, each at one thickness for good.

    x [n, C, size, size]; age, which of THICKNESSES it has; identity, its class in `source`; attribute, 1 where it leans
    to the right; int64 [n] each. `classes` of its info are the ages. Drawn when first fetched, and kept.
    """

    def __init__(self, source: Dataset, name: str, image_size: int | None, channels: int | None) -> None:
        if (source.info.image_size, source.info.channels) != (SIDE, 1):
            raise GanzooError(f"data set {name}: is drawn from gray pictures of {SIDE} px")
        self.source = source
        self.info = replace(
            source.info,
            name=name,
            keys=frozenset({"x", "age", "identity", "attribute"}),
            image_size=image_size or SIDE,
            channels=channels or 1,
            classes=len(THICKNESSES),
            class_names=tuple(f"{t:.1f} px" for t in THICKNESSES),
            fingerprint=fingerprint(source.info.fingerprint, name, VERSION, image_size or SIDE, channels or 1),
        )
        rng = torch.Generator().manual_seed(hash32(0, name))
        self.ages = torch.randint(len(THICKNESSES), (len(source),), generator=rng)
        self.kept = room_for((len(source), 1, SIDE, SIDE), KEPT_BYTES) or Kept((len(source), 1, SIDE, SIDE))

    def __len__(self) -> int:
        return len(self.source)

    def fetch(self, indices: Sequence[int]) -> dict[str, Tensor]:
        at = torch.as_tensor(indices, dtype=torch.int64)
        self._draw(torch.unique(at[~taken(self.kept.ready, at)]))
        pixels, digits = taken(self.kept.pixels, at), self.source.fetch(indices)
        served = to_channels(to_size(pixels, self.info.image_size or SIDE), self.info.channels or 1)
        leans = (slant(digits["x"]) < 0).long()
        return {"x": to_float(served), "age": self.ages[at], "identity": digits["label"], "attribute": leans}

    def at_all_ages(self, index: int) -> Tensor:
        """One picture as it is at every age, in their order: [ages, 1, 28, 28] in [-1, 1]."""
        middle = lines(self.source.fetch([index])["x"])
        return drawn(middle.expand(len(THICKNESSES), -1, -1), torch.tensor(THICKNESSES))

    def _draw(self, at: Tensor) -> None:
        """Examples `at`, which are not there yet."""
        if not len(at):
            return
        thickness = torch.tensor(THICKNESSES)[self.ages[at]]
        x = drawn(lines(self.source.fetch(at.tolist())["x"]), thickness)
        pixels = ((x + 1) * 127.5).round().to(torch.uint8)
        for i, picture in zip(at.tolist(), pixels, strict=True):
            self.kept.keep(i, picture)
