"""What a run keeps on the disk: whatever a game calls its own can be read again, and nothing malformed gets by."""

from __future__ import annotations

import fcntl
import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import torch
from processes import ganzoo, refused

import ganzoo_core as gz
from ganzoo_core.errors import ExternalError, GanzooError
from ganzoo_core.nn import preserve_rng, reseed
from ganzoo_core.training import checkpoint, distributed, run_dir
from ganzoo_core.training.checkpoint import MANIFEST
from ganzoo_core.training.distributed import Processes, claim_device, collective
from ganzoo_core.training.trainer import Checkpoint, Position

TRAIN = ["train", "dcgan", "--preset", "tiny", "--batch-size", "16", "--precision", "fp32", "--device", "cpu"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("begun") / "run"
    done = ganzoo(*TRAIN, "--images", "64", "--checkpoint-every", "32", "--out", folder)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def begun(run: Path, tmp_path: Path) -> Path:
    """A run of its own, that may be damaged."""
    return Path(shutil.copytree(run, tmp_path / "run"))


def resumed(folder: Path, *extra: object) -> subprocess.CompletedProcess[str]:
    return ganzoo("train", "dcgan", "--resume", "--images", "96", "--out", folder, *extra)


# ---- names and numbers -----------------------------------------------------------------------------------------------
def saved(folder: Path, objective: dict[str, torch.Tensor], player: str = "0.G") -> Checkpoint:
    whole = Checkpoint(Position(0, 1, 8), objective, {player: {"0.exp_avg": torch.ones(2)}})
    path = checkpoint.save(folder, whole, frozenset(), Processes())
    found = checkpoint.read(path)
    assert found.optimizers[player]["0.exp_avg"].tolist() == [1, 1]
    return found


@pytest.mark.parametrize("name", ["G/1", "θ", "a b", "100%", "%41", 'quo"te', "back\\slash", "tab\t", "x:y", "lerp<->"])
def test_whatever_a_game_calls_its_own_is_read_again(tmp_path: Path, name: str) -> None:
    found = saved(tmp_path, {f"{name}.weight": torch.zeros(3)}, f"0.{name}")
    assert list(found.objective) == [f"{name}.weight"]


def test_any_number_of_tensors_is_read_again(tmp_path: Path) -> None:
    many = {f"net.{i}.weight": torch.zeros(1) for i in range(20_001)}
    assert saved(tmp_path, many).objective.keys() == many.keys()


def test_what_could_not_be_read_again_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(GanzooError, match="tensor spectrum: dtype C64"):
        saved(tmp_path, {"spectrum": torch.zeros(2, dtype=torch.complex64)})


# ---- the directory ---------------------------------------------------------------------------------------------------
def test_a_lock_that_was_removed_in_between_is_no_lock(tmp_path: Path) -> None:
    """B opens the file, A removes it and leaves, B locks what has no name any more: C must not be let in beside it."""
    path = tmp_path / ".lock"
    real = fcntl.flock

    def late(file: Any, how: int) -> None:
        if path.exists():
            path.unlink()  # A is done
        real(file, how)

    fcntl.flock = late  # type: ignore[assignment]
    try:
        with pytest.raises(GanzooError, match="another run is at work"), run_dir.occupied(tmp_path):
            pass
    finally:
        fcntl.flock = real
    with run_dir.occupied(tmp_path):
        assert path.exists()


def test_force_replaces_links_and_leaves_what_they_lead_to(begun: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "scratch"
    (begun / "checkpoints").rename(elsewhere)
    (begun / "checkpoints").symlink_to(elsewhere)
    done = ganzoo(*TRAIN, "--images", "16", "--force", "--out", begun)
    assert done.returncode == 0, done.stderr
    assert not (begun / "checkpoints").is_symlink() and len(list(elsewhere.iterdir())) == 2


def test_leftovers_of_a_kill_are_swept(begun: Path) -> None:
    left = [begun / "samples" / ".0000000016-G.png.7.tmp", begun / ".run.json.7.tmp", begun / ".model.tmp" / "x"]
    for path in left:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"half")
    (begun / "model").rename(begun / ".model.old")
    assert resumed(begun).returncode == 0
    assert not any(path.exists() for path in left) and (begun / "model" / "config.json").exists()
    assert not [path for path in begun.rglob(".*")]


# ---- going on --------------------------------------------------------------------------------------------------------
def edited(folder: Path, **changes: Any) -> None:
    path = folder / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_nothing_need_be_said_again(begun: Path) -> None:
    """Neither the precision nor the device, which were not what `auto` takes."""
    done = resumed(begun)
    assert done.returncode == 0 and "going on at 64 images" in done.stderr, done.stderr


def test_versions_that_differ_are_told(begun: Path) -> None:
    assert json.loads((begun / "run.json").read_text())["versions"].keys() >= {"ganzoo-core", "ganzoo-dcgan", "torch"}
    config = json.loads((begun / "model" / "config.json").read_text())
    assert config["training"]["versions"].keys() >= {"ganzoo-core", "ganzoo-dcgan", "torch"}
    versions = json.loads((begun / "run.json").read_text())["versions"]
    edited(begun, versions={**versions, "ganzoo-dcgan": "0.0.1"})
    done = resumed(begun)
    assert done.returncode == 0 and "was begun with ganzoo-dcgan 0.0.1" in done.stderr


def test_arguments_that_nobody_knows_any_more_are_one_line(begun: Path) -> None:
    recipe = json.loads((begun / "run.json").read_text())["recipe"]
    edited(begun, recipe={**recipe, "args": {**recipe["args"], "breadth": 3}})
    assert "know no argument breadth" in refused(resumed(begun))


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        (["-c", "lr=0.001"], "recipe.args.lr was 0.0002, and is 0.001 now"),
        (["-c", "lrr=0.001"], "Did you mean lr"),
        (["--preset", "digits"], "preset was tiny, and is digits now"),
        (["--networks", "gan"], "networks was dcgan, and is gan now"),
    ],
)
def test_what_differs_is_named_as_it_was_typed(begun: Path, extra: list[str], words: str) -> None:
    assert words in refused(resumed(begun, *extra))


def test_saying_the_same_again_is_no_difference(begun: Path) -> None:
    done = resumed(begun, "--preset", "tiny", "-c", "lr=0.0002", "--networks", "dcgan")
    assert done.returncode == 0, done.stderr


# ---- malformed files -------------------------------------------------------------------------------------------------
WEIRD = [
    None,
    True,
    -1,
    2**70,
    1.5,
    "",
    "x",
    "../../etc",
    [],
    {},
    [[]],
    {"a": {}},
    float("nan"),
    "\ud800",
    "\0",
    10**400,
]


def mutated(document: Any, rng: random.Random) -> Any:
    """The same with one thing in it otherwise, anywhere."""
    if not isinstance(document, (dict, list)) or not document or rng.random() < 0.15:
        return rng.choice(WEIRD)
    made = document.copy()
    key = rng.choice(list(made)) if isinstance(made, dict) else rng.randrange(len(made))
    what = rng.random()
    if what < 0.2:
        del made[key]
    elif what < 0.3 and isinstance(made, dict):
        made[rng.choice(["x", "format", "sha256", "..", "G/1"])] = rng.choice(WEIRD)
    else:
        made[key] = mutated(made[key], rng)
    return made


def malformed(document: Any, count: int, seed: int) -> Iterator[bytes]:
    rng = random.Random(seed)
    for _ in range(count):
        data = bytearray(json.dumps(mutated(document, rng)).encode())
        if rng.random() < 0.3 and data:
            data[rng.randrange(len(data))] = rng.randrange(256)
        if rng.random() < 0.1:
            del data[rng.randrange(len(data) + 1) :]
        yield bytes(data)


def everything(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def read_malformed_manifests(folder: Path, count: int) -> None:
    """Their own hash is right as often as not: then every entry is looked at."""
    path = checkpoint.published(folder / "checkpoints")[-1]
    good = json.loads((path / MANIFEST).read_bytes())
    before, rng = everything(folder), random.Random(7)
    for data in malformed({k: v for k, v in good.items() if k != "sha256"}, count, 1):
        with suppress(ValueError, TypeError):
            document = json.loads(data)
            if isinstance(document, dict) and rng.random() < 0.8:
                data = json.dumps({**document, "sha256": checkpoint.own_hash(document)}).encode()
        (path / MANIFEST).write_bytes(data)
        with suppress(GanzooError):
            checkpoint.read(path)
    (path / MANIFEST).write_text("[" * 100_000)
    with pytest.raises(GanzooError):
        checkpoint.read(path)
    assert everything(folder) == before


def read_malformed_runs(folder: Path, count: int) -> None:
    good = json.loads((folder / "run.json").read_text())
    before = everything(folder)
    for data in malformed(good, count, 2):
        (folder / "run.json").write_bytes(data)
        try:
            found = run_dir.read(folder)
            run_dir.resume(folder, {**good, "command": ""})
        except GanzooError:
            continue
        assert run_dir.begun(found) >= 0
    assert everything(folder) == before


def test_malformed_manifests(begun: Path) -> None:
    read_malformed_manifests(begun, 400)


def test_malformed_descriptions(begun: Path) -> None:
    read_malformed_runs(begun, 400)


@pytest.mark.slow
def test_malformed_descriptions_end_the_verb_in_one_line(begun: Path) -> None:
    good = json.loads((begun / "run.json").read_text())
    ends = set()
    for data in malformed(good, 40, 3):
        (begun / "run.json").write_bytes(data)
        done = resumed(begun)
        assert "Traceback" not in done.stderr, data
        ends.add(done.returncode)
    assert ends <= {0, 2, 3, 5} and 2 in ends


@pytest.mark.slow
def test_malformed_manifests_and_descriptions_in_thousands(begun: Path) -> None:
    whole = (begun / "run.json").read_bytes()
    read_malformed_runs(begun, 20_000)
    (begun / "run.json").write_bytes(whole)
    read_malformed_manifests(begun, 20_000)


# ---- several processes -----------------------------------------------------------------------------------------------
def test_only_a_lost_process_is_called_one() -> None:
    for text in ("Connection closed by peer [127.0.0.1]:4", "Timed out waiting 600000ms for recv operation"):
        with pytest.raises(ExternalError, match="is gone"), collective():
            raise RuntimeError(text)
    for bug in (
        RuntimeError("The size of tensor a (3) must match the size of tensor b (4)"),
        torch.OutOfMemoryError("x"),
    ):
        with pytest.raises(type(bug)) as caught, collective():
            raise bug
        assert caught.value is bug


def test_processes_on_a_cpu_use_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("LOCAL_RANK", "1")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    claim_device("cpu")
    assert not distributed.on_gpu("cpu") and distributed.on_gpu("auto") and distributed.on_gpu("cuda:0")
    with pytest.raises(GanzooError, match=r"2 processes on a machine with 1 GPU\. Use --nproc-per-node 1"):
        claim_device("auto")


SEEDS = """
import torch, ganzoo_core as gz
torch.manual_seed(123)
tracker = torch.cuda._lazy_seed_tracker
def queued():
    return tracker.manual_seed_all_cb[0] if tracker.manual_seed_all_cb else None
before, calls, expected = queued(), len(torch.cuda._queued_calls), torch.random.get_rng_state()
gz.create("dcgan", preset="tiny")
gz.load("dcgan.mnist").sample(2)
gz.load("stylegan.emoji32").sample(1)
assert queued() is before and len(torch.cuda._queued_calls) == calls
assert torch.equal(torch.random.get_rng_state(), expected)
"""


@pytest.mark.slow
def test_seeds_that_wait_for_a_gpu_are_left_alone() -> None:
    done = subprocess.run([sys.executable, "-c", SEEDS], capture_output=True, text=True, env=os.environ)
    assert done.returncode == 0, done.stderr


def test_reseeding_is_undone() -> None:
    torch.manual_seed(5)
    expected = torch.random.get_rng_state()
    with preserve_rng():
        reseed(7)
        a = torch.rand(1)
        torch.manual_seed(7)
        assert torch.equal(a, torch.rand(1))
    assert torch.equal(torch.random.get_rng_state(), expected)


def test_a_second_run_of_one_objective_on_a_device() -> None:
    """The dry run is played where the objective stands; of large networks only shapes are."""
    from ganzoo_core.training.dry_run import device_of, dry_run, play, sketch_of
    from ganzoo_core.training.loaders import loader_of

    loader = loader_of("digits", seed=0, image_size=16, channels=1)
    objective = gz.create("dcgan", preset="tiny").to("meta")
    assert dry_run(objective, loader).images == 20_000
    assert play(objective, loader, device_of(objective)).images == 20_000
    large = gz.create("dcgan", preset="tiny", width=256)
    sketch = sketch_of(large)
    assert {w.device.type for w in sketch.parameters()} == {"meta"}
    assert {w.device.type for w in large.parameters()} == {"cpu"}


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("ganzoo train dcgan --out /home/me/runs/a --images 3", "ganzoo train dcgan --images 3"),
        ("ganzoo train dcgan --out=/home/me/runs/a -c lr=1e-4", "ganzoo train dcgan -c lr=1e-4"),
        ("ganzoo train dcgan --data /home/me/cats --data-root /data", "ganzoo train dcgan --data cats"),
        ("ganzoo train pix2pix --data=/a/edges::/b/photos", "ganzoo train pix2pix --data edges::photos"),
        ("ganzoo train dcgan --data emoji:all", "ganzoo train dcgan --data emoji:all"),
        ("python script.py", "python script.py"),
        ("ganzoo train 'dcgan", ""),
        ("ganzoo train dcgan --out", "ganzoo train dcgan"),
    ],
)
def test_a_model_tells_how_it_was_trained_and_not_where(typed: str, told: str) -> None:
    assert run_dir.public(typed) == told
