"""Kinds are open: a plugin of tests/ brings 1-D signals, which the core has never heard of, and every verb works."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import distributions
import numpy as np
import PIL.Image
import pytest
import torch

from ganzoo_core.nn import Code, Generator, Points
from ganzoo_core.testing.hub import LoopbackHub

PLUGIN = Path(__file__).parent / "signal_plugin" / "ganzoo_signals"
SERVER = """
import json, sys, processes
for line in sys.stdin:
    args, env = json.loads(line)
    done = processes.ganzoo(*args, env=env)
    print(json.dumps([done.returncode, done.stdout, done.stderr]), flush=True)
"""  # torch is loaded once, and each call is a process of its own
CONFORMANCE = """
import pytest
from ganzoo_core.testing import Conformance
@pytest.mark.parametrize("family", ["signal_gan"])
class TestConformance(Conformance): ...
"""

pytestmark = pytest.mark.xdist_group("signals")


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    """A folder in which the plugin is installed, entry point and all."""
    folder = tmp_path_factory.mktemp("site")
    distributions.write(folder, "signals", "", target="ganzoo_signals", requires="ganzoo-core>=0.2,<0.3")
    shutil.copytree(PLUGIN, folder / "ganzoo_signals", ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def environment(site: Path) -> dict[str, str]:
    path = [str(site), str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(filter(None, path))}


@pytest.fixture(scope="module")
def ganzoo(site):
    """The program where the plugin is installed."""
    command, env = [sys.executable, "-c", SERVER], environment(site)
    with subprocess.Popen(command, env=env, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as server:

        def run(*args: object, status: int = 0, **env: str) -> subprocess.CompletedProcess[str]:
            print(json.dumps([[str(arg) for arg in args], env]), file=server.stdin, flush=True)
            done = subprocess.CompletedProcess(args, *json.loads(server.stdout.readline()))
            assert done.returncode == status, done.stderr
            return done

        yield run
        server.stdin.close()


@pytest.fixture(scope="module")
def run(ganzoo, tmp_path_factory) -> Path:
    """A run of the family."""
    folder = tmp_path_factory.mktemp("runs") / "sines"
    wanted = ("train", "signal_gan", "--data", "oscillations", "--preset", "tiny", "--images", 2_000, "--device", "cpu")
    done = ganzoo(*wanted, "--tensorboard", "--out", folder)
    assert done.stdout.strip() == str(folder)
    return folder


def only_line(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """A refusal in one line."""
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("ganzoo: error: ") and not done.stdout, done.stderr
    assert all(word in lines[0] for word in words), lines[0]


def size_of(picture: Path) -> tuple[int, int]:
    with PIL.Image.open(picture) as image:
        assert len(image.convert("RGB").getcolors(1 << 16)) > 1, "blank"
        return image.size


@pytest.mark.slow
def test_it_is_listed_and_explained(ganzoo):
    assert "signal_gan" in {f["name"] for f in json.loads(ganzoo("list", "--json").stdout)["families"]}
    listed = json.loads(ganzoo("list", "--task", "signals", "--json").stdout)
    assert [f["name"] for f in listed["families"]] == ["signal_gan"]
    text = ganzoo("info", "signal_gan").stdout
    assert "preset tiny" in text and "width" in text and "augment" not in text and "ada_images" not in text
    assert "augment" in ganzoo("info", "dcgan").stdout


@pytest.mark.slow
def test_a_run_has_pictures_and_a_model(run):
    shown = sorted((run / "samples").glob("*-G.png"))
    assert len(shown) > 5 and all(size_of(path) == (8 * 96, 8 * 48) for path in shown)
    assert size_of(run / "model" / "samples.png") == (8 * 96, 8 * 48)
    config = json.loads((run / "model" / "config.json").read_text())
    assert config["output"] == {"kind": "signals", "shape": [1, 64], "range": [-1.0, 1.0]}
    assert config["inputs"]["pitch"] == {"kind": "pitch", "low": 1.0, "high": 8.0, "default": None}
    assert b"samples/G" in b"".join(path.read_bytes() for path in (run / "tensorboard").iterdir())


@pytest.mark.slow
def test_it_is_sampled_into_its_own_formats(ganzoo, run, tmp_path):
    for out in ("x.npy", "x.csv", "x.png", "many"):
        ganzoo("sample", run, "-n", 4, "-o", tmp_path / out)
    x = np.load(tmp_path / "x.npy")
    assert x.shape == (4, 1, 64) and x.dtype == np.float32 and np.abs(x).max() <= 1
    np.testing.assert_allclose(np.loadtxt(tmp_path / "x.csv", delimiter=","), x[:, 0], atol=1e-6)
    assert size_of(tmp_path / "x.png") == (2 * 96, 2 * 48)
    each = sorted((tmp_path / "many").iterdir())
    assert [path.name for path in each] == [f"{i:05d}.npy" for i in range(4)]
    np.testing.assert_array_equal(np.concatenate([np.load(path) for path in each]), x)
    only_line(ganzoo("sample", run, "-o", tmp_path / "x.jpg", status=2), "signals are not saved as .jpg", ".csv")


@pytest.mark.slow
def test_its_own_input_is_given(ganzoo, run, tmp_path):
    for out, pitch in (("low", 2), ("high", 7.5)):
        ganzoo("sample", run, "-n", 4, "-c", f"pitch={pitch}", "-o", tmp_path / f"{out}.npy")
    assert not np.allclose(np.load(tmp_path / "low.npy"), np.load(tmp_path / "high.npy"), atol=1e-3)
    refused = ("sample", run, "-o", tmp_path / "no.npy", "-c")
    only_line(ganzoo(*refused, "pitch=loud", status=2), "pitch", "loud", "a pitch in 1 .. 8")
    only_line(ganzoo(*refused, "pitch=9", status=2), "pitch", "out of range")
    only_line(ganzoo(*refused, "pich=2", status=2), "pich", "pitch")
    only_line(ganzoo("sample", run, "--label", 3, "-o", tmp_path / "no.npy", status=2), "takes no label")
    only_line(ganzoo("sample", run, "--text", "a", "-o", tmp_path / "no.npy", status=2), "takes no text")


def test_it_is_walked_through(ganzoo, run, tmp_path):
    for out in ("walk.png", "walk.gif"):
        ganzoo("interpolate", run, "--seeds", "1,2", "--steps", 3, "-o", tmp_path / out)
    assert size_of(tmp_path / "walk.png") == (4 * 96, 48)
    with PIL.Image.open(tmp_path / "walk.gif") as clip:
        assert clip.size == (96, 48) and clip.n_frames == 6


def test_it_is_reported(ganzoo, run, tmp_path):
    ganzoo("report", run, "-o", tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    assert "Samples over time" in page and "data:image/png;base64" in page and "signal_gan" in page


@pytest.mark.slow
def test_it_is_measured(ganzoo, run):
    measure = ("eval", run, "--data", "oscillations", "-n", 64, "--json")
    named = json.loads(ganzoo(*measure, "--metric", "spectral").stdout)["metrics"]
    assert named == json.loads(ganzoo(*measure).stdout)["metrics"]  # what suits the task is found
    (score,) = named
    assert score["name"] == "spectral" and 0 < score["value"] < 20 and score["protocol"]["n_real"] == 512
    only_line(ganzoo("eval", run, "--metric", "fid", status=2), "fid", "this model makes signals")
    only_line(ganzoo("eval", run, "--data", "digits", status=2), "digits: has no signal")


@pytest.mark.slow
def test_it_is_exported_pushed_and_pulled(ganzoo, run, tmp_path):
    ganzoo("eval", run, "-n", 64, "--publish")
    ganzoo("export", run, tmp_path / "out")
    use = "-n 64 -o samples.npy"
    card = (tmp_path / "out" / "README.md").read_text()
    assert f"ganzoo sample path/to/this/directory {use}" in card and "sample(16, seed=0)  # [n, 1, 64]" in card
    assert "**signal_gan**, 1 x 64" in card and "image-generation" not in card
    with LoopbackHub() as hub:
        mine, theirs = (hub.environment(tmp_path / home) for home in ("mine", "theirs"))
        source = ganzoo("push", run, "me/sines", "--license", "cc0-1.0", **mine).stdout.strip()
        assert f"ganzoo sample hf:me/sines {use}" in hub.repos["me/sines"].trees[source[-40:]]["README.md"].decode()
        assert ganzoo("pull", "hf:me/sines", **theirs).stdout.startswith(source)
        for name, env in (("theirs", theirs), ("mine", mine)):
            where = source if name == "theirs" else run
            ganzoo("sample", where, "-n", 3, "-o", tmp_path / f"{name}.npy", **env)
    np.testing.assert_array_equal(np.load(tmp_path / "theirs.npy"), np.load(tmp_path / "mine.npy"))
    assert "spectral" in ganzoo("verify", "--metrics", tmp_path / "out").stdout


@pytest.mark.slow
def test_what_does_not_fit_is_refused_in_one_line(ganzoo, tmp_path):
    train = ("train", "signal_gan", "--preset", "tiny", "--out", tmp_path / "r")
    only_line(
        ganzoo(*train, "--data", "oscillations", "-c", "augment=ada", status=2), "augment", "signal_gan makes signals"
    )
    only_line(ganzoo(*train, "--data", "digits", status=2), "digits: has no signal")
    only_line(ganzoo(*train, "--data", "oscillations", "-c", "length=32", status=2), "[2, 1, 64]")
    only_line(
        ganzoo("train", "dcgan", "--data", "oscillations", "--out", tmp_path / "r", status=2), "oscillations", "has no"
    )
    assert not (tmp_path / "r").exists()


def test_it_conforms(site, tmp_path):
    (tmp_path / "test_signals.py").write_text(CONFORMANCE)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "test_signals.py"]
    done = subprocess.run(command, cwd=tmp_path, env=environment(site), capture_output=True, text=True)
    assert done.returncode == 0 and " passed" in done.stdout and "skipped" not in done.stdout, done.stdout[-3000:]


def test_a_kind_that_is_drawn_needs_no_latent_beside_it():
    class Lonely(Generator):
        inputs, output = {"u": Code((), (1.0, 8.0))}, Points((1,))

        def __init__(self):
            super().__init__()
            self.w = torch.nn.Parameter(torch.ones(()))

        def forward(self, u):
            return self.w * u[:, None]

    u = Lonely().sample(8, seed=0)
    assert u.shape == (8, 1) and u.min() >= 1 and u.max() <= 8 and len(u.unique()) == 8
