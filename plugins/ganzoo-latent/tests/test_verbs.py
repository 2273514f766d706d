"""`ganzoo latent` as users call it: files, lines, exit codes."""

from __future__ import annotations

from pathlib import Path
from subprocess import CompletedProcess

import pytest
import torch
from ganzoo_latent import directions, dissection
from ganzoo_latent.activations import layer_of
from ganzoo_latent.cli.arithmetic import parsed
from ganzoo_latent.cli.shared import colour, numbers
from ganzoo_latent.encoder import teach
from ganzoo_latent.painter import Painter
from processes import ganzoo
from safetensors.torch import save

import ganzoo_core as gz
from ganzoo_core import imaging
from ganzoo_core.cli import save_sheet
from ganzoo_core.errors import GanzooError

QUICK = {
    "walk": ["--seeds", "1,2,3", "--steps", "2"],
    "arithmetic": ["@slant - 1,2 + -@area", "--draws", "20", "--extractor", "none"],
    "project": ["PICTURE", "--steps", "4", "--extractor", "none"],
    "edit": ["1", "--colour", "4,4,2=#ff0000", "--steps", "3"],
    "directions": ["-k", "2", "--draws", "100"],
    "dissect": ["--draws", "32", "--units", "2", "--insert", "8,8"],
    "move": ["1", "--along", "1:2", "--along", "2:-0.5"],
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "run"
    gz.fit(gz.create("dcgan", preset="tiny"), "digits", images=64, out=folder)
    return folder


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "digit.png"
    imaging.save(imaging.picture(torch.rand(1, 20, 20) * 2 - 1), path)
    return path


def run(*words: object) -> CompletedProcess[str]:
    done: CompletedProcess[str] = ganzoo("latent", *words)
    return done


@pytest.mark.parametrize("verb", QUICK)
def test_every_verb_gives_the_same_twice(verb: str, model: Path, picture: Path, tmp_path: Path) -> None:
    words = [str(picture) if word == "PICTURE" else word for word in QUICK[verb]]
    made = []
    for name in ("a", "b"):
        out = tmp_path / name / "out.png"
        out.parent.mkdir()
        done = run(verb, model, *words, "-o", out)
        assert done.returncode == 0, done.stderr
        made.append({file.name: file.read_bytes() for file in sorted(out.parent.iterdir())})
    assert made[0] == made[1]
    assert "out.png" in made[0]
    assert ("out.safetensors" in made[0]) == (verb in ("project", "edit", "directions", "move"))


def test_what_was_found_can_be_walked_to_and_edited(model: Path, picture: Path, tmp_path: Path) -> None:
    found = tmp_path / "found.png"
    assert run("project", model, picture, "--steps", "3", "--extractor", "none", "-o", found).returncode == 0
    point = found.with_suffix(".safetensors")
    assert run("walk", model, "--seeds", f"1,{point}", "-o", tmp_path / "walk.gif").returncode == 0
    edited = tmp_path / "edited.png"
    done = run("edit", model, point, "--warp", "4,4:8,8", "--photo", picture, "--steps", "3", "-o", edited)
    assert done.returncode == 0, done.stderr
    pasted = run("edit", model, "2", "--paste", f"{point}@0,0,8,8:8,8", "-o", tmp_path / "pasted.png")
    assert pasted.returncode == 0, pasted.stderr
    dragged = run("edit", model, "2", "--drag", "4,4:8,4", "--steps", "2", "-o", tmp_path / "dragged.png")
    assert dragged.returncode == 0, dragged.stderr


def test_a_point_moves_along_what_directions_wrote(model: Path, tmp_path: Path) -> None:
    """The third picture of seven is one deviation behind, of a strip that reaches three: two thirds back."""
    strips, there = tmp_path / "strips.png", tmp_path / "there.png"
    assert run("directions", model, "-k", "2", "--draws", "100", "--point", "4", "-o", strips).returncode == 0
    ways = strips.with_suffix(".safetensors")
    assert run("move", model, "4", "--along", "2:-1", "--ways", ways, "-o", there).returncode == 0
    by_hand = tmp_path / "sefa.png"
    assert run("move", model, "4", "--along", "2:-1", "-o", by_hand).returncode == 0
    assert there.read_bytes() == by_hand.read_bytes()
    painter = Painter(gz.load(model).generator)
    strip = directions.strip(painter, painter.draw(1, 4), directions.sefa(painter, 2)[1:])
    moved = directions.moved(painter, painter.draw(1, 4), directions.sefa(painter, 2), [(2, -1.0)])
    assert torch.allclose(painter.pictures(moved), strip[2:3], atol=1e-5)
    back = run("move", model, there.with_suffix(".safetensors"), "--along", "2:1", "-o", tmp_path / "back.png")
    assert back.returncode == 0, back.stderr


def test_units_are_silenced_by_number(model: Path, tmp_path: Path) -> None:
    out = tmp_path / "without.png"
    assert run("dissect", model, "--silence", "0,1", "-n", "4", "-o", out).returncode == 0
    painter = Painter(gz.load(model).generator)
    rows = dissection.silenced(painter, layer_of(painter), [0, 1], painter.draw(4))
    assert len(rows) == 8 and not torch.equal(rows[:4], rows[4:])
    save_sheet(rows, 4, tmp_path / "same.png")
    assert out.read_bytes() == (tmp_path / "same.png").read_bytes()
    assert run("dissect", model, "--silence", "none", "-n", "1", "-o", tmp_path / "none.png").returncode == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["dissect", "--silence", "99999"], "has units 0 to"),
        (["dissect", "--silence", "a"], "Name some: 3,17."),
        (["dissect", "--silence", "1", "--concept", "red"], "Leave --concept and --insert out."),
        (["move", "1", "--along", "0:1"], "directions are counted from 1"),
        (["move", "1", "--along", "x"], "expected K:D"),
    ],
)
def test_what_cannot_be_moved_or_silenced_is_said(model: Path, tmp_path: Path, words: list[str], said: str) -> None:
    done = run(words[0], model, *words[1:], "-o", tmp_path / "x.png")
    assert done.returncode == 2 and said in done.stderr and done.stderr.count("\n") == 1


def test_an_encoder_is_kept(model: Path, picture: Path, tmp_path: Path) -> None:
    kept = tmp_path / "encoder.safetensors"
    painter = Painter(gz.load(model).generator)
    kept.write_bytes(save(teach(painter, steps=3).state_dict()))
    words = ("--how", "encoder", "--encoder", kept, "--extractor", "none", "-o", tmp_path / "a.png")
    done = run("project", model, picture, *words)
    assert done.returncode == 0, done.stderr
    assert "lessons" not in done.stderr
    kept.write_bytes(b"no encoder")
    done = run("project", model, picture, "--how", "hybrid", "--encoder", kept, "-o", tmp_path / "c.png")
    assert done.returncode == 2
    assert "no encoder of this model" in done.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("walk", "--seeds", "1"), "two at least"),
        (("walk", "--seeds", "1,x.safetensors"), "no such file"),
        (("walk", "--seeds", "1,2", "--space", "w"), "unknown space"),
        (("walk", "--seeds", "1,2", "-c", "label=2"), "unknown input"),
        (("arithmetic", "1 2"), "no sum of groups"),
        (("arithmetic", "@beauty"), "unknown measure"),
        (("arithmetic", "one"), "is no group"),
        (("edit", "1"), "One of the three"),
        (("edit", "1", "--colour", "4,4=red"), "expected X,Y,R"),
        (("edit", "1", "--colour", "4,4,2=red"), "is no colour"),
        (("edit", "1", "--drag", "4"), "expected X,Y:X,Y"),
        (("directions", "--how", "boundary"), "Name one"),
        (("directions", "-k", "64"), "Ask for fewer"),
        (("dissect", "--layer", "nowhere"), "unknown layer"),
        (("dissect", "--segmenter", "nowhere:made"), "--segmenter"),
        (("dissect", "--segmenter", "collections:OrderedDict"), "makes no"),
        (("dissect", "--concept", "beauty", "--draws", "16"), "unknown concept"),
    ],
)
def test_wrong_words_are_one_line(words: tuple[str, ...], said: str, model: Path, tmp_path: Path) -> None:
    verb, *rest = words
    extractor = ["--extractor", "none"] if verb == "arithmetic" else []
    done = run(verb, model, *rest, *extractor, "-o", tmp_path / "out.png")
    assert done.returncode == 2, done.stderr
    lines = [line for line in done.stderr.splitlines() if "error" in line]
    assert len(lines) == 1
    assert said in lines[0]
    assert not (tmp_path / "out.png").exists()


def test_a_segmenter_of_ones_own(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.py").write_text(
        "from ganzoo_latent.concepts import Colours\n"
        "def halves(): return Colours({'dark': (0.0,), 'light': (1.0,)})\n"
    )  # fmt: skip
    words = ("--segmenter", "mine:halves", "--concept", "light", "--draws", "16", "--units", "1", "--by", "iou")
    monkeypatch.syspath_prepend(str(tmp_path))
    done = run("dissect", model, *words, "-o", tmp_path / "out.png")
    assert done.returncode == 0, done.stderr
    assert "light: unit" in done.stderr


def test_a_model_without_a_latent_says_so(tmp_path: Path) -> None:
    done = run("walk", "srgan.kodak", "--seeds", "1,2", "-o", tmp_path / "out.png")
    assert (done.returncode, "draws no latent" in done.stderr) == (2, True)


@pytest.mark.slow
def test_what_else_a_model_needs_and_sizes_that_are_free(picture: Path, tmp_path: Path) -> None:
    words = ("walk", "gan_cls.shapes", "--seeds", "1,2", "--steps", "1", "-o", tmp_path / "walk.png")
    assert run(*words, "--text", "a large red circle").returncode == 0
    done = run(*words, "--force")
    assert (done.returncode, "--text" in done.stderr) == (2, True)
    found = run("project", "singan.rocket", picture, "--steps", "1", "--extractor", "none", "-o", tmp_path / "a.png")
    assert found.returncode == 0, found.stderr


def test_in_z_components_are_those_of_a_layer(model: Path, tmp_path: Path) -> None:
    """Of normal points all ways are alike: what a layer makes of them decides."""
    for name, more in (("a", ()), ("b", ("--layer", "main.2"))):
        done = run(
            "directions", model, "--how", "pca", "-k", "2", "--draws", "100", *more, "-o", tmp_path / f"{name}.png"
        )
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_sums_colours_and_places_are_read() -> None:
    assert parsed("7 - 3 + @slant - -@area") == [("+", "7"), ("-", "3"), ("+", "@slant"), ("-", "-@area")]
    assert parsed("- 3 + 1,2") == [("-", "3"), ("+", "1,2")]
    assert numbers("--drag", "1, 2.5:-3,4", "X,Y:X,Y") == [1, 2.5, -3, 4]
    assert colour("#ff0080", 3) == [1.0, -1.0, 128 / 127.5 - 1]
    assert colour("255", 1) == [1.0]
    with pytest.raises(GanzooError, match="no colour"):
        colour("256", 1)
