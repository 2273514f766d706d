"""Descent in a space: Adam, then L-BFGS, over points that stay where they may lie."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ganzoo_latent.painter import Painter, Report, silent

Loss = Callable[[Tensor], Tensor]  # points [n, *shape] -> [n], each of its own point alone


def descend(
    painter: Painter,
    start: Tensor,
    loss: Loss,
    steps: int = 200,
    rate: float = 0.1,
    also: Sequence[Tensor] = (),
    after: Callable[[], None] = lambda: None,
    report: Report = silent,
) -> Tensor:
    """Adam from `start` [n, *shape]; steps are in deviations of the space and fall to 0 along a cosine.

    `also` moves with the points and takes the same steps; `after` is done after each one. Returns the best point seen
    of each start.
    """
    points, scale = start.clone().requires_grad_(), painter.spread()[1]
    optimizer = torch.optim.Adam([{"params": [points], "size": scale}, {"params": list(also), "size": 1.0}])
    best, least = start.clone(), torch.full((len(start),), math.inf, device=start.device)
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = group["size"] * rate * 0.5 * (1 + math.cos(math.pi * step / steps))
        values = loss(points)
        better = values.detach() < least
        best[better], least[better] = points.detach()[better], values.detach()[better]
        optimizer.zero_grad()
        values.sum().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        with torch.no_grad():
            points.copy_(painter.within(points))
        after()
        report("steps", step + 1, steps)
    return best if not also else points.detach()


def polish(painter: Painter, start: Tensor, loss: Loss, steps: int = 30) -> Tensor:
    """L-BFGS from one point [1, *shape]; the start where it finds nothing better."""
    point = start.clone().requires_grad_()
    optimizer = torch.optim.LBFGS([point], max_iter=steps, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        value = loss(painter.within(point)).sum()
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    found = painter.within(point.detach())
    with torch.no_grad():
        better = bool(found.isfinite().all()) and bool(loss(found).sum() < loss(start).sum())
    return found if better else start
