"""What may happen to a tensor on its way besides being renamed. Layouts look them up here, by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import Tensor

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
}
