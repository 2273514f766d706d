"""Groups of samples by what is measured of them."""

from __future__ import annotations

from functools import cached_property

import torch
from torch import Tensor

from ganzoo_core.errors import GanzooError, escape
from ganzoo_latent import arithmetic
from ganzoo_latent.measures import Measure, measures, one
from ganzoo_latent.painter import Painter


class Chooser:
    """Samples of a painter, and measures to choose among them by."""

    def __init__(self, painter: Painter, draws: int, extractor: str = "") -> None:
        self.painter, self.draws = painter, draws
        self.measures = measures(painter.shape[0], extractor)

    @cached_property
    def points(self) -> Tensor:
        return self.painter.draw(self.draws)

    @cached_property
    def pictures(self) -> Tensor:
        return self.painter.pictures(self.points)

    def scores(self, name: str) -> Tensor:
        """What a measure says of all samples.  [draws]"""
        return scored(one(name, self.measures), self.pictures)

    def group(self, text: str, n: int) -> Tensor:
        """Seeds, or @NAME, or -@NAME.  [m, *shape]. Errors: GanzooError for what is neither."""
        low, name = text.startswith("-@"), text.lstrip("-").removeprefix("@")
        if "@" in text[:2]:
            score = self.scores(name)
            return arithmetic.alike(self.painter, -score if low else score, self.points, n)
        if not all(word.isdecimal() for word in text.split(",")):
            raise GanzooError(f"{escape(text, 40)}: is no group", "Give seeds (1,5,9) or a measure (@slant).")
        return arithmetic.seeds(self.painter, [int(word) for word in text.split(",")])


@torch.no_grad()
def scored(measure: Measure, pictures: Tensor) -> Tensor:
    """[n, C, H, W] -> [n]"""
    return torch.cat([measure(part) for part in pictures.split(64)])  # type: ignore[no-untyped-call]
