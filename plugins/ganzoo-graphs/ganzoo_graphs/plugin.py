"""What ganzoo-graphs contributes. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterable

from ganzoo_core.plugin import (
    BatchKey,
    DatasetEntry,
    Family,
    KindEntry,
    Metric,
    Paper,
    Preset,
    Task,
    View,
    hookimpl,
)

GRAPH = Task("graph", "small graphs with kinds of nodes and bonds: molecules")

MOLGAN = Family(
    name="molgan",
    summary="noise becomes a molecule's atoms and bonds at once; a critic of graphs, and a network that learns rewards",
    task=GRAPH.name,
    paper=Paper(
        title="MolGAN: An implicit generative model for small molecular graphs",
        authors=("Nicola De Cao", "Thomas Kipf"),
        year=2018,
        arxiv="1805.11973",
    ),
    networks="ganzoo_graphs.networks:networks",
    objective="ganzoo_graphs.molgan:MolGAN",
    presets={
        "small": Preset(
            {"z_dim": 16, "widths": (64, 128, 256), "convs": (64, 32), "gate": 64, "d_widths": (64, 32),
             "relaxed": "gumbel", "b1": 0.0, "k": 2, "pretrain": 400_000, "images": 100_000},
            {"batch_size": 32, "ema_images": 2_000},
        ),
        "paper": Preset({"nodes": 9, "bonds": 5}, {"batch_size": 128}),
        "tiny": Preset(
            {"nodes": 5, "atoms": ("C", "O"), "z_dim": 4, "widths": (8, 8), "convs": (8, 8), "gate": 8,
             "d_widths": (8, 8), "k": 2, "pretrain": 2_000, "images": 2_000},
            {"batch_size": 8},
        ),
    },
    aliases=("MolGAN",),
)  # fmt: skip


@hookimpl
def ganzoo_families() -> Iterable[Family]:
    return [MOLGAN]


@hookimpl
def ganzoo_tasks() -> Iterable[Task]:
    return [GRAPH]


@hookimpl
def ganzoo_kinds() -> Iterable[KindEntry]:
    what = "kinds of nodes and of bonds, [N, 1 + N]"
    return [KindEntry("graphs", what, "ganzoo_graphs.kinds:GraphsOf")]


@hookimpl
def ganzoo_batch_keys() -> Iterable[BatchKey]:
    what = "kinds of nodes, then of bonds to each other node, int64 [n, N, 1 + N], 0 for none"
    return [BatchKey("graph", what, "ganzoo_graphs.molecules:noise")]


@hookimpl
def ganzoo_datasets() -> Iterable[DatasetEntry]:
    return [
        DatasetEntry(
            name="molecules",
            summary="8,192 graphs that could be molecules, grown by a rule: up to nine atoms of C, N, O and F",
            keys=("graph",),
            licence="CC0-1.0",
            open="ganzoo_graphs.molecules:open_molecules",
            variants=("train", "test"),
        )
    ]


@hookimpl
def ganzoo_views() -> Iterable[View]:
    what = "a file of SMILES, a molecule a line (the extra `rdkit`)"
    return [View("smiles", what, "ganzoo_graphs.smiles:open_smiles", ("graph",), of_path=True)]


@hookimpl
def ganzoo_metrics() -> Iterable[Metric]:
    here, tasks, kinds = "ganzoo_graphs.scores", (GRAPH.name,), ("graphs",)
    return [
        Metric("validity", "share of samples that could be molecules", f"{here}:validity", tasks, kinds, share_of="n",
               higher=True),
        Metric("rdkit_validity", "share of samples that rdkit can make sense of (the extra `rdkit`)",
               f"{here}:rdkit_validity", kinds=kinds, share_of="n", higher=True),
        Metric("uniqueness", "share of valid samples that are left where each is counted once",
               f"{here}:uniqueness", tasks, kinds, share_of="valid", higher=True),
        Metric("novelty", "share of valid samples that are not in the data", f"{here}:novelty", tasks, kinds,
               share_of="valid", higher=True),
        Metric("composition", "total variation of kinds of nodes and bonds, sizes and rings, of samples and data",
               f"{here}:composition", tasks, kinds),
    ]  # fmt: skip
