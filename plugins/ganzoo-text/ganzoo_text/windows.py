"""What discriminators see of a line: windows of several lengths over embedded words (Zhang & LeCun's text CNN)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ganzoo_core.errors import GanzooError


def fitting(windows: Sequence[int], widths: Sequence[int], length: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Those windows that are no longer than a line, and their widths. Errors: GanzooError where none is."""
    if len(windows) != len(widths):
        raise GanzooError(f"windows {windows}: not as many as widths", "Give one width for each.")
    kept = [(window, width) for window, width in zip(windows, widths, strict=True) if window <= length]
    if not kept:
        raise GanzooError(f"windows {windows}: all longer than a line of {length}", "Give a shorter one.")
    return tuple(window for window, _ in kept), tuple(width for _, width in kept)


def filters(embedding: int, windows: Sequence[int], widths: Sequence[int]) -> nn.ModuleList:
    """A convolution for each window."""
    return nn.ModuleList(nn.Conv1d(embedding, width, window) for window, width in zip(windows, widths, strict=True))


def seen(embedded: Tensor, convs: nn.ModuleList, highway: nn.Module) -> Tensor:
    """Each filter's strongest answer along a line [N, E, L], through a highway:
    sigmoid(h) relu(h) + (1 - sigmoid(h)) f.  [N, F]"""
    f = torch.cat([conv(embedded).relu().amax(2) for conv in convs], 1)
    h = highway(f)
    return h.sigmoid() * h.relu() + (1 - h.sigmoid()) * f
