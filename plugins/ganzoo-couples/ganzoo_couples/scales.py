"""Discriminators that look at a picture at several scales, each by itself, and the least squares of all of them."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator
from ganzoo_core.objectives import Terms, least_squares


class MultiScale(Discriminator):
    """Scores of patches of a picture and of its smaller copies."""

    @abstractmethod
    def scales(self, b: Tensor) -> Sequence[Tensor]:
        """Scores of patches, the finest scale first: [N, C, H, W] -> [N, 1, h, w] each."""

    def forward(self, b: Tensor) -> Tensor:  # [N, C, H, W] -> [N, all places]
        return torch.cat([scores.flatten(1) for scores in self.scales(b)], 1)


def refuse_others(family: str, *judges: Discriminator) -> None:
    """Errors: GanzooError for discriminators whose scores are not told apart by scales, augmented ones among them."""
    for D in judges:
        if not isinstance(D, MultiScale):
            what = f"{family}: {type(D).__name__} does not score several scales, each by itself"
            raise GanzooError(what, "Take its own networks, and leave augmentation out: -c augment=none.")


def judging(D: Discriminator, real: Tensor, fake: Tensor) -> Terms:
    """E (D(B) - 1)^2 + E D(B^)^2, the sum over the scales; the core's has the 1/2 of Mao et al. 2017, this has not."""
    assert isinstance(D, MultiScale)
    each = [least_squares.d(r, f) for r, f in zip(D.scales(real), D.scales(fake), strict=True)]
    return {name: 2 * torch.stack([terms[name] for terms in each]).sum() for name in ("real", "fake")}


def pleasing(D: Discriminator, fake: Tensor) -> Tensor:
    """E (D(B^) - 1)^2, the sum over the scales."""
    assert isinstance(D, MultiScale)
    return 2 * torch.stack([least_squares.g(scores, None) for scores in D.scales(fake)]).sum()
