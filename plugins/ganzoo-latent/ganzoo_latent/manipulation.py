"""Editing activations (Bau et al. 2019, arXiv:2005.07727): parts of one picture's maps in another's, and photographs.

A photograph is first found, then the generator is bent to paint it exactly, then its maps are edited: what was not
edited stays what it was.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ganzoo_core.errors import GanzooError
from ganzoo_latent.activations import changed, maps
from ganzoo_latent.likeness import Likeness
from ganzoo_latent.painter import Painter, Report, silent
from ganzoo_latent.tuning import tune


@torch.no_grad()
def pasted(
    painter: Painter, layer: str, source: Tensor, target: Tensor, box: tuple[float, float, float, float],
    place: tuple[float, float],
) -> Tensor:  # fmt: skip
    """The picture of `target` in whose maps lies a box of those of `source`.  [1, C, H, W]

    Box (left, top, width, height) and place (left, top) are shares of the side. Errors: GanzooError for a box that
    is empty or leaves the picture.
    """
    taken = maps(painter, layer, source)
    side = taken.shape[-1]
    left, top, width, height = (round(share * side) for share in box)
    to_left, to_top = (round(share * side) for share in place)
    if min(width, height) < 1 or max(left + width, to_left + width, top + height, to_top + height) > side:
        raise GanzooError(f"paste: empty or outside, on the {side} x {side} places of {layer}", "Give another box.")
    part = taken[..., top : top + height, left : left + width]

    def paste(h: Tensor) -> Tensor:
        made = h.clone()
        made[..., to_top : to_top + height, to_left : to_left + width] = part
        return made

    with changed(painter.net, layer, paste):
        return painter.pictures(target)


def bent(painter: Painter, point: Tensor, photograph: Tensor, extractor: str = "", report: Report = silent) -> None:
    """The painter's copy of the generator, until `point` paints the photograph: image-specific (Sec. 3.2)."""
    tune(painter, point, Likeness(photograph, extractor), report=report)
