"""What these generators make: graphs."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import PIL.Image
import torch
from torch import Tensor

from ganzoo_core.data import read_array, write_array, write_aside
from ganzoo_core.errors import GanzooError, escape
from ganzoo_core.nn import Images, Output
from ganzoo_graphs.drawing import drawn

PICTURES = Images((3, None, None))


@dataclass(frozen=True)
class GraphsOf(Output):
    """Graphs [N, 1 + N]: of each place the kind of its node, 0 for none, then of its bonds to all places."""

    shape: tuple[int | None, ...]
    atoms: tuple[str, ...] = ()  # what kinds 1, 2 ... are called
    bonds: int = 4  # kinds of bonds, none among them
    range: tuple[float, float] | None = None
    kind: ClassVar[str] = "graphs"
    suffixes: ClassVar[tuple[str, ...]] = (".jsonl", ".npy", ".png")
    batch_key: ClassVar[str] = "graph"

    def picture(self, samples: Tensor, columns: int = 0) -> PIL.Image.Image:
        """Drawn side by side, row by row."""
        return PICTURES.picture(self.drawings(samples), columns)

    def frame(self, sample: Tensor) -> PIL.Image.Image:
        return PICTURES.frame(self.drawings(sample[None])[0])

    def drawings(self, samples: Tensor) -> Tensor:
        """[n, 3, H, W] in [-1, 1]"""
        drawings = [np.array(drawn(graph, self.atoms)) for graph in samples.long().tolist()]
        return torch.from_numpy(np.stack(drawings)).movedim(3, 1).float() / 127.5 - 1

    def save(self, samples: Tensor, path: Path) -> None:
        """A graph a line, as JSON; NumPy's format as they are; or their picture."""
        self.refuse_suffix(path)
        samples = samples.detach().float().cpu()
        if path.suffix.lower() == ".npy":
            return write_array(samples, path)
        if path.suffix.lower() == ".png":
            return PICTURES.save(self.drawings(samples), path)
        lines = [json.dumps(self.told(graph)) + "\n" for graph in samples.long().tolist()]
        return write_aside(path, "".join(lines).encode())

    def told(self, graph: list[list[int]]) -> dict[str, Any]:
        """{"nodes": ["C", "", ...], "bonds": [[0, 2, 1], ...]}: names by places; pairs of places and their kind."""
        names = ["", *self.atoms]
        pairs = [[j, i, row[1 + j]] for i, row in enumerate(graph) for j in range(i) if row[1 + j]]
        return {"nodes": [names[row[0]] for row in graph], "bonds": pairs}

    def open(self, path: Path) -> Tensor:
        """[n, N, 1 + N]. Errors: GanzooError for what is none, or has other kinds or more places."""
        self.refuse_suffix(path)
        if path.suffix.lower() == ".png":
            raise GanzooError(f"{escape(path)}: is a picture", "Give .jsonl or .npy.")
        found = read_array(path, "a file of graphs") if path.suffix.lower() == ".npy" else self.read(path)
        if found.shape[1:] != self.shape or not self.are_graphs(found):
            raise GanzooError(f"{escape(path)}: {list(found.shape)}, no graphs of {self.shape[0]} places",
                              "Give a file that ganzoo wrote.")  # fmt: skip
        return found

    def are_graphs(self, found: Tensor) -> bool:
        """Whether kinds are those that there are, and bonds go both ways."""
        kinds, bonds = found[..., 0], found[..., 1:]
        known = ((found == found.round()) & (found >= 0)).all() and (kinds <= len(self.atoms)).all()
        return bool(known and (bonds < self.bonds).all() and torch.equal(bonds, bonds.transpose(1, 2))
                    and not bonds.diagonal(dim1=1, dim2=2).any())  # fmt: skip

    def read(self, path: Path) -> Tensor:
        """Of lines of JSON."""
        try:
            return torch.stack([self.graph(json.loads(line)) for line in path.read_text("utf-8").splitlines()])
        except (OSError, ValueError, TypeError, KeyError, IndexError, RuntimeError) as fault:
            raise GanzooError(f"{escape(path)}: is no file of graphs ({escape(fault, 60)})",
                              "Give a .jsonl that ganzoo wrote.") from None  # fmt: skip

    def graph(self, told: dict[str, Any]) -> Tensor:
        """[N, 1 + N] of what `told` says. Errors: ValueError and others for what it does not."""
        names = ["", *self.atoms]
        made = torch.zeros(len(told["nodes"]), 1 + len(told["nodes"]))
        made[:, 0] = torch.tensor([float(names.index(name)) for name in told["nodes"]])
        for i, j, bond in told["bonds"]:
            if min(i, j) < 0:
                raise ValueError("a place below 0")
            made[i, 1 + j] = made[j, 1 + i] = bond
        return made
