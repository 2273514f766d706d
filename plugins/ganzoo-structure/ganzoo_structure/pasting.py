"""Pasting one picture into another where an affine map says, so that gradients reach both pictures and the map."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad


def pasted(ground: Tensor, figure: Tensor, mask: Tensor) -> Tensor:
    """The figure where its mask is 1, the ground where it is 0.  [N, C, H, W], [N, C, H, W], [N, 1, H, W] in [0, 1]"""
    return mask * figure + (1 - mask) * ground


def transformed(x: Tensor, theta: Tensor) -> Tensor:
    """A spatial transformer (Jaderberg et al. 2015): at (u, v) what x has at theta (u, v, 1), between pixels bilinear.

    Both in coordinates that are -1 and 1 at the borders, across and down; beyond x there is 0. Made of `gather`, which
    can be differentiated twice.  [N, C, H, W], [N, 2, 3] -> [N, C, H, W]
    """
    n, c, height, width = x.shape
    at = places(height, width, x.device) @ theta.float().transpose(1, 2)  # [N, HW, 2]
    across, down = ((at[..., i] + 1) * side / 2 + 0.5 for i, side in ((0, width), (1, height)))  # in a margin of 1
    left, top = across.floor(), down.floor()
    right_share, below_share = across - left, down - top
    flat = pad(x, (1, 1, 1, 1)).flatten(2)
    out = torch.zeros_like(x).flatten(2)
    for dy, of_row in ((0, 1 - below_share), (1, below_share)):
        for dx, of_column in ((0, 1 - right_share), (1, right_share)):
            row, column = (top + dy).clamp(0, height + 1), (left + dx).clamp(0, width + 1)
            index = (row * (width + 2) + column).long()[:, None].expand(n, c, -1)
            out = out + flat.gather(2, index) * (of_row * of_column)[:, None].to(x.dtype)
    return out.view_as(x)


def places(height: int, width: int, device: torch.device) -> Tensor:
    """(u, v, 1) of the middle of every pixel, row by row.  [HW, 3]"""
    u, v = ((2 * torch.arange(side, device=device) + 1) / side - 1 for side in (width, height))
    return torch.stack([u.repeat(height), v.repeat_interleave(width), torch.ones(height * width, device=device)], 1)
