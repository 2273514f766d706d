"""Graphs that could be molecules, grown by a rule: up to nine atoms of carbon, nitrogen, oxygen and fluorine.

Atom by atom: each is bound to one with bonds to spare, mostly to the last; some bonds are double or triple; half of the
molecules are closed to a ring of five or six. Hydrogen fills what is left and is not drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any

import torch
from torch import Tensor

from ganzoo_core.data import Dataset, DatasetInfo, fingerprint, hash32
from ganzoo_graphs.graphs import valences

ATOMS = ("C", "N", "O", "F")
CHANCES = (0.7, 0.12, 0.15, 0.03)
ITEMS, NODES, FEWEST, BONDS = 8192, 9, 4, 4
LAST, DOUBLE, TRIPLE, RING = 0.6, 0.25, 0.05, 0.5  # chances: to be bound to the last, so often, or closed
SIZES = (5, 6)  # of rings
VERSION = 1


class Graphs(Dataset):
    """`graph`, int64 [n, N, 1 + N]: see `ganzoo_graphs.graphs`."""

    def __init__(self, name: str, graphs: Tensor, atoms: Sequence[str], bonds: int, licence: str) -> None:
        self.graphs, self.atoms, self.bonds = graphs.to(torch.uint8), tuple(atoms), bonds
        print_ = fingerprint(name, self.graphs, *self.atoms, VERSION)
        self.info = DatasetInfo(name, frozenset({"graph"}), None, None, None, (), licence, print_)

    def __len__(self) -> int:
        return len(self.graphs)

    def fetch(self, indices: Sequence[int]) -> dict[str, Tensor]:
        return {"graph": self.graphs[torch.as_tensor(indices)].long()}

    def facts(self) -> Mapping[str, Any]:
        """How many nodes there are at most, and the kinds of nodes and bonds."""
        return {**super().facts(), "nodes": self.graphs.shape[1], "atoms": self.atoms, "bonds": self.bonds}

    def describe(self) -> str:
        what = f"up to {self.graphs.shape[1]} nodes of {', '.join(self.atoms)}"
        return f"{self.info.name}: {len(self):,} graphs, {what}"


def open_molecules(root: Path | None, variant: str, **options: Any) -> Graphs:
    """8,192 molecules by rule; with "test" others of the same law."""
    name = "molecules:test" if variant == "test" else "molecules"
    return Graphs(name, grown(name), ATOMS, BONDS, "CC0-1.0")


@lru_cache(maxsize=2)
def grown(name: str) -> Tensor:
    return torch.tensor([molecule(Random(hash32(0, f"{name} {i}"))) for i in range(ITEMS)])


def molecule(rng: Random) -> list[list[int]]:
    """One of them, [N][1 + N]; `rng.random` alone is asked, which is the same in all versions of Python."""
    limits = valences(ATOMS)
    wanted = FEWEST + int(rng.random() * (NODES + 1 - FEWEST))
    kinds, free = [1], [limits[1]]
    bonds = [[0] * NODES for _ in range(NODES)]
    while len(kinds) < wanted and any(free):
        kind = 1 + drawn(CHANCES, rng)
        to, new = host(free, rng), len(kinds)
        order = min(free[to], limits[kind], 1 + drawn((1 - DOUBLE - TRIPLE, DOUBLE, TRIPLE), rng))
        bonds[to][new] = bonds[new][to] = order
        free[to] -= order
        kinds, free = [*kinds, kind], [*free, limits[kind] - order]
    if rng.random() < RING:
        close(bonds, free, rng)
    kinds += [0] * (NODES - len(kinds))
    return [[kind, *row] for kind, row in zip(kinds, bonds, strict=True)]


def host(free: Sequence[int], rng: Random) -> int:
    """The atom that the next one is bound to: the last with bonds to spare, or any."""
    able = [i for i, left in enumerate(free) if left]
    return able[-1] if rng.random() < LAST else able[int(rng.random() * len(able))]


def close(bonds: list[list[int]], free: Sequence[int], rng: Random) -> None:
    """Bind two atoms to a ring, where two with bonds to spare lie at the right distance."""
    far = distances(bonds, len(free))
    pairs = [(i, j) for i in range(len(free)) for j in range(i) if free[i] and free[j] and far[i][j] + 1 in SIZES]
    if pairs:
        i, j = pairs[int(rng.random() * len(pairs))]
        bonds[i][j] = bonds[j][i] = 1


def distances(bonds: Sequence[Sequence[int]], n: int) -> list[list[int]]:
    """Bonds from each of the first n nodes to each other; n where there is no way (Floyd & Warshall)."""
    far = [[0 if i == j else 1 if bonds[i][j] else n for j in range(n)] for i in range(n)]
    for k in range(n):
        for i in range(n):
            for j in range(n):
                far[i][j] = min(far[i][j], far[i][k] + far[k][j])
    return far


def drawn(chances: Sequence[float], rng: Random) -> int:
    u, total = rng.random(), 0.0
    for i, chance in enumerate(chances):
        total += chance
        if u < total:
            return i
    return len(chances) - 1


def noise(n: int, facts: Mapping[str, Any], rng: torch.Generator) -> Tensor:
    """Any kinds anywhere, symmetric.  int64 [n, N, 1 + N]"""
    N = facts["nodes"]
    kinds = torch.randint(len(facts["atoms"]) + 1, (n, N, 1), generator=rng)
    above = torch.randint(facts["bonds"], (n, N, N), generator=rng).triu(1)
    return torch.cat([kinds, above + above.transpose(1, 2)], 2)
