"""Real molecules, through the package rdkit (the extra `rdkit`): lines of SMILES as data, and its word on samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ganzoo_core.errors import ExternalError, GanzooError, escape
from ganzoo_graphs.graphs import VALENCES
from ganzoo_graphs.molecules import BONDS, Graphs

MOST, LARGEST = 40, 1 << 28  # atoms of a molecule, bytes of a file
Rows = list[list[int]]


def chemistry() -> Any:
    """rdkit's `Chem`, which says nothing of what it reads. Errors: GanzooError where it is not installed."""
    try:
        from rdkit import Chem, RDLogger
    except ImportError:
        what, hint = "real molecules need the package rdkit", "pip install 'ganzoo-graphs[rdkit]'."
        raise GanzooError(what, hint) from None
    RDLogger.DisableLog("rdApp.*")  # type: ignore[attr-defined,unused-ignore]
    return Chem


def open_smiles(path: str, options: Mapping[str, Any]) -> Graphs:
    """smiles:FILE: a molecule a line, its first word; single, double and triple bonds, hydrogen left out.

    Places are in rdkit's canonical order. Errors: GanzooError for what is no SMILES, for charged atoms, more pieces
    than one, atoms of other valences than `graphs.VALENCES` has, and more than 40; ExternalError.
    """
    Chem, file = chemistry(), Path(path).expanduser()
    words = [(number, line.split()[0]) for number, line in enumerate(text_of(file).splitlines(), 1) if line.strip()]
    if not words:
        raise GanzooError(f"{escape(file)}: has no line", "Give a file of SMILES, a molecule a line.")
    found = [molecule(Chem, smiles, f"{escape(file)}: line {number}") for number, smiles in words]
    atoms = [atom for atom in VALENCES if any(atom in symbols for symbols, _ in found)]
    nodes = max(2, max(len(symbols) for symbols, _ in found))
    graphs = torch.zeros(len(found), nodes, 1 + nodes, dtype=torch.int64)
    for graph, (symbols, bonds) in zip(graphs, found, strict=True):
        graph[: len(symbols), 0] = torch.tensor([1 + atoms.index(symbol) for symbol in symbols])
        for i, j, order in bonds:
            graph[i, 1 + j] = graph[j, 1 + i] = order
    return Graphs(f"smiles:{file.name}", graphs, atoms, BONDS, "")


def text_of(file: Path) -> str:
    try:
        if file.stat().st_size > LARGEST:
            raise GanzooError(f"{escape(file)}: larger than {LARGEST >> 20} MiB", "Give a part of it.")
        return file.read_text("utf-8")
    except (FileNotFoundError, IsADirectoryError):
        raise GanzooError(f"data {escape(file)}: no such file", "Give smiles:FILE.") from None
    except UnicodeDecodeError:
        raise GanzooError(f"{escape(file)}: is no text", "Give a file of SMILES, a molecule a line.") from None
    except OSError as fault:
        raise ExternalError(f"{escape(file)}: cannot be read: {fault.strerror}") from None


def molecule(Chem: Any, smiles: str, where: str) -> tuple[list[str], list[tuple[int, int, int]]]:
    """Atoms and bonds (place, place, order). Errors: GanzooError."""
    read = Chem.MolFromSmiles(smiles)
    if read is None or not read.GetNumAtoms():
        raise GanzooError(f"{where}: {escape(smiles, 40)} is no SMILES", "Leave it out.")
    mol = Chem.RenumberAtoms(read, list(Chem.CanonicalRankAtoms(read)))
    Chem.Kekulize(mol, clearAromaticFlags=True)
    atoms = list(mol.GetAtoms())
    if len(atoms) > MOST or len(Chem.GetMolFrags(mol)) > 1 or any(not plain(atom) for atom in atoms):
        what = f"more than {MOST} atoms, several pieces, a charge or an unusual valence"
        raise GanzooError(f"{where}: {escape(smiles, 40)} has {what}", "Leave it out.")
    bonds = [(b.GetBeginAtomIdx(), b.GetEndAtomIdx(), round(b.GetBondTypeAsDouble())) for b in mol.GetBonds()]
    return [atom.GetSymbol() for atom in atoms], bonds


def plain(atom: Any) -> bool:
    limit = VALENCES.get(atom.GetSymbol(), -1)
    return not atom.GetFormalCharge() and not atom.GetNumRadicalElectrons() and atom.GetTotalValence() == limit


def written(graph: Sequence[Sequence[int]], atoms: Sequence[str]) -> str:
    """The SMILES of a graph [N][1 + N], or "" for what rdkit says is no molecule, or is none in one piece."""
    Chem = chemistry()
    kinds = Chem.BondType
    orders = [None, kinds.SINGLE, kinds.DOUBLE, kinds.TRIPLE, kinds.AROMATIC]
    mol, there = Chem.RWMol(), [i for i, row in enumerate(graph) if row[0]]
    for i in there:
        mol.AddAtom(Chem.Atom(atoms[graph[i][0] - 1]))
    for a, i in enumerate(there):
        for b, j in enumerate(there[:a]):
            if graph[i][1 + j]:
                mol.AddBond(a, b, orders[graph[i][1 + j]])
    if not there or Chem.SanitizeMol(mol, catchErrors=True) or any(any(row[1:]) for row in graph if not row[0]):
        return ""
    smiles: str = Chem.MolToSmiles(mol)
    return "" if "." in smiles else smiles


def are_molecules(graphs: Tensor, atoms: Sequence[str]) -> list[bool]:
    """rdkit's word on each."""
    return [bool(written(graph, atoms)) for graph in graphs.long().tolist()]
