"""How BigGAN-PyTorch, the authors' own, calls the tensors of BigGAN's generator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ganzoo_sngan.layouts import authors_g, sizes

Shapes = Mapping[str, tuple[int, ...]]


def of_g(shapes: Shapes) -> dict[str, Any]:
    """z in parts, a shared embedding. D is taken to mirror G."""
    classes, y_dim = shapes["shared.weight"]
    return {**sizes(shapes), "classes": classes, "y_dim": y_dim, "z_chunk": shapes["linear.weight"][1]}


def g(args: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    yield from (("shared", "shared"), ("", "stand"))
    yield from authors_g(args)
