"""What the games of all members have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy

from ganzoo_autoencoders.networks import E as Encoder
from ganzoo_core.nn import Generator, cycled, evaluation_mode
from ganzoo_core.objectives import Batch, Objective

SHOWN = 16  # pictures of the progress grid that are drawn again


class Encoded(Objective):
    """G and E are shipped together; the progress grid shows samples, and pictures beside the same drawn again."""

    G: Generator
    E: Encoder
    images: Annotated[int, "length in real images"] = 6_000_000

    exported = ("G", "E")

    def again(self, x: Tensor) -> Tensor:
        """G(E(x)), z being a draw from q(z|x) where E is stochastic.  [N, C, H, W]"""
        return self.G(self.E.draw(x))

    @torch.no_grad()
    def sample(self, batch: Batch) -> dict[str, Tensor]:
        nets, x = self.exported_networks(), batch["x"]
        G, n = nets["G"], len(x)
        assert isinstance(G, Generator)
        shown = x[:SHOWN]
        return {"G": G.sample(n, seed=0, **cycled(G, n)), "x": shown, "again": redrawn(nets, shown)}


def redrawn(nets: Mapping[str, nn.Module], x: Tensor) -> Tensor:
    """Pictures through the published E and G of a model and back, in evaluation mode.  [n, C, H, W] in [-1, 1]"""
    G, E = nets["G"], nets["E"]
    assert isinstance(G, Generator) and isinstance(E, Encoder)
    with torch.no_grad(), evaluation_mode(E):
        code: dict[str, Any] = dict(zip(G.inputs, E.code(x), strict=True))
    return G.sample(len(x), seed=0, **code)


def bernoulli(made: Tensor, x: Tensor) -> Tensor:
    """-E log p(x|z), pixels in [0, 1] being chances: their cross-entropy, a sum over the picture, in nats."""
    chances, pixels = ((value.float() + 1) / 2 for value in (made, x))
    return binary_cross_entropy(chances.clamp(0, 1), pixels, reduction="sum") / len(x)


def squared(made: Tensor, x: Tensor) -> Tensor:
    """E |x - x'|^2, a sum over pixels in [0, 1], half as far apart as those in [-1, 1].  [N, ...] twice -> []"""
    return (made.float() - x).square().flatten(1).sum(1).mean() / 4
