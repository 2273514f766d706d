"""Synthetic pictures and regions, to test families on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor


def photo(n: int, facts: Mapping[str, Any], rng: torch.Generator) -> Tensor:
    side = facts["image_size"]
    return 2 * torch.rand(n, facts["channels"], side, side, generator=rng) - 1


def region(n: int, facts: Mapping[str, Any], rng: torch.Generator) -> Tensor:
    """A rectangle in each, from a corner that is anywhere to the lower right."""
    side = facts["image_size"]
    top, left = torch.randint(1, side, (2, n, 1, 1, 1), generator=rng)
    at = torch.arange(side)
    return ((at[:, None] >= top) & (at >= left)).float()
