"""What is taken of recordings: a stretch of each, from anywhere."""

from __future__ import annotations

import torch
from torch import Tensor

from ganzoo_core.errors import GanzooError


def anywhere(x: Tensor, length: int) -> Tensor:
    """`length` samples of each recording.  [N, C, L] -> [N, C, length]

    Errors: GanzooError for shorter ones.
    """
    if x.shape[-1] < length:
        raise GanzooError(f"the data's sounds have {x.shape[-1]} samples, and {length} are learnt from", "Give longer.")
    return stretch(x, torch.randint(x.shape[-1] - length + 1, (len(x),), device=x.device), length)


def stretch(x: Tensor, start: Tensor, length: int) -> Tensor:
    """[N, C, L], and where each begins [N] -> [N, C, length]."""
    at = start[:, None, None] + torch.arange(length, device=x.device)
    return x.gather(-1, at.expand(-1, x.shape[1], -1))
