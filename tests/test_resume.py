"""A run is never lost: real processes, real signals, real kills, real disks that are full."""

import json
import os
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import kills
import pytest
import torch

import ganzoo_core as gz
from ganzoo_core.errors import GanzooError, IntegrityError
from ganzoo_core.training import checkpoint

ARGS = ["train", "dcgan", "--preset", "tiny", "--batch-size", "16", "--images", "1600", "--checkpoint-every", "160",
        "--ema-images", "100", "--precision", "fp32", "--device", "cpu"]  # fmt: skip
ENV = {**os.environ, "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
TORCHRUN = ["-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-addr", "127.0.0.1", "--master-port", "0",
            "--rdzv-backend", "c10d", "--rdzv-endpoint", "127.0.0.1:0"]  # fmt: skip
TWO = [str(Path(__file__).with_name("two.py"))]


def start(folder, *extra, processes=1, launcher=TWO, **kwargs):
    launch = launcher if processes == 2 else []
    command = [sys.executable, *launch, "-m", "ganzoo_core", *ARGS, "--out", str(folder), *map(str, extra)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENV, **kwargs)


def finish(process, status=0):
    out, err = process.communicate(timeout=240)
    assert process.returncode == status, err
    return out, err


def wait_for(process, condition, seconds=120):
    """Until something is to be seen in the files of a process that goes on."""
    until = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < until, "it did not happen"
        time.sleep(0.01)


def logged(folder):
    path = Path(folder) / "log.jsonl"
    return path.read_text().count("\n") if path.exists() else 0


def content(folder):
    """Every file that a run publishes, byte for byte; run.json and config.json tell of commands, which differ."""
    folder = Path(folder)
    told = {"run.json", "config.json"}
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name not in told
    }


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory):
    """Unbroken runs by number of processes, made when they are first asked for."""
    made = {}

    def of(processes):
        if processes not in made:
            made[processes] = tmp_path_factory.mktemp("unbroken") / "run"
            finish(start(made[processes], processes=processes, launcher=TORCHRUN))
        return made[processes]

    return of


# Of the ways to run, `make test` takes the richest; `make test-all` takes all.
OTHER_WAYS = [pytest.param(*way, marks=pytest.mark.slow) for way in [(0, 1), (0, 2), (2, 1)]]
WAYS = pytest.mark.parametrize(("workers", "processes"), [(2, 2), *OTHER_WAYS])


@WAYS
def test_a_killed_and_resumed_run_equals_an_unbroken_one(unbroken, tmp_path, processes, workers):
    folder = tmp_path / "run"
    process = start(folder, "--workers", workers, processes=processes, start_new_session=True)
    wait_for(process, lambda: logged(folder) > 30)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    finish(start(folder, "--workers", workers, "--resume", processes=processes))
    ours, whole = content(folder), content(unbroken(processes))
    assert ours.keys() == whole.keys()
    assert [name for name in whole if ours[name] != whole[name]] == []


@pytest.mark.slow
@WAYS
def test_phases_a_b_a_broken_in_b(tmp_path, processes, workers):
    """A's optimizer is not at work in B, and yet it must come back with its state for the second A."""

    def play(out, iterations, *extra):
        launcher = TWO if processes == 2 else []
        script = str(Path(__file__).with_name("aba.py"))
        command = [sys.executable, *launcher, script, str(tmp_path / out), str(workers), str(iterations), *extra]
        done = subprocess.run(command, capture_output=True, text=True, env=ENV, timeout=240)
        assert done.returncode == 0, done.stderr

    play("unbroken", 99)
    play("broken", 5)  # the second of the four iterations of B
    play("broken", 99, "--resume")
    ours, whole = content(tmp_path / "broken"), content(tmp_path / "unbroken")
    assert any("checkpoints/" in name for name in whole)
    assert ours.keys() == whole.keys()
    assert [name for name in whole if ours[name] != whole[name]] == []


@pytest.mark.slow
def test_a_run_of_several_phases_is_resumed_as_long_as_it_was_begun(tmp_path):
    """Its recipe's `images` is the length of its last phase only."""
    lengths = {"fade_images": 48, "settle_images": 32, "images": 64}
    options = {"batch_size": 8, "checkpoint_every": 8, "precision": "fp32"}
    for name, last in (("unbroken", None), ("broken", 136)):
        torch.manual_seed(0)
        objective = gz.create("progan", preset="tiny", **lengths)
        for report in gz.train(objective, "digits", out=tmp_path / name, **options):
            if report.position.images == last:
                break
    assert json.loads((tmp_path / "broken" / "run.json").read_text())["images"] == 32 + 80 + 48 + 64
    command = [sys.executable, "-m", "ganzoo_core", "train", "progan", "--resume", "--out", str(tmp_path / "broken"),
               "--precision", "fp32"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, env=ENV, timeout=240)
    assert done.returncode == 0, done.stderr
    ours, whole = content(tmp_path / "broken"), content(tmp_path / "unbroken")
    assert ours.keys() == whole.keys()
    assert [name for name in whole if ours[name] != whole[name]] == []


@pytest.mark.slow
def test_the_threads_of_a_group_end_with_it(tmp_path):
    """One that lives on may let go of a tensor while Python shuts down, and that aborts the process."""
    script = tmp_path / "group.py"
    script.write_text(
        "import os, torch\n"
        "from ganzoo_core.training.distributed import process_group\n"
        "torch.set_num_threads(1)\n"
        "with process_group('cpu') as ours:\n"
        "    ours.gather(torch.optim.SGD([torch.ones(1)], lr=0.1).defaults)\n"  # an optimizer imports much of torch
        "    assert len(os.listdir('/proc/self/task')) > 1\n"
        "assert len(os.listdir('/proc/self/task')) == 1\n"
    )
    command = [sys.executable, *TORCHRUN, str(script)]
    done = subprocess.run(command, capture_output=True, text=True, env=ENV, timeout=240)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_after_ten_interruptions_too(tmp_path):
    torch.set_num_threads(1)
    options = {"images": 800, "batch_size": 16, "checkpoint_every": 16, "ema_images": 100, "precision": "fp32"}
    for i, images in enumerate([None, *range(48, 800, 72)]):
        objective = gz.create("dcgan", preset="tiny")
        out = tmp_path / ("unbroken" if images is None else "broken")
        for report in gz.train(objective, "digits", out=out, resume=i > 1, **options):
            if report.position.images == images:
                break
    gz.fit(gz.create("dcgan", preset="tiny", seed=5), "digits", out=tmp_path / "broken", resume=True, **options)
    ours, whole = content(tmp_path / "broken"), content(tmp_path / "unbroken")
    assert [name for name in whole if ours[name] != whole[name]] == []


def test_n06_kill_9_many_times(tmp_path):
    """The short version of tests/kills.py, which does 50."""
    hits, inside = kills.kill_many(6, tmp_path / "run", seed=1)
    assert hits == 6 and inside >= 1


@pytest.mark.parametrize(("signum", "status"), [(signal.SIGTERM, 143), (signal.SIGINT, 130), (signal.SIGHUP, 129)])
def test_n07_n10_a_signal_finishes_the_step_and_saves(tmp_path, signum, status):
    process = start(tmp_path / "run", "--images", 160_000, "--checkpoint-every", 160_000)
    wait_for(process, lambda: logged(tmp_path / "run") > 1)
    process.send_signal(signum)
    out, err = finish(process, status)
    assert out == "" and "saved" in err and "Traceback" not in err
    saved, skipped = checkpoint.newest(tmp_path / "run" / "checkpoints")
    assert saved is not None and saved.position.images > 0 and not skipped


@pytest.mark.slow
def test_n09_sigusr1_saves_and_goes_on(tmp_path):
    process = start(tmp_path / "run", "--images", 160_000, "--checkpoint-every", 160_000)
    wait_for(process, lambda: logged(tmp_path / "run") > 1)
    process.send_signal(signal.SIGUSR1)
    wait_for(process, lambda: checkpoint.published(tmp_path / "run" / "checkpoints"))
    lines = logged(tmp_path / "run")
    wait_for(process, lambda: logged(tmp_path / "run") > lines)
    process.terminate()
    finish(process, 143)


@pytest.mark.slow
def test_n11_a_directory_in_use_is_refused(tmp_path):
    process = start(tmp_path / "run", "--images", 160_000)
    wait_for(process, lambda: logged(tmp_path / "run") > 1)
    for extra in (["--force"], ["--resume", "--images", 160_000]):
        _, err = finish(start(tmp_path / "run", *extra), 2)
        assert "another run is at work" in err
    process.terminate()
    finish(process, 143)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("extra", "words"),
    [
        (["-c", "width=4"], "recipe.args.width was 8, and is 4 now"),
        (["--seed", "3"], "seed was 0, and is 3 now"),
        (["--batch-size", "8"], "batch_size was 16, and is 8 now"),
        (["--precision", "bf16"], "precision was float32, and is bfloat16 now"),
        (["--data", "shapes"], "data.name was digits, and is shapes now"),
        (["--images", "16"], "1,600 images long, not 16"),
    ],
)
def test_n13_resuming_as_another_run_is_refused(unbroken, extra, words):
    before = content(unbroken(1))
    _, err = finish(start(unbroken(1), "--resume", *extra), 2)
    assert words in err
    assert content(unbroken(1)) == before


@pytest.mark.slow
def test_a_finished_run_says_so_and_can_be_extended(unbroken, tmp_path):
    import shutil

    folder = shutil.copytree(unbroken(1), tmp_path / "run")
    _, err = finish(start(folder, "--resume"))
    assert "is finished at 1,600 images" in err
    _, err = finish(start(folder, "--resume", "--images", 1760))
    assert "extended from 1,600 to 1,760 images" in err
    assert json.loads((folder / "log.jsonl").read_text().splitlines()[-1])["images"] == 1760
    from ganzoo_core.training import run_dir

    begun, made = (json.loads((folder / name).read_text()) for name in ("run.json", "model/config.json"))
    assert "--resume" not in begun["command"] and made["training"]["command"] == run_dir.public(begun["command"])


@pytest.mark.slow
def test_resume_without_a_checkpoint_starts_at_the_beginning(unbroken, tmp_path):
    import shutil

    folder = shutil.copytree(unbroken(1), tmp_path / "run")
    shutil.rmtree(folder / "checkpoints")
    _, err = finish(start(folder, "--resume"))
    assert "no checkpoint yet" in err
    ours, whole = content(folder), content(unbroken(1))
    assert [name for name in whole if ours[name] != whole[name]] == []


@pytest.fixture
def saved(tmp_path):
    """A folder with two checkpoints of a tiny DCGAN."""
    objective = gz.create("dcgan", preset="tiny")
    options = {"images": 64, "batch_size": 16, "checkpoint_every": 32, "precision": "fp32", "out": tmp_path / "run"}
    gz.fit(objective, "digits", **options)
    return tmp_path / "run" / "checkpoints"


@pytest.mark.parametrize("name", ["objective.safetensors", "optimizers.safetensors", "manifest.json"])
@pytest.mark.parametrize("damage", ["flip", "cut", "gone"])
def test_n14_a_damaged_checkpoint_is_skipped_for_the_one_before(saved, name, damage):
    older, newer = checkpoint.published(saved)
    data = bytearray((newer / name).read_bytes())
    data[len(data) // 2] ^= 4
    if damage == "gone":
        (newer / name).unlink()
    else:
        (newer / name).write_bytes(data if damage == "flip" else data[:-3])
    found, skipped = checkpoint.newest(saved)
    assert found is not None and found.position.images == int(older.name)
    assert len(skipped) == 1 and name in skipped[0]


def test_n15_all_damaged_is_refused(saved):
    for path in checkpoint.published(saved):
        (path / "manifest.json").write_text("{}")
    with pytest.raises(GanzooError, match="no checkpoint is whole"):
        checkpoint.newest(saved)


def test_leftovers_are_swept_and_two_are_kept(saved):
    (saved / ".000000000096.tmp").mkdir()
    (saved / ".000000000001.old").mkdir()
    checkpoint.sweep(saved)
    assert sorted(p.name for p in saved.iterdir()) == ["000000000032", "000000000064"]


def test_the_order_on_the_disk_is_files_directory_name_parent(saved, monkeypatch):
    """Nothing has its name before all of it is on the disk."""
    done = []
    fsync, rename = os.fsync, os.rename
    monkeypatch.setattr(os, "fsync", lambda fd: (done.append(Path(os.readlink(f"/proc/self/fd/{fd}")).name), fsync(fd)))
    monkeypatch.setattr(os, "rename", lambda a, b: (done.append(f"-> {Path(b).name}"), rename(a, b)))
    whole = checkpoint.read(checkpoint.published(saved)[-1])
    from dataclasses import replace

    later = replace(whole, position=replace(whole.position, images=80))
    checkpoint.save(saved, later, frozenset(), checkpoint.Processes())
    at = done.index("-> 000000000080")
    assert done[: at + 2] == [
        "objective.safetensors", "optimizers.safetensors", "manifest.json", ".000000000080.tmp", "-> 000000000080",
        "checkpoints",
    ]  # fmt: skip
    assert done[at + 2 :] == ["-> .000000000032.old"]  # and only then is the oldest removed


@pytest.mark.slow
def test_n05_a_file_size_limit_leaves_the_last_checkpoint(tmp_path):
    """RLIMIT_FSIZE is a disk that takes no more: the log still fits, the checkpoint does not."""

    def small_disk():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, 60_000))

    finish(start(tmp_path / "run", "--images", 160))
    before = sorted(p.name for p in (tmp_path / "run" / "checkpoints").iterdir())
    _, err = finish(start(tmp_path / "run", "--resume", "--images", 320, preexec_fn=small_disk), 3)
    assert "last one is intact" in err and "Traceback" not in err
    assert sorted(p.name for p in (tmp_path / "run" / "checkpoints").iterdir()) == before


@pytest.mark.slow
def test_n03_out_of_memory_suggests_a_smaller_batch(tmp_path):
    def small_machine():
        resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))

    extra = ["-c", "image_size=128", "--batch-size", "16384"]  # 2 GB for each activation at 64 px
    _, err = finish(start(tmp_path / "run", *extra, preexec_fn=small_machine), 3)
    assert "--batch-size" in err and "Traceback" not in err


@pytest.mark.slow
def test_n01_n02_divergence_keeps_the_last_good_checkpoint(tmp_path):
    finish(start(tmp_path / "run", "--images", 160))
    whole = checkpoint.published(tmp_path / "run" / "checkpoints")
    objective = gz.create("dcgan", preset="tiny")
    with torch.no_grad():
        next(objective.G.parameters()).fill_(float("inf"))
    with pytest.raises(GanzooError, match="not finite") as caught:
        gz.fit(objective, "digits", out=tmp_path / "inf", images=160, batch_size=16, precision="fp32")
    assert caught.value.exit_code == 4
    assert not checkpoint.published(tmp_path / "inf" / "checkpoints")
    assert checkpoint.published(tmp_path / "run" / "checkpoints") == whole


@pytest.mark.slow
@pytest.mark.parametrize("rank", [0, 1])
def test_n18_a_dead_process_stops_the_others(tmp_path, rank):
    """The survivor ends by itself: torchrun is not what stops it here."""
    port = 20_000 + os.getpid() % 20_000 + rank
    ranks = [
        subprocess.Popen(
            [sys.executable, "-m", "ganzoo_core", *ARGS, "--images", "1600000", "--out", str(tmp_path / "run")],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={
                **ENV,
                "WORLD_SIZE": "2",
                "RANK": str(r),
                "LOCAL_RANK": str(r),
                "MASTER_ADDR": "127.0.0.1",
                "MASTER_PORT": str(port),
            },
        )
        for r in (0, 1)
    ]
    wait_for(ranks[0], lambda: logged(tmp_path / "run") > 0)
    ranks[rank].kill()
    ranks[rank].communicate()
    _, err = ranks[1 - rank].communicate(timeout=60)
    assert ranks[1 - rank].returncode == 3, err
    assert "another process of this run is gone" in err and "Traceback" not in err


@pytest.mark.slow
def test_a_run_of_two_processes_goes_on_with_one(unbroken, tmp_path):
    import shutil

    folder = shutil.copytree(unbroken(2), tmp_path / "run")
    _, err = finish(start(folder, "--resume", "--images", 1760))
    assert "going on at 1,600 images" in err


def test_two_processes_that_hold_different_weights_do_not_save(tmp_path, saved):
    class Other(checkpoint.Processes):
        world = 2

        def gather(self, value):
            return [value, "another hash" if isinstance(value, str) else value]

    whole = checkpoint.read(checkpoint.published(saved)[-1])
    with pytest.raises(IntegrityError, match="different weights"):
        checkpoint.save(tmp_path / "elsewhere", whole, frozenset(), Other())
