"""Spaces in which a generator can be walked through and searched: where a point lies, and how it becomes a sample."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from torch import Tensor


@dataclass(frozen=True)
class Space:
    """One space of latents, Z or W. What `enter` and `paint` compute can be differentiated all the way.

    `paint` takes points and then, in their order, all inputs of the generator but `latent`;
    it bounds nothing that the generator does not bound, and what it draws inside is drawn anew at every call.
    """

    latent: str  # the input that a point takes the place of
    shape: tuple[int, ...]  # of a point
    enter: Callable[[Tensor], Tensor]  # what the prior draws [n, *] -> points [n, *shape]
    paint: Callable[..., Tensor]  # points [n, *shape], other inputs -> samples
    range: tuple[float, float] | None = None  # in which each number of a point lies; None: anywhere
    details: tuple[Tensor, ...] = field(default=())  # buffers that may be fitted to one picture, besides a point: noise


def unchanged(z: Tensor) -> Tensor:
    """Z itself."""
    return z
