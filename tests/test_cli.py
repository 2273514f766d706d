"""The command line as its users meet it: real processes, their output and their exit codes."""

import json
import os
import subprocess
import sys

import pytest
from processes import ganzoo as preserve_rng
from processes import refused

HEAVY = ("torch", "numpy", "torchvision", "huggingface_hub", "rich", "sklearn", "PIL")
TINY = ["train", "dcgan", "--preset", "tiny", "--images", "64", "--batch-size", "16"]


def ganzoo(*args, **kwargs):
    """Run the program. The environment is ours, with one thread."""
    env = {**os.environ, "OMP_NUM_THREADS": "1", **kwargs.pop("env", {})}
    command = [sys.executable, "-m", "ganzoo_core", *map(str, args)]
    return subprocess.run(command, capture_output=True, text=True, env=env, **kwargs)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run directory of a tiny DCGAN."""
    folder = tmp_path_factory.mktemp("cli") / "run"
    done = ganzoo(*TINY, "--out", folder)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(folder)
    return folder


@pytest.mark.parametrize("verb", [["--help"], ["list", "--json"], ["list"], ["train", "--help"], ["--version"]])
def test_light_verbs_import_nothing_heavy(verb):
    program = (
        "import sys\nfrom ganzoo_core.cli import main\n"
        f"try: main({verb!r})\nexcept SystemExit as end: assert not end.code, end\n"
        f"bad = [m for m in {HEAVY!r} if m in sys.modules]\nassert not bad, bad"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_list_does_not_import_plugins_of_the_recorded_version():
    program = (
        "import sys\nfrom ganzoo_core.cli import main\ntry: main(['list'])\nexcept SystemExit: pass\n"
        "bad = [m for m in ('pluggy', 'packaging', 'ganzoo_dcgan') if m in sys.modules]\nassert not bad, bad"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_list_json():
    document = json.loads(ganzoo("list", "--json").stdout)
    assert document["schema"] == 1
    assert {"gan", "dcgan"} <= {f["name"] for f in document["families"]}
    assert {m["id"]: m["family"] for m in document["models"]}["dcgan.mnist"] == "dcgan"
    assert not json.loads(ganzoo("list", "--json", "nothing*").stdout)["families"]


def test_list_matches_patterns_and_facts():
    document = json.loads(ganzoo("list", "--json", "dc*", "--task", "unconditional").stdout)
    assert [f["name"] for f in document["families"]] == ["dcgan"]
    assert {m["family"] for m in document["models"]} == {"dcgan"}


def test_list_filters_by_licence_family_and_weights():
    document = json.loads(ganzoo("list", "--json", "--licence", "Apache-2.0", "--family", "gan", "--weights").stdout)
    assert [f["name"] for f in document["families"]] == ["gan"]
    assert [m["id"] for m in document["models"]] == ["gan.mnist"]
    assert not json.loads(ganzoo("list", "--json", "--licence", "MIT").stdout)["models"]


@pytest.mark.slow
def test_info_of_a_family_explains_every_argument():
    document = json.loads(ganzoo("info", "dcgan", "--json").stdout)
    arguments = {a["name"]: a for a in document["arguments"]}
    assert arguments["width"]["default"] == 64 and arguments["width"]["type"] == "int"
    assert all(a["meaning"] for a in arguments.values())
    assert "3,576,704" in document["presets"]["paper"]


def test_info_of_a_model():
    document = json.loads(ganzoo("info", "dcgan.mnist", "--json").stdout)
    assert document["licence"] and document["files"]["model.safetensors"]["sha256"]


@pytest.mark.slow
def test_a_run_directory_holds_everything(run):
    assert {"run.json", "log.jsonl", "samples", "model"} <= {p.name for p in run.iterdir()}
    assert {"config.json", "model.safetensors", "samples.png"} <= {p.name for p in (run / "model").iterdir()}
    assert json.loads((run / "run.json").read_text())["recipe"]["family"] == "dcgan"
    entries = [json.loads(line) for line in (run / "log.jsonl").read_text().splitlines()]
    assert entries[-1]["images"] == 64 and set(entries[-1]["losses"]) == {"D/real", "D/fake", "G/adv"}
    assert list((run / "samples").glob("*.png"))


@pytest.mark.slow
def test_sample_gives_the_same_pictures_in_every_process(run, tmp_path):
    import ganzoo_core as gz
    from ganzoo_core import imaging

    for name in ("a.png", "b.png"):
        done = ganzoo("sample", run, "-n", "9", "--seed", "3", "-o", tmp_path / name)
        assert done.returncode == 0 and done.stdout.strip() == str(tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    imaging.save(imaging.grid(gz.load(run).sample(9, seed=3)), tmp_path / "c.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "c.png").read_bytes()


@pytest.mark.slow
def test_sample_writes_single_pictures_and_refuses_to_overwrite(run, tmp_path):
    assert ganzoo("sample", run, "-n", "3", "-o", tmp_path / "out").returncode == 0
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["00000.png", "00001.png", "00002.png"]
    assert "--force" in refused(ganzoo("sample", run, "-n", "3", "-o", tmp_path / "out"))
    assert ganzoo("sample", run, "-n", "3", "-o", tmp_path / "out", "--force").returncode == 0


BAD = {  # bad-inputs.md, section L, and what else a person mistypes: arguments, words of the answer
    "L01 near id": (["sample", "dcgan.mnits", "-o", "x.png"], "Did you mean dcgan.mnist"),
    "L02 dots": (["sample", "../../no/etc", "-o", "x.png"], "no such model or run directory"),
    "L02 escape": (["info", "dc\x1b[31mgan"], r"\x1b[31m"),
    "L02 long": (["info", "x" * 10_000], "10000 characters"),
    "L02 empty": (["info", ""], "unknown family or model"),
    "L02 look-alike": (["info", "dcgаn"], "Did you mean dcgan"),
    "L03 zero": (["sample", "dcgan.mnist", "-n", "0", "-o", "x.png"], "range"),
    "L03 negative": (["sample", "dcgan.mnist", "-n", "-1", "-o", "x.png"], "range"),
    "L03 float": (["sample", "dcgan.mnist", "-n", "1e3", "-o", "x.png"], "not a valid integer"),
    "L03 huge": (["sample", "dcgan.mnist", "-n", str(10**20), "-o", "x.png"], "range"),
    "L05 proc": (["sample", "dcgan.mnist", "-o", "/proc/1/x/y.png"], "-o"),
    "L05 is a file": (["sample", "dcgan.mnist", "-o", "pyproject.toml"], "exists"),
    "L06 option": (["train", "dcgan", "--bogus"], "--bogus"),
    "L06 command": (["smaple"], "Did you mean sample"),
    "L07 cuda": (["train", "dcgan", "--device", "cuda:63"], "--device cpu"),
    "L11 option": (["sample", "dcgan.mnist", "-c", "truncation=0.5", "-o", "x.png"], "unknown sampling option"),
    "unknown data": (["train", "dcgan", "--data", "minst"], "mnist"),
    "unknown family": (["train", "dcgna"], "Did you mean dcgan"),
    "unknown preset": (["train", "dcgan", "--preset", "papr"], "paper"),
    "unknown key": (["train", "dcgan", "-c", "widht=3"], "Did you mean width"),
    "not a pair": (["train", "dcgan", "-c", "width"], "key=value"),
    "wrong type": (["train", "dcgan", "-c", "width=wide"], "int"),
    "wrong choice": (["train", "dcgan", "-c", "norm=batsh"], "batch"),
    "N21 no images": (["train", "dcgan", "--images", "0"], "range"),
    "misfit": (["train", "dcgan", "--data", "ring"], "has no images"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_line(name, tmp_path):
    args, words = BAD[name]
    if "x.png" in args:
        args = [str(tmp_path / "x.png") if a == "x.png" else a for a in args]
    if args[0] == "train":
        args = [*args, "--out", str(tmp_path / "run")]
    line = refused(preserve_rng(*args, env={"CUDA_VISIBLE_DEVICES": ""}))
    assert words in line
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_n17_a_run_directory_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    assert "--out" in refused(ganzoo(*TINY, "--out", tmp_path / "file" / "run"))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").touch()
    assert "--force" in refused(ganzoo(*TINY, "--out", tmp_path / "full"))


def test_n22_a_closed_pipe_is_no_error():
    command = f"{sys.executable} -m ganzoo_core list | head -1; exit ${{PIPESTATUS[0]}}"
    for _ in range(5):  # who is first, the writer or the reader that leaves, is chance
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
        assert done.returncode == 0 and done.stderr == ""


def test_l09_a_c_locale_gets_escapes_not_a_traceback():
    done = ganzoo("info", "dcgаn", env={"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"})
    assert refused(done).isascii()


def test_a_bug_keeps_its_traceback_and_debug_shows_one_for_errors():
    assert "Traceback" in ganzoo("--debug", "info", "nothing").stderr


def test_a_model_whose_bytes_were_changed_exits_5(run, tmp_path):
    import shutil

    shutil.copytree(run / "model", tmp_path / "model")
    weights = tmp_path / "model" / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1
    weights.write_bytes(data)
    assert "sha256 differs" in refused(ganzoo("sample", tmp_path / "model", "-o", tmp_path / "x.png"), 5)


@pytest.mark.slow
def test_training_that_diverges_exits_4_and_names_the_term(tmp_path):
    done = ganzoo(*TINY, "--images", "3200", "-c", "lr=1e30", "--precision", "fp32", "--out", tmp_path / "run")
    assert done.returncode == 4
    assert "loss G/adv is not finite in iteration" in done.stderr
