"""Points in the plane: how many modes of a known mixture do they find?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from ganzoo_core.data import grid_modes, ring_modes
from ganzoo_core.errors import GanzooError
from ganzoo_core.metrics import EvalContext
from ganzoo_metrics import modes as mixture

MIXTURES = {"ring": ring_modes, "grid": grid_modes}


def modes(context: EvalContext) -> Iterator[tuple[str, float, dict[str, Any]]]:
    """Modes with a good sample among 2,500 at most, the share of good samples, their KL to even shares in nats."""
    name = context.source.info.name
    if name not in MIXTURES:
        raise GanzooError(f"modes: {name} is no known mixture", f"It is measured on {' and '.join(MIXTURES)}.")
    points = torch.cat([batch["x"] for batch in context.generated(min(context.n, 2500))])
    found = mixture.modes(points, *MIXTURES[name]())
    about = {"n": len(points), "n_real": 0}
    yield "modes", found.found, about
    yield "modes_good", found.good, about
    yield "modes_kl", found.kl, about
