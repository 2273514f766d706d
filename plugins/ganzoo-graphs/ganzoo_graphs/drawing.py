"""Graphs as pictures: nodes on a plane, as far apart as there are bonds between them; drawn by Pillow alone."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import PIL.Image
import PIL.ImageDraw
import PIL.ImageFont
from numpy.typing import NDArray

from ganzoo_graphs.molecules import distances

SIDE, ROUNDS, LARGER = 84, 60, 3  # px of a graph; of the layout; drawn so many times larger, then made smooth
PIECES = 3  # bonds between pieces that are not bound
RADIUS, WIDTH, APART, UNIT = 0.062, 0.016, 0.048, 0.18  # of the side: nodes, lines, lines of a double bond, a bond
COLOURS = {
    "C": (60, 60, 60), "N": (38, 84, 200), "O": (208, 32, 32), "F": (40, 150, 60), "S": (190, 150, 0),
    "Cl": (40, 150, 60), "P": (220, 120, 0),
}  # fmt: skip
OTHER, NONE, LINE = (120, 70, 150), (190, 190, 190), (110, 110, 110)
Points = NDArray[np.float64]


def drawn(graph: Sequence[Sequence[int]], atoms: Sequence[str]) -> PIL.Image.Image:
    """A graph [N][1 + N]; a place without a node is drawn, gray, where something is bound to it."""
    there = [i for i, row in enumerate(graph) if row[0] or any(row[1:])]
    bonds = [[graph[i][1 + j] for j in there] for i in there]
    side = SIDE * LARGER
    sheet = PIL.Image.new("RGB", (side, side), "white")
    pen = PIL.ImageDraw.Draw(sheet)
    where = placed(bonds) * side
    for i in range(len(there)):
        for j in range(i):
            if bonds[i][j]:
                lines(pen, where[i], where[j], bonds[i][j], side)
    for i, at in zip(there, where, strict=True):
        node(pen, at, atoms[graph[i][0] - 1] if graph[i][0] else "", side)
    return sheet.resize((SIDE, SIDE), PIL.Image.Resampling.LANCZOS)


def placed(bonds: Sequence[Sequence[int]]) -> Points:
    """Where nodes stand, in [0, 1]: distances near to those along bonds (SMACOF, de Leeuw 1977).  [n, 2]"""
    n = len(bonds)
    if n == 0:
        return np.zeros((0, 2))
    wanted = np.array(distances(bonds, n), dtype=float)
    wanted[wanted == n] = PIECES  # there is no way
    weight = np.where(wanted > 0, 1 / np.maximum(wanted, 1) ** 2, 0)
    middle = np.linalg.pinv(np.diag(weight.sum(1)) - weight)
    angle = np.arange(n) * 2.399963  # a spiral to begin with: no two in one place
    x = np.sqrt(np.arange(n) + 1)[:, None] * np.stack([np.cos(angle), np.sin(angle)], 1)
    for _ in range(ROUNDS):
        apart = np.linalg.norm(x[:, None] - x[None], axis=2)
        pull = -weight * wanted / np.maximum(apart, 1e-9)
        np.fill_diagonal(pull, 0)
        np.fill_diagonal(pull, -pull.sum(1))
        x = middle @ pull @ x
    return framed(x)


def framed(x: Points) -> Points:
    """Turned so that the longest way lies flat, in the middle of the picture."""
    x = x - x.mean(0)
    x = x @ np.linalg.svd(x, full_matrices=False)[2].T if len(x) > 1 else x
    x = x - (x.max(0) + x.min(0)) / 2
    most = np.abs(x).max() if len(x) else 0.0
    return 0.5 + x * min(UNIT, (0.5 - 1.4 * RADIUS) / max(most, 1e-9))


def lines(pen: PIL.ImageDraw.ImageDraw, a: Points, b: Points, bond: int, side: int) -> None:
    """One, two or three; two of an aromatic bond, one of them thin."""
    along = (b - a) / max(float(np.linalg.norm(b - a)), 1e-9)
    across = np.array([-along[1], along[0]]) * APART * side
    count = 2 if bond > 3 else bond
    for k in range(count):
        shift = across * (k - (count - 1) / 2)
        width = WIDTH * side * (0.4 if bond > 3 and k else 1)
        pen.line([*(a + shift), *(b + shift)], LINE, max(1, round(width)))


def node(pen: PIL.ImageDraw.ImageDraw, at: Points, atom: str, side: int) -> None:
    r = RADIUS * side
    pen.ellipse([*(at - r), *(at + r)], COLOURS.get(atom, OTHER) if atom else NONE)
    font = PIL.ImageFont.load_default(1.3 * r)
    pen.text((float(at[0]), float(at[1])), atom, "white", font, "mm")
