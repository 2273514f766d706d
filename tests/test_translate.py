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
from ganzoo_core.cli import report
from ganzoo_core.cli.image_inputs import read, size_of
from ganzoo_core.errors import GanzooError
from ganzoo_core.models import store
from ganzoo_core.nn import Image as Picture
from ganzoo_core.nn import in_tiles
from ganzoo_core.registry.recipes import build, recipe

RGB, GREY = Picture((3, None, None)), Picture((1, None, None))


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
    made = gz.load(pix2pix).translate(read(path, RGB, None), seed=0)
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


def test_a_broken_picture_keeps_no_other_from_being_made(pix2pix, tmp_path):
    for name in ("a", "b", "z"):
        drawn(tmp_path / "in" / f"{name}.png")
    (tmp_path / "in" / "c.png").write_bytes(b"no picture")
    (tmp_path / "in" / "d.png").symlink_to("nowhere")
    done = ganzoo("sample", pix2pix, "--input", tmp_path / "in", "-o", tmp_path / "out")
    assert done.returncode == 2 and "3 samples" in done.stderr and "Traceback" not in done.stderr
    assert "2 of 5 pictures could not be used" in done.stderr
    assert "c.png: is not an image" in done.stderr and "d.png: no such file" in done.stderr
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["a.png", "b.png", "z.png"]
    for path in (tmp_path / "in").glob("[abz].png"):
        path.unlink()
    assert "c.png" in refused(ganzoo("sample", pix2pix, "--input", tmp_path / "in", "-o", tmp_path / "none"))
    assert not (tmp_path / "none").exists()


def test_a_broken_mask_is_named_itself(inpainter, tmp_path):
    path, mask = drawn(tmp_path / "a.png", (16, 16)), tmp_path / "m.png"
    mask.write_bytes(b"no picture")
    text = refused(ganzoo("sample", inpainter, "--input", path, "--mask", mask, "-o", tmp_path / "o.png"))
    assert text.startswith(f"ganzoo: error: {mask}: is not an image")


def test_a_text_that_cannot_be_shown_keeps_no_other_from_being_made(tmp_path):
    model = born("gan_cls", tmp_path)
    long = "x" * 5000
    done = ganzoo("sample", model, "--text", "a red heart", "--text", long, "-n", "1", "-o", tmp_path / "out")
    assert done.returncode == 2 and "1 of 2 texts could not be shown: text" in done.stderr, done.stderr
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["a_red_heart.png"]


def test_forced_results_take_the_place_of_those_before(pix2pix, tmp_path):
    for name in ("one", "two"):
        drawn(tmp_path / "in" / f"{name}.png")
    drawn(tmp_path / "in" / "two.webp", seed=1)  # two inputs of one name
    for seed in "0", "1":
        words = ("sample", pix2pix, "--input", tmp_path / "in", "--seed", seed, "-o")
        assert ganzoo(*words, tmp_path / "out", "--force").returncode == 0
        assert ganzoo(*words, tmp_path / seed).returncode == 0
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["00002-two.png", "one.png", "two.png"]
    for path in (tmp_path / "out").iterdir():
        assert path.read_bytes() == (tmp_path / "1" / path.name).read_bytes()


def test_another_size_says_which_option_mends_it(inpainter, tmp_path):
    path, mask = drawn(tmp_path / "a.png", (48, 48)), drawn(tmp_path / "m.png", (20, 16), mode="L")
    right = drawn(tmp_path / "b.png", (16, 16))
    for words in (["--input", path], ["--input", right, "--mask", mask]):
        text = refused(ganzoo("sample", inpainter, *words, "-o", tmp_path / "o.png"))
        assert "this model takes 16x16. Resize it: --size 16." in text
    assert ganzoo("sample", inpainter, "--input", path, "--size", "16", "-o", tmp_path / "o.png").returncode == 0
    model = gz.load(inpainter)
    with pytest.raises(GanzooError, match=r"of shape \[1, 1, 16, 16\], not \[n, 3, 16, 16\]"):
        model.sample(1, x=torch.zeros(1, 1, 16, 16))


@pytest.mark.parametrize("words", [{"n": "3"}, {"n": 2.5}, {"n": None}, {"n": 1, "seed": "a"}, {"n": 0}])
def test_numbers_that_are_none_are_refused(words):
    with pytest.raises(GanzooError, match=r"n=|seed=|samples"):
        gz.load("dcgan.mnist").sample(**words)
    assert gz.load("dcgan.mnist").sample(np.int64(1)).shape[0] == 1


def test_one_latent_of_another_length():
    with pytest.raises(GanzooError, match="latent z: 3 numbers, not"):
        gz.load("dcgan.mnist").sample(1, z=torch.zeros(1, 3))


@pytest.mark.parametrize(
    "verb, option", [("sample", "--size"), ("train", "--micro-batch"), ("eval", "-n"), ("push", "")]
)
def test_without_memory_a_verb_names_options_that_it_has(verb, option, capsys):
    torch_s = RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 999 bytes.")
    for fault in (MemoryError(), torch_s, torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")):
        assert report(fault, verb) == 3
        said = capsys.readouterr().err
        assert said.startswith("ganzoo: error: out of memory. ") and option in said and said.count("\n") == 1


def test_tiles_change_nothing():
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Conv2d(1, 2, 5, 1, 2), torch.nn.ReLU(), torch.nn.Conv2d(2, 1, 3, 1, 1))
    enlarged = torch.nn.Sequential(net, torch.nn.Upsample(scale_factor=2))
    picture = torch.randn(1, 1, 37, 50)
    with torch.no_grad():
        assert torch.allclose(in_tiles(enlarged, picture, 2, 3, 16), enlarged(picture), atol=1e-6)
        assert not torch.allclose(in_tiles(enlarged, picture, 2, 2, 16), enlarged(picture), atol=1e-6)


def test_no_network_of_tiles_sees_further_than_its_margin():
    net = gz.load("srgan.kodak").generator
    low = 2 * torch.rand(1, 3, 150, 90, generator=torch.Generator().manual_seed(0)) - 1
    with torch.no_grad():
        tiled = in_tiles(net, low, net.scale, 8 + 2 * len(net.blocks), 40)
        assert torch.allclose(tiled, net(low), atol=1e-4)


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
    assert torch.equal(read(clear, RGB, None), torch.ones(1, 3, 16, 16))
    assert torch.equal(
        read(drawn(tmp_path / "g.png", mode="L"), RGB, None)[0, 0], read(tmp_path / "g.png", GREY, None)[0, 0]
    )


def test_a_margin_that_the_network_needs_is_cut_off_again(pix2pix, tmp_path):
    path = drawn(tmp_path / "a.png", (50, 33))
    for options, side in ([], (50, 33)), (["--strip"], (2 * 50 + 6, 33 + 4)):
        done = ganzoo("sample", pix2pix, "--input", path, *options, "-o", tmp_path / "out.png", "--force")
        assert done.returncode == 0 and size(tmp_path / "out.png") == side
    with pytest.raises(GanzooError, match=r"50x33, not multiples of 16\. Resize it, to 48x32 say"):
        gz.load(pix2pix).translate(read(path, RGB, None))
    done = ganzoo("sample", pix2pix, "--input", path, "--size", "48x32", "-o", tmp_path / "sized.png")
    assert done.returncode == 0 and size(tmp_path / "sized.png") == (48, 32)


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
