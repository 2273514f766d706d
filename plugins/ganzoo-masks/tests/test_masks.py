"""The published networks, the game by hand, masks that are known exactly, scores that know the answer; every verb."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import torch
from ganzoo_masks import vessels as vessels_module
from ganzoo_masks.kinds import Masks
from ganzoo_masks.networks import Critic, GlobalConv, networks
from ganzoo_masks.retina import open_retina
from ganzoo_masks.scores import by_threshold, each_dice, each_iou, threshold
from ganzoo_masks.segan import SegAN, dice, halved
from ganzoo_masks.silhouettes import Cluttered, Silhouettes, ground, opacity
from ganzoo_masks.vessels import Vessels, vessels
from processes import ganzoo
from torch import Tensor, nn

from ganzoo_core.data import DATASETS, Dataset, DatasetInfo, Tensors, open_dataset
from ganzoo_core.data.sets.shapes import Shapes, _distances
from ganzoo_core.errors import GanzooError
from ganzoo_core.registry.recipes import build, recipe
from ganzoo_core.training.trainer import Alternating


def game(**given: object) -> SegAN:
    made = build(recipe("segan_seg", preset="tiny", given=given))
    assert isinstance(made, SegAN)
    return made


def batch(n: int = 4, side: int = 16) -> dict[str, Tensor]:
    torch.manual_seed(0)
    region = torch.zeros(n, 1, side, side)
    region[:, :, 2:9, 3:12] = 1
    return {"photo": torch.rand(n, 3, side, side) * 2 - 1, "region": region}


def white(pixels: Tensor) -> Dataset:
    """Pictures [n, C, H, W] in uint8 as a data set."""
    n, channels, side = len(pixels), pixels.shape[1], pixels.shape[2]
    info = DatasetInfo("mine", frozenset({"x"}), side, channels, None, (), "CC0-1.0", f"mine {n}")
    return Tensors(info, {"x": pixels}, {})


# Networks

# Weights of the authors' code in their order, [out, in, height, width] (of a transposed one [in, out, ...]).
S_CONVS = """
64x3x7x7 128x64x1x1 128x128x3x3 64x128x1x1 128x64x5x5 256x128x1x1 256x256x3x3 128x256x1x1 256x128x5x5 512x256x1x1
512x512x3x3 256x512x1x1 512x256x5x5 1024x512x1x1 1024x1024x3x3 512x1024x1x1 512x512x5x5 1024x512x1x1 1024x1024x3x3
512x1024x1x1 1024x512x4x4 1024x1024x1x1 2048x1024x3x3 512x2048x1x1 512x2048x1x1 1024x4096x3x3 1024x1024x1x1
512x2048x3x3 1024x512x1x1 1024x1024x3x3 512x1024x1x1 512x1024x7x1 512x512x1x7 512x1024x1x7 512x512x7x1 1024x512x1x1
1024x1024x3x3 512x1024x1x1 256x1024x7x1 256x256x1x7 256x1024x1x7 256x256x7x1 512x256x1x1 512x512x3x3 256x512x1x1
128x512x9x1 128x128x1x9 128x512x1x9 128x128x9x1 256x128x1x1 256x256x3x3 128x256x1x1 64x256x9x1 64x64x1x9 64x256x1x9
64x64x9x1 128x64x1x1 128x128x3x3 64x128x1x1 64x128x11x1 64x64x1x11 64x128x1x11 64x64x11x1 128x64x1x1 128x128x3x3
64x128x1x1 1x64x5x5"""
C_CONVS = "64x3x7x7 128x64x5x5 256x128x4x4 512x256x4x4 512x512x4x4 512x512x3x3"


def convolutions(net: nn.Module) -> list[str]:
    return ["x".join(map(str, w.shape)) for w in net.parameters() if w.ndim == 4]


def count(net: nn.Module) -> int:
    return sum(w.numel() for w in net.parameters())


def test_paper_has_the_published_tensors() -> None:
    """Of C those that its pictures pass: the code also holds side branches, 50,789,632 weights, that none enters."""
    with torch.device("meta"):
        made = build(recipe("segan_seg", preset="paper"))
        x = torch.zeros(2, 3, 128, 128)
    assert convolutions(made.S) == S_CONVS.split() and count(made.S) == 156_265_344
    assert convolutions(made.C) == C_CONVS.split() and count(made.C) == 60_182_720 - 50_789_632
    assert made.S(x).shape == (2, 1, 128, 128) and [tuple(layer(x).shape) for layer in made.C.levels[:1]]
    sides = []
    for layer in made.S.down:
        x = layer(x)
        sides.append(x.shape[-1])
    assert sides == [64, 32, 16, 8, 4, 2, 1]


@pytest.mark.parametrize("k", [3, 7])
def test_a_global_convolution_sees_k_by_k(k: int) -> None:
    torch.manual_seed(0)
    x = torch.zeros(1, 2, 15, 15, requires_grad=True)
    GlobalConv(2, 3, k)(x)[0, :, 7, 7].sum().backward()
    assert x.grad is not None
    rows, columns = (x.grad.abs().sum((0, 1)) > 0).nonzero(as_tuple=True)
    assert (rows.unique().tolist(), columns.unique().tolist()) == ([*range(7 - k // 2, 8 + k // 2)],) * 2


def test_the_sum_of_the_critics_differences_is_the_mean_over_levels() -> None:
    """Eq. 2 with L = 4: pixels and three layers, each layer's mean absolute error counted alike."""
    torch.manual_seed(0)
    C = Critic(3, 4, 3).eval()
    a, b = torch.rand(2, 5, 3, 16, 16)
    with torch.no_grad():
        found = (C(a) - C(b)).abs().sum(1).mean()
        gaps, (h, g) = [(a - b).abs().mean()], (a, b)
        for level in C.levels:
            h, g = level(h), level(g)
            gaps.append((h - g).abs().mean())
    torch.testing.assert_close(found, torch.stack(gaps).mean())


def test_pictures_may_be_of_any_multiple() -> None:
    S = game().S.eval()
    assert S.sample(1, seed=0, photo=torch.zeros(3, 20, 36)).shape == (1, 1, 20, 36)
    with pytest.raises(GanzooError, match="multiples of 4"):
        S.sample(1, seed=0, photo=torch.zeros(3, 18, 36))


@pytest.mark.parametrize(("given", "said"), [({"depth": 8}, "depth 8"), ({"image_size": 100}, "multiple of 128")])
def test_what_does_not_fit_is_refused(given: dict[str, int], said: str) -> None:
    with pytest.raises(GanzooError, match=said) as fault:
        networks(**given)  # type: ignore[arg-type]
    assert "\n" not in str(fault.value)


# The game


def test_losses_by_hand() -> None:
    made, given = game(adv=3.0, overlap=2.0).eval(), batch()
    x, y = given["photo"], given["region"]
    with torch.no_grad():
        s = made.S(x)
        gap = (made.C(x * s) - made.C(x * y)).abs().sum(1).mean().item()
        lost = 1 - ((2 * (s * y).sum((1, 2, 3)) + 1) / (s.sum((1, 2, 3)) + y.sum((1, 2, 3)) + 1)).mean().item()
        assert made.c_loss(given)["mae"].item() == pytest.approx(-gap)
        found = {name: term.item() for name, term in made.s_loss(given).items()}
    assert found["mae"] == pytest.approx(3 * gap) and found["dice"] == pytest.approx(2 * lost)


def test_the_right_mask_costs_nothing() -> None:
    made, given = game().eval(), batch()
    y = given["region"]
    assert made.mae(given["photo"], y, y).item() == 0 and dice(y, y).item() == 1
    assert dice(torch.zeros(1, 1, 2, 2), torch.zeros(1, 1, 2, 2)).item() == 1
    half = torch.tensor([1.0, 1.0, 0.0, 0.0]).view(1, 1, 2, 2)
    assert dice(half, torch.ones(1, 1, 2, 2)).item() == pytest.approx((2 * 2 + 1) / (2 + 4 + 1))


def test_without_weight_s_does_not_hear_the_critic() -> None:
    given = batch()
    for adv, hears in ((0.0, False), (1.0, True)):
        made = game(adv=adv)
        mae = made.s_loss(given)["mae"]
        (slope,) = torch.autograd.grad(mae, made.S.last.weight)
        assert bool(slope.any()) == hears


def test_c_stays_in_its_box_and_steps_fall_by_halves() -> None:
    made = game()
    C, S = made.phases()[0].players
    assert [step.player.name for step in made.phases()[0].steps] == ["C", "S"]
    with torch.no_grad():
        for w in made.C.parameters():
            w.fill_(1.0)
    C.project()
    assert max(w.abs().max().item() for w in made.C.parameters()) == pytest.approx(0.05)
    assert any(w.abs().max() > 0.05 for w in made.S.parameters())
    assert [halved(2)(u) for u in (0, 0.3, 0.4, 0.7, 1)] == [1, 1, 0.5, 0.25, 0.25]
    assert C.schedules["lr"](1.0) == S.schedules["lr"](1.0) == 2**-5


def test_s_learns_what_is_red() -> None:
    made = game(lr=5e-3, halvings=0)

    def feed(*, start: int, batch_size: int, **_: object) -> Iterator[dict[str, Tensor]]:
        while True:
            region = (torch.rand(batch_size, 1, 4, 4) > 0.5).float().repeat_interleave(4, 2).repeat_interleave(4, 3)
            picture = torch.rand(batch_size, 3, 16, 16) - 0.5
            picture[:, :1] += region - 0.5
            yield {"photo": picture, "region": region}

    for _ in Alternating(batch_size=8, images=800).run(made, feed):
        pass
    test = next(feed(start=0, batch_size=32))
    S = made.S.eval()
    with torch.no_grad():
        assert each_iou(S(test["photo"]) > 0.5, test["region"] > 0.5).mean() > 0.8


# Masks of pictures on white


@pytest.mark.parametrize("side", [32, 64])
def test_silhouettes_of_shapes_are_those_of_their_formulas(side: int) -> None:
    """A pixel belongs to a shape where its middle lies in it, which antialiasing says of single colours exactly."""
    source = open_dataset("shapes", image_size=side, datasets={entry.name: entry for entry in DATASETS})
    assert isinstance(source, Shapes)
    at = np.arange(256)
    found = Silhouettes(source).fetch(at.tolist())["region"][:, 0] > 0.5
    distance = _distances(*source._geometry(at, 0.0), at % 4, side)
    clear = torch.from_numpy(np.abs(distance) > 0.01 * 2 / side)  # 8 bits decide what is nearer to the edge
    wrong = (found != torch.from_numpy(distance < 0)) & clear
    assert wrong.float().mean() < 2e-4


def test_white_that_is_enclosed_belongs_to_the_thing() -> None:
    darkness = np.zeros((12, 12), np.float32)
    darkness[2:10, 2:10] = 1
    darkness[4:7, 4:7] = 0  # the white of an eye
    darkness[2, 2:10] = 0.3  # an edge that is covered to three tenths
    cover = opacity(darkness)
    assert (cover[4:7, 4:7] == 1).all() and cover[5, 0] == 0 and cover[2, 5] == pytest.approx(0.3)
    darkness[4:7, :7] = 0  # a bay is no eye
    assert (opacity(darkness)[4:7, 0:6] == 0).all()


def test_clutter_takes_the_place_of_white_and_of_nothing_else() -> None:
    pixels = torch.full((2, 3, 32, 32), 255, dtype=torch.uint8)
    pixels[:, :, 8:24, 8:24] = torch.tensor([200, 30, 90], dtype=torch.uint8)[:, None, None]
    plain, cluttered = Silhouettes(white(pixels)), Cluttered(white(pixels))
    assert torch.equal(plain.fetch([0, 1])["photo"], white(pixels).fetch([0, 1])["x"])
    one = cluttered.fetch([0, 1])
    inside = one["region"].bool().expand(-1, 3, -1, -1)
    assert one["region"].sum() == 2 * 16 * 16
    assert torch.equal(one["photo"][inside], plain.fetch([0, 1])["photo"][inside])
    assert one["photo"][~inside].std() > 0.3 and not torch.equal(one["photo"][0], one["photo"][1])
    assert torch.equal(one["photo"], cluttered.fetch([0, 1])["photo"])
    seen = cluttered.fetch_augmented([0, 0], [3, 4])["photo"]
    assert not torch.equal(seen[0], seen[1]) and torch.equal(seen, cluttered.fetch_augmented([0, 0], [3, 4])["photo"])
    assert len({cluttered.info.fingerprint, plain.info.fingerprint, white(pixels).info.fingerprint}) == 3
    assert ground(16, 1, 5).shape == (1, 16, 16)


def test_pictures_and_masks_are_mirrored_alike() -> None:
    pixels = torch.full((1, 3, 32, 32), 255, dtype=torch.uint8)
    pixels[:, :, 8:24, 2:10] = 0
    seen = Silhouettes(white(pixels)).fetch_augmented([0] * 8, range(8))
    lefts = seen["region"].flatten(2).amax(1).view(8, 32, 32).amax(1).argmax(1)
    assert set(lefts.tolist()) == {2, 22}
    assert torch.equal(seen["photo"].amin(1, keepdim=True) < 0, seen["region"] > 0)


# Vessels


def test_dark_lines_are_vessels_and_light_ones_are_not() -> None:
    pytest.importorskip("skimage")
    gray = np.full((32, 32), 0.5, np.float32)
    gray[10:13], gray[:, 22:25] = 0.3, 0.8
    found = vessels(gray)
    assert found[11, 4:18].all() and not found[:6, :14].any() and not found[20:, 22:25].any()
    pixels = torch.full((1, 3, 32, 32), 128, dtype=torch.uint8)
    pixels[:, 1, 10:13] = 60
    one = Vessels(white(pixels)).fetch([0])
    assert one["region"][0, 0, 11].all() and one["region"].mean() < 0.3
    assert torch.equal(one["photo"], white(pixels).fetch([0])["x"])


def test_without_scikit_image_vessels_say_how_to_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "skimage.filters", None)
    with pytest.raises(GanzooError, match=r"ganzoo-masks\[vessels\]"):
        vessels_module.ridges()


def test_a_retina_is_parted_into_training_and_test(tmp_path: Path) -> None:
    """By rows: what is below three fifths is in no part that is trained on; a part with frame in it is in neither."""
    rows, columns = np.mgrid[0:600, 0:600]
    picture = np.stack([100 + rows / 6, 100 + columns / 6, 0 * rows + 120], -1).astype(np.uint8)
    picture[:, :150] = 0
    (tmp_path / "single_images").mkdir()
    PIL.Image.fromarray(picture).save(tmp_path / "single_images" / "retina.jpg", quality=100)
    train, test = open_retina(tmp_path, "train"), open_retina(tmp_path, "test")
    x, held = train.fetch(range(200))["x"], test.fetch(range(len(test)))["x"]
    assert len(train) == 1024 and len(test) == 2 and x.shape[1:] == held.shape[1:] == (3, 64, 64)
    assert x[:, 0].amax() < held[:, 0].amin() + 0.03 and x.amin() > -0.9
    assert not torch.equal(train.fetch_augmented([0], [1])["x"], train.fetch_augmented([0], [2])["x"])
    assert open_retina(tmp_path, "", channels=1, image_size=32).fetch([0])["x"].shape == (1, 1, 32, 32)
    with pytest.raises(GanzooError, match="no parts of 512 px"):
        open_retina(tmp_path, "", image_size=512)
    (tmp_path / "single_images" / "retina.jpg").write_bytes(b"no")
    with pytest.raises(GanzooError, match="is damaged"):
        open_retina(tmp_path, "")


# Kinds and scores


def test_masks_are_shown_saved_and_opened(tmp_path: Path) -> None:
    kind, masks = Masks((1, None, None)), torch.rand(3, 1, 8, 12)
    kind.save(masks[:1], tmp_path / "one.png")
    torch.testing.assert_close(kind.open(tmp_path / "one.png"), masks[:1], atol=0.5 / 255 + 1e-6, rtol=0)
    assert kind.picture(torch.ones(1, 1, 8, 8)).getpixel((4, 4)) == 255
    assert kind.frame(torch.zeros(1, 8, 8)).getpixel((4, 4)) == 0
    assert kind.poster(masks, [torch.zeros(3, 3, 8, 12)]).startswith(b"\x89PNG")
    with pytest.raises(GanzooError, match=r"not saved as \.npy"):
        kind.save(masks, tmp_path / "one.npy")


def test_scores_by_hand() -> None:
    a, b, none = (torch.zeros(1, 1, 4, 4, dtype=torch.bool) for _ in range(3))
    a[..., :2, :], b[..., 1:, :2] = True, True  # 8 and 6 pixels, 2 of them in both
    assert each_iou(a, b).item() == pytest.approx(2 / 12) and each_dice(a, b).item() == pytest.approx(4 / 14)
    assert each_iou(none, none).item() == each_dice(none, none).item() == 1 and each_iou(a, none).item() == 0


def test_otsu_parts_two_groups_and_leaves_the_border_out() -> None:
    torch.manual_seed(0)
    x = torch.randn(2, 3, 32, 32) * 0.05 + torch.tensor([-0.6, 0.4])[:, None, None, None]
    x[0, :, 8:20, 8:20] += 1
    x[1, :, 8:20, 8:20] -= 1
    assert -0.51 < threshold(x[0].mean(0)).item() < 0.3
    found = by_threshold(x)
    expected = torch.zeros(2, 1, 32, 32, dtype=torch.bool)
    expected[..., 8:20, 8:20] = True
    assert torch.equal(found, expected)


# The command line


@pytest.mark.slow
def test_every_verb_knows_masks(tmp_path: Path) -> None:
    """Gray pictures, too: they are measured as they were trained on, though masks have no colours to tell."""
    run, face = tmp_path / "run", tmp_path / "face.png"
    words = ("--preset", "tiny", "-c", "channels=1", "--images", 256, "--batch-size", 16, "--out", run)
    done = ganzoo("train", "segan_seg", "--data", "cluttered:shapes", *words)
    assert done.returncode == 0, done.stderr
    config = json.loads((run / "model" / "config.json").read_text())
    assert config["output"] == {"kind": "masks", "shape": [1, None, None], "range": [0.0, 1.0]}
    PIL.Image.radial_gradient("L").save(face)
    done = ganzoo("sample", run, "--input", face, "--size", 64, "-o", tmp_path / "mask.png")
    assert done.returncode == 0, done.stderr
    with PIL.Image.open(tmp_path / "mask.png") as mask:
        assert mask.size == (64, 64) and mask.mode == "L"
    done = ganzoo("eval", run, "--data", "cluttered:shapes", "-n", 64, "--json")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout)["metrics"]
    assert {row["name"] for row in rows} == {"iou", "iou[otsu]", "dice", "dice[otsu]"}
    assert all(0 <= row["value"] <= 1 and row["protocol"]["n"] == 64 for row in rows)
    assert ganzoo("report", run, "-o", tmp_path / "r.html").returncode == 0
    assert "segan_seg" in ganzoo("list", "--task", "segmentation").stdout
    sheet = ganzoo("data", "silhouettes:shapes", "-o", tmp_path / "sheet.png")
    assert sheet.returncode == 0 and "photo, region" in sheet.stdout, sheet.stderr
    said = ganzoo("train", "segan_seg", "--data", "digits", "--out", tmp_path / "no")
    assert said.returncode == 2 and "cluttered:DATA" in said.stderr
