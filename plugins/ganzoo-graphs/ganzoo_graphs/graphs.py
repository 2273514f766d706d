"""Graphs as tensors [n, N, 1 + N]: of each of N places the kind of its node, 0 for none, then of its bonds to all.

Bonds are 0 none, 1 single, 2 double, 3 triple, 4 aromatic; the part [N, N] is symmetric, its diagonal 0.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.nn.functional import one_hot

VALENCES: Mapping[str, int] = {
    "H": 1, "B": 3, "C": 4, "N": 3, "O": 2, "F": 1, "Si": 4, "P": 3, "S": 2, "Cl": 1, "Br": 1, "I": 1,
}  # fmt: skip
ORDERS = (0.0, 1.0, 2.0, 3.0, 1.5)  # what a bond takes of the valence of both its nodes


def valences(atoms: Sequence[str]) -> list[int]:
    """How many bonds the kinds of nodes have at most; kind 0, no node, has none."""
    return [0, *(VALENCES[atom] for atom in atoms)]


def valid(graphs: Tensor, limits: Sequence[int]) -> Tensor:
    """Whether they could be molecules: a node or more, all in one piece, none with more bonds than it has; hydrogen
    fills what is left. No number is waited for.  bool [n]"""
    kinds, bonds = graphs[..., 0].long(), graphs[..., 1:].long()
    there = kinds > 0
    load = of_kind(ORDERS, bonds).sum(2).floor()  # three aromatic bonds are four
    fits = (load <= of_kind(limits, kinds)).all(1)
    pairs = there[:, :, None] & there[:, None, :]
    whole = (reached(bonds) | ~pairs).flatten(1).all(1)
    return fits & whole & there.any(1)


def rings(graphs: Tensor) -> Tensor:
    """How many rings graphs of one piece have: bonds - nodes + 1.  [n]"""
    bonds = (graphs[..., 1:] > 0).flatten(1).sum(1) // 2
    return bonds - (graphs[..., 0] > 0).sum(1) + 1


def reached(bonds: Tensor) -> Tensor:
    """Which places can be come to from which along bonds [n, N, N].  bool [n, N, N]"""
    size = bonds.shape[1]
    ways = ((bonds > 0) | torch.eye(size, dtype=torch.bool, device=bonds.device)).float()
    for _ in range(max(1, (size - 1).bit_length())):
        ways = (ways @ ways).clamp(max=1)
    return ways > 0


def of_kind(values: Sequence[float], kinds: Tensor) -> Tensor:
    """The value of each kind."""
    return torch.tensor(values, dtype=torch.float32, device=kinds.device)[kinds]


# As networks see them


def soft(graphs: Tensor, atoms: int, bonds: int) -> Tensor:
    """Each kind as a one among zeros, which soft graphs lie between.  float32 [n, N, atoms + N bonds]"""
    X, A = one_hot(graphs[..., 0].long(), atoms), one_hot(graphs[..., 1:].long(), bonds)
    return joined(X.float(), A.float())


def joined(X: Tensor, A: Tensor) -> Tensor:
    """Nodes [n, N, atoms] and bonds [n, N, N, bonds] as one tensor.  [n, N, atoms + N bonds]"""
    return torch.cat([X, A.flatten(2)], 2)


def parted(x: Tensor, atoms: int) -> tuple[Tensor, Tensor]:
    """The nodes and bonds of `joined`."""
    A = x[..., atoms:]
    return x[..., :atoms], A.reshape(*A.shape[:2], x.shape[1], -1)


def hard(x: Tensor, atoms: int) -> Tensor:
    """The likeliest kinds of a soft graph.  int64 [n, N, 1 + N]"""
    X, A = parted(x, atoms)
    return torch.cat([X.argmax(2, keepdim=True), A.argmax(3)], 2)
