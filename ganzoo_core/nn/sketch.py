"""Networks as sketches: on the meta device, where only names and shapes count."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

MOST = 20_000  # first weights that are asked for: many times what the largest networks have
FILLS = {torch.Tensor.normal_, torch.Tensor.uniform_, torch.Tensor.zero_, torch.Tensor.fill_}


@contextmanager
def sketching() -> Iterator[None]:
    """Within it, networks that are built take no memory and no first weights.

    Errors: ValueError for networks without end, as a file of a stranger may ask for.
    """
    with torch.device("meta"), Unfilled():
        yield


class Unfilled(TorchFunctionMode):
    """Tensors of a sketch are not filled: most of the time of building one would go into that."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 0

    def __torch_function__(
        self, func: Callable[..., Any], types: Sequence[type], args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # fmt: skip
        given = kwargs or {}
        if func in FILLS or getattr(func, "__module__", "") == "torch.nn.init":
            filled = args[0] if args else given.get("tensor")
            if is_meta(filled):
                self.asked += 1
                # Here alone: an error at any call of torch would also keep no_grad from being left.
                if self.asked > MOST:
                    raise ValueError("too large: its networks have tens of thousands of layers")
                return filled
        return func(*args, **given)


def is_meta(value: object) -> bool:
    return isinstance(value, torch.Tensor) and value.is_meta
