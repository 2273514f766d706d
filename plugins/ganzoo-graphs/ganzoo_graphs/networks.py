"""MolGAN's networks (De Cao & Kipf 2018): a dense G that makes all of a graph at once, and relational graph
convolutions that judge it, D and the reward network R alike."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, ClassVar

import torch
from torch import Tensor, nn

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator, Generator, Latent, Space
from ganzoo_graphs.graphs import VALENCES, parted
from ganzoo_graphs.kinds import GraphsOf


class G(Generator):
    """z ~ N(0, I) -> dense layers, tanh -> how likely each kind of node and of bond is; u ~ U[0, 1) draws them.

    What is likely is symmetric: (A + A^T) / 2 of what the last layer says. No node is bound to itself.
    """

    sample_batch_size: ClassVar[int] = 64

    def __init__(self, z_dim: int, nodes: int, atoms: tuple[str, ...], bonds: int, widths: Sequence[int]) -> None:
        super().__init__()
        self.nodes, self.kinds, self.bonds = nodes, len(atoms) + 1, bonds
        draws = nodes + nodes * (nodes - 1) // 2
        self.inputs = {"z": Latent((z_dim,)), "u": Latent((draws,), (0.0, 1.0))}
        self.output = GraphsOf((nodes, 1 + nodes), atoms, bonds)
        self.main = dense([z_dim, *widths])
        self.to_bonds = nn.Linear(widths[-1], nodes * nodes * bonds)
        self.to_nodes = nn.Linear(widths[-1], nodes * self.kinds)
        self.register_buffer("above", torch.triu_indices(nodes, nodes, 1), persistent=False)
        self.register_buffer("loops", torch.eye(nodes, dtype=torch.bool), persistent=False)

    above: Tensor
    loops: Tensor

    def logits(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """Of nodes [n, N, kinds] and bonds [n, N, N, bonds]."""
        h = self.main(z)
        A = self.to_bonds(h).view(-1, self.nodes, self.nodes, self.bonds)
        return self.to_nodes(h).view(-1, self.nodes, self.kinds), (A + A.transpose(1, 2)) / 2

    def forward(self, z: Tensor, u: Tensor) -> Tensor:
        """[n, N, 1 + N]: kinds at u of the way through their chances."""
        X, A = self.logits(z)
        kinds = at(X, u[:, : self.nodes])
        i, j = self.above
        half = torch.zeros_like(A[..., 0])
        half[:, i, j] = at(A[:, i, j], u[:, self.nodes :])
        return torch.cat([kinds[:, :, None], half + half.transpose(1, 2)], 2)

    def spaces(self) -> dict[str, Space]:
        """None: no gradient goes through what is drawn."""
        return {}

    def without_loops(self, A: Tensor) -> Tensor:
        """Soft bonds [n, N, N, bonds] of which those from a node to itself are surely none."""
        none = torch.zeros_like(A)
        none[..., 0] = 1
        return torch.where(self.loops[None, :, :, None], none, A)


class D(Discriminator):
    """Relational graph convolutions, a gated sum over nodes, dense layers; tanh everywhere.  [n]

    h_i <- tanh(f_s(h_i, x_i) + sum_j sum_y A_ijy f_y(h_j, x_j)), y over all kinds of bonds but none;
    h_G = tanh(sum_i sigmoid(i(h_i, x_i)) tanh(j(h_i, x_i))).
    """

    def __init__(self, kinds: int, bonds: int, convs: Sequence[int], gate: int, widths: Sequence[int]) -> None:
        super().__init__()
        self.kinds = kinds
        inner = [kinds, *(width + kinds for width in convs)]
        self.convs = nn.ModuleList(nn.Linear(f, bonds * out) for f, out in zip(inner, convs, strict=False))
        self.i, self.j = nn.Linear(inner[-1], gate), nn.Linear(inner[-1], gate)
        self.judge = nn.Sequential(dense([gate, *widths]), nn.Linear(widths[-1], 1), nn.Flatten(0))

    def forward(self, x: Tensor) -> Tensor:
        """Of soft graphs [n, N, kinds + N bonds], as `graphs.joined` has them."""
        X, A = parted(x, self.kinds)
        known = X
        for conv in self.convs:
            known = torch.cat([convolved(A, conv(known)).tanh(), X], 2)
        h = (self.i(known).sigmoid() * self.j(known).tanh()).sum(1).tanh()
        return self.judge(h)


def convolved(A: Tensor, f: Tensor) -> Tensor:
    """f_s of each node and f_y of those that it is bound to by y.  A: [n, N, N, Y], f: [n, N, Y F] -> [n, N, F]"""
    each = f.unflatten(2, (A.shape[3], -1))  # type: ignore[no-untyped-call]  # f_s in place of the kind "none"
    others: Tensor = A[..., 1:].flatten(2) @ each[:, :, 1:].flatten(1, 2)  # the sum over j and y at once
    return each[:, :, 0] + others


def dense(widths: Sequence[int]) -> nn.Sequential:
    """Linear and tanh, over and over."""
    layers = [layer for f, out in pairwise(widths) for layer in (nn.Linear(f, out), nn.Tanh())]
    return nn.Sequential(*layers)


def at(logits: Tensor, u: Tensor) -> Tensor:
    """The kind at u [n, m] of the way through the softmax of logits [n, m, K].  float32 [n, m]"""
    below = (logits.softmax(2).cumsum(2) <= u[..., None]).sum(2)
    return below.clamp(max=logits.shape[2] - 1).float()


def networks(
    *,
    nodes: Annotated[int, "places of a graph, N: the data say it"] = 9,
    atoms: Annotated[tuple[str, ...], "kinds of nodes beside none: the data say them"] = ("C", "N", "O", "F"),
    bonds: Annotated[int, "kinds of bonds, none among them: 4, or 5 with aromatic ones"] = 4,
    z_dim: Annotated[int, "numbers of z"] = 32,
    widths: Annotated[tuple[int, ...], "units of G's layers"] = (128, 256, 512),
    convs: Annotated[tuple[int, ...], "units of D's and R's convolutions"] = (128, 64),
    gate: Annotated[int, "numbers that the nodes are summed up to"] = 128,
    d_widths: Annotated[tuple[int, ...], "units of their layers then"] = (128, 64),
) -> dict[str, nn.Module]:
    """The generator G, the critic D and the reward network R."""
    unknown = [atom for atom in atoms if atom not in VALENCES]
    if unknown or nodes < 2 or not 2 <= bonds <= 5 or min(z_dim, gate, *widths, *convs, *d_widths) < 1:
        what = f"atoms {', '.join(unknown)}: of no known valence" if unknown else f"nodes {nodes}, bonds {bonds}"
        raise GanzooError(what, f"Give atoms of {', '.join(VALENCES)}, two nodes or more, and 2 to 5 kinds of bonds.")
    judges = {name: D(len(atoms) + 1, bonds, convs, gate, d_widths) for name in ("D", "R")}
    return {"G": G(z_dim, nodes, atoms, bonds, widths), **judges}
