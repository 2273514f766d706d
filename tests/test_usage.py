"""What users do with a model: the line after training, file formats, sources, information, Python's conveniences."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image
from processes import ganzoo, refused

import ganzoo_core as gz
from ganzoo_core.errors import GanzooError
from ganzoo_core.models import store
from ganzoo_core.models.model import Model
from ganzoo_core.nn import Clips, Images, Label, Mask
from ganzoo_core.registry.recipes import build, recipe

ROOT = Path(__file__).parent.parent
OLD = Path(__file__).parent / "fixtures" / "v0_1"
TINY = ("--preset", "tiny", "--images", "8", "--batch-size", "4")


def pictures(folder: Path, size: tuple[int, int] = (16, 16), number: int = 4) -> Path:
    folder.mkdir(parents=True)
    for i in range(number):
        Image.radial_gradient("L").resize(size).rotate(40 * i).convert("RGB").save(folder / f"{i}.png")
    return folder


def labelled_pictures(folder: Path) -> Path:
    for name in ("daisy", "tall rose"):
        pictures(folder / name)
    return folder


# The line after training


@pytest.mark.parametrize(
    ("family", "data", "options"),
    [("dcgan", "digits", ()), ("cgan", "labelled", ("-c", "classes=2")), ("pix2pix", "a::b", ()),
     ("context_encoder", "masked:a", ()), ("gan_cls", "shapes:captions", ()), ("srgan", "x4:a", ())],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_the_line_after_training_works(family, data, options, tmp_path):
    for name in "ab":
        pictures(tmp_path / name, (32, 32))
    labelled_pictures(tmp_path / "labelled")
    done = ganzoo("train", family, *TINY, "--data", data, *options, "--out", "run", cwd=tmp_path)
    if done.returncode == 2 and "data" in done.stderr:
        pytest.fail(done.stderr)
    assert done.returncode == 0, done.stderr
    (line,) = re.findall("next: ganzoo (.*)", done.stderr)
    shutil.copy(tmp_path / "a" / "0.png", tmp_path / "picture.png")
    again = ganzoo(*shlex.split(line), cwd=tmp_path)
    assert again.returncode == 0, f"{line}: {again.stderr}"


def test_a_missing_label_names_the_option_and_a_class():
    net = gz.create("cgan", preset="tiny", classes=2).G
    net.inputs = {**net.inputs, "label": Label(2, ("tall rose", "daisy"))}
    with pytest.raises(GanzooError, match="give --label 'tall rose'; in Python label=\"tall rose\""):
        net.sample(2, seed=0)
    assert Label.example("label", {"names": ["```; rm"]}) == ("label=0", "--label 0")


def test_a_mask_file_is_white_where_the_hole_is(tmp_path):
    Image.new("L", (4, 4), 0).save(tmp_path / "black.png")
    mask = Mask((1, 4, 4))
    assert mask.rows("mask", tmp_path / "black.png", 1, torch.device("cpu")).sum() == 0
    assert mask.rows("mask", Image.new("L", (4, 4), 255), 1, torch.device("cpu")).sum() == 16


# Files


@pytest.mark.parametrize("suffix", [".png", ".PNG", ".jpg", ".JPEG", ".webp"])
@pytest.mark.parametrize("verb", [("sample", "-n", "2"), ("interpolate", "--seeds", "1,2", "--steps", "1")])
def test_pictures_are_saved_in_the_format_of_their_ending(verb, suffix, tmp_path):
    done = ganzoo(verb[0], "dcgan.mnist", *verb[1:], "-o", f"out{suffix}", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    with Image.open(tmp_path / f"out{suffix}") as image:
        assert image.format == {".png": "PNG", ".webp": "WEBP"}.get(suffix.lower(), "JPEG")


@pytest.mark.parametrize("name", ["walk.avi", "grid.tiff", "grid.npy", "a.b"])
@pytest.mark.parametrize("verb", [("sample", "-n", "2"), ("interpolate", "--seeds", "1,2", "--steps", "1")])
def test_other_endings_are_refused_and_nothing_is_made(verb, name, tmp_path):
    assert ".webp" in refused(ganzoo(verb[0], "dcgan.mnist", *verb[1:], "-o", name, cwd=tmp_path))
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["g.pt", "g.safetensors", "g.zip"])
def test_export_makes_no_directory_that_is_called_like_a_file(name, tmp_path):
    assert "model directory" in refused(ganzoo("export", "dcgan.mnist", name, cwd=tmp_path))
    assert not list(tmp_path.iterdir())


def test_what_is_transparent_lies_on_white_in_a_jpeg(tmp_path):
    clear = torch.full((1, 4, 8, 8), -1.0)
    Images((4, 8, 8)).save(clear, tmp_path / "clear.jpg")
    assert Image.open(tmp_path / "clear.jpg").convert("L").getextrema()[0] > 250


def test_a_sheet_that_is_too_large_for_its_format_is_one_line(tmp_path):
    with pytest.raises(GanzooError, match="make no WEBP"):
        Clips((1, 1, 20_000, 1)).save(torch.zeros(1, 1, 1, 20_000, 1), tmp_path / "long.png")
        Images((1, 20_000, 1)).save(torch.zeros(1, 1, 20_000, 1), tmp_path / "long.webp")


# Sources


@pytest.mark.parametrize(
    ("source", "meant"),
    [("me/my-gan", "hf:me/my-gan"), ("https://huggingface.co/me/my-gan", "hf:me/my-gan"),
     ("https://huggingface.co/me/my-gan/tree/v1", "hf:me/my-gan@v1"), ("hf.co/me/my-gan/", "hf:me/my-gan"),
     ("huggingface.co/me/my-gan/blob/main/config.json", "hf:me/my-gan"),
     ("https://hub.example/me/my-gan?x=1", "hf:me/my-gan"), ("hf:https://huggingface.co/me/my-gan", "hf:me/my-gan"),
     ("/me/my-gan", ""), ("./me/my-gan", ""), ("me/my/gan", "")],
)  # fmt: skip
def test_a_model_of_the_hub_is_known_by_what_people_write(source, meant, tmp_path):
    line = refused(ganzoo("sample", source, "-o", "x.png", cwd=tmp_path))
    assert (meant in line and bool(meant)) or "hf:" not in line, line


@pytest.mark.parametrize("source", ["x" * 300, "x" * 300 + "/y", "\0", ""])
def test_what_can_be_no_file_is_no_model(source, tmp_path):
    assert "hf:" not in refused(ganzoo("sample", source, "-o", tmp_path / "x.png"))


def test_a_repository_of_another_library_says_which(hub, tmp_path):
    card = b"---\nlibrary_name: diffusers\n---\n# A pipeline\n"
    hub.commit("you/pipeline", {"README.md": card, "model_index.json": b"{}"})
    line = refused(ganzoo("sample", "hf:you/pipeline", "-o", tmp_path / "x.png"))
    assert "diffusers" in line


def test_a_model_for_a_newer_plugin_says_which_and_how(tmp_path):
    folder = tmp_path / "m"
    shutil.copytree(next(ROOT.glob("plugins/*/*/weights/dcgan.mnist")), folder)
    config = json.loads((folder / "config.json").read_text("utf-8"))
    config["networks"]["requires"] = ">=9.3,<9.4"
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    verbs = [("sample", folder, "-o", tmp_path / "x.png"), ("verify", folder), ("eval", folder)]
    for verb in [*verbs, ("push", folder, "me/x", "--license", "mit")]:
        line = refused(ganzoo(*verb))
        assert "needs ganzoo-dcgan" in line and ">=9.3" in line and "ganzoo install ganzoo-dcgan" in line


# What is known of it


def test_info_of_a_model_and_of_a_run_directory(tmp_path):
    of_model = ganzoo("info", OLD / "model")
    assert of_model.returncode == 0 and re.search(r"^id +dcgan.digits$", of_model.stdout, re.M), of_model.stderr
    of_run = ganzoo("info", OLD / "run", "--json")
    facts = json.loads(of_run.stdout)
    assert facts["preset"] == "tiny" and facts["data"] == "digits" and facts["checkpoints"] == [320]
    run = tmp_path / "run"
    shutil.copytree(OLD / "run", run)
    shutil.copytree(OLD / "model", run / "model")
    both = json.loads(ganzoo("info", run, "--json").stdout)
    assert both["preset"] == "tiny" and both["id"] == "dcgan.digits" and both["dtype"] == "float32"
    assert "neither a model nor a run" in refused(ganzoo("info", tmp_path))


def test_columns_of_info_never_touch():
    lines = ganzoo("info", "biggan").stdout.split("\n\n")[0].splitlines()
    presets = [line for line in lines if line.startswith("preset ")]
    assert len(presets) > 3 and all(re.match(r"preset \w+  +G ", line) for line in presets), presets


def test_verify_of_a_damaged_checkpoint_is_one_line(tmp_path):
    for name, words in {
        "manifest.json": "No such file",
        "objective.safetensors": "is not what the manifest promises",
    }.items():
        run = tmp_path / name / "run"
        shutil.copytree(OLD / "run", run)
        shutil.copytree(OLD / "model", run / "model")
        assert ganzoo("verify", run).returncode == 0
        (run / "checkpoints" / "000000000320" / name).unlink()
        line = refused(ganzoo("verify", run), 5)
        assert name in line and words in line and "000000000320" in line


def test_scores_are_not_published_into_what_is_pinned():
    line = refused(ganzoo("eval", "dcgan.mnist", "--publish", "--metric", "nearest", "-n", "4", "--data", "digits"))
    assert "pinned" in line and "ganzoo export dcgan.mnist" in line


# Python


def test_python_has_labels_pictures_ways_and_scores():
    cgan, dcgan = gz.load("cgan.mnist"), gz.load("dcgan.mnist")
    assert cgan.labels == [str(i) for i in range(10)] and dcgan.labels == []
    samples = cgan.sample(2, label="3")
    assert [image.size for image in cgan.to_pil(samples)] == [(32, 32)] * 2
    way = dcgan.interpolate([1, 2, 3], 2)
    assert way.shape == (5, 1, 32, 32)
    for at, seed in ((0, 1), (2, 2), (4, 3)):
        torch.testing.assert_close(way[at : at + 1], dcgan.sample(1, seed=seed), atol=1e-4, rtol=0)
    with pytest.raises(GanzooError, match="n='3': is no whole number"):
        cgan.sample("3")
    (score,) = gz.evaluate(dcgan, "nearest", data="digits", n=8)[:1]
    assert score.protocol["data"] == "digits" and score.protocol["n"] == 8


def test_a_run_on_a_folder_of_ones_own_is_measured_against_it(tmp_path):
    pictures(tmp_path / "mine", number=8)
    done = ganzoo("train", "dcgan", *TINY, "--data", "mine", "--out", "run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    done = ganzoo("eval", "run", "--metric", "nearest", "-n", "4", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["metrics"][0]["protocol"]["data"] == "mine"


def test_the_first_frame_of_a_way_between_captions_is_the_first_sample():
    model = gz.load("stackgan.emoji64")
    alone = model.sample(1, text="a red heart")
    way = model.sample(3, text="a red heart", towards="a blue car")
    torch.testing.assert_close(way[:1], alone, atol=1e-4, rtol=0)


@pytest.mark.slow
def test_two_threads_that_load_leave_stdout_where_it_is():
    program = """
import sys, threading, ganzoo_core as gz
def load():
    for _ in range(3):
        gz.load("dcgan.mnist"); sys.stdout.write("loaded\\n")
threads = [threading.Thread(target=load) for _ in range(2)]
[t.start() for t in threads]; [t.join() for t in threads]
print("end")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["loaded"] * 6 + ["end"] and done.stderr == ""


def test_stdout_stays_while_a_plugin_answers_in_another_thread():
    """In a program of others stdout is theirs, while a model is looked for too."""

    program = f"""
import os, sys, threading
sys.path[:0] = {sys.path!r}
from ganzoo_core.registry.plugins import stdout_to_stderr
inside, done = threading.Event(), threading.Event()
def other():
    with stdout_to_stderr():
        inside.set(); done.wait(10)
thread = threading.Thread(target=other); thread.start(); inside.wait(10)
with stdout_to_stderr():
    done.set(); thread.join()
os.write(1, b"here")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("here", ""), done.stderr


@pytest.mark.slow
def test_a_model_loads_without_any_source_file(tmp_path):
    """A frozen application has compiled modules alone."""
    import compileall

    for package in ("ganzoo_core", "plugins/ganzoo-dcgan/ganzoo_dcgan"):
        target = tmp_path / Path(package).name
        shutil.copytree(ROOT / package, target, ignore=shutil.ignore_patterns("__pycache__", "testing", "cli"))
        assert compileall.compile_dir(target, quiet=2, legacy=True)
        for source in target.rglob("*.py"):
            source.unlink()
    info = tmp_path / "ganzoo_dcgan-0.2.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: ganzoo-dcgan\nVersion: 0.2.0\n")
    (info / "entry_points.txt").write_text("[ganzoo.plugins]\ndcgan = ganzoo_dcgan.plugin\n")
    program = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\nimport ganzoo_core as gz\n"
        "assert gz.__file__.endswith('.pyc'), gz.__file__\n"
        "print(tuple(gz.load('dcgan.mnist').sample(2).shape), gz.create('dcgan', preset='tiny').lr)"
    )
    env = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path,
                          env={**env, "GANZOO_PLUGINS": "dcgan"})  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "(2, 1, 32, 32) 0.0002"


# What can be stored


def spoilt(spoil):
    objective = build(recipe("dcgan", preset="tiny"))
    spoil(objective)
    return objective


def test_complex_numbers_are_refused_before_the_training(tmp_path):
    def spoil(objective):
        objective.G.register_buffer("phase", torch.zeros(2, dtype=torch.complex64))

    with pytest.raises(GanzooError, match="phase: is complex64"):
        gz.fit(spoilt(spoil), "digits", images=8, batch_size=4, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_one_weight_of_two_names_is_stored_and_read(tmp_path):
    tied, fresh = (torch.nn.Sequential(torch.nn.Linear(3, 3), torch.nn.Linear(3, 3)) for _ in range(2))
    tied[1].weight = tied[0].weight
    made = store.fill(tmp_path / "w", {"G": fresh}, store.pack({"G": tied}, "float32"))["G"]
    assert all(torch.equal(made.state_dict()[name], value) for name, value in tied.state_dict().items())


def test_a_number_that_half_precision_cannot_hold_is_refused():
    norm = torch.nn.BatchNorm1d(2)
    norm.running_var.fill_(1e5)
    with pytest.raises(GanzooError, match=r"G.running_var: 1e\+05 is too large for float16. Store it as bfloat16"):
        store.pack({"G": norm}, "float16")
    assert store.pack({"G": norm}, "bfloat16")


def test_threads_share_a_model_and_build_at_once():
    """Plugins are imported once, however many threads ask first."""
    program = """
import threading, ganzoo_core as gz
from ganzoo_core.registry.plugins import registry
found = []
threads = [threading.Thread(target=lambda: found.append(registry())) for _ in range(8)]
[t.start() for t in threads]; [t.join() for t in threads]
assert len(set(map(id, found))) == 1, "several registries"
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_notebook_is_shown_samples():
    """Those that the directory has, drawn ones where it has none, and nothing of one that wants words."""
    model = gz.load("dcgan.mnist")
    assert model._repr_png_() == (model.folder / "samples.png").read_bytes()
    bare = Model(model.folder / "elsewhere", (model.config, model.recipe, model.networks))
    assert bare._repr_png_().startswith(b"\x89PNG")
    words = gz.load("gan_cls.shapes")
    assert Model(words.folder / "elsewhere", (words.config, words.recipe, words.networks))._repr_png_() is None


def test_samples_as_pictures_of_pillow():
    model = gz.load("dcgan.mnist")
    pictures = model.sample(3, seed=1, as_pil=True)
    assert [picture.tobytes() for picture in pictures] == [p.tobytes() for p in model.to_pil(model.sample(3, seed=1))]
