"""Solids as surfaces in .ply: a square wherever a filled cell meets an empty one; and back."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

GAP = 4  # cells between two solids in a file
HEADER = """ply
format binary_little_endian 1.0
comment ganzoo volumes {n} side {side}
element vertex {vertices}
property float x
property float y
property float z
element face {faces}
property list uchar int vertex_indices
end_header
"""
PATTERN = re.compile(re.escape(HEADER).replace(r"\{n\}", r"(\d+)").replace(r"\{side\}", r"(\d+)")
                     .replace(r"\{vertices\}", r"(\d+)").replace(r"\{faces\}", r"(\d+)").encode())  # fmt: skip
FACE = np.dtype([("n", "u1"), ("at", "<i4", 4)])
CORNERS = ((0, 0), (1, 0), (1, 1), (0, 1))  # of a square, around it
Filled = NDArray[np.bool_]


def written(solids: Filled) -> bytes:
    """Solids [n, side, side, side] as one file: side by side along x, a unit a cell. Squares are seen from outside."""
    side = solids.shape[-1]
    squares = [surface(solid) + np.array((i * (side + GAP), 0, 0)) for i, solid in enumerate(solids)]
    corners = np.concatenate(squares).reshape(-1, 3)
    vertices, index = np.unique(corners, axis=0, return_inverse=True)
    faces = np.empty(len(corners) // 4, FACE)
    faces["n"], faces["at"] = 4, index.reshape(-1, 4)
    head = HEADER.format(n=len(solids), side=side, vertices=len(vertices), faces=len(faces))
    return head.encode() + vertices.astype("<f4").tobytes() + faces.tobytes()


def surface(solid: Filled) -> NDArray[np.int64]:
    """The squares between filled and empty cells: their corners, [m, 4, 3], anticlockwise from outside."""
    found = []
    for axis in range(3):
        step = np.diff(np.pad(solid, 1).astype(np.int8), axis=axis)  # 1 where it begins, -1 where it ends
        step = np.moveaxis(step, axis, 0)[:, 1:-1, 1:-1]
        for sign in (1, -1):
            at = np.argwhere(step == sign)  # the plane, and the cell in it
            around = CORNERS if sign == -1 else CORNERS[::-1]
            squares = np.stack([at + np.array((0, *corner)) for corner in around], 1)
            order = [(0, 1, 2), (2, 0, 1), (1, 2, 0)][axis]
            turned = [axis, *(k for k in range(3) if k != axis)]
            squares = squares[..., np.argsort(turned)]
            found.append(squares if order != (2, 0, 1) else squares[:, ::-1])  # y's two others are left-handed
    return np.concatenate(found)


def read(data: bytes) -> Filled:
    """Solids [n, side, side, side] out of a file that `written` made. Errors: ValueError."""
    head = PATTERN.match(data)
    if head is None:
        raise ValueError("is no .ply of these")
    n, side, vertices, faces = map(int, head.groups())
    size = head.end() + 12 * vertices
    if len(data) != size + FACE.itemsize * faces or n * (side + 1) ** 3 > 1 << 31:
        raise ValueError("is cut off")
    corners = np.frombuffer(data, "<f4", 3 * vertices, head.end()).reshape(-1, 3).round().astype(np.int64)
    squares = corners[np.frombuffer(data, FACE, faces, size)["at"]]  # [m, 4, 3]
    across = squares[(squares[:, :, 0] == squares[:, :1, 0]).all(1)]  # those that a line along x goes through
    at = across.min(1)
    walls = np.zeros((n, side + 1, side, side), np.int64)
    which, x = np.divmod(at[:, 0], side + GAP)
    np.add.at(walls, (which, x, at[:, 1], at[:, 2]), 1)
    filled: Filled = walls.cumsum(1)[:, :-1] % 2 == 1  # within, an odd number of walls has been passed
    return filled
