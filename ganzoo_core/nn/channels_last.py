"""Convolutions run faster channels-last: the format of every 4-dimensional tensor."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def to_channels_last(net: nn.Module) -> None:
    """Every 4-dimensional parameter and buffer, in place."""
    for tensor in (*net.parameters(), *net.buffers()):
        if tensor.ndim == 4:
            tensor.data = tensor.data.contiguous(memory_format=torch.channels_last)


def memory_format(x: Tensor) -> torch.memory_format:
    return torch.channels_last if x.ndim == 4 else torch.preserve_format
