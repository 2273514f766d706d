"""What may happen to a tensor on its way besides being renamed. Layouts look them up here, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor


def swapped(x: Tensor) -> Tensor:
    """The halves of the last axis: what is told [z, y] there, and [y, z] here."""
    return torch.cat(x.chunk(2, -1)[::-1], -1)


def channels_first(x: Tensor) -> Tensor:
    """Rows [4, 4, C], channels last, as [C, 4, 4]."""
    return x.reshape(4, 4, -1, *x.shape[1:]).movedim(2, 0).flatten(0, 2)


OPERATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "transposed": lambda x: x.transpose(0, 1).contiguous(),  # [a, b, ...] -> [b, a, ...]
    "scalar": lambda x: x.reshape(()),
    "first": lambda x: x[0],  # of a batch of one
    "image": lambda x: x.reshape(x.shape[-2:]),  # [1, 1, H, W] -> [H, W]
    "first half less one": lambda x: x.chunk(2, 1)[0] - 1,  # gains of [gains, biases], ours being beside 1
    "second half": lambda x: x.chunk(2, 1)[1],
    "flat": lambda x: x.flatten(),
    "doubled": lambda x: 2 * x,  # from pictures in [0, 1] to ours in [-1, 1]
    "doubled less one": lambda x: 2 * x - 1,
    "halves swapped": swapped,
    "channels first": channels_first,
    "channels first, halves swapped": lambda x: swapped(channels_first(x)),
}

# What stands where theirs has nothing, by the name of an operation on nothing.
CONSTANTS: Mapping[str, Callable[..., Tensor]] = {"": torch.zeros, "ones": torch.ones}

# Those that only move numbers: what an optimiser knew of a weight goes with it.
MOVES = (
    "transposed",
    "scalar",
    "first",
    "image",
    "flat",
    "halves swapped",
    "channels first",
    "channels first, halves swapped",
)
