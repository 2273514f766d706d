"""How well pictures come back: of data that no training has seen, through E and G."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from ganzoo_autoencoders.game import redrawn
from ganzoo_autoencoders.networks import E as Encoder
from ganzoo_core.errors import GanzooError
from ganzoo_core.metrics import EvalContext

BLOCK = 256  # pictures at a time
PEAK = 2.0  # of pixels in [-1, 1]


def psnr_again(context: EvalContext) -> Iterator[tuple[str, float, dict[str, Any]]]:
    """10 log10(peak^2 / mean squared error) of x and G(E(x)) in dB, of each picture of the data, averaged over them.

    Errors: GanzooError for a model that publishes no encoder.
    """
    nets, n = context.model.networks, min(context.n, len(context.source))
    if not isinstance(nets.get("E"), Encoder):
        raise GanzooError("psnr_again: this model publishes no encoder E", "Choose another --metric.")
    total = 0.0
    for start in range(0, n, BLOCK):
        context.progress("drawing again", start, n)
        x = context.source.fetch(range(start, min(start + BLOCK, n)))["x"].to(context.device)
        error = (redrawn(nets, x) - x).square().flatten(1).mean(1)
        total += float((10 * torch.log10(PEAK**2 / error)).sum())
    context.progress("drawing again", n, n)
    yield "psnr_again", total / n, {"n": n, "n_real": n}
