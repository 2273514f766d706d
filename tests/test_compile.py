"""--compile: torch.compile traces our losses, without its code generator, which takes minutes; once with it."""

from __future__ import annotations

import shutil
from functools import partial
from itertools import islice
from pathlib import Path

import pytest
import torch

import ganzoo_core as gz
from ganzoo_core.errors import GanzooError
from ganzoo_core.testing.conformance import tiny, trainer
from ganzoo_core.training import compiling
from ganzoo_core.training import trainer as training
from ganzoo_core.training.dry_run import dry_run

# Half of it of first order; then batch norm, labels, styles with noise, and growing networks.
FAMILIES = [
    "wgan_gp",
    *(pytest.param(name, marks=pytest.mark.slow) for name in ("dcgan", "biggan", "stylegan2", "progan")),
]


def losses(family: str, compiled: bool, n: int = 3) -> list[dict[str, float]]:
    objective, loader = tiny(family)
    course = trainer(objective)
    course.compiled = dry_run(objective, loader).first_order if compiled else ()
    return [{k: float(v) for k, v in report.losses.items()} for report in islice(course.run(objective, loader), n)]


@pytest.mark.filterwarnings("ignore")  # of torch's own, while it traces
@pytest.mark.parametrize("family", FAMILIES)
def test_a_compiled_game_is_the_same_game(family: str, monkeypatch: pytest.MonkeyPatch) -> None:
    traced = partial(compiling.compile_steps, backend="aot_eager")
    monkeypatch.setattr(training, "compile_steps", traced)
    plain = losses(family, compiled=False)
    torch.compiler.reset()
    for ours, theirs in zip(losses(family, compiled=True), plain, strict=True):
        assert ours == pytest.approx(theirs, abs=1e-5)


def test_a_loss_that_differentiates_a_gradient_is_known_before_the_first_step(capsys: pytest.CaptureFixture) -> None:
    objective, loader = tiny("wgan_gp")
    phases, which = objective.phases(), dry_run(objective, loader).first_order
    assert which == {(0, 1)}
    assert [step.player.name for step in phases[0].steps] == ["D", "G"]
    compiled = compiling.compile_steps(phases, which)
    assert compiled[0].steps[0].loss == phases[0].steps[0].loss
    assert compiled[0].steps[1].loss != phases[0].steps[1].loss
    compiling.tell_of_compiling(phases, which)
    assert "/D differentiates a gradient" in capsys.readouterr().err


def test_where_nothing_compiles_it_is_said_before_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("CXX", str(tmp_path / "none"))
    with pytest.raises(GanzooError, match="no C\\+\\+ compiler"):
        gz.fit(gz.create("dcgan", preset="tiny"), "digits", compile=True, images=64, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_what_torch_cannot_compile_after_all_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """D has batch norm, whose statistics move between two looks that a hook has parted."""
    monkeypatch.setattr(training, "compile_steps", partial(compiling.compile_steps, backend="aot_eager"))
    game = gz.create("dcgan", preset="tiny", regularise=("bcr",))
    with pytest.raises(GanzooError, match="cannot compile this game after all"):
        gz.fit(game, "digits", images=48, batch_size=16, precision="fp32", compile=True)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.skipif(not shutil.which("g++"), reason="there is no g++")
def test_a_compiled_run_is_resumed_as_such_and_to_the_same_bits(tmp_path: Path) -> None:
    torch.set_num_threads(1)
    options = {"images": 192, "batch_size": 16, "checkpoint_every": 48, "precision": "fp32", "compile": True}
    for name, last in (("whole", None), ("broken", 96)):
        for report in gz.train(gz.create("dcgan", preset="tiny"), "digits", out=tmp_path / name, **options):
            if report.position.images == last:
                break
    with pytest.raises(GanzooError, match="compile"):
        gz.fit(gz.create("dcgan", preset="tiny"), "digits", out=tmp_path / "broken", resume=True,
               **{**options, "compile": False})  # fmt: skip
    gz.fit(gz.create("dcgan", preset="tiny"), "digits", out=tmp_path / "broken", resume=True, **options)
    ours, whole = (tmp_path / name / "model" / "model.safetensors" for name in ("broken", "whole"))
    assert ours.read_bytes() == whole.read_bytes()
