"""The published networks, a player that rests, solids that are known exactly and come back out of files; every verb."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import torch
from ganzoo_volumes import mesh
from ganzoo_volumes.folders import open_voxels
from ganzoo_volumes.gan3d import GAN3D, RestingAdam
from ganzoo_volumes.kinds import Volumes
from ganzoo_volumes.networks import networks
from ganzoo_volumes.render import rendered, view
from ganzoo_volumes.scores import described, gaussian, one_piece, overlaps
from ganzoo_volumes.solids import KINDS, cells, open_solids
from processes import ganzoo
from torch import Tensor, nn
from torch.nn.functional import softplus

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Latent
from ganzoo_core.registry.recipes import build, recipe
from ganzoo_core.training.trainer import Alternating

KIND = Volumes((1, None, None, None))


def game(preset: str = "tiny", **given: object) -> GAN3D:
    made = build(recipe("gan3d", preset=preset, given=given))
    assert isinstance(made, GAN3D)
    return made


def count(net: nn.Module) -> int:
    return sum(w.numel() for w in net.parameters())


def block(side: int, *edges: slice) -> Tensor:
    """A box of cells, [1, side, side, side]."""
    made = torch.zeros(1, side, side, side)
    made[(0, *edges)] = 1
    return made


# Networks


def test_paper_has_the_published_sizes() -> None:
    """Beside a port that begins with a biased linear layer where ours has a norm, and has one in D's first layer."""
    with torch.device("meta"):
        made = game("paper")
        z, x = torch.zeros(2, 200), torch.zeros(2, 1, 64, 64, 64)
    assert count(made.G) == 17_601_408 - 512 * 4**3 + 2 * 512
    assert count(made.D) == 11_048_833 - 2 * 64
    shapes = [tuple(w.shape) for w in made.G.parameters() if w.ndim == 5]
    assert shapes == [
        (200, 512, 4, 4, 4),
        (512, 256, 4, 4, 4),
        (256, 128, 4, 4, 4),
        (128, 64, 4, 4, 4),
        (64, 1, 4, 4, 4),
    ]
    assert [w.shape[0] for w in made.D.parameters() if w.ndim == 5] == [64, 128, 256, 512, 1]
    assert made.G(z).shape == x.shape and made.D(x).shape == (2,)
    latent = made.G.inputs["z"]
    assert (latent.shape, latent.range) == ((200,), (0.0, 1.0))  # type: ignore[attr-defined]
    optimizers = {p.name: p.optim([torch.zeros(1)]).defaults for p in made.phases()[0].players if p.optim}
    assert {name: (o["lr"], o["betas"]) for name, o in optimizers.items()} == {
        "G": (2.5e-3, (0.5, 0.999)), "D": (1e-5, (0.5, 0.999)),
    }  # fmt: skip


@pytest.mark.parametrize(("given", "said"), [({"image_size": 48}, "48"), ({"width": 0}, "width 0")])
def test_what_does_not_fit_is_refused(given: dict[str, int], said: str) -> None:
    with pytest.raises(GanzooError, match=said) as fault:
        networks(**given)  # type: ignore[arg-type]
    assert "\n" not in str(fault.value)


def spread(z_low: float) -> float:
    """How much a fresh G's solids differ from z to z, beside how much places of one differ."""
    torch.manual_seed(0)
    G = networks(image_size=16, width=16, z_dim=64, z_low=z_low)["G"]
    assert isinstance(G.inputs["z"], Latent) and G.inputs["z"].range == (z_low, 1.0)
    with torch.no_grad():
        first = G.main[:2](G.prior(64)[:, :, None, None, None])  # the first layer and its norm
    return (first.var(0).mean() / first.var()).item()


def test_z_around_nought_is_most_of_what_the_first_norm_lets_through() -> None:
    """Var z / E z^2 of what varies: 1 of U[-1, 1], 1/4 of U[0, 1], whose mean makes the same pattern each time."""
    assert spread(-1.0) == pytest.approx(1, abs=0.05) and spread(0.0) == pytest.approx(0.25, abs=0.05)


# The game


def test_losses_by_hand() -> None:
    made, x = game().eval(), torch.rand(6, 1, 16, 16, 16).round()
    with torch.no_grad():
        torch.manual_seed(1)
        d = made.d_loss({"voxels": x})
        torch.manual_seed(1)
        r, s = made.D(x), made.D(made.fake(6))
        torch.manual_seed(1)
        g = made.g_loss({"voxels": x})
    assert d["real"].item() == pytest.approx(softplus(-r).mean().item(), rel=1e-5)
    assert d["fake"].item() == pytest.approx(softplus(s).mean().item(), rel=1e-5)
    assert g["adv"].item() == pytest.approx(softplus(-s).mean().item(), rel=1e-5)
    assert made.accuracy.item() == pytest.approx(((r > 0).sum() + (s < 0).sum()).item() / 12)


@pytest.mark.parametrize(("accuracy", "moves"), [(0.8, True), (0.81, False)])
def test_d_rests_while_it_was_right_too_often(accuracy: float, moves: bool) -> None:
    """No gradient, and the same value; at 80 % it still moves."""
    made, batch = game(), {"voxels": torch.rand(4, 1, 16, 16, 16)}
    made.accuracy.fill_(accuracy)
    terms = made.d_loss(batch)
    sum(terms.values()).backward()  # type: ignore[union-attr]
    assert any(bool(w.grad.any()) for w in made.D.parameters() if w.grad is not None) == moves
    assert terms["real"] > 0


def test_who_rests_stands_still_with_all_its_moments() -> None:
    """Two steps with a rest between them are two steps, to the bit; Adam itself goes on by its momentum."""
    slopes = [torch.tensor([1.0, -2.0]), torch.zeros(2), torch.tensor([0.5, 0.0])]

    def after(kind: type, given: list[Tensor], **options: object) -> Tensor:
        w = nn.Parameter(torch.ones(2))
        mover = kind([w], lr=0.1, betas=(0.5, 0.999), **options)
        for slope in given:
            w.grad = slope.clone()
            mover.step()
        return w.detach()

    rested = after(RestingAdam, slopes)
    assert torch.equal(rested, after(RestingAdam, [slopes[0], slopes[2]]))
    assert torch.equal(rested, after(torch.optim.Adam, [slopes[0], slopes[2]], fused=True))
    assert not torch.equal(rested, after(torch.optim.Adam, slopes, fused=True))


def test_a_rested_d_is_where_it_was() -> None:
    """In the trainer: with a limit below nought D never moves, G does."""
    made = game(limit=-1.0)
    before = {name: w.clone() for name, w in made.named_parameters()}

    def feed(*, start: int, batch_size: int, **_: object) -> object:
        while True:
            yield {"voxels": torch.rand(batch_size, 1, 16, 16, 16).round()}

    for _ in Alternating(batch_size=4, images=16).run(made, feed):  # type: ignore[arg-type]
        pass
    moved = {name[0] for name, w in made.named_parameters() if not torch.equal(w, before[name])}
    assert moved == {"G"}


# Solids


def test_solids_have_the_volumes_of_their_formulas() -> None:
    space = cells(96)

    def volume(name: str, *u: float) -> float:
        return 8 * KINDS[name](space, [*u]).float().mean().item()

    assert volume("ball", 1, 1, 1) == pytest.approx(4 / 3 * np.pi * 0.9**3, rel=0.01)
    assert volume("box", 0, 0, 1) == pytest.approx(8 * 0.3**2 * 0.85, rel=0.06)
    assert volume("cylinder", 1, 0) == pytest.approx(np.pi * 0.85**2 * 0.6, rel=0.03)
    assert volume("cone", 1, 1, 1) == pytest.approx(np.pi * 0.85**2 * 1.7 / 3, rel=0.03)
    assert volume("ring", 0, 1) == pytest.approx(2 * np.pi**2 * 0.4 * 0.28**2, rel=0.03)


def test_solids_are_functions_of_their_index_at_any_side() -> None:
    found = open_solids(None, "", image_size=16)
    one = found.fetch([7, 3])
    assert torch.equal(one["voxels"][:1], found.fetch([7])["voxels"]) and one["label"].tolist() == [2, 3]
    assert one["voxels"].shape == (2, 1, 16, 16, 16) and set(one["voxels"].unique().tolist()) == {0.0, 1.0}
    assert "4,096 solids, 16 cells a side" in found.describe()
    other = open_solids(None, "test", image_size=16)
    assert not torch.equal(other.fetch([7])["voxels"], one["voxels"][:1])
    assert other.info.fingerprint != found.info.fingerprint
    with pytest.raises(GanzooError, match="600 cells a side"):
        open_solids(None, "", image_size=600)


def test_chairs_are_one_piece_and_stand_on_four_legs() -> None:
    chairs = open_solids(None, "chairs").fetch(range(64))["voxels"][:, 0] > 0
    assert all(one_piece(chair) for chair in chairs)
    from scipy.ndimage import label

    for chair in chairs:
        lowest = int(chair.any(0).any(0).nonzero()[0])
        assert label(chair[:, :, lowest].numpy())[1] == 4
        highest = int(chair.any(0).any(0).nonzero()[-1])
        assert not chair[:, : 16, highest].any()  # the back is at the back  # fmt: skip


# One's own


def binvox_of(filled: Tensor) -> bytes:
    """As binvox writes it: runs of at most 255."""
    body, values = b"", filled.flatten().int().tolist()
    at = 0
    while at < len(values):
        end = at
        while end < len(values) and end - at < 255 and values[end] == values[at]:
            end += 1
        body += bytes([values[at], end - at])
        at = end
    sides = " ".join(map(str, filled.shape))
    return f"#binvox 1\ndim {sides}\ntranslate 0 0 0\nscale 1\ndata\n".encode() + body


def test_a_folder_of_voxels_is_read(tmp_path: Path) -> None:
    box = block(8, slice(1, 5), slice(0, 3), slice(2, 8))
    np.save(tmp_path / "a.npy", box[0].numpy().astype(np.float32))
    np.save(tmp_path / "b.npy", torch.stack([box, 1 - box]).numpy())
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "c.binvox").write_bytes(binvox_of(box[0]))
    found = open_voxels(str(tmp_path), {})
    assert len(found) == 4 and found.info.image_size == 8 and "4 solids, 8 cells" in found.describe()
    voxels = found.fetch(range(4))["voxels"]
    assert voxels.dtype == torch.float32 and torch.equal(voxels, torch.stack([box, box, 1 - box, box]))
    small, large = (open_voxels(str(tmp_path / "a.npy"), {"image_size": n}).fetch([0])["voxels"] for n in (4, 16))
    assert torch.equal(large[0], box.repeat_interleave(2, 1).repeat_interleave(2, 2).repeat_interleave(2, 3))
    assert torch.equal(small[0], block(4, slice(0, 3), slice(0, 2), slice(1, 4)))  # nothing thin is lost


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.npy", b"no", "a.npy"),
        ("a.binvox", b"#binvox 1\ndim 2 2 2\ndata\n\1\7", "is no file of binvox"),
        ("a.binvox", b"P5", "is no file of binvox"),
        ("a.txt", b"", r"has no \.npy or \.binvox"),
    ],
)
def test_what_is_no_solid_is_refused(name: str, data: bytes, said: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(GanzooError, match=said):
        open_voxels(str(tmp_path), {})


def test_what_is_no_cube_is_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", np.zeros((4, 4, 5)))
    with pytest.raises(GanzooError, match=r"of shape \[4, 4, 5\]"):
        open_voxels(str(tmp_path), {})
    with pytest.raises(GanzooError, match=r"has no \.npy"):
        open_voxels(str(tmp_path / "gone"), {})


# Kinds and files


@pytest.mark.parametrize("suffix", [".npy", ".ply"])
def test_solids_come_back_out_of_files(suffix: str, tmp_path: Path) -> None:
    torch.manual_seed(0)
    x = torch.cat([(torch.rand(2, 1, 6, 6, 6) > 0.5).float(), torch.ones(1, 1, 6, 6, 6), torch.zeros(1, 1, 6, 6, 6)])
    KIND.save(x, tmp_path / f"x{suffix}")
    assert torch.equal(KIND.open(tmp_path / f"x{suffix}"), x)
    with pytest.raises(GanzooError, match="not saved as"):
        KIND.save(x, tmp_path / "x.gif")
    with pytest.raises(GanzooError, match=r"not \[n, 1, 7, 7, 7\]"):
        Volumes((1, 7, 7, 7)).open(tmp_path / f"x{suffix}")
    (tmp_path / f"x{suffix}").write_bytes((tmp_path / f"x{suffix}").read_bytes()[:-1])
    with pytest.raises(GanzooError, match="x"):
        KIND.open(tmp_path / f"x{suffix}")


def test_a_mesh_encloses_its_cells() -> None:
    """Squares look outward: by the divergence theorem the volume within is the number of cells, on each axis."""
    torch.manual_seed(0)
    solid = (torch.rand(5, 5, 5) > 0.4).numpy()
    squares = mesh.surface(solid)
    a, b, c, d = (squares[:, i] for i in range(4))
    assert (a + c == b + d).all()  # parallelograms
    normals = np.cross(b - a, d - a)
    assert (np.abs(normals).sum(1) == 1).all()
    for axis in range(3):
        assert (normals[:, axis] * (a + c)[:, axis] / 2).sum() == solid.sum()
    data = mesh.written(solid[None])
    head, _, body = data.partition(b"end_header\n")
    vertices, faces = (int(line.split()[-1]) for line in head.decode().splitlines() if line.startswith("element"))
    assert faces == len(squares) and len(body) == 12 * vertices + 17 * faces
    with pytest.raises(ValueError, match=r"is no \.ply"):
        mesh.read(b"ply\nformat ascii 1.0\n")


def test_views_show_what_is_nearer_and_what_is_lit() -> None:
    """A box from the front, level with it: its front is a square of its size; nothing is white."""
    side, cube = 16, block(16, slice(4, 12), slice(4, 12), slice(4, 12))
    seen = view(cube, 0.0, 0.0, 60)[0]
    there = seen < 0.999
    assert there.any(0).sum().item() == pytest.approx(60 / 1.5 * 8 / side, abs=2)  # REACH is half of what is seen
    assert there.any(1).sum().item() == pytest.approx(60 / 1.5 * 8 / side, abs=2)
    above = view(cube, 30.0, 30.0, 60)[0]
    rows = (above < 0.999).any(1).nonzero()
    top, bottom = above[rows[0] + 4].min(), above[rows[-1] - 4].min()
    assert top > bottom  # the lamp is above
    assert (rendered(torch.zeros(2, 1, 8, 8, 8)) == 1).all() and rendered(cube[None]).shape == (1, 1, 64, 128)
    leaning = block(16, slice(0, 2), slice(0, 16), slice(0, 16))  # a wall on the left
    columns = (view(leaning, 0.0, 0.0, 60)[0] < 0.999).any(0).nonzero()
    assert columns.max() < 30


def test_volumes_are_shown(tmp_path: Path) -> None:
    x = torch.stack([block(8, slice(2, 6), slice(2, 6), slice(i, 7)) for i in range(3)])
    assert KIND.picture(x, 3).size == (3 * 130 + 2, 68) and KIND.frame(x[0]).size == (128, 64)
    KIND.save(x[:1], tmp_path / "x.png")
    with PIL.Image.open(tmp_path / "x.png") as picture:
        assert picture.size == (128, 64) and len(picture.getcolors(256) or ()) > 3


# Scores


def test_descriptions_by_hand() -> None:
    """A corner part that is full: its six sides are walls, three where it begins and three where its neighbours do."""
    one = block(8, slice(0, 2), slice(0, 2), slice(0, 2))
    found = described(one > 0)[0]
    full, walls = found[:64].view(4, 4, 4), found[64:].view(4, 4, 4)
    assert full[0, 0, 0] == 1 and full.sum() == 1
    assert walls[0, 0, 0].item() * 4 == 12 and walls.sum().item() * 4 == 24  # 4 cells a layer; half end next door
    again = described(torch.zeros(1, 8, 8, 8, dtype=torch.bool))
    assert not again.any()


def test_pieces_and_overlaps_by_hand() -> None:
    a = block(8, slice(0, 4), slice(0, 8), slice(0, 8)) > 0  # 256 cells
    b = block(8, slice(2, 6), slice(0, 8), slice(0, 8)) > 0
    assert overlaps(torch.cat([a, b]), a).flatten().tolist() == pytest.approx([1, 128 / 384])
    assert one_piece(a[0]) and not one_piece(torch.zeros(8, 8, 8, dtype=torch.bool))
    a[0, 6, 6, 6] = True
    assert one_piece(a[0])  # dust
    a[0, 6:8] = True
    assert not one_piece(a[0])


def test_the_gaussian_has_the_moments_of_the_data() -> None:
    torch.manual_seed(0)
    half = block(4, slice(0, 2), slice(0, 4), slice(0, 4)) > 0
    real = torch.cat([half, ~half]).repeat(50, 1, 1, 1)
    made = gaussian(real, 400, 0)
    assert torch.equal(made, gaussian(real, 400, 0)) and not torch.equal(made, gaussian(real, 400, 1))
    each = (made == half).flatten(1).float().mean(1)
    assert ((each > 0.999) | (each < 0.001)).all() and 0.4 < each.mean() < 0.6


# The command line


@pytest.mark.slow
def test_every_verb_knows_volumes(tmp_path: Path) -> None:
    """One's own solids, from training to files."""
    run, own = tmp_path / "run", tmp_path / "own"
    own.mkdir()
    np.save(own / "mine.npy", open_solids(None, "chairs", image_size=16).fetch(range(64))["voxels"].numpy())
    words = ("--preset", "tiny", "--images", 128, "--batch-size", 16, "--out", run)
    done = ganzoo("train", "gan3d", "--data", f"voxels:{own}", *words)
    assert done.returncode == 0, done.stderr
    config = json.loads((run / "model" / "config.json").read_text())
    assert config["output"] == {"kind": "volumes", "shape": [1, 16, 16, 16], "range": [0.0, 1.0]}
    for name in ("x.npy", "x.ply", "x.png"):
        done = ganzoo("sample", run, "-n", 3, "-o", tmp_path / name)
        assert done.returncode == 0 and (tmp_path / name).stat().st_size > 100, done.stderr
    assert KIND.open(tmp_path / "x.npy").shape == (3, 1, 16, 16, 16)
    done = ganzoo("eval", run, "--data", "solids:chairs_test", "-n", 64, "--json")
    assert done.returncode == 0, done.stderr
    rows = {row["name"]: row["value"] for row in json.loads(done.stdout)["metrics"]}
    assert set(rows) == {
        "shape_frechet", "shape_frechet[gaussian]", "connected", "connected[gaussian]", "connected[data]",
        "nearest_iou", "nearest_iou[reached]", "nearest_iou[gaussian]", "nearest_iou[gaussian,reached]",
    }  # fmt: skip
    assert rows["connected[data]"] > 0.9 and all(value >= 0 for value in rows.values())
    assert ganzoo("report", run, "-o", tmp_path / "r.html").returncode == 0
    assert "gan3d" in ganzoo("list", "--task", "volume").stdout
    done = ganzoo("data", "solids:chairs", "-n", 4, "-o", tmp_path / "sheet.png")
    assert done.returncode == 0 and "4,096 solids, 32 cells a side" in done.stdout, done.stderr
    said = ganzoo("train", "gan3d", "--data", "digits", "--out", tmp_path / "no")
    assert said.returncode == 2 and "voxels:DATA" in said.stderr
