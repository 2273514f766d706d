"""The course of a run: how long it is, what of it is written when, and what is left of one that is stopped."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image
from processes import ganzoo, refused

import ganzoo_core as gz
from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import preserve_rng
from ganzoo_core.training import checkpoint
from ganzoo_core.training.length import Trial, images_in
from ganzoo_core.training.loaders import loader_of
from ganzoo_core.training.publishing import Grade

TINY = {"batch_size": 16, "precision": "fp32", "device": "cpu"}
TRAIN = ["train", "dcgan", "--preset", "tiny", "--batch-size", "16", "--precision", "fp32", "--device", "cpu"]


def dcgan(**given: object):
    return gz.create("dcgan", preset="tiny", **given)


def lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def images_of(model: Path) -> int:
    return json.loads((model / "config.json").read_text())["training"]["images"]


# ---- what is left of a run that is stopped ---------------------------------------------------------------------------
def test_who_iterates_no_further_leaves_a_checkpoint_and_a_model(tmp_path: Path) -> None:
    for report in gz.train(dcgan(), "digits", out=tmp_path / "run", images=160_000, **TINY):
        if report.position.images == 80:
            break
    saved, _ = checkpoint.newest(tmp_path / "run" / "checkpoints")
    assert saved is not None and saved.position.images == 80
    assert gz.load(tmp_path / "run").sample(2).isfinite().all() and images_of(tmp_path / "run" / "model") == 80


INTERRUPTED = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever starts the tests may ignore it
import torch; torch.set_num_threads(1)
import ganzoo_core as gz
from ganzoo_core.training.trainer import Alternating

class Loud(Alternating):
    def descend(self, step, batch, optimizer):
        done = super().descend(step, batch, optimizer)
        if step.player.name == "D" and self.reached.iteration == 4:
            os.kill(os.getpid(), signal.SIGINT)  # D has moved, and G not yet
        return done

import ganzoo_core.training.run as run
run.Alternating = Loud
try:
    for report in gz.train(gz.create("dcgan", preset="tiny"), "digits", out=sys.argv[1], images=160_000,
                           batch_size=16, precision="fp32"):
        pass
except KeyboardInterrupt as stop:
    print("interrupted", stop)
assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
"""


@pytest.mark.slow
def test_ctrl_c_in_the_middle_of_a_step_is_heard_when_it_is_whole(tmp_path: Path) -> None:
    command = [sys.executable, "-c", INTERRUPTED, str(tmp_path / "run")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "interrupted stopped by Ctrl-C at 80 of 160,000 images, saved" in done.stdout
    expected = next(r for r in gz.train(dcgan(), "digits", images=160_000, **TINY) if r.position.images == 80)
    saved, _ = checkpoint.newest(tmp_path / "run" / "checkpoints")
    assert saved is not None
    for name, value in expected.checkpoint().objective.items():
        assert torch.equal(value, saved.objective[name]), name


@pytest.mark.slow
def test_a_stopped_run_is_sampled_and_says_how(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "ganzoo_core", *TRAIN, "--images", "1600000", "--out", str(tmp_path / "run")]
    process = subprocess.Popen([*command, "--checkpoint-every", "160"], stderr=subprocess.PIPE, text=True)
    while not (tmp_path / "run" / "model" / "config.json").exists():
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 130 and "stopped by Ctrl-C" in said and "ganzoo sample" in said
    done = ganzoo("sample", tmp_path / "run", "-n", "4", "-o", tmp_path / "grid.png")
    assert done.returncode == 0 and (tmp_path / "grid.png").exists(), done.stderr


def test_a_kill_after_the_last_checkpoint_leaves_no_old_model(tmp_path: Path) -> None:
    run, options = tmp_path / "run", {"images": 96, "checkpoint_every": 48, **TINY}
    gz.fit(dcgan(), "digits", out=run, publish_at=(48,), **options)
    whole = (run / "model" / "model.safetensors").read_bytes()
    shutil.rmtree(run / "model")
    (run / "models" / f"{48:012d}").rename(run / "model")
    gz.fit(dcgan(seed=5), "digits", out=run, resume=True, **options)
    assert (run / "model" / "model.safetensors").read_bytes() == whole


# ---- models ----------------------------------------------------------------------------------------------------------
def test_models_are_kept_where_they_are_asked_for(tmp_path: Path) -> None:
    run = tmp_path / "run"
    options = ["--images", "480", "--publish-at", "100", "--publish-at", "320", "--out", run]
    done = ganzoo(*TRAIN, *options, "--checkpoint-every", "480")
    assert done.returncode == 0, done.stderr
    kept = sorted((run / "models").iterdir())
    assert [images_of(model) for model in kept] == [112, 320] and images_of(run / "model") == 480
    torch.testing.assert_close(gz.load(kept[0]).sample(1), gz.load(kept[0]).sample(1))
    again = ganzoo("train", "dcgan", "--resume", "--images", "640", "--publish-at", "320", "--out", run)
    assert again.returncode == 0, again.stderr
    assert sorted((run / "models").iterdir()) == kept  # 320 was before it went on


def test_the_best_model_is_kept(tmp_path: Path) -> None:
    found = {112: 5.0, 208: 3.0, 304: 4.0, 400: 3.0}
    seen: list[int] = []

    def score(model: Path) -> Grade:
        seen.append(images_of(model))
        return Grade("toy", found[seen[-1]], higher=False)

    run = tmp_path / "run"
    gz.fit(dcgan(), "digits", out=run, images=480, eval_every=100, score=score, checkpoint_every=480, **TINY)
    assert seen == list(found)
    rows = lines(run / "evals.jsonl")
    assert [(row["images"], row["value"], row["best"]) for row in rows] == [
        (112, 5.0, True), (208, 3.0, True), (304, 4.0, False), (400, 3.0, False)
    ]  # fmt: skip
    assert images_of(run / "model") == 208


def test_a_resumed_run_remembers_the_best(tmp_path: Path) -> None:
    def score(model: Path) -> Grade:
        return Grade("toy", -abs(images_of(model) - 208), higher=True)

    options = {"images": 480, "eval_every": 100, "score": score, "checkpoint_every": 48, **TINY}
    gz.fit(dcgan(), "digits", out=tmp_path / "whole", **options)
    for report in gz.train(dcgan(), "digits", out=tmp_path / "broken", **options):
        if report.position.images == 256:
            break
    gz.fit(dcgan(seed=3), "digits", out=tmp_path / "broken", resume=True, **options)
    assert (tmp_path / "broken" / "evals.jsonl").read_text() == (tmp_path / "whole" / "evals.jsonl").read_text()
    assert images_of(tmp_path / "broken" / "model") == images_of(tmp_path / "whole" / "model") == 208


def test_a_run_is_scored_by_an_installed_metric(tmp_path: Path) -> None:
    run = tmp_path / "run"
    done = ganzoo(*TRAIN, "--images", "64", "--eval-every", "32", "--metric", "nearest", "--out", run)
    assert done.returncode == 0, done.stderr
    rows = lines(run / "evals.jsonl")
    assert {row["name"] for row in rows} == {"nearest"} and "the best so far" in done.stderr
    assert images_of(run / "model") == min(rows, key=lambda row: row["value"])["images"]


def test_a_model_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    run = tmp_path / "run"
    assert ganzoo(*TRAIN, "--images", "32", "--out", run).returncode == 0
    shutil.rmtree(run / "model")
    (run / "models").write_text("in the way")
    done = ganzoo("train", "dcgan", "--resume", "--images", "64", "--publish-at", "48", "--out", run)
    assert done.returncode == 3 and "checkpoint is intact" in done.stderr and "Traceback" not in done.stderr
    found, _ = checkpoint.newest(run / "checkpoints")
    assert found is not None and found.position.images == 48


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--eval-every", "100"], "--eval-every IMAGES and --metric NAME go together"),
        (["--metric", "fod", "--eval-every", "100"], "or fid"),
        (["--minutes", "1", "--images", "100"], "--minutes and --images: two lengths"),
        (["--init", "dcgan.digits", "--resume", "--out", "run"], "two beginnings"),
    ],
)
def test_what_cannot_be_meant_together_is_one_line(tmp_path: Path, options: list[str], words: str) -> None:
    assert ganzoo(*TRAIN, "--images", "16", "--out", "run", cwd=tmp_path).returncode == 0
    out = [] if "--out" in options else ["--out", "other"]
    assert words in refused(ganzoo(*TRAIN, *options, *out, cwd=tmp_path))
    assert not (tmp_path / "other").exists()


# ---- how long --------------------------------------------------------------------------------------------------------
def test_minutes_are_as_many_images_as_fit_and_change_nothing() -> None:
    objective = gz.create("progan", preset="tiny")
    before = {k: v.clone() for k, v in objective.state_dict().items()}
    trial = Trial(batch_size=4)
    loader = loader_of("digits", seed=0, channels=1)
    torch.manual_seed(1)
    with preserve_rng():
        expected = torch.rand(1)
    few, many = images_in(0.5, objective, loader, trial), images_in(50, objective, loader, trial)
    assert few * 10 < many and torch.equal(torch.rand(1), expected)
    assert all(torch.equal(v, objective.state_dict()[k]) for k, v in before.items())
    with pytest.raises(GanzooError, match="over before the first step"):
        images_in(1e-9, objective, loader, trial)


def test_a_run_of_minutes_is_one_of_images(tmp_path: Path) -> None:
    done = ganzoo(*TRAIN, "--minutes", "0.03", "--out", tmp_path / "run")
    assert done.returncode == 0, done.stderr
    images = json.loads((tmp_path / "run" / "run.json").read_text())["images"]
    end, _ = checkpoint.newest(tmp_path / "run" / "checkpoints")
    assert end is not None and 0 <= end.position.images - images < 16


@pytest.mark.slow
def test_only_the_last_phase_of_a_longer_run_is_longer(tmp_path: Path) -> None:
    lengths = {"fade_images": 48, "settle_images": 32, "images": 64}
    options = {"batch_size": 8, "precision": "fp32", "out": tmp_path / "run"}

    def phases(**more: object) -> dict[str, int]:
        counts: dict[str, int] = {}
        for report in gz.train(gz.create("progan", preset="tiny", **lengths), "digits", **options, **more):
            counts[report.phase] = counts.get(report.phase, 0) + report.drawn
        return counts

    begun = phases()
    last = list(begun)[-1]
    longer = phases(resume=True, images=sum(begun.values()) + 160)
    assert longer == {last: 160}
    assert json.loads((tmp_path / "run" / "run.json").read_text())["begun"] == sum(begun.values())
    assert phases(resume=True, images=sum(begun.values()) + 240) == {last: 80}
    end, _ = checkpoint.newest(tmp_path / "run" / "checkpoints")
    assert end is not None and end.position.images == sum(begun.values()) + 240


# ---- early -----------------------------------------------------------------------------------------------------------
def test_a_long_run_shows_something_soon(tmp_path: Path) -> None:
    for report in gz.train(dcgan(), "digits", out=tmp_path / "run", images=15_000_000, **TINY):
        if report.position.images == 2048:
            break
    pictures = sorted(int(p.name[:10]) for p in (tmp_path / "run" / "samples").glob("*.png"))
    assert pictures == [64, 128, 256, 512, 1024, 2048]
    assert len(lines(tmp_path / "run" / "log.jsonl")) > 25 and lines(tmp_path / "run" / "health.jsonl")


def test_a_folder_of_pictures_gets_the_preset_that_suits_it(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    for i in range(8):
        Image.new("RGB", (70, 70), (30 * i, 0, 0)).save(tmp_path / "mine" / f"{i}.png")
    options = ["--images", "16", "--batch-size", "8", "--device", "cpu", "--out", tmp_path / "run"]
    done = ganzoo("train", "dcgan", "--data", tmp_path / "mine", *options)
    assert done.returncode == 0, done.stderr
    made = json.loads((tmp_path / "run" / "run.json").read_text())["recipe"]
    assert made["preset"] == "pictures" and made["args"]["image_size"] == 64 and made["args"]["channels"] == 3


def test_short_runs_do_not_publish_their_first_weights() -> None:
    objective = gz.create("dcgan", preset="digits")  # ema_images 2,000
    first = objective.G.main[0].weight.detach().clone()
    gz.fit(objective, "digits", images=640, batch_size=16, precision="fp32")
    trained, averaged = objective.G.main[0].weight, objective.ema["G"].main[0].weight
    moved = float((averaged - first).norm() / (trained - first).norm())
    assert moved > 0.8


def test_micro_batches_that_change_the_game_are_told_of(capsys: pytest.CaptureFixture[str]) -> None:
    for family, told in (("dcgan", "its batch norm"), ("wgan_gp", ""), ("stylegan2", "StyleGAN2")):
        objective = gz.create(family, preset="tiny")
        norms = any(isinstance(m, torch.nn.BatchNorm2d) for m in objective.modules())
        gz.fit(objective, "digits", images=16, batch_size=8, micro_batch=4)
        said = capsys.readouterr().err
        assert ("batch as a whole" in said) == (norms or bool(told)) and told in said
        gz.fit(objective, "digits", images=16, batch_size=8, micro_batch=8)
        assert "batch as a whole" not in capsys.readouterr().err
