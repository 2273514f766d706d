"""What is taken of the data's clips: some frames in a row, or one frame alone."""

from __future__ import annotations

import torch
from torch import Tensor

from ganzoo_core.errors import GanzooError


def window(video: Tensor, frames: int) -> Tensor:
    """`frames` in a row of each clip [N, T, ...], from anywhere: [N, frames, ...].

    Errors: GanzooError for shorter clips.
    """
    return windows(frames, video)[0]


def windows(frames: int, video: Tensor, *between: Tensor) -> list[Tensor]:
    """The same of what there is between each frame and the next, [N, T - 1, ...], too: [N, frames - 1, ...]."""
    n, there = video.shape[:2]
    if there < frames:
        what = f"the data's clips have {there} frames, and {frames} are learnt from"
        raise GanzooError(what, f"Say -c frames={there}, or give longer clips.")
    start = torch.randint(there - frames + 1, (n,), device=video.device)
    return [from_start(video, start, frames), *(from_start(b, start, frames - 1) for b in between)]


def from_start(sequence: Tensor, start: Tensor, length: int) -> Tensor:
    """[N, T, ...], and where each begins [N] -> [N, length, ...]."""
    which = start[:, None] + torch.arange(length, device=start.device)
    return sequence[torch.arange(len(sequence), device=start.device)[:, None], which]


def any_frame(video: Tensor) -> Tensor:
    """One frame of each clip [N, T, C, H, W], whichever: [N, C, H, W]."""
    start = torch.randint(video.shape[1], (len(video),), device=video.device)
    return from_start(video, start, 1)[:, 0]
