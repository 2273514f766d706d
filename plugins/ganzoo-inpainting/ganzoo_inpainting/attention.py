"""Contextual attention (Yu et al. 2018, arXiv:1801.07892, Sec. 4.1): what is missing is made of what is there."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import fold, max_pool2d, unfold

KERNEL, RATE, SOFTNESS = 3, 2, 10.0
SMALLEST = 1e-4  # of a patch's length


class ContextualAttention(nn.Module):
    """Each patch of f becomes a mean of f's own patches outside the hole, by the cosine of the angle between the two.

    Patches are compared at half the side and copied at the whole. `fused`: the neighbours of alike patches shall be
    alike, so scores are summed along the diagonals of both ways through a picture.
    """

    eye: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("eye", torch.eye(KERNEL)[None, None], persistent=False)

    def forward(self, f: Tensor, mask: Tensor) -> Tensor:  # [N, C, H, W], [N, 1, H, W] -> [N, C, H, W]
        (height, width), small = f.shape[2:], f[:, :, ::RATE, ::RATE]
        sides = (small.shape[2], small.shape[3])
        seen = unfold(small, KERNEL, padding=KERNEL // 2)  # [N, 9 C, P]
        keys = seen / seen.norm(dim=1, keepdim=True).clamp(min=SMALLEST)
        scores = self.fused(keys.transpose(1, 2) @ seen, sides)  # [N, P, Q]: of patch p for place q
        there = self.known(mask)  # [N, P, 1]
        shares = (SOFTNESS * scores * there).softmax(1) * there
        raw = unfold(f, 2 * RATE, padding=RATE // 2, stride=RATE)  # [N, 16 C, P]
        return (
            fold(raw @ shares, (height, width), 2 * RATE, padding=RATE // 2, stride=RATE) / 4
        )  # each place four times

    def known(self, mask: Tensor) -> Tensor:
        """1 for patches without a pixel of the hole.  [N, 1, H, W] -> [N, P, 1]"""
        hole = max_pool2d(mask[:, :, ::RATE, ::RATE], KERNEL, 1, KERNEL // 2)
        return (hole < 0.5).to(mask.dtype).flatten(2).transpose(1, 2)

    def fused(self, scores: Tensor, sides: tuple[int, int]) -> Tensor:
        """Sums along diagonals, places counted by rows and then by columns.  [N, P, P]"""
        for _ in range(2):
            scores = torch.conv2d(scores[:, None], self.eye, padding=KERNEL // 2)[:, 0]
            scores = turned(turned(scores, sides, 1), sides, 2)
            sides = (sides[1], sides[0])
        return scores


def turned(scores: Tensor, sides: tuple[int, int], dim: int) -> Tensor:
    """Places h x w that are counted by rows, counted by columns."""
    rows, columns = torch.meshgrid(*(torch.arange(side, device=scores.device) for side in sides), indexing="ij")
    return scores.index_select(dim, (rows * sides[1] + columns).T.flatten())
