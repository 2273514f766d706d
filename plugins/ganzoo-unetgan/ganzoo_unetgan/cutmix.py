"""CutMix (Yun et al. 2019, arXiv:1905.04899): a box of one picture in another, and its mask."""

from __future__ import annotations

import torch
from torch import Tensor


def mix(a: Tensor, b: Tensor, mask: Tensor) -> Tensor:
    """a where the mask is 1, b where it is 0.  [N, C, H, W] each, mask [N, 1, H, W]"""
    return mask * a + (1 - mask) * b


def masks(x: Tensor) -> Tensor:
    """Boxes anywhere, cut at the border, whose share of the picture is uniform before; in half of the masks they are 1.

    One for each of x [N, C, H, W]: [N, 1, H, W] of 0 and 1.
    """
    n, _, height, width = x.shape
    side = torch.rand(n, 1, device=x.device).sqrt()  # of a box, in sides of the picture: its area is uniform
    inside = within(side, height)[:, :, None] & within(side, width)[:, None, :]
    flip = torch.rand(n, 1, 1, device=x.device) < 0.5
    return (inside ^ flip)[:, None].float()


def within(side: Tensor, length: int) -> Tensor:
    """Which places of a line lie in a piece of it, side * length long, whose middle is anywhere.  bool [n, length]"""
    middle = torch.rand_like(side) * length
    at = torch.arange(length, device=side.device) + 0.5
    return (at - middle).abs() <= side * length / 2
