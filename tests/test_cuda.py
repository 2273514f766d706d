"""On a card: every family trains there in both precisions, resumes exactly, and samples what the CPU samples.

`make gpu` runs these. Elsewhere they are skipped, unless GANZOO_TEST_DEVICE=cpu rehearses them.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

import ganzoo_core as gz
from ganzoo_core.metrics import EvalConfig, evaluate
from ganzoo_core.nn import Generator
from ganzoo_core.registry.plugins import registry
from ganzoo_core.testing.conformance import conditions, through_bytes, tiny
from ganzoo_core.training.trainer import Alternating, Report

DEVICE = os.environ.get("GANZOO_TEST_DEVICE", "cuda")
FAMILIES = sorted(registry().families)
pytestmark = [
    pytest.mark.cuda,
    pytest.mark.skipif(DEVICE == "cuda" and not torch.cuda.is_available(), reason="no CUDA device"),
]


def trained(family: str, precision: torch.dtype, stop: int = 0) -> tuple[list[Report], object]:
    """Every phase of a tiny family on the device; interrupted and resumed after report `stop`, where that is given."""
    objective, loader = tiny(family)
    made = Alternating(batch_size=4, images=64, device=DEVICE, precision=precision)
    reports = []
    for report in made.run(objective, loader):
        reports.append(report)
        if stop and len(reports) == stop:
            kept = through_bytes(report.checkpoint())
            objective, loader = tiny(family)
            again = Alternating(batch_size=4, images=64, device=DEVICE, precision=precision)
            reports += again.run(objective, loader, kept)
            break
    return reports, objective


@pytest.mark.parametrize("family", FAMILIES)
def test_it_trains_there_in_float32_and_samples_as_the_cpu_does(family: str) -> None:
    reports, objective = trained(family, torch.float32)
    assert all(value.isfinite().all() for report in reports for value in report.losses.values())
    _, loader = tiny(family)
    batch = dict(next(loader(start=0, batch_size=4)))
    for net in objective.exported_networks().values():  # type: ignore[attr-defined]
        if isinstance(net, Generator):
            net.eval()
            given = conditions(net, batch, 4)
            there = net.sample(4, seed=1, **given).cpu()
            here = net.cpu().sample(4, seed=1, **given)
            assert (there - here).abs().max() < 1e-4


@pytest.mark.parametrize("family", FAMILIES)
def test_it_trains_there_in_bfloat16(family: str) -> None:
    reports, _ = trained(family, torch.bfloat16)
    assert all(value.isfinite().all() for report in reports for value in report.losses.values())


@pytest.mark.parametrize("family", ["dcgan", "stylegan2", "wgan_gp", "cyclegan"])
def test_a_run_that_was_interrupted_ends_as_an_unbroken_one(family: str) -> None:
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        (_, whole), (_, broken) = trained(family, torch.float32), trained(family, torch.float32, stop=2)
    finally:
        torch.use_deterministic_algorithms(False)
    a, b = (objective.state_dict() for objective in (whole, broken))  # type: ignore[attr-defined]
    assert {name for name in a if not torch.equal(a[name], b[name])} == set()


def test_two_trainings_in_one_process_and_one_objective_twice() -> None:
    for family in ("dcgan", "dcgan", "gan"):
        assert trained(family, torch.float32)[0]
    objective = gz.create("dcgan", preset="tiny").to(DEVICE)  # there already
    for _ in range(2):
        reports = list(gz.train(objective, data="digits", images=32, batch_size=16, device=DEVICE))
        assert reports


@pytest.mark.parametrize("augment", ["ada", "diffaugment"])
def test_augmentation_there(augment: str) -> None:
    objective = gz.create("dcgan", preset="tiny", augment=augment)
    for report in gz.train(objective, data="digits", images=256, batch_size=16, device=DEVICE):
        assert all(value.isfinite() for value in report.losses.values())


def test_loading_and_measuring_there(tmp_path: Path) -> None:
    objective = gz.create("gan", preset="tiny")
    gz.fit(objective, "digits", images=64, batch_size=16, out=tmp_path / "run", device=DEVICE)
    scores = []
    for device in (DEVICE, "cpu"):
        model = gz.load(tmp_path / "run", device=device)
        assert next(model.generator.parameters()).device.type == device
        (score,) = evaluate(model, EvalConfig("digits", ("fid",), n=200))
        scores.append(score.value)
    assert scores[0] == pytest.approx(scores[1], rel=1e-3)


def ganzoo(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "ganzoo_core", *words], capture_output=True, text=True)


@pytest.mark.parametrize("device", ["auto", f"{DEVICE}:0", DEVICE])
def test_devices_by_name(device: str, tmp_path: Path) -> None:
    done = ganzoo("train", "dcgan", "--preset=tiny", "--images=32", "--device", device, "--out", str(tmp_path / "run"))
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(DEVICE != "cuda", reason="a CPU swaps")
def test_out_of_memory_is_said_in_one_line(tmp_path: Path) -> None:
    batch = ("--batch-size=1000000", "--images=1000000", "-c", "image_size=64", "-c", "width=512")
    done = ganzoo("train", "dcgan", "--preset=tiny", *batch, "--device=cuda", "--out", str(tmp_path / "run"))
    assert done.returncode == 3 and "out of memory" in done.stderr and "Traceback" not in done.stderr
