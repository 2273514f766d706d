"""What watches a run sees it truly, writes what it should, and changes nothing."""

import dataclasses
import io
import itertools
import json
import math
import os
import pty
import re
import subprocess
import sys

import pytest
import torch

import ganzoo_core as gz
from ganzoo_core.errors import GanzooError
from ganzoo_core.training.callbacks import base, console
from ganzoo_core.training.callbacks.base import FIRST, Callback, due, logged, numbers
from ganzoo_core.training.callbacks.console import ProgressLines
from ganzoo_core.training.callbacks.tensorboard import TensorBoardCallback
from ganzoo_core.training.trainer import Position, Report

RUN = {"images": 800, "batch_size": 16, "precision": "fp32"}
ENV = {**os.environ, "OMP_NUM_THREADS": "1", "TERM": "xterm-256color", "COLUMNS": "120"}
TRAIN = ["train", "dcgan", "--preset", "tiny", "--images", "160", "--batch-size", "16"]


def report(images, drawn=16, total=800, **losses):
    tensors = {name: torch.tensor(value) for name, value in losses.items()}
    return Report("main", images // drawn - 1, Position(0, images // drawn, images), drawn, total, tensors, None)


def train(folder=None, **options):
    objective = gz.create("dcgan", preset="tiny")
    last = gz.fit(objective, "digits", out=folder, **{**RUN, **options})
    return objective.state_dict(), last


# ---- when ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(("total", "times"), [(800, 20), (800, 7), (800, 500), (16, 20), (10_000, 500)])
def test_due_is_spread_evenly_and_holds_the_end(total, times):
    hits = [images for images in range(16, total + 1, 16) if due(report(images, total=total), times)]
    assert hits[-1] == total
    early = math.log2(max(1, total / times / FIRST))
    assert min(times, total // 16) <= len(hits) <= times + 2 + early
    even = [images for images in hits if images >= total // times]
    gaps = [b - a for a, b in itertools.pairwise(even[:-1])]
    assert not gaps or max(gaps) - min(gaps) <= 16


def test_numbers_are_the_losses():
    mixed = {"a": torch.tensor(0.1), "b": torch.tensor(-3.0, dtype=torch.float64), "c": torch.tensor(2.5).bfloat16()}
    seen = numbers(Report("main", 0, Position(0, 1, 16), 16, 800, mixed, None))
    assert list(seen) == ["a", "b", "c"] and all(seen[k] == pytest.approx(float(v)) for k, v in mixed.items())
    for seen in gz.train(gz.create("dcgan", preset="tiny"), "digits", **{**RUN, "images": 32}):
        assert numbers(seen) == {name: float(value) for name, value in seen.losses.items()}
        assert set(seen.losses) == {"D/real", "D/fake", "G/adv"}


# ---- progress --------------------------------------------------------------------------------------------------------
@pytest.mark.slow
def test_progress_on_a_pipe_is_plain_lines_without_rich(tmp_path):
    program = (
        "import sys\nfrom ganzoo_core.cli import main\n"
        f"try: main({[*TRAIN, '--out', str(tmp_path / 'run')]!r})\nexcept SystemExit as end: assert not end.code\n"
        "assert 'rich' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=ENV)
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("dcgan [main]")]
    assert re.search(r"160/160 images \(100 %\)  \d+ img/s  0 s left  D/real \d\.\d{3}  D/fake", line)
    assert "\x1b" not in done.stderr and "\r" not in done.stderr


@pytest.mark.slow
def test_progress_on_a_terminal_is_a_bar(tmp_path):
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "ganzoo_core", *TRAIN, "--out", str(tmp_path / "run")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=follower, env=ENV)
    os.close(follower)
    written = b""
    try:
        while chunk := os.read(leader, 4096):
            written += chunk
    except OSError:  # how Linux says that the other side is closed
        pass
    os.close(leader)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0 and out.decode().strip() == str(tmp_path / "run")
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written.decode())
    assert "100 %" in text and "━" in text and "\rdcgan " in text and "img/s" in text and "D/real" in text
    assert b"\x1b[?25l" in written and written.rindex(b"\x1b[?25h") > written.rindex(b"\x1b[?25l")  # cursor is back


def test_a_bar_names_the_phase(capsys):
    bar = console.ProgressBar(base.Run(None, {}, None, "toy"))
    try:
        bar.on_report(report(800, **{"D/real": 0.5}))
    finally:
        bar.close()
    assert "toy [main]" in capsys.readouterr().err


def test_lines_come_every_few_seconds_and_at_the_end(monkeypatch):
    clock, stream = [0.0], io.StringIO()
    monkeypatch.setattr(console.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(sys, "stderr", stream)
    lines = ProgressLines(base.Run(None, {}, None, "toy"), seconds=10)
    for images in range(16, 801, 16):
        clock[0] += 1.0
        lines.on_report(report(images, **{"D/real": 0.5}))
    said = stream.getvalue().splitlines()
    assert [line.split()[2] for line in said] == ["160/800", "320/800", "480/800", "640/800", "800/800"]
    assert all("D/real 0.500" in line for line in said)


def test_lazily_taken_steps_reach_the_log_whatever_the_pace(tmp_path):
    """r1 every 16 and path every 4: the even pace alone would hit them by chance, or never."""
    for drawn, total in ((16, 128_000), (16, 256_000), (32, 8_000_000), (7, 30_000)):
        seen, hits = [], {16: 0, 4: 0}
        for t in range(min(total // drawn, 40_000)):
            images = drawn * (t + 1)
            told = Report("main", t, Position(0, t + 1, images), drawn, total, {}, None, cycle=16)
            if logged(told):
                seen.append(images)
                for every in hits:
                    hits[every] += t % every == 0
        windows = seen[-1] // max(1, total // 500)
        assert min(hits.values()) >= min(windows, seen[-1] // (16 * drawn)) - 1, (drawn, total, hits)
        assert len(seen) <= 1100


def test_a_game_with_an_iteration_in_which_nothing_is_due(tmp_path):
    objective = gz.create("dcgan", preset="tiny")
    phases = objective.phases

    def lazy():
        (phase,) = phases()
        return [dataclasses.replace(phase, steps=[dataclasses.replace(step, every=3) for step in phase.steps])]

    objective.phases = lazy
    gz.fit(objective, "digits", out=tmp_path / "run", callbacks=(ProgressLines,), **RUN)
    assert len((tmp_path / "run" / "log.jsonl").read_text().splitlines()) == 50


def test_the_time_that_is_left_follows_the_recent_speed(monkeypatch):
    """A slow start does not count for long."""
    clock, stream = [0.0], io.StringIO()
    monkeypatch.setattr(console.time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(sys, "stderr", stream)
    lines = ProgressLines(base.Run(None, {}, None, "toy"), seconds=10)
    for images in range(16, 8001, 16):
        clock[0] += 100.0 if images == 32 else 1.0
        lines.on_report(report(images, total=8000, **{"D/real": 0.5}))
    said = stream.getvalue().splitlines()
    assert "16 img/s  4 min" in said[len(said) // 2] and "16 img/s  0 s left" in said[-1]
    assert console.duration(59.4) == "59 s" and console.duration(7260) == "2 h 1 min"
    assert console.duration(160 * 3600) == "6 d 16 h" and console.duration(0) == "0 s"


# ---- what is written -------------------------------------------------------------------------------------------------
def test_the_log_is_the_same_for_two_runs(tmp_path):
    train(tmp_path / "a")
    train(tmp_path / "b")
    log = (tmp_path / "a" / "log.jsonl").read_text()
    assert log == (tmp_path / "b" / "log.jsonl").read_text()
    lines = [json.loads(line) for line in log.splitlines()]
    assert [line["images"] for line in lines] == list(range(16, 801, 16))
    assert all(set(line) == {"images", "phase", "iteration", "losses"} for line in lines)
    assert lines[-1]["iteration"] == 49 and lines[-1]["phase"] == "main"


def test_the_log_holds_the_losses(tmp_path):
    seen = [numbers(r) for r in gz.train(gz.create("dcgan", preset="tiny"), "digits", out=tmp_path / "run", **RUN)]
    lines = [json.loads(line)["losses"] for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    assert lines == [{k: float(f"{v:.6g}") for k, v in losses.items()} for losses in seen]


def test_observers_change_nothing(tmp_path):
    alone, _ = train()
    with_callbacks, _ = train(tmp_path / "run", callbacks=(TensorBoardCallback, ProgressLines))
    assert len(list((tmp_path / "run" / "samples").glob("*.png"))) == 20
    assert alone.keys() == with_callbacks.keys()
    assert [k for k in alone if not torch.equal(alone[k], with_callbacks[k])] == []


# ---- a plugin's ------------------------------------------------------------------------------------------------------
PLUGIN = """
from ganzoo_core.plugin import CallbackEntry, hookimpl

@hookimpl
def ganzoo_callbacks():
    return [CallbackEntry("diary", "Writes down what it sees.", "diary_watcher:Diary")]
"""
WATCHER = """
from ganzoo_core.training.callbacks.base import Callback

class Diary(Callback):
    def __init__(self, run):
        self.run = run
        self.write(f"made {run.name} {sorted(run.preview)}")

    def write(self, text):
        with open(self.run.folder / "diary.txt", "a") as file:
            print(text, file=file)

    def on_report(self, report):
        self.write(f"saw {report.position.images}")
        if (self.run.folder / ".." / "fail").exists() and report.position.images == 48:
            raise RuntimeError("the ink is out")

    def close(self):
        self.write("closed")
"""


@pytest.fixture
def diary(tmp_path):
    """The environment of processes in which a plugin with an observer is installed."""
    site = tmp_path / "site"
    metadata = site / "ganzoo_diary-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: ganzoo-diary\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[ganzoo.plugins]\ndiary = diary_plugin\n")
    (site / "diary_plugin.py").write_text(PLUGIN)
    (site / "diary_watcher.py").write_text(WATCHER)
    return {**ENV, "PYTHONPATH": os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH", "")]))}


@pytest.mark.slow
@pytest.mark.parametrize(("ending", "status", "seen"), [("", 0, 10), ("fail", 1, 3), ("diverge", 4, 10)])
def test_a_plugins_observer_sees_all_and_is_closed_however_the_run_ends(diary, tmp_path, ending, status, seen):
    if ending == "fail":
        (tmp_path / "fail").touch()
    extra = ["-c", "lr=1e38"] if ending == "diverge" else []
    command = [sys.executable, "-m", "ganzoo_core", *TRAIN, *extra, "--precision", "fp32", "--out", tmp_path / "run"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, env=diary)
    assert done.returncode == status, done.stderr
    said = (tmp_path / "run" / "diary.txt").read_text().splitlines()
    assert said[0] == "made dcgan ['label', 'x']" and said[-1] == "closed"
    sights = [int(line.split()[1]) for line in said[1:-1]]
    assert sights == list(range(16, 16 * len(sights) + 1, 16))
    assert len(sights) == seen if ending != "diverge" else 1 <= len(sights) <= seen


def test_callers_watchers_are_closed_when_nobody_listens_any_more():
    told = []

    class Ear(Callback):
        def __init__(self, run):
            told.append(run.folder)

        def on_report(self, report):
            told.append(report.position.images)

        def close(self):
            told.append("closed")

    reports = gz.train(gz.create("dcgan", preset="tiny"), "digits", callbacks=(Ear,), **RUN)
    assert told == []
    next(reports)
    reports.close()
    assert told == [None, 16, "closed"]


# ---- TensorBoard -----------------------------------------------------------------------------------------------------
def events(folder):
    """What TensorBoard would show."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    shown = EventAccumulator(str(folder / "tensorboard"), size_guidance={"scalars": 0, "images": 0})
    return shown.Reload()


def test_tensorboard_shows_losses_and_grids(tmp_path):
    train(tmp_path / "run", callbacks=(TensorBoardCallback,))
    shown = events(tmp_path / "run")
    assert sorted(shown.Tags()["scalars"]) == ["D/fake", "D/real", "G/adv"]
    log = [json.loads(line) for line in (tmp_path / "run" / "log.jsonl").read_text().splitlines()]
    for name in ("D/fake", "D/real", "G/adv"):
        points = [(e.step, pytest.approx(e.value, rel=1e-5)) for e in shown.Scalars(name)]
        assert [(line["images"], line["losses"][name]) for line in log] == points
    pictures = shown.Images("samples/G")
    assert [p.step for p in pictures] == [int(f.name[:10]) for f in sorted((tmp_path / "run" / "samples").iterdir())]
    assert pictures[0].encoded_image_string[:4] == b"\x89PNG" and pictures[0].width == 146


def test_tensorboard_of_a_resumed_run_shows_nothing_twice(tmp_path):
    options = {**RUN, "checkpoint_every": 160, "callbacks": (TensorBoardCallback,), "out": tmp_path / "run"}
    for seen in gz.train(gz.create("dcgan", preset="tiny"), "digits", **options):
        if seen.position.images == 432:
            break
    gz.fit(gz.create("dcgan", preset="tiny"), "digits", resume=True, **options)
    shown = events(tmp_path / "run")
    assert [e.step for e in shown.Scalars("G/adv")] == list(range(16, 801, 16))
    assert [p.step for p in shown.Images("samples/G")] == sorted({p.step for p in shown.Images("samples/G")})
    assert len(shown.Images("samples/G")) == 20


def test_tensorboard_needs_a_run_directory():
    with pytest.raises(GanzooError, match="no directory"):
        train(callbacks=(TensorBoardCallback,))


@pytest.mark.slow
def test_the_flag(tmp_path):
    command = [sys.executable, "-m", "ganzoo_core", *TRAIN, "--tensorboard", "--out", str(tmp_path / "run")]
    done = subprocess.run(command, capture_output=True, text=True, env=ENV)
    assert done.returncode == 0, done.stderr
    assert all(line.startswith(("ganzoo: ", "dcgan [")) for line in done.stderr.splitlines())  # no chatter
    assert [e.step for e in events(tmp_path / "run").Scalars("D/real")] == list(range(16, 161, 16))


def test_the_flag_without_tensorboard(tmp_path):
    program = (
        "import importlib.util\nfind = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *a: None if name == 'tensorboard' else find(name, *a)\n"
        f"from ganzoo_core.cli import main\nmain({[*TRAIN, '--tensorboard', '--out', str(tmp_path / 'run')]!r})"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=ENV)
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr.count("\n") == 1 and "pip install 'ganzoo-core[tensorboard]'" in done.stderr
    assert not (tmp_path / "run").exists()
