"""Every family in processes of its own: killed without a warning, it goes on and ends as an unbroken run does.

Slow: `make test-all` runs it.
"""

from __future__ import annotations

import os
import signal
from functools import partial
from pathlib import Path

import pytest
import torch
from processes import forked

import ganzoo_core as gz
from ganzoo_core.registry.plugins import registry
from ganzoo_core.testing.conformance import tiny, trainer
from ganzoo_core.training import checkpoint

pytestmark = pytest.mark.slow


def train(family: str, folder: Path, kill_at: int, resume: bool) -> None:
    """Some steps of a tiny preset, a checkpoint after each; at one of them this very process is killed."""
    objective, loader = tiny(family)
    images = trainer(objective).images
    course = gz.train(
        objective, data=partial(loader, start=0, batch_size=4), images=images, batch_size=4, seed=1, ema_images=100,
        device="cpu", precision="fp32", out=folder, checkpoint_every=1, resume=resume,
    )  # fmt: skip
    for number, _ in enumerate(course):
        if number == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)


def run(family: str, folder: Path, kill_at: int = -1, resume: bool = False):
    return forked(partial(train, family, folder, kill_at, resume))


@pytest.mark.parametrize("family", list(registry().families))
def test_a_killed_run_ends_as_an_unbroken_one(family: str, tmp_path: Path) -> None:
    whole = run(family, tmp_path / "whole")
    assert whole.returncode == 0, whole.stderr
    broken = run(family, tmp_path / "broken", kill_at=1)
    assert broken.returncode == -9, broken.stderr
    rest = run(family, tmp_path / "broken", resume=True)
    assert rest.returncode == 0, rest.stderr
    (expected, _), (found, skipped) = (
        checkpoint.newest(tmp_path / name / "checkpoints") for name in ("whole", "broken")
    )
    assert expected is not None and found is not None and not skipped and found.position == expected.position
    for name, value in expected.objective.items():
        assert torch.equal(value, found.objective[name]), name
    for player, tensors in expected.optimizers.items():
        assert all(torch.equal(value, found.optimizers[player][key]) for key, value in tensors.items()), player
