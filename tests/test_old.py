"""What 0.1 made is read for ever: tests/fixtures/v0_1 was written by it, before anything moved."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest
import safetensors.torch
import torch
from processes import ganzoo
from torch import Tensor

import ganzoo_core as gz
from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Generator, cycled, preserve_rng
from ganzoo_core.seeds import hash32
from ganzoo_core.training import checkpoint
from ganzoo_core.training.trainer import Checkpoint, Position

ROOT = Path(__file__).parent.parent
OLD = Path(__file__).parent / "fixtures" / "v0_1"
GRAY = 2 / 255  # a level of gray: other processors sum in another order, and the samples are kept in half precision


def test_shipped_weights_keep_their_path_and_bytes() -> None:
    lines = (OLD / "weights.sha256").read_text("utf-8").splitlines()
    assert len(lines) == 100
    for line in lines:
        sha256, name = line.split()
        if name.endswith((".safetensors", "config.json")):
            assert hashlib.sha256((ROOT / name).read_bytes()).hexdigest() == sha256, name


@pytest.mark.elsewhere
@pytest.mark.parametrize("name", json.loads((OLD / "samples.json").read_text("utf-8")))
def test_models_draw_the_same_samples(name: str) -> None:
    """From the random numbers that 0.1 drew them from, within a level of gray: processors sum in their own order."""
    net = gz.load(name).generator
    found = drawn_as_then(net, 2, seed=3, **cycled(net, 2))
    kept = safetensors.torch.load_file(OLD / "samples.safetensors")[name]
    torch.testing.assert_close(found, kept.float(), atol=GRAY, rtol=0)


@torch.no_grad()
def drawn_as_then(net: Generator, n: int, seed: int, **given: Tensor) -> Tensor:
    """Samples as 0.1 drew them: from 32-bit seeds, and from the global generator inside of the network."""
    made = []
    with preserve_rng():
        for start in range(0, n, net.sample_batch_size):
            which = range(start, start + net.sample_batch_size)
            each = [net.priors(1, torch.Generator().manual_seed(hash32(seed, "sample", i))) for i in which]
            drawn = {name: torch.cat([one[name] for one in each]) for name in each[0]}
            told = {name: value[[min(i, n - 1) for i in which]] for name, value in given.items()}
            torch.manual_seed(hash32(seed, "noise", start))
            made.append(net(*({**drawn, **told}[name] for name in net.inputs)).float())
    return torch.cat(made)[:n].clamp(*net.output.range or (None, None))  # some are cut to it when they are sampled


def test_a_model_directory_of_format_1_loads_and_says_that_it_has_no_discriminator() -> None:
    model = gz.load(OLD / "model")
    assert model.config["format"] == 1 and model.sample(2).shape == (2, 1, 16, 16)
    with pytest.raises(GanzooError, match="without its discriminator"):
        _ = model.discriminator


@pytest.mark.elsewhere
def test_a_run_goes_on_where_it_stopped(tmp_path: Path) -> None:
    """From 320 to 640 images, and ends with the weights that 0.1 ended with."""
    run = tmp_path / "run"
    shutil.copytree(OLD / "run", run)
    done = ganzoo("train", "dcgan", "--resume", "--precision", "fp32", "--device", "cpu", "--out", run)
    assert done.returncode == 0, done.stderr
    end, skipped = checkpoint.newest(run / "checkpoints")
    assert end is not None and not skipped and end.position.images == 640
    expected = safetensors.torch.load_file(OLD / "end.safetensors")
    assert end.objective.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(end.objective[name], value, atol=1e-3, rtol=1e-3, msg=name)


def test_moving_averages_of_old_checkpoints_get_their_new_name() -> None:
    old = Checkpoint(Position(0, 1, 8), {"averages.G.w": torch.ones(2), "G.w": torch.zeros(2)}, {})
    assert set(checkpoint.with_new_names(old).objective) == {"ema.G.w", "G.w"}


def test_a_push_lists_the_same_files() -> None:
    kept = json.loads((OLD / "push.json").read_text("utf-8"))["files"]
    done = ganzoo("push", "dcgan.mnist", "me/digits", "--license", "Apache-2.0", "--dry-run", "--json")
    found = json.loads(done.stdout)["files"]
    assert found.keys() == kept.keys()
    assert all(found[name] == kept[name] for name in ("config.json", "model.safetensors"))
