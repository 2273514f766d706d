"""Interpolation in the latent space of a trained model: from the sample of one seed to that of the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor

from ganzoo_core.errors import GanzooError, UnknownNameError
from ganzoo_core.nn.generator import Generator
from ganzoo_core.nn.sampling import latents


def interpolate_seeds(
    net: Generator, seeds: Sequence[int], steps: int, mode: str = "spherical", loop: bool = False, **given: Any
) -> list[Tensor]:
    """A segment for each pair of neighbours in `seeds`, [steps + 1, *output.shape]: it begins with the first sample of
    the one and ends with that of the other. `loop` adds the segment back to the first.

    Conditions and options in `given` are those of `sample`, the same all the way. Errors: GanzooError for fewer than
    two seeds, UnknownNameError for a mode that the network does not know.
    """
    if len(seeds) < 2:
        raise GanzooError(f"{len(seeds)} seeds: a way needs two at least", "Give some: --seeds 1,2,3.")
    if mode not in net.interpolation_modes:
        raise UnknownNameError("way", mode, net.interpolation_modes)
    if not any(declared.drawn for declared in net.inputs.values()):
        raise GanzooError("this model draws nothing at random, so there is nothing to walk through")
    stops = [latents(net.priors, seed, [0]) for seed in ([*seeds, seeds[0]] if loop else seeds)]
    return [segment(net, a, b, steps, mode, seeds[0], given) for a, b in pairwise(stops)]


def segment(
    net: Generator,
    a: Mapping[str, Tensor],
    b: Mapping[str, Tensor],
    steps: int,
    mode: str,
    seed: int,
    given: Mapping[str, Any],
) -> Tensor:
    """steps + 1 samples from `a` to `b`."""
    places = [net.interpolate(a, b, k / steps, mode) for k in range(steps + 1)]
    drawn = {name: torch.cat([place[name] for place in places]) for name in places[0]}
    return net.sample(steps + 1, seed=seed, **given, **drawn)
