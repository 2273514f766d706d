"""Batches of noise in the form that an objective asks for: what conformance trains on, without any data set."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch

from ganzoo_core.objectives.objective import Batch
from ganzoo_core.plugin.records import resolve
from ganzoo_core.registry.plugins import registry
from ganzoo_core.seeds import hash32
from ganzoo_core.training.trainer import Loader


def synthetic(needs: frozenset[str], args: Mapping[str, Any]) -> Loader:
    """A loader of the keys in `needs`, in the sizes of a recipe's `args`; a function of the image count alone.

    Each key brings its own maker (BatchKey.synthetic). Errors: UnknownNameError for a key that nobody has declared.
    """
    makers = {key: resolve(registry().batch_keys[key].synthetic) for key in sorted(needs)}

    def load(*, start: int, batch_size: int, rank: int = 0, world: int = 1, **options: Any) -> Iterator[Batch]:
        facts = {"image_size": 16, "channels": 1, "classes": 3, **args, **options}
        share = batch_size // world
        while True:
            rng = torch.Generator().manual_seed(hash32(0, "synthetic", start, rank))
            yield {key: make(share, facts, rng) for key, make in makers.items()}
            start += batch_size

    return load
