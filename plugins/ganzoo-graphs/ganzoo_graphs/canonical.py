"""Which graphs are the same but for the order of their nodes: an exact name for each, for graphs of a dozen nodes.

Nodes are coloured by what they are, then over and over by the colours of those that they are bound to, until that
tells no more of them apart (Weisfeiler & Leman). Where some are still alike, each in turn is told apart by hand, and
the least of all names that this leads to is the graph's.
"""

from __future__ import annotations

from collections.abc import Sequence

Rows = Sequence[Sequence[int]]  # [N][1 + N]
Name = tuple[int, ...]


def name_of(graph: Rows) -> Name:
    """The same for two graphs if and only if they are the same; places without a node do not count."""
    there = [i for i, row in enumerate(graph) if row[0] > 0 or any(row[1:])]
    bonds = [[graph[i][1 + j] for j in there] for i in there]
    kinds = [graph[i][0] for i in there]
    return least(kinds, bonds, ranks(kinds))


def least(kinds: Sequence[int], bonds: Rows, colours: list[int]) -> Name:
    """The least name of those orders of nodes that agree with their colours."""
    colours = refined(bonds, colours)
    tied = [c for c in sorted(set(colours)) if colours.count(c) > 1]
    if not tied:
        order = sorted(range(len(kinds)), key=colours.__getitem__)
        return (*(kinds[i] for i in order), *(bonds[i][j] for a, i in enumerate(order) for j in order[:a]))
    alike = [i for i, colour in enumerate(colours) if colour == tied[0]]
    return min(least(kinds, bonds, apart(colours, i)) for i in alike)


def refined(bonds: Rows, colours: list[int]) -> list[int]:
    """Colours by those of what nodes are bound to, until there are no more of them."""
    while True:
        seen = [
            (colours[i], *sorted((bond, colours[j]) for j, bond in enumerate(row) if bond))
            for i, row in enumerate(bonds)
        ]
        finer = ranks(seen)
        if len(set(finer)) == len(set(colours)):
            return finer
        colours = finer


def ranks(values: Sequence[object]) -> list[int]:
    """The place of each among the different ones."""
    places = {value: place for place, value in enumerate(sorted(set(values)))}  # type: ignore[type-var]
    return [places[value] for value in values]


def apart(colours: Sequence[int], i: int) -> list[int]:
    """The same colours with node i before all that were like it."""
    return [2 * colour - (place == i) for place, colour in enumerate(colours)]
