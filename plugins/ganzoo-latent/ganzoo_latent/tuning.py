"""Pivotal tuning (Roich et al. 2021, arXiv:2106.05744): the generator is bent until the pivot paints the picture."""

from __future__ import annotations

import torch
from torch import Tensor

from ganzoo_latent.likeness import Likeness
from ganzoo_latent.painter import Painter, Report, silent


def tune(
    painter: Painter,
    pivot: Tensor,
    likeness: Likeness,
    *,
    steps: int = 150,
    rate: float = 3e-4,
    locality: float = 0.1,
    reach: float = 30.0,
    report: Report = silent,
) -> None:
    """Adam on all weights of the painter's copy: likeness(G'(w_p)) + locality * E |G'(w_r) - G(w_r)|^2.

    w_r lies `reach` deviations from the pivot towards a fresh draw (Eq. 5), so that the rest of the space stays.
    """
    before = Painter(painter.net, painter.name, painter.seed)
    before.others, deviation = painter.others, painter.spread()[1]
    weights = [w for w in painter.net.parameters() if w.is_floating_point()]
    optimizer = torch.optim.Adam([w.requires_grad_() for w in weights], rate)
    for step in range(steps):
        near = towards(pivot, painter.draw(1, painter.seed + 1 + step), reach * deviation)
        with torch.no_grad():
            kept = before(near)
        loss = likeness(painter(pivot)).sum() + locality * (painter(near) - kept).square().mean()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        report("tuning", step + 1, steps)
    painter.net.requires_grad_(False)


def towards(pivot: Tensor, other: Tensor, length: float) -> Tensor:
    """pivot + length (other - pivot) / |other - pivot|, but not beyond the other."""
    way = other - pivot
    return pivot + way * min(1.0, length / max(float(way.norm()), 1e-8))
