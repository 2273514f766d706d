"""Published counts, both games by hand, digits over photographs, and what adaptation is said to be worth."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import torch
from bars import as_floats, bars, write_mnist
from ganzoo_adapt.digits import inverted, open_mnist_kodak
from ganzoo_adapt.domains import joined, open_domains
from processes import ganzoo
from torch.nn.functional import cross_entropy, log_softmax

from ganzoo_core.errors import GanzooError
from ganzoo_core.objectives import Objective
from ganzoo_core.registry.recipes import build, recipe


def game(family: str, preset: str = "tiny", **given: object) -> Objective:
    return build(recipe(family, preset=preset, given=given))


def batch() -> dict[str, torch.Tensor]:
    torch.manual_seed(0)
    a, b = torch.rand(2, 4, 3, 32, 32) * 2 - 1
    return {"a": a, "b": b, "label": torch.tensor([0, 3, 3, 9])}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 bars in MNIST's files, and photographs of noise in place of Kodak's."""
    folder = write_mnist(tmp_path_factory.mktemp("data"))
    (folder / "kodak24").mkdir()
    for i in range(1, 25):
        noise = np.random.default_rng(i).integers(0, 256, (64, 96, 3), np.uint8)
        wide = np.kron(noise, np.ones((8, 8, 1), np.uint8))
        PIL.Image.fromarray(wide).save(folder / "kodak24" / f"kodim{i:02d}.png", compress_level=1)
    return folder


def test_presets_have_the_published_counts() -> None:
    with torch.device("meta"):
        ours, theirs = game("pixelda", "paper"), game("simgan", "paper")
    counts = [sum(w.numel() for w in net.parameters()) for net in (ours.G, ours.D, ours.T, theirs.R, theirs.D)]
    assert counts == [483_715, 1_555_585, 1_571_466, 296_129, 75_906]
    eye = torch.zeros(1, 1, 35, 55, device="meta")  # the eyes of the paper are not square
    assert theirs.R(eye).shape == eye.shape and theirs.D(eye).shape == (1, 9, 14)


def test_pixeldas_game_by_hand() -> None:
    made, given = game("pixelda", alpha=2.0, beta=3.0).eval(), batch()
    with torch.no_grad():
        torch.manual_seed(1)
        g = made.g_loss(given)
        torch.manual_seed(1)
        d = made.d_loss(given)
        torch.manual_seed(1)
        fake = made.G(given["a"], made.G.prior(4))
        score = made.D(fake)
        task = (cross_entropy(made.T(fake), given["label"]) + cross_entropy(made.T(given["a"]), given["label"])) / 2
        verdict = (made.D(given["b"]) - 1).square().mean() + score.square().mean()
    assert g["adv"].item() == pytest.approx(2 * (score - 1).square().mean().item(), rel=1e-5)
    assert (g["task"] + g["task_source"]).item() == pytest.approx(3 * task.item(), rel=1e-5)
    assert sum(d.values()).item() == pytest.approx(verdict.item() / 2, rel=1e-5)


def test_simgans_scores_are_the_published_softmax_summed_over_patches() -> None:
    made, given = game("simgan", lam=0.5, pool=0), batch()
    with torch.no_grad():
        refined = made.R(given["a"])
        of_refined, of_real = (log_softmax(made.D.main(x), 1) for x in (refined, given["b"]))  # [4, 2, 8, 8] each
        r, d = made.r_loss(given), made.d_loss(given)
    assert r["adv"].item() == pytest.approx(-of_refined[:, 1].sum().item() / 4, rel=1e-5)  # it is to be called real
    assert r["reg"].item() == pytest.approx(0.5 * (refined - given["a"]).abs().sum().item() / 4, rel=1e-5)
    assert d["fake"].item() == pytest.approx(-of_refined[:, 0].sum().item() / 4, rel=1e-5)
    assert d["real"].item() == pytest.approx(-of_real[:, 1].sum().item() / 4, rel=1e-5)


def test_d_is_shown_what_was_refined_before() -> None:
    made, given = game("simgan", pool=4), batch()
    torch.manual_seed(0)
    with torch.no_grad():
        first, old = made.d_loss(given)["fake"], made.R(given["a"])
        made.R.main[-2].bias += 1
        second, now = made.d_loss(given)["fake"], made.R(given["a"])
        both = [torch.nn.functional.softplus(made.D(x)).sum() / 4 for x in (old, now)]
    assert made.history.images.shape == (4, 3, 32, 32) and first.item() == pytest.approx(both[0].item(), rel=1e-5)
    assert min(both) < second < max(both)


def test_a_digit_inverts_its_patch() -> None:
    patch, digit = torch.tensor([-1.0, -0.5, 0.2, 1.0]), torch.tensor([-1.0, 1.0])
    assert inverted(patch, digit[:1]).tolist() == pytest.approx(patch.tolist())  # black leaves it as it is
    assert inverted(patch, digit[1:]).tolist() == pytest.approx((-patch).tolist())


def test_digits_over_photographs(root: Path) -> None:
    train, test = (open_mnist_kodak(root, part) for part in ("train", "test"))
    assert train.describe() == "mnist_kodak: 40 examples, 28x28, RGB, 10 classes, CC-BY-SA-3.0 AND LicenseRef-Kodak"
    x = train.fetch([3, 7, 3])
    assert x["x"].shape == (3, 3, 28, 28) and torch.equal(x["x"][0], x["x"][2]) and x["label"].tolist() == [3, 7, 3]
    patch, digit = train.patches([3]), as_floats(bars([8, -8] * 2))[3:]
    torch.testing.assert_close(x["x"][:1], torch.where(digit > 0, -patch, patch))
    assert test.photographs.shape == (4, 3, 256, 384) and train.info.fingerprint != test.info.fingerprint
    with pytest.raises(GanzooError, match="has 3 channels, not 1"):
        open_mnist_kodak(root, "", channels=1)


def test_no_digit_is_in_both_domains(root: Path) -> None:
    adapt, plain = open_mnist_kodak(root, "adapt"), open_mnist_kodak(root, "train")
    assert len(adapt) == 20 and adapt.info.licence == plain.info.licence
    given = adapt.fetch([0, 4])
    assert given["label"].tolist() == [0, 8] and torch.equal(given["b"], plain.fetch([1, 9])["x"])
    assert torch.equal(given["a"][:, 0], given["a"][:, 2]) and set(given["a"].unique().tolist()) == {-1.0, 1.0}
    shown = torch.cat([adapt.fetch_augmented([0], [seed])["b"] for seed in range(6)])
    assert len(shown.flatten(1).unique(dim=0)) > 2  # in training any of the target


def test_simulated_digits_invert_ramps(root: Path) -> None:
    simulated = open_mnist_kodak(root, "simulated").fetch([0, 4, 0])
    a, plain = simulated["a"], open_mnist_kodak(root, "adapt").fetch([0, 4, 0])
    assert torch.equal(a[0], a[2]) and not torch.equal(a[0], a[1]) and torch.equal(simulated["b"], plain["b"])
    ground = torch.where(plain["a"] > 0, -a, a)
    for way in (1, 2):  # of a ramp, every difference of neighbours is the same
        slope = ground.diff(dim=1 + way)
        torch.testing.assert_close(slope, slope[:, :, :1, :1].expand_as(slope), atol=1e-5, rtol=0)


def test_two_folders_are_domains(tmp_path: Path) -> None:
    for folder, n in (("a/cat", 3), ("a/dog", 2), ("b", 4)):
        (tmp_path / folder).mkdir(parents=True)
        for i in range(n):
            PIL.Image.new("RGB", (20, 20), (40 * i, 0, 0)).save(tmp_path / folder / f"{i}.png")
    both = f"{tmp_path}/a::{tmp_path}/b"
    found = open_domains(both, {"image_size": 20, "channels": 3})
    assert len(found) == 5 and found.info.class_names == ("cat", "dog") and found.info.keys == {"a", "b", "label"}
    assert found.fetch([4, 0])["label"].tolist() == [1, 0]
    for wrong, said in ((f"{tmp_path}/a", "not two folders"), (f"{tmp_path}/b::{tmp_path}/a", "has no classes")):
        with pytest.raises(GanzooError, match=said):
            open_domains(wrong, {"image_size": 20, "channels": 3})
    assert joined("A AND B", "", "B AND C") == "A AND B AND C" and joined("", "") == ""


@pytest.mark.parametrize("family", ["pixelda", "simgan", "dann", "adda", "cycada"])
def test_the_commands_of_the_readme(family: str, root: Path, tmp_path: Path) -> None:
    run, where = tmp_path / "run", ("--data-root", root)
    words = ("--preset", "tiny", "--images", 400)
    done = ganzoo("train", family, "--data", "mnist_kodak:adapt", *words, *where, "--out", run)
    assert done.returncode == 0, done.stderr
    done = ganzoo("eval", run, "--data", "mnist_kodak:test", *where, "--metric", "target_accuracy", "--json")
    assert done.returncode == 0, done.stderr
    scores = {row["name"]: row for row in json.loads(done.stdout)["metrics"]}
    assert scores.keys() == {"target_accuracy", "target_accuracy[source only]"}
    assert all(0 <= row["value"] <= 1 and row["protocol"]["n_real"] == 40 for row in scores.values())
    said = ganzoo("eval", run, "--data", "mnist_kodak:adapt", *where, "--metric", "target_accuracy")
    assert said.returncode == 2 and "on pictures x with labels" in said.stderr
