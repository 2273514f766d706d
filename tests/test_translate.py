"""Pictures in, pictures out: `ganzoo sample --input` and `model.translate`, on networks as they are born."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from processes import ganzoo, refused

import ganzoo_core as gz
from ganzoo_core import imaging
from ganzoo_core.cli.image_inputs import read, size_of
from ganzoo_core.errors import GanzooError
from ganzoo_core.models import store
from ganzoo_core.registry.recipes import build, recipe


def born(family: str, place: Path) -> Path:
    """The model directory of a family's tiny networks, untrained."""
    origin = store.Origin(f"{family}.tiny", "CC0-1.0", "synthetic", "CC0-1.0", 0, 0, "pytest", {})
    store.write_model(place / family, build(recipe(family, preset="tiny")), origin)
    return place / family


@pytest.fixture(scope="module")
def pix2pix(tmp_path_factory):
    return born("pix2pix", tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def inpainter(tmp_path_factory):
    return born("context_encoder", tmp_path_factory.mktemp("models"))


def drawn(path: Path, size: tuple[int, int] = (32, 32), seed: int = 0, mode: str = "RGB") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    shape = (size[1], size[0], len(mode)) if len(mode) > 1 else (size[1], size[0])
    Image.fromarray(rng.integers(0, 256, shape, dtype=np.uint8), mode).save(path)
    return path


def size(path: Path) -> tuple[int, int]:
    with Image.open(path) as picture:
        return picture.size


def pixels(path: Path) -> torch.Tensor:
    with Image.open(path) as picture:
        return torch.from_numpy(np.asarray(picture).copy())


def test_one_picture_is_what_translate_makes_of_it(pix2pix, tmp_path):
    path = drawn(tmp_path / "a.png", (48, 32))
    assert ganzoo("sample", pix2pix, "--input", path, "-o", tmp_path / "out.png").returncode == 0
    made = gz.load(pix2pix).translate(read(path, 3, None), seed=0)
    assert made.shape == (1, 3, 32, 48)
    expected = torch.from_numpy(np.asarray(imaging.picture(made[0])).copy())
    assert torch.equal(pixels(tmp_path / "out.png"), expected)


def test_a_folder_in_and_a_folder_out_whatever_the_sizes(pix2pix, tmp_path):
    drawn(tmp_path / "in" / "one.png", (16, 32))
    drawn(tmp_path / "in" / "two.webp", (32, 16))
    done = ganzoo("sample", pix2pix, "--input", tmp_path / "in", "-o", tmp_path / "out")
    assert done.returncode == 0 and "2 samples" in done.stderr
    assert {p.name: size(p) for p in (tmp_path / "out").iterdir()} == {
        "one.png": (16, 32), "two.png": (32, 16),
    }  # fmt: skip
    text = refused(ganzoo("sample", pix2pix, "--input", tmp_path / "in", "-o", tmp_path / "sheet.png"))
    assert "differ in size" in text and not (tmp_path / "sheet.png").exists()
    same = ganzoo("sample", pix2pix, "--input", tmp_path / "in", "--size", "16", "-o", tmp_path / "sheet.png")
    assert same.returncode == 0


def test_no_picture_depends_on_its_neighbours(pix2pix, tmp_path):
    for i in range(3):
        drawn(tmp_path / "in" / f"{i}.png", seed=i)
    ganzoo("sample", pix2pix, "--input", tmp_path / "in", "-o", tmp_path / "all")
    ganzoo("sample", pix2pix, "--input", tmp_path / "in" / "2.png", "-o", tmp_path / "two.png")
    assert torch.equal(pixels(tmp_path / "all" / "2.png"), pixels(tmp_path / "two.png"))


def test_a_strip_shows_before_and_after(pix2pix, tmp_path):
    path = drawn(tmp_path / "a.png")
    ganzoo("sample", pix2pix, "--input", path, "--strip", "-o", tmp_path / "out.png")
    strip = pixels(tmp_path / "out.png")
    assert strip.shape == (36, 70, 3) and torch.equal(strip[2:34, 2:34], pixels(path))


def test_several_of_one_picture_are_numbered(pix2pix, tmp_path):
    path = drawn(tmp_path / "a.png")
    ganzoo("sample", pix2pix, "--input", path, "-n", "2", "-o", tmp_path / "out")
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["a-00000.png", "a-00001.png"]


def test_what_is_transparent_lies_on_white(pix2pix, tmp_path):
    clear = tmp_path / "clear.png"
    Image.new("RGBA", (16, 16), (255, 0, 0, 0)).save(clear)
    assert torch.equal(read(clear, 3, None), torch.ones(1, 3, 16, 16))
    assert torch.equal(
        read(drawn(tmp_path / "g.png", mode="L"), 3, None)[0, 0], read(tmp_path / "g.png", 1, None)[0, 0]
    )


def test_sizes_that_the_network_does_not_admit_are_named(pix2pix, tmp_path):
    path = drawn(tmp_path / "a.png", (50, 33))
    text = refused(ganzoo("sample", pix2pix, "--input", path, "-o", tmp_path / "out.png"))
    assert "50x33" in text and "multiples of 16" in text and "48x32" in text
    done = ganzoo("sample", pix2pix, "--input", path, "--size", "48x32", "-o", tmp_path / "out.png")
    assert done.returncode == 0 and size(tmp_path / "out.png") == (48, 32)


BAD = {
    "no picture given": ([], "--input FILE"),
    "no such file": (["--input", "nowhere.png"], "no such file"),
    "no picture": (["--input", __file__], "not an image"),
    "no size": (["--input", __file__, "--size", "0x3"], "--size 0x3"),
    "no mask": (["--mask", __file__, "--input", "A"], "takes no mask"),
    "no net": (["--input", "A", "--net", "F"], "unknown network"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_with_the_input_is_said_in_one_line(pix2pix, tmp_path, case):
    words, expected = BAD[case]
    path = drawn(tmp_path / "a.png")
    words = [str(path) if word == "A" else word for word in words]
    assert expected in refused(ganzoo("sample", pix2pix, *words, "-o", tmp_path / "out.png"))
    assert not (tmp_path / "out.png").exists()


def test_a_model_that_draws_takes_no_picture(tmp_path):
    text = refused(ganzoo("sample", "dcgan.mnist", "--input", drawn(tmp_path / "a.png"), "-o", tmp_path / "x.png"))
    assert "takes no image" in text


def test_a_model_of_pictures_makes_no_clip(tmp_path):
    assert "images are not saved as .gif" in refused(
        ganzoo("sample", "dcgan.mnist", "-n", "2", "-o", tmp_path / "x.gif")
    )
    assert not (tmp_path / "x.gif").exists()


def test_the_hole_is_filled_and_the_rest_is_left_alone(inpainter, tmp_path):
    path, mask = drawn(tmp_path / "a.png", (16, 16)), tmp_path / "mask.png"
    hole = Image.new("L", (16, 16))
    hole.paste(255, (5, 5, 10, 9))
    hole.save(mask)
    done = ganzoo("sample", inpainter, "--input", path, "--mask", mask, "-o", tmp_path / "out.png")
    assert done.returncode == 0
    changed = (pixels(tmp_path / "out.png") != pixels(path)).any(2)
    assert changed[5:9, 5:10].any() and int(changed.sum()) == int(changed[5:9, 5:10].sum())


def test_sizes_are_parsed():
    assert size_of("") is None and size_of("64") == (64, 64) and size_of("320x240") == (320, 240)
    for bad in ("x", "0", "-4", "1e3", "9999999"):
        with pytest.raises(GanzooError):
            size_of(bad)


def test_clips_are_tiled_and_saved_as_a_gif(tmp_path):
    clips = torch.rand(3, 5, 3, 8, 6) * 2 - 1
    tiled = imaging.tiled(clips)
    assert tiled.shape == (5, 3, 16, 12) and torch.equal(tiled[:, :, :8, 6:], clips[1])
    imaging.save_clip(tiled, tmp_path / "a.gif")
    with Image.open(tmp_path / "a.gif") as clip:
        assert clip.n_frames == 5 and clip.size == (12, 16)
