"""Scores of graphs, beside graphs that need no GAN: nodes and bonds drawn one by one, as often as in the data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from ganzoo_core.data import hash32
from ganzoo_core.errors import GanzooError, escape
from ganzoo_core.metrics import EvalContext
from ganzoo_graphs.canonical import Name, name_of
from ganzoo_graphs.graphs import rings, valences, valid
from ganzoo_graphs.kinds import GraphsOf
from ganzoo_graphs.smiles import are_molecules

Found = Iterator[tuple[str, float, dict[str, Any]]]
MOST_RINGS = 3  # more of them are counted as so many


class Sample(NamedTuple):
    """Graphs int64 [n, N, 1 + N], and the names of those that are valid."""

    graphs: Tensor
    names: list[Name]


class Compared(NamedTuple):
    """Of the model, of what draws each node and bond by itself, and of the data."""

    made: Sample
    independent: Sample
    real: Sample


def compared(context: EvalContext) -> Compared:
    """Errors: GanzooError for data of other kinds."""
    kind = kind_of(context)
    made = torch.cat([block["x"].long().cpu() for block in context.generated()])
    real = torch.cat([block["x"].long() for block in context.real()])
    if real.shape[1:] != made.shape[1:] or getattr(context.source, "atoms", kind.atoms) != kind.atoms:
        raise GanzooError(f"{escape(context.source.info.name)}: has other nodes than the model", "Choose other data.")
    others = independent(real, len(made), context.seed)
    return Compared(*(Sample(each, named(each, kind.atoms)) for each in (made, others, real)))


def kind_of(context: EvalContext) -> GraphsOf:
    assert isinstance(context.net.output, GraphsOf)
    return context.net.output


def named(graphs: Tensor, atoms: Sequence[str]) -> list[Name]:
    """The names of those that are valid."""
    return [name_of(graph) for graph in graphs[valid(graphs, valences(atoms))].tolist()]


def independent(real: Tensor, n: int, seed: int) -> Tensor:
    """n graphs whose nodes and bonds are drawn one by one, each as often as there in the data.  int64 [n, N, 1 + N]"""
    rng = torch.Generator().manual_seed(hash32(seed, "independent"))
    nodes = real.shape[1]
    each = torch.randint(len(real), (n, nodes, 1 + nodes), generator=rng)  # of which of the data, place by place
    drawn = real.gather(0, each)
    above = drawn[..., 1:].triu(1)
    return torch.cat([drawn[..., :1], above + above.transpose(1, 2)], 2)


def validity(context: EvalContext) -> Found:
    """The share of samples that could be molecules."""
    found = context.cached(compared)
    how = {"n": len(found.made.graphs), "n_real": len(found.real.graphs)}
    for of, sample in (("", found.made), ("[independent]", found.independent), ("[data]", found.real)):
        yield f"validity{of}", len(sample.names) / len(sample.graphs), {**how, "n": len(sample.graphs)}


def rdkit_validity(context: EvalContext) -> Found:
    """The share of samples that rdkit can make sense of. Errors: GanzooError where it is not installed."""
    found = context.cached(compared)
    said = are_molecules(found.made.graphs, kind_of(context).atoms)
    yield "rdkit_validity", sum(said) / len(said), {"n": len(said), "n_real": len(found.real.graphs)}


def uniqueness(context: EvalContext) -> Found:
    """The share of valid samples that are left where each is counted once; of the data, of as many of them."""
    found = context.cached(compared)
    for of, sample in (("", found.made), ("[independent]", found.independent), ("[data]", found.real)):
        names = sample.names[: len(found.made.graphs)]
        yield f"uniqueness{of}", share(len(set(names)), len(names)), about(found, names)


def novelty(context: EvalContext) -> Found:
    """The share of valid samples that are not in the data."""
    found = context.cached(compared)
    known = set(found.real.names)
    for of, sample in (("", found.made), ("[independent]", found.independent)):
        new = sum(name not in known for name in sample.names)
        yield f"novelty{of}", share(new, len(sample.names)), about(found, sample.names)


def about(found: Compared, names: Sequence[Name]) -> dict[str, Any]:
    """Of how many samples how many were valid."""
    return {"n": len(found.made.graphs), "n_real": len(found.real.graphs), "valid": len(names)}


def share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


COUNTS: dict[str, Callable[[Tensor], Tensor]] = {
    "nodes": lambda graphs: graphs[..., 0].flatten(),
    "bonds": lambda graphs: graphs[..., 1:].triu(1).flatten(),
    "size": lambda graphs: (graphs[..., 0] > 0).sum(1),
    "rings": lambda graphs: rings(graphs).clamp(0, MOST_RINGS),
}


def composition(context: EvalContext) -> Found:
    """Total variation between samples and data of the kinds of nodes, of bonds, of how many nodes and of how many rings
    graphs have: from 0, the same, to 1."""
    found = context.cached(compared)
    how = {"n": len(found.made.graphs), "n_real": len(found.real.graphs)}
    for of, sample in (("", found.made), (",independent", found.independent)):
        for name, count in COUNTS.items():
            yield f"composition[{name}{of}]", variation(count(sample.graphs), count(found.real.graphs)), how


def variation(a: Tensor, b: Tensor) -> float:
    """1/2 sum |p_a - p_b| of whole numbers from 0."""
    most = int(max(a.max(), b.max())) + 1
    p, q = (x.bincount(minlength=most) / len(x) for x in (a, b))
    return float((p - q).abs().sum() / 2)
