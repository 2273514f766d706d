"""From what is declared to what is asked for, and from what is answered to the command line; no browser, no gradio."""

import base64
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from ganzoo_studio import views
from ganzoo_studio.asking import Ask
from ganzoo_studio.controls import DRAWN, controls_of, mixes, unasked
from ganzoo_studio.drawing import brushed, drawn, fitted, fitted_clip, under
from ganzoo_studio.gallery.collect import Card
from ganzoo_studio.gallery.page import HEARD, page
from ganzoo_studio.limits import PICTURES
from ganzoo_studio.shelf import Seat, Shelf
from ganzoo_studio.verbs import run
from PIL import Image

import ganzoo_core as gz
from ganzoo_core.cli.sample_ import sample_
from ganzoo_core.errors import GanzooError, UnknownNameError

INSTALLED = [info.id for info in gz.list_models() if info.installed]


def controls(source):
    return {control.title: control for control in controls_of(gz.load(source).generator)}


# ---- what is asked for -----------------------------------------------------------------------------------------------
def test_a_latent_alone_asks_for_nothing():
    assert controls("dcgan.mnist") == {}


def test_a_label_is_chosen_by_name():
    label = controls("cgan.mnist")["label"]
    assert (label.kind, label.flag, label.needed) == ("choice", "--label", True)
    assert label.choices == label.answers == tuple(gz.load("cgan.mnist").labels)


def test_codes_are_drawn_or_given():
    asked = controls("infogan.mnist")
    category = next(control for control in asked.values() if control.kind == "choice")
    assert category.choices[0] == DRAWN and category.answers[0] == "" and category.answers[3] == "2"
    numbers = [control for control in asked.values() if control.place >= 0]
    assert len(numbers) == 2 and all(control.optional and control.low < control.high for control in numbers)


def test_options_are_sliders_with_their_range():
    truncation = controls("stylegan2.emoji32")["truncation"]
    assert (truncation.kind, truncation.low, truncation.high, truncation.value) == ("number", -1, 1.5, 1.0)
    assert not truncation.optional
    assert controls("biggan.mnist")["truncation"].optional  # infinity: no slider shows it
    assert mixes(gz.load("stylegan2.emoji32").generator) and not mixes(gz.load("biggan.mnist").generator)


def test_pictures_words_and_holes():
    picture = controls("pix2pix.edges2emoji")["a"]
    assert (picture.kind, picture.flag, picture.needed) == ("picture", "--input", True)
    hole = controls("context_encoder.emoji")["mask"]
    assert (hole.kind, hole.flag) == ("mask", "--mask")
    assert controls("gan_cls.shapes")["text"].flag == "--text"
    painted = controls("singan.gravel")
    assert painted["image"].kind == "picture" and painted["mask"].kind == "mask" and not painted["image"].needed


@pytest.mark.parametrize("source", INSTALLED)
def test_nothing_is_left_unasked(source):
    assert unasked(gz.load(source).generator) == []


# ---- what is made ----------------------------------------------------------------------------------------------------
def answers(source, folder, seed):
    """An ask that gives a model all that it needs."""
    net, given = gz.load(source).generator, {}
    for control in controls_of(net):
        if control.needed and control.kind == "choice":
            given["labels"] = (control.answers[-1],)
        elif control.needed and control.kind == "text":
            given["text"] = "a red heart"
        elif control.kind == "picture" and control.needed:
            noise = np.random.default_rng(seed).integers(0, 255, (48, 64, 3), np.uint8)
            fitted(Image.fromarray(noise), control).save(folder / "input.png")
            given["input"] = "input.png"
        elif control.kind == "mask" and control.needed:
            hole = Image.new("L", (64, 64))
            hole.paste(255, (24, 24, 40, 40))
            fitted(hole, control, smooth=False).save(folder / "mask.png")
            given["mask"] = "mask.png"
        elif control.kind == "file" and control.needed:
            frames = [Image.new("RGB", (64, 64), (20 * i, 90, 0)) for i in range(12)]
            frames[0].save(folder / "clip.gif", save_all=True, append_images=frames[1:])
            first, *rest = fitted_clip(folder / "clip.gif", control)
            first.save(folder / "input.png", save_all=True, append_images=rest)
            given["input"] = "input.png"
    return net, Ask(Seat(source, ""), folder, 1, seed, **given)


@pytest.mark.parametrize("source", INSTALLED)
def test_what_is_shown_is_what_the_command_writes(source, tmp_path, monkeypatch):
    net, ask = answers(source, tmp_path, 5)
    shown = ask.make(net).file.read_bytes()
    monkeypatch.chdir(tmp_path)
    words = shlex.split(ask.shell("again" + net.output.suffixes[0]))
    assert words[:2] == ["ganzoo", "sample"]
    done = CliRunner().invoke(sample_, words[2:], catch_exceptions=False)
    assert done.exit_code == 0
    assert Path("again" + net.output.suffixes[0]).read_bytes() == shown


@pytest.mark.parametrize(
    "source", ["dcgan.mnist", "cgan.mnist", "pix2pix.edges2emoji", "stackgan.emoji64", "ctgan.people"]
)
def test_what_is_shown_is_what_the_python_writes(source, tmp_path, monkeypatch):
    net, ask = answers(source, tmp_path, 6)
    shown = ask.make(net).file.read_bytes()
    monkeypatch.chdir(tmp_path)
    exec(ask.python(net, "again" + net.output.suffixes[0]), {})
    assert Path("again" + net.output.suffixes[0]).read_bytes() == shown


def test_too_many_are_refused(tmp_path):
    net = gz.load("dcgan.mnist").generator
    for count in (0, PICTURES + 1):
        with pytest.raises(GanzooError, match="too many here"):
            Ask(Seat("dcgan.mnist", ""), tmp_path, count).make(net)


def test_a_command_computes_where_the_studio_does(monkeypatch):
    """On a machine with a card, where commands would take that."""
    ask = Ask(Seat("dcgan.mnist", ""), Path())
    assert "--device" not in ask.shell("x.png")
    monkeypatch.setattr("ganzoo_studio.asking.pick_device", lambda name: "cuda")
    assert ask.shell("x.png").endswith("--device cpu -o x.png")


def test_hostile_answers_stay_words():
    ask = Ask(Seat("dcgan.mnist", ""), Path(), text="'; rm -rf / #", options={"a": "$(id)"})
    assert shlex.split(ask.shell("x.png"))[-6:-2] == ["--text", "'; rm -rf / #", "-c", "a=$(id)"]


# ---- what is offered -------------------------------------------------------------------------------------------------
def test_a_shelf_gives_what_was_put_there(tmp_path):
    shelf = Shelf(["dcgan.mnist"])
    assert shelf.model("dcgan.mnist") is shelf.model("dcgan.mnist")
    for source in ("cgan.mnist", "/etc", "../..", str(tmp_path), "hf:me/digits", ""):
        with pytest.raises(UnknownNameError):
            shelf.model(source)
    with pytest.raises(UnknownNameError):
        shelf.run("/etc")


def test_a_verb_says_what_went_wrong_in_its_own_line(tmp_path):
    with pytest.raises(GanzooError, match=r"unknown model 'nobody.none'"):
        run(["latent", "walk", "nobody.none", "--seeds", "1,2", "-o", "x.gif"], tmp_path)


def test_a_verb_that_takes_long_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr("ganzoo_studio.verbs.SECONDS", 0.05)
    with pytest.raises(GanzooError, match="took more than"):
        run(["list"], tmp_path)


# ---- what is given ---------------------------------------------------------------------------------------------------
def editor(strokes=True):
    background = Image.new("RGBA", (40, 20), "red")
    layer = Image.new("RGBA", (40, 20))
    if strokes:
        layer.paste((255, 255, 255, 255), (10, 5, 20, 10))
    return {"background": background, "layers": [layer], "composite": Image.alpha_composite(background, layer)}


def test_what_is_brushed_is_the_hole_and_what_lies_below_is_the_picture():
    mask = brushed(editor())
    assert mask.getbbox() == (10, 5, 20, 10) and mask.getextrema() == (0, 255)
    assert under(editor()).getpixel((12, 7)) == (255, 0, 0, 255)
    assert drawn(editor()).getpixel((12, 7)) == (255, 255, 255, 255)
    assert brushed(editor(False)) is None


def test_nothing_given_is_said():
    for empty in (None, {"composite": None}, {"composite": Image.new("RGBA", (8, 8)), "background": None}):
        with pytest.raises(GanzooError, match="no picture is given"):
            drawn(empty)


def test_pictures_are_cut_to_what_a_model_takes():
    (control,) = [c for c in controls_of(gz.load("pix2pix.edges2emoji").generator) if c.kind == "picture"]
    made = fitted(Image.new("RGBA", (1000, 301)), control)
    assert made.size == (control.size[2], control.size[1]) if control.size[1] else made.width <= 256
    assert made.getpixel((0, 0)) in ((255, 255, 255), 255)  # what is transparent is white


# ---- what is seen ----------------------------------------------------------------------------------------------------
def test_views_escape_what_they_show(tmp_path):
    hostile = "<script>alert(1)</script>\"'"
    (tmp_path / "t.csv").write_text(f'a,b\n1,"{hostile.replace(chr(34), "")}"\n')
    (tmp_path / "t.txt").write_text(hostile)
    Image.new("L", (4, 4)).save(tmp_path / "t.png")
    for name in ("t.csv", "t.txt", "t.png"):
        html = views.shown(tmp_path / name, hostile)
        assert "<script" not in html and "&lt;script&gt;" in html
    assert "<th scope=col>a</th>" in views.shown(tmp_path / "t.csv", "rows")
    assert "<th" not in views.table(b"1.5,2\n3,4\n", "rows")


def test_the_gallery_has_a_player_of_what_can_be_heard():
    """Inside the page; of a large one, and of what is only looked at, there is none."""
    heard = b"RIFF\x04\0\0\0WAVE"
    for recording, players in ((heard, 1), (b"", 0), (heard + bytes(HEARD), 0)):
        card = Card("<b>.x", "f", "s", "p", "t", "d", "l", "c", (), b"png", recording)
        html = page([card])
        assert html.count("<audio controls") == players and "<b>" not in html
        assert (base64.b64encode(heard).decode() in html) == bool(players)
        assert "media-src data:" in html and "default-src 'none'" in html


def test_downloads_hold_the_files_themselves(tmp_path):
    (tmp_path / "a&b.png").write_bytes(b"bytes")
    html = views.downloads([tmp_path / "a&b.png"])
    assert 'download="a&amp;b.png"' in html and base64.b64encode(b"bytes").decode() in html and "5 bytes" in html


def test_what_no_browser_shows_is_offered(tmp_path):
    (tmp_path / "tune.mid").write_bytes(b"MThd")
    assert "downloaded" in views.shown(tmp_path / "tune.mid", "a tune") and not views.has_view(tmp_path / "tune.mid")


def test_without_gradio_it_says_what_to_install():
    code = "import sys; sys.modules['gradio'] = None; import ganzoo_core.cli as c; c.main(['studio', 'dcgan.mnist'])"
    code = code.replace("sys.modules['gradio'] = None", "import importlib.util as u; f = u.find_spec; "
                        "u.find_spec = lambda name, *a: None if name == 'gradio' else f(name, *a)")  # fmt: skip
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (
        done.returncode == 2 and done.stderr.count("\n") == 1 and 'pip install "ganzoo-studio[gradio]"' in done.stderr
    )
