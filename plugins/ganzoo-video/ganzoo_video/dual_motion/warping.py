"""Q_F->I: a frame is moved along a flow field. Flow [N, 2, H, W] says, x and y in pixels, where to look."""

from __future__ import annotations

import torch
from torch import Tensor


def warp(x: Tensor, flow: Tensor) -> Tensor:
    """x [N, C, H, W] at p + flow(p) for every pixel p, bilinear; beyond the border the border is seen.

    Made of `gather`, whose gradient is deterministic on a GPU as well.
    """
    height, width = x.shape[2:]
    rows = torch.arange(height, device=x.device)[:, None] + flow[:, 1].float()
    columns = torch.arange(width, device=x.device) + flow[:, 0].float()
    rows, columns = rows.clamp(0, height - 1), columns.clamp(0, width - 1)
    top, left = rows.floor(), columns.floor()
    down, right = (rows - top)[:, None], (columns - left)[:, None]  # [N, 1, H, W]
    i, j = top.long(), left.long()
    i_next, j_next = (i + 1).clamp(max=height - 1), (j + 1).clamp(max=width - 1)
    upper = (1 - right) * looked_up(x, i, j) + right * looked_up(x, i, j_next)
    lower = (1 - right) * looked_up(x, i_next, j) + right * looked_up(x, i_next, j_next)
    return (1 - down) * upper + down * lower


def looked_up(x: Tensor, i: Tensor, j: Tensor) -> Tensor:
    """x [N, C, H, W] at rows i and columns j, int64 [N, H, W] each."""
    n, channels, height, width = x.shape
    at = (i * width + j).flatten(1)[:, None].expand(-1, channels, -1)
    return x.flatten(2).gather(2, at).view(n, channels, height, width)
