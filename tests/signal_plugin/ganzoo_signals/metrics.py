"""Which oscillations samples have, against the data's."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from ganzoo_core.metrics import EvalContext


def spectral(context: EvalContext) -> Iterator[tuple[str, float, Mapping[str, Any]]]:
    """Mean distance of the mean log power spectra."""
    real, made = (mean_spectrum(block["x"] for block in blocks) for blocks in (context.real(), context.generated()))
    yield "spectral", float((real - made).abs().mean()), {"window": "none"}


def mean_spectrum(blocks: Iterable[Tensor]) -> Tensor:
    """[L / 2 + 1]"""
    power = torch.cat([torch.fft.rfft(x.double().cpu()).abs().square().mean(1) for x in blocks])
    return (power + 1e-6).log().mean(0)
