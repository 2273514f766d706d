"""Walks through the latent space of a trained model: from the sample of one seed to that of the next."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from ganzoo_core.errors import GanzooError, UnknownName
from ganzoo_core.networks import DRAWN, Generator, latents


def walk(
    net: Generator, seeds: Sequence[int], steps: int, how: str = "spherical", loop: bool = False, **given: Any
) -> list[Tensor]:
    """A leg for each pair of neighbours in `seeds`, [steps + 1, ...]: it begins with the one's first sample and ends
    with the other's. `loop` adds the leg back to the first.

    Conditions and options in `given` are those of `sample`, the same all the way. Errors: GanzooError for fewer than
    two seeds, UnknownName for a way that the network does not know.
    """
    if len(seeds) < 2:
        raise GanzooError(f"{len(seeds)} seeds: a way needs two at least", "Give some: --seeds 1,2,3.")
    if how not in net.ways:
        raise UnknownName("way", how, net.ways)
    if not any(i.kind in DRAWN for i in net.inputs.values()):
        raise GanzooError("this model draws nothing at random, so there is nothing to walk through")
    stops = [latents(net.priors, seed, [0]) for seed in ([*seeds, seeds[0]] if loop else seeds)]
    return [leg(net, a, b, steps, how, seeds[0], given) for a, b in pairwise(stops)]


def leg(net: Generator, a: Any, b: Any, steps: int, how: str, seed: int, given: dict[str, Any]) -> Tensor:
    """steps + 1 samples from `a` to `b`."""
    places = [net.between(a, b, k / steps, how) for k in range(steps + 1)]
    drawn = {name: torch.cat([place[name] for place in places]) for name in places[0]}
    return net.sample(steps + 1, seed=seed, **given, **drawn)
