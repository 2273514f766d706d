"""What Adam knew of each weight, where the order of an optimiser's state says without doubt whose it is.

torch keeps it by number: optimizer / state / 0 / exp_avg belongs to the first weight of the module that was optimised.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from ganzoo_import.operations import MOVES, OPERATIONS
from ganzoo_import.sandbox import Content, Way

Moments = Mapping[str, Tensor]  # exp_avg and exp_avg_sq, as the weight is, and step []
KEYS = ("exp_avg", "exp_avg_sq", "step")
BUFFERS = ("running_mean", "running_var", "num_batches_tracked", "weight_u", "weight_v", "kernel")


def is_part(way: Way) -> bool:
    """optimizer / state / 0 / exp_avg."""
    return len(way) >= 3 and way[-3] == "state" and way[-2].isdecimal()


def of(content: Content) -> list[list[Moments]]:
    """Of each optimiser in a file its weights' moments, in their order; of none that keeps anything else."""
    found: dict[Way, dict[int, dict[str, Tensor]]] = {}
    steps = {way: torch.tensor(float(text)) for way, text in content.values.items() if is_step(way, text)}
    for way, tensor in {**content.tensors, **steps}.items():
        if is_part(way):
            found.setdefault(way[:-2], {}).setdefault(int(way[-2]), {})[way[-1]] = tensor.float()
    whole: list[list[Moments]] = [[state[i] for i in sorted(state)] for state in found.values()]
    return [state for state in whole if all(set(one) == set(KEYS) for one in state)]


def is_step(way: Way, text: str) -> bool:
    """Older files count in Python's numbers."""
    return is_part(way) and way[-1] == "step" and text.isdecimal()


def fitting(tensors: Mapping[str, Tensor], known: Sequence[Sequence[Moments]]) -> dict[str, Moments]:
    """Those of a network's weights by their names, where exactly one optimiser has their shapes in their order."""
    weights = [name for name in tensors if name.rpartition(".")[2] not in BUFFERS]
    shapes = [tensors[name].shape for name in weights]
    same = [state for state in known if [one["exp_avg"].shape for one in state] == shapes]
    return dict(zip(weights, same[0], strict=True)) if len(same) == 1 else {}


def moved(found: Moments, operation: str) -> dict[str, Tensor]:
    """Where the weight goes, they go; nothing where it becomes another number."""
    if operation and operation not in MOVES:
        return {}
    move = OPERATIONS[operation] if operation else torch.clone
    return {key: move(value) if key != "step" else value.reshape(()) for key, value in found.items()}
