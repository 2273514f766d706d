"""What a network draws inside of its forward pass: looked at, or replaced by what is handed to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import dropout
from torch.overrides import TorchFunctionMode


class Law(NamedTuple):
    """How a tensor is drawn, every number of it by itself."""

    name: str  # normal: mean 0, variance 1; uniform: in [0, 1); bernoulli: 1 or 0; fixed: by a seed of its own
    p: float = 0.0  # of bernoulli: how probable a 1 is


FIXED = Law("fixed")
LAWS: Mapping[Any, Law] = {
    torch.randn: Law("normal"), torch.randn_like: Law("normal"),
    torch.rand: Law("uniform"), torch.rand_like: Law("uniform"),
}  # fmt: skip
Source = Callable[[Law, Callable[[], Tensor]], Tensor]  # (law, how the network would draw) -> what it is given


class Drawn(TorchFunctionMode):
    """Within it, every tensor that a network draws comes from `source`.

    Functions are caught, not operations: of these a program that is being exported has taken note before any mode
    of ours sees them. What draws by other functions than these stays as it is.
    """

    def __init__(self, source: Source) -> None:
        super().__init__()
        self.source = source

    def __torch_function__(
        self, func: Any, types: Sequence[type], args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        given = dict(kwargs or {})
        if func is dropout:
            return self.dropped(*args, **given)
        if func not in LAWS:
            return func(*args, **given)
        law = LAWS[func] if given.get("generator") is None else FIXED
        return self.source(law, lambda: func(*args, **given))

    def dropped(self, x: Tensor, p: float = 0.5, training: bool = True, inplace: bool = False) -> Tensor:
        """Dropout, as PyTorch computes it on a CPU."""
        if not training or p == 0:
            return x
        kept = self.source(Law("bernoulli", 1 - p), lambda: torch.empty_like(x).bernoulli_(1 - p))
        return x * (kept / (1 - p))
