"""Solids as pictures: rays from far away, where they first meet the solid, and how its surface lies to a lamp."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import avg_pool3d, grid_sample, normalize, pad

VIEWS = ((35.0, 25.0), (215.0, 25.0))  # degrees: around the upright axis, and above the ground
PIXELS, STEPS = 64, 96  # of a view's side, along a ray
REACH = 1.5  # half the side of what is seen, and half a ray's length, where a cube is 2 wide
HALF = 0.5  # where a solid's surface is
LAMP = (-0.45, 0.35, 0.82)  # to the left of the eye (right, forward ... of the eye), above
AMBIENT = 0.3


def rendered(volumes: Tensor, pixels: int = PIXELS) -> Tensor:
    """Solids [n, 1, X, Y, Z] in [0, 1], z upward, as their views side by side: [n, 1, pixels, 2 pixels] in [-1, 1]."""
    return torch.stack([torch.cat([view(v, *angles, pixels) for angles in VIEWS], 2) for v in volumes.float().cpu()])


def view(volume: Tensor, around: float, above: float, pixels: int) -> Tensor:
    """One solid [1, X, Y, Z] on white, [1, pixels, pixels] in [-1, 1]: gray where it is hit, the darker the more it
    turns away from the lamp."""
    right, up, toward = eye(around, above)
    solid = smooth(pad(volume[None], (1,) * 6))  # a rim of nothing, so that what touches the border has a surface
    grow = (volume.shape[-1] + 2) / volume.shape[-1]
    across = torch.linspace(-REACH, REACH, pixels)
    depth = torch.linspace(REACH, -REACH, STEPS)  # from the eye on
    points = (
        depth[:, None, None, None] * toward - across[:, None, None] * up + across[None, :, None] * right
    )  # [STEPS, pixels, pixels, 3]
    filled = sampled(solid, points / grow)[0] >= HALF  # [STEPS, pixels, pixels]
    hit, first = filled.any(0), filled.byte().argmax(0)
    at = points.gather(0, first[None, :, :, None].expand(-1, -1, -1, 3))
    slope = torch.stack(torch.gradient(solid[0, 0]))[None]  # [1, 3, X, Y, Z]
    normal = -normalize(sampled(slope, at / grow)[:, 0], dim=0)  # [3, pixels, pixels]
    lamp = normalize(LAMP[0] * right + LAMP[1] * toward + LAMP[2] * up, dim=0)
    light = AMBIENT + (0.95 - AMBIENT) * (normal * lamp[:, None, None]).sum(0).clamp(min=0)
    return torch.where(hit, 2 * light - 1, 1.0)[None]


def eye(around: float, above: float) -> tuple[Tensor, Tensor, Tensor]:
    """Unit vectors in (x, y, z): what is to the right, what is up in the picture, and where the eye is."""
    a, b = math.radians(around), math.radians(above)
    toward = torch.tensor([math.sin(a) * math.cos(b), -math.cos(a) * math.cos(b), math.sin(b)])
    right = torch.tensor([math.cos(a), math.sin(a), 0.0])
    return right, torch.linalg.cross(toward, right), toward


def smooth(solid: Tensor) -> Tensor:
    """The mean with the nearest cells, [1, 1, X, Y, Z]: steps become slopes, so that surfaces have a direction."""
    return (solid + avg_pool3d(solid, 3, 1, 1)) / 2


def sampled(values: Tensor, points: Tensor) -> Tensor:
    """Values [1, C, X, Y, Z] at points [K, H, W, 3] in [-1, 1]: [C, K, H, W]."""
    return grid_sample(values, points.flip(-1)[None], align_corners=False)[0]  # it takes z, y, x
