"""Standing statistics of batch norm (Brock et al. 2018, Sec. 2.1 and App. A): means over many batches of samples.

A moving average of weights has no statistics of its own; these are made for it.
"""

from __future__ import annotations

import copy
from functools import partial
from typing import TypeVar

import torch
from torch.nn.modules.batchnorm import _BatchNorm

from ganzoo_core.nn.device import computing_in
from ganzoo_core.nn.generator import Generator
from ganzoo_core.nn.inputs import cycled, needs_data
from ganzoo_core.nn.streams import DrawFrom
from ganzoo_core.seeds import hash32

Net = TypeVar("Net", bound=Generator)


@torch.no_grad()
def with_standing_statistics(net: Net, batches: int, batch_size: int = 64) -> Net:
    """A copy of `net` whose batch norms have the mean statistics of `batches` fresh batches of samples.

    As it is where it has no batch norm, or takes pictures or words, which nobody can draw. The global random
    generators are left as they were.
    """
    norms = [name for name, layer in net.named_modules() if isinstance(layer, _BatchNorm) and layer.track_running_stats]
    if not norms or needs_data(net) or not batches:
        return net
    made = copy.deepcopy(net).eval()
    for name in norms:
        layer = made.get_submodule(name)
        assert isinstance(layer, _BatchNorm)
        layer.reset_running_stats()
        layer.momentum = None  # a cumulative average
        layer.train()
    device = next(made.parameters()).device
    with computing_in(torch.float32, device):
        for i in range(batches):
            with DrawFrom(partial(batch_rng, i)):
                given = {**made.priors(batch_size), **cycled(made, batch_size)}
                made(*(given[name].to(device) for name in made.inputs))
    for name in norms:
        made.get_submodule(name).momentum = net.get_submodule(name).momentum
    return made.train(net.training)


def batch_rng(number: int, device: torch.device) -> torch.Generator:
    """What a batch is drawn from."""
    return torch.Generator(device).manual_seed(hash32(0, "standing", number))
