"""Published counts, validity and sameness by hand, the game in closed form, files, pictures, real molecules; verbs."""

from __future__ import annotations

import json
from itertools import permutations
from pathlib import Path
from random import Random

import numpy as np
import PIL.Image
import pytest
import torch
from ganzoo_graphs.canonical import name_of
from ganzoo_graphs.drawing import SIDE, placed
from ganzoo_graphs.graphs import hard, joined, parted, rings, soft, valences, valid
from ganzoo_graphs.kinds import GraphsOf
from ganzoo_graphs.molecules import ATOMS, molecule, noise, open_molecules
from ganzoo_graphs.molgan import MolGAN, both_ways, gumbel, straight
from ganzoo_graphs.networks import at, convolved, networks
from ganzoo_graphs.scores import independent, variation
from ganzoo_graphs.smiles import open_smiles, written
from processes import ganzoo
from torch import Tensor, nn

from ganzoo_core.errors import GanzooError
from ganzoo_core.registry.recipes import build, recipe

LIMITS = valences(ATOMS)
KIND = GraphsOf((4, 5), ATOMS)


def game(preset: str = "tiny", **given: object) -> MolGAN:
    made = build(recipe("molgan", preset=preset, given=given))
    assert isinstance(made, MolGAN)
    return made


def count(net: nn.Module) -> int:
    return sum(w.numel() for w in net.parameters())


def graph(kinds: str, *bonds: tuple[int, int, int], places: int = 4) -> Tensor:
    """Nodes by their letters ("-" for none) and bonds (place, place, kind).  [1, N, 1 + N]"""
    made = torch.zeros(1, places, 1 + places, dtype=torch.int64)
    for i, letter in enumerate(kinds):
        made[0, i, 0] = ("-", *ATOMS).index(letter)
    for i, j, bond in bonds:
        made[0, i, 1 + j] = made[0, j, 1 + i] = bond
    return made


# Networks


def test_published_counts() -> None:
    """With z of the authors' code; a port's D has one layer for all kinds of bonds and none for nodes themselves."""
    with torch.device("meta"):
        made = game("paper", z_dim=8)
        published = game("paper")
    assert count(made.G) == 396_610 and count(published.G) == 396_610 + 24 * 128
    shared = 5 * 128 + 128 + 128 * 64 + 64  # what the port has in place of both convolutions
    ours = 5 * (5 * 128 + 128) + 5 * ((128 + 5) * 64 + 64)
    assert count(made.D) == count(made.R) == 51_777 - shared + ours


def test_a_convolution_by_hand() -> None:
    """f_s of the node, and of each that it is bound to by y, f_y."""
    torch.manual_seed(0)
    A, f = torch.rand(2, 3, 3, 4), torch.rand(2, 3, 4 * 5)
    found = convolved(A, f)
    for i in range(3):
        wanted = f[:, i, :5].clone()
        for j in range(3):
            for y in (1, 2, 3):
                wanted += A[:, i, j, y, None] * f[:, j, 5 * y : 5 * y + 5]
        torch.testing.assert_close(found[:, i], wanted)


def test_d_knows_no_order_of_nodes() -> None:
    D = game().D
    x = soft(noise(6, {"nodes": 5, "atoms": ("C", "O"), "bonds": 4}, torch.Generator().manual_seed(0)), 3, 4)
    X, A = parted(x, 3)
    order = torch.tensor([2, 0, 4, 1, 3])
    other = joined(X[:, order], A[:, order][:, :, order])
    torch.testing.assert_close(D(other), D(x))
    assert torch.equal(joined(*parted(x, 3)), x) and not torch.allclose(D(x)[0], D(x)[1])


def test_samples_are_drawn_as_chances_say_and_go_both_ways() -> None:
    torch.manual_seed(0)
    G = networks(nodes=3, atoms=("C", "O"), z_dim=2, widths=(4,))["G"]
    nn.init.zeros_(G.to_nodes.weight)  # type: ignore[union-attr,arg-type]
    chances = torch.tensor([0.5, 0.2, 0.3])
    G.to_nodes.bias.data = chances.log().repeat(3)  # type: ignore[union-attr]
    made = G(torch.randn(4_000, 2), torch.rand(4_000, 6))
    torch.testing.assert_close(made[..., 0].long().flatten().bincount() / 12_000, chances, atol=0.02, rtol=0)
    bonds = made[..., 1:]
    assert torch.equal(bonds, bonds.transpose(1, 2)) and not bonds.diagonal(dim1=1, dim2=2).any()
    X, A = G.logits(torch.randn(5, 2))  # type: ignore[operator]
    torch.testing.assert_close(A, A.transpose(1, 2))
    assert at(torch.tensor([[[0.0, 0.0]]]), torch.tensor([[0.49]])) == 0 and at(X[:1], torch.ones(1, 3)).max() <= 2


# The game


def test_relaxations_by_hand() -> None:
    logits, noisy = torch.tensor([[0.3, 0.1, 0.6]]).log(), torch.tensor([[0.0, 2.0, 0.0]])
    e2 = float(np.exp(2))
    wanted = torch.tensor([[0.3, 0.1 * e2, 0.6]]) / (0.9 + 0.1 * e2)
    torch.testing.assert_close(gumbel(logits, noisy), wanted)
    drawn = straight(logits.requires_grad_(), noisy)
    assert drawn.tolist() == [[0, 1, 0]]
    slope = torch.autograd.grad(drawn[0, 1], logits)[0]
    torch.testing.assert_close(slope, torch.autograd.grad(gumbel(logits, noisy)[0, 1], logits)[0])
    noise = both_ways(torch.randn(2, 3, 3, 4))
    assert torch.equal(noise, noise.transpose(1, 2)) and not noise.diagonal(dim1=1, dim2=2).any()


@pytest.mark.parametrize("relaxed", ["softmax", "gumbel", "straight"])
def test_soft_graphs_are_graphs(relaxed: str) -> None:
    made = game(relaxed=relaxed)
    X, A = parted(made.fake(6), 3)
    for each in (X, A):
        torch.testing.assert_close(each.sum(-1), torch.ones(each.shape[:-1]))
    torch.testing.assert_close(A, A.transpose(1, 2))
    assert (A.diagonal(dim1=1, dim2=2)[:, 0] == 1).all()
    assert bool(((X == 0) | (X == 1)).all()) == (relaxed == "straight")


def test_losses_by_hand() -> None:
    made = game(lam=0.3, gp=7.0)
    batch = {"graph": noise(6, {"nodes": 5, "atoms": ("C", "O"), "bonds": 4}, torch.Generator().manual_seed(1))}
    x = made.real(batch)

    def seeded(loss: object) -> dict[str, Tensor]:
        torch.manual_seed(3)
        return loss(batch)  # type: ignore[operator, no-any-return]

    torch.manual_seed(3)
    y = made.fake(6)
    eps = torch.rand(6, 1, 1)
    mixed = (eps * x + (1 - eps) * y).detach().requires_grad_()
    slope = torch.autograd.grad(made.D(mixed).sum(), mixed)[0].flatten(1).norm(dim=1)
    d = seeded(made.d_loss)
    torch.testing.assert_close(d["real"], -made.D(x).mean())
    torch.testing.assert_close(d["fake"], made.D(y).mean())
    torch.testing.assert_close(d["gp"], 7 * (slope - 1).square().mean())
    torch.testing.assert_close(seeded(made.g_loss)["adv"], -made.D(y).mean())
    g = seeded(made.rewarded_g_loss)
    torch.testing.assert_close(g["adv"], -0.3 * made.D(y).mean())
    torch.testing.assert_close(g["reward"], -0.7 * made.R(y).sigmoid().mean())
    r = seeded(made.r_loss)
    worth = valid(batch["graph"], valences(("C", "O"))).float()
    torch.testing.assert_close(r["real"], (made.R(x).sigmoid() - worth).square().mean())


def test_r_tells_valid_graphs_and_g_follows_it() -> None:
    """With lambda 0, G comes to make what R, learning as it goes, says is worth something."""
    torch.manual_seed(0)
    made = game(lam=0.0, relaxed="straight", nodes=3, atoms=("C",), widths=(32, 32))
    nn.init.constant_(made.G.to_nodes.bias, 0.0)
    batch = {"graph": open_molecules(None, "").fetch(range(64))["graph"][:, :3, :4].clamp(max=1)}
    G, R = (torch.optim.Adam(net.parameters(), 0.01) for net in (made.G, made.R))

    def share() -> float:
        return valid(made.G.sample(400, seed=1), [0, 4]).float().mean().item()

    before = share()
    for _ in range(120):
        for step, loss in ((R, made.r_loss), (G, made.rewarded_g_loss)):
            step.zero_grad()
            torch.stack([term for term in loss(batch).values() if term.requires_grad]).sum().backward()
            step.step()
    assert share() > max(0.9, before + 0.2)


# Graphs


@pytest.mark.parametrize(
    ("made", "is_valid"),
    [
        (graph("C"), True),
        (graph("----"), False),
        (graph("CC", (0, 1, 3)), True),
        (graph("CO", (0, 1, 3)), False),  # oxygen has two
        (graph("C-", (0, 1, 1)), False),  # a bond to nothing
        (graph("CC"), False),  # two pieces
        (graph("CCCC", (0, 1, 1), (2, 3, 1)), False),
        (graph("-CFC", (1, 2, 1), (1, 3, 1)), True),  # places may stay free
        (graph("CFC", (1, 2, 1), (0, 1, 1)), False),  # fluorine has one
        (graph("CCCC", (0, 1, 2), (0, 2, 1), (0, 3, 1)), True),
        (graph("CCCC", (0, 1, 2), (0, 2, 2), (0, 3, 1)), False),
        (graph("CCCC", (0, 1, 4), (0, 2, 4), (0, 3, 4)), True),  # three aromatic bonds are four
    ],
)
def test_validity_by_hand(made: Tensor, is_valid: bool) -> None:
    assert valid(made, LIMITS).tolist() == [is_valid]


def test_a_long_chain_is_one_piece() -> None:
    bonds = [(i, i + 1, 1) for i in range(11)]
    chain = graph("C" * 12, *bonds, places=12)
    assert valid(chain, LIMITS).all() and not valid(graph("C" * 12, *bonds[:-1], places=12), LIMITS).any()
    assert rings(chain).tolist() == [0]
    assert rings(graph("C" * 12, *bonds, (0, 5, 1), places=12)).tolist() == [1]


def test_names_are_of_graphs_and_not_of_orders() -> None:
    """All orders of a graph have one name; graphs that colours alone do not tell apart have two."""
    square = graph("CCOC", (0, 1, 1), (1, 2, 2), (2, 3, 1), (3, 0, 1))[0]
    names = set()
    for order in permutations(range(4)):
        turned = square[list(order)]
        names.add(name_of(torch.cat([turned[:, :1], turned[:, 1:][:, list(order)]], 1).tolist()))
    assert len(names) == 1
    assert name_of(graph("CO", (0, 1, 1))[0].tolist()) == name_of(graph("-O-C", (1, 3, 1))[0].tolist())
    hexagon = graph("C" * 6, *((i, (i + 1) % 6, 1) for i in range(6)), places=6)
    triangles = graph("C" * 6, *((3 * k + i, 3 * k + (i + 1) % 3, 1) for i in range(3) for k in range(2)), places=6)
    assert name_of(hexagon[0].tolist()) != name_of(triangles[0].tolist())
    double = graph("CCOC", (0, 1, 2), (1, 2, 1), (2, 3, 1), (3, 0, 1))[0]
    assert name_of(double.tolist()) not in names


def test_names_of_shuffled_molecules_are_theirs() -> None:
    rng = torch.Generator().manual_seed(0)
    for each in open_molecules(None, "").graphs[:200].long():
        order = torch.randperm(9, generator=rng)
        turned = torch.cat([each[order, :1], each[order, 1:][:, order]], 1)
        assert name_of(turned.tolist()) == name_of(each.tolist())


def test_soft_and_hard() -> None:
    made = noise(5, {"nodes": 4, "atoms": ATOMS, "bonds": 4}, torch.Generator().manual_seed(0))
    x = soft(made, 5, 4)
    assert x.shape == (5, 4, 5 + 16) and x.sum().item() == 5 * (4 + 16) and torch.equal(hard(x, 5), made)


# Data


def test_all_molecules_are_valid_and_others_are_tested() -> None:
    data, other = open_molecules(None, ""), open_molecules(None, "test")
    graphs = data.graphs.long()
    assert valid(graphs, LIMITS).all() and "8,192 graphs, up to 9 nodes of C, N, O, F" in data.describe()
    assert set((graphs[..., 0] > 0).sum(1).tolist()) <= set(range(2, 10)) and rings(graphs).float().mean() > 0.25
    assert data.info.fingerprint != other.info.fingerprint and not torch.equal(data.graphs, other.graphs)
    assert molecule(Random(5)) == molecule(Random(5)) and data.facts()["atoms"] == ATOMS


def test_independent_graphs_have_the_kinds_of_the_data_place_by_place() -> None:
    real = open_molecules(None, "").graphs.long()
    made = independent(real, 8_000, 0)
    assert torch.equal(made, independent(real, 8_000, 0)) and not torch.equal(made, independent(real, 8_000, 1))
    for i in range(9):
        assert variation(made[:, i, 0], real[:, i, 0]) < 0.03
    assert variation(made[:, 0, 2], real[:, 0, 2]) < 0.03 and torch.equal(made[..., 1:], made[..., 1:].transpose(1, 2))
    assert valid(made, LIMITS).float().mean() < 0.1 and variation(torch.tensor([0, 1]), torch.tensor([1, 1])) == 0.5


# Files and pictures


@pytest.mark.parametrize("suffix", [".jsonl", ".npy"])
def test_graphs_come_back_out_of_files(suffix: str, tmp_path: Path) -> None:
    x = torch.cat([graph("CO-F", (0, 1, 2), (0, 3, 1)), graph("----"), graph("C-N", (0, 1, 1), (0, 2, 3))]).float()
    KIND.save(x, tmp_path / f"x{suffix}")
    assert torch.equal(KIND.open(tmp_path / f"x{suffix}"), x)
    with pytest.raises(GanzooError, match="no graphs of 5 places"):
        GraphsOf((5, 6), ATOMS).open(tmp_path / f"x{suffix}")
    with pytest.raises(GanzooError):
        GraphsOf((4, 5), ("C", "O")).open(tmp_path / f"x{suffix}")  # kinds that it does not have


def test_a_line_says_what_it_is(tmp_path: Path) -> None:
    KIND.save(graph("CO-F", (0, 1, 2), (0, 3, 1)).float(), tmp_path / "x.jsonl")
    told = json.loads((tmp_path / "x.jsonl").read_text())
    assert told == {"nodes": ["C", "O", "", "F"], "bonds": [[0, 1, 2], [0, 3, 1]]}


@pytest.mark.parametrize("line", [
    "no", "{}", '{"nodes": ["C"], "bonds": [[0, 5, 1]]}', '{"nodes": ["X"], "bonds": []}',
    '{"nodes": ["C", "C", "C", "C"], "bonds": [[0, 1, 9]]}', '{"nodes": ["C", "C", "C", "C"], "bonds": [[-1, 1, 1]]}',
    '{"nodes": ["C", "C", "C", "C"], "bonds": [[1, 1, 1]]}',
])  # fmt: skip
def test_what_is_no_graph_is_refused_in_one_line(line: str, tmp_path: Path) -> None:
    (tmp_path / "x.jsonl").write_text(line + "\n")
    with pytest.raises(GanzooError) as fault:
        KIND.open(tmp_path / "x.jsonl")
    assert "\n" not in str(fault.value)
    for name in ("x.png", "x.gif"):
        with pytest.raises(GanzooError):
            KIND.open(tmp_path / name)


def test_a_ring_is_drawn_round_and_a_chain_is_not_crossed() -> None:
    ring = [[int(abs(i - j) in (1, 5)) for j in range(6)] for i in range(6)]
    where = placed(ring)
    radius = np.linalg.norm(where - where.mean(0), axis=1)
    assert radius.std() < 0.02 * radius.mean() and (where > 0).all() and (where < 1).all()
    chain = [[int(abs(i - j) == 1) for j in range(5)] for i in range(5)]
    x = placed(chain)[:, 0]
    assert (np.diff(x) > 0).all() or (np.diff(x) < 0).all()
    assert placed([]).shape == (0, 2) and placed([[0]]).tolist() == [[0.5, 0.5]]


def test_graphs_are_shown(tmp_path: Path) -> None:
    x = torch.cat([graph("CO-F", (0, 1, 2), (0, 3, 1)), graph("----"), graph("C-", (0, 1, 1))]).float()
    assert KIND.picture(x, 3).size == (3 * (SIDE + 2) + 2, SIDE + 4) and KIND.frame(x[0]).size == (SIDE, SIDE)
    KIND.save(x[:1], tmp_path / "x.png")
    with PIL.Image.open(tmp_path / "x.png") as picture:
        pixels = torch.from_numpy(np.array(picture.convert("RGB"))).flatten(0, 1).float()
    for colour in ((208, 32, 32), (40, 150, 60), (60, 60, 60), (255, 255, 255)):  # oxygen, fluorine, carbon, the ground
        assert (pixels - torch.tensor(colour)).norm(dim=1).min() < 30
    assert (KIND.drawings(x[1:2]) == 1).all()


# Networks that cannot be


@pytest.mark.parametrize("given", [{"atoms": ("C", "Xx")}, {"nodes": 1}, {"bonds": 6}, {"z_dim": 0}])
def test_what_does_not_fit_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(GanzooError) as fault:
        networks(**given)  # type: ignore[arg-type]
    assert "\n" not in str(fault.value)


# Real molecules


def test_smiles_are_read_and_written(tmp_path: Path) -> None:
    pytest.importorskip("rdkit")
    molecules = ["CCO", "c1ccccc1", "C#N", "CC(=O)NC", "FC(F)F"]
    (tmp_path / "x.smi").write_text("".join(f"{smiles} a name\n" for smiles in molecules))
    data = open_smiles(str(tmp_path / "x.smi"), {})
    assert data.atoms == ("C", "N", "O", "F") and data.graphs.shape == (5, 6, 7)
    assert valid(data.graphs, valences(data.atoms)).all() and rings(data.graphs.long()).tolist() == [0, 1, 0, 0, 0]
    from rdkit import Chem

    for smiles, rows in zip(molecules, data.graphs.tolist(), strict=True):
        assert written(rows, data.atoms) == Chem.MolToSmiles(Chem.MolFromSmiles(smiles))
    for rows in (graph("CO", (0, 1, 3)), graph("CC"), graph("C-", (0, 1, 1)), graph("----")):
        assert written(rows[0].tolist(), ATOMS) == ""


@pytest.mark.parametrize("line", ["CC(", "C.C", "[NH4+]", "CS(=O)(=O)C", "[U]", "C" * 41])
def test_molecules_that_do_not_fit_are_refused_in_one_line(line: str, tmp_path: Path) -> None:
    pytest.importorskip("rdkit")
    (tmp_path / "x.smi").write_text(f"CC\n{line}\n")
    with pytest.raises(GanzooError, match="line 2") as fault:
        open_smiles(str(tmp_path / "x.smi"), {})
    assert "\n" not in str(fault.value)
    with pytest.raises(GanzooError, match="no such file"):
        open_smiles(str(tmp_path / "gone.smi"), {})


def test_rdkit_says_the_same_of_the_data() -> None:
    pytest.importorskip("rdkit")
    from ganzoo_graphs.smiles import are_molecules

    real = open_molecules(None, "").graphs[:300].long()
    assert sum(are_molecules(real, ATOMS)) == 300
    made = independent(real, 300, 0)
    assert are_molecules(made, ATOMS) == valid(made, LIMITS).tolist()


def test_without_rdkit_one_line_names_the_extra(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "rdkit", None)
    with pytest.raises(GanzooError, match=r"ganzoo-graphs\[rdkit\]"):
        open_smiles(str(tmp_path / "x.smi"), {})


# The command line


@pytest.mark.slow
def test_every_verb_knows_graphs(tmp_path: Path) -> None:
    run = tmp_path / "run"
    words = ("--preset", "tiny", "--images", 256, "--batch-size", 16, "--out", run)
    done = ganzoo("train", "molgan", "--data", "molecules", "-c", "nodes=9", "-c", "atoms=C,N,O,F", *words)
    assert done.returncode == 0, done.stderr
    config = json.loads((run / "model" / "config.json").read_text())
    assert config["output"] == {"kind": "graphs", "shape": [9, 10], "atoms": [*ATOMS], "bonds": 4, "range": None}
    for name in ("x.npy", "x.jsonl", "x.png"):
        done = ganzoo("sample", run, "-n", 3, "-o", tmp_path / name)
        assert done.returncode == 0 and (tmp_path / name).stat().st_size > 100, done.stderr
    assert GraphsOf((9, 10), ATOMS).open(tmp_path / "x.jsonl").shape == (3, 9, 10)
    done = ganzoo("eval", run, "-n", 64, "--json")
    assert done.returncode == 0, done.stderr
    rows = {row["name"]: row["value"] for row in json.loads(done.stdout)["metrics"]}
    assert {"validity", "uniqueness", "novelty", "composition[rings]", "validity[independent]"} <= set(rows)
    assert rows["validity[data]"] == 1 and rows["validity[independent]"] < 0.2
    pytest.importorskip("rdkit")
    done = ganzoo("eval", run, "-n", 64, "--metric", "rdkit_validity", "--json")
    (row,) = json.loads(done.stdout)["metrics"]
    assert row["value"] == rows["validity"], done.stderr
    assert ganzoo("report", run, "-o", tmp_path / "r.html").returncode == 0
    assert "molgan" in ganzoo("list", "--task", "graph").stdout
    done = ganzoo("data", "molecules", "-n", 4, "-o", tmp_path / "sheet.png")
    assert done.returncode == 0 and "8,192 graphs" in done.stdout, done.stderr
    said = ganzoo("train", "molgan", "--data", "digits", "--out", tmp_path / "no")
    assert said.returncode == 2 and "smiles:DATA" in said.stderr
    said = ganzoo("train", "molgan", "--preset", "tiny", "--data", "molecules", "--out", tmp_path / "no")
    assert said.returncode == 2 and "graphs of 9 places, not 5" in said.stderr
