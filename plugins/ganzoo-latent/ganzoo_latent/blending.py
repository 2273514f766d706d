"""What can be done with pictures that were found in W+ (Abdal et al. 2019, arXiv:1904.03189, Sec. 5).

Morphing is a straight line, style transfer exchanges the styles of fine layers, expression transfer adds a difference,
and crossover (2020, arXiv:1911.11544) puts parts of two pictures together and finds the point of the whole.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ganzoo_core.errors import GanzooError
from ganzoo_latent.likeness import Likeness
from ganzoo_latent.painter import Painter, Report, silent
from ganzoo_latent.project import Projected, project
from ganzoo_latent.search import descend


def morph(a: Tensor, b: Tensor, steps: int) -> Tensor:
    """w = lambda w_1 + (1 - lambda) w_2.  [steps + 1, *shape]"""
    t = torch.linspace(0, 1, steps + 1, device=a.device).view(-1, *[1] * (a.ndim - 1))
    return torch.lerp(a, b, t)


def with_style(content: Tensor, style: Tensor, layer: int) -> Tensor:
    """The content's styles up to a layer, from there on the other's.  [1, layers, w]

    Errors: GanzooError for points that have no styles of layers, or no such layer.
    """
    if content.ndim != 3 or not 0 <= layer < content.shape[1]:
        raise GanzooError(f"style from layer {layer} on: these points have no such layer", "Find them in w+.")
    return torch.cat([content[:, :layer], style[:, layer:]], 1)


def with_expression(neutral: Tensor, smiling: Tensor, target: Tensor, strength: float = 1.0) -> Tensor:
    """w = w_1 + lambda (w_3 - w_2).  [1, *shape]"""
    return target + strength * (smiling - neutral)


def crossover(
    painter: Painter, a: Tensor, b: Tensor, mask: Tensor, extractor: str = "", steps: int = 200, report: Report = silent
) -> Projected:
    """The point that paints a where the mask [1, 1, H, W] is 0 and b where it is 1; it begins between both points."""
    with torch.no_grad():
        wanted = torch.lerp(painter(a), painter(b), mask)
    likeness = Likeness(wanted, extractor)
    found = descend(painter, torch.lerp(a, b, float(mask.mean())), lambda p: likeness(painter(p)), steps, report=report)
    with torch.no_grad():
        made = painter(found)
        return Projected(found, made.clamp(-1, 1), float(likeness(made)), float(likeness.pixels(made)))


def inpainted(painter: Painter, picture: Tensor, hole: Tensor, extractor: str = "", report: Report = silent) -> Tensor:
    """A picture whose hole (1 in [1, 1, H, W]) is filled by the point that paints the rest; outside it is itself."""
    found = project(painter, Likeness(picture, extractor, mask=1 - hole), report=report)
    return torch.lerp(picture, found.picture, hole)
