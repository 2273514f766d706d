"""What a network costs: weights, multiply-adds, time."""

from __future__ import annotations

import time
from dataclasses import dataclass
from statistics import median

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from ganzoo_core.nn import Generator, evaluation_mode

RUNS = 15


@dataclass(frozen=True)
class Cost:
    """Of one picture of a side."""

    side: int
    weights: int
    macs: int  # multiply-adds of convolutions and matrices
    milliseconds: float  # the median of some runs, with as many threads as torch has


@torch.no_grad()
def cost(net: Generator, side: int) -> Cost:
    """Of a translator, on the device where it lies."""
    channels = next(iter(net.inputs.values())).shape[0] or 3
    x = torch.zeros(1, channels, side, side, device=next(net.parameters()).device)
    counter = FlopCounterMode(display=False)
    with evaluation_mode(net):
        with counter:
            net(x)
        spent = [timed(net, x) for _ in range(RUNS)]
    return Cost(side, weights(net), counter.get_total_flops() // 2, 1000 * median(spent))


def timed(net: nn.Module, x: torch.Tensor) -> float:
    """Seconds of one pass."""
    begun = time.perf_counter()
    net(x)
    if x.is_cuda:
        torch.cuda.synchronize(x.device)
    return time.perf_counter() - begun


def weights(net: nn.Module) -> int:
    return sum(w.numel() for w in net.parameters())
