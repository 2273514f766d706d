"""Ways from one latent to another: straight lines, and arcs that keep to where a normal distribution has its mass."""

from __future__ import annotations

import torch
from torch import Tensor


def lerp(a: Tensor, b: Tensor, t: float) -> Tensor:
    """(1 - t) a + t b, of any shape."""
    return torch.lerp(a, b, t)


def slerp(a: Tensor, b: Tensor, t: float) -> Tensor:
    """The arc from a to b [n, ...], each taken as one vector; its length goes evenly from |a| to |b|.

    sin((1 - t) w) / sin w a + sin(t w) / sin w b for unit vectors an angle w apart: White 2016 (arXiv:1609.04468),
    after Shoemake 1985. Straight where they point (almost) the same or opposite ways.
    """
    flat_a, flat_b = a.flatten(1), b.flatten(1)
    length_a, length_b = flat_a.norm(dim=1, keepdim=True), flat_b.norm(dim=1, keepdim=True)
    unit_a, unit_b = flat_a / length_a, flat_b / length_b
    cosine = (unit_a * unit_b).sum(1, keepdim=True).clamp(-1, 1)
    angle = cosine.acos()
    sine = angle.sin()
    arc = (((1 - t) * angle).sin() * unit_a + (t * angle).sin() * unit_b) / sine
    curved = arc * torch.lerp(length_a, length_b, t)
    return torch.where(sine < 1e-4, torch.lerp(flat_a, flat_b, t), curved).view_as(a)
