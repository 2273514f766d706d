"""BigGAN-deep: the published counts, truncation with statistics of its own, standing statistics."""

from __future__ import annotations

import math

import pytest
import torch
from ganzoo_biggan.deep import DBlock, DBlockDown, GBlockUp, TruncatedNorm, between
from torch import nn

from ganzoo_core.errors import GanzooError
from ganzoo_core.objectives import Objective
from ganzoo_core.registry.recipes import build, recipe

COUNTS = {
    "paper": (50_244_484, 34_590_210), "imagenet256": (55_736_708, 38_247_426), "deepmind128": (50_388_609, None),
    "deepmind256": (55_880_833, None), "deepmind512": (56_163_905, None),
}  # fmt: skip


def game(preset: str, **given: object) -> Objective:
    return build(recipe("biggan_deep", preset=preset, given=given))


@pytest.mark.parametrize("preset", COUNTS)
def test_presets_have_the_published_counts(preset: str) -> None:
    with torch.device("meta"):
        made = game(preset)
    for net, count in zip((made.G, made.D), COUNTS[preset], strict=True):
        assert count in (None, sum(w.numel() for w in net.parameters()))


@pytest.mark.parametrize("preset", ["paper", "deepmind512"])
def test_both_networks_attend_at_64(preset: str) -> None:
    with torch.device("meta"):
        made = game(preset)
    (g,) = (i for i, block in enumerate(made.G.blocks) if hasattr(block, "attention"))
    (d,) = (i for i, block in enumerate(made.D.blocks[1:]) if hasattr(block, "attention"))
    assert 4 * 2 ** ((g + 1) // 2) == 64 == made.recipe.args["image_size"] // 2 ** ((d + 1) // 2)


def silent(block: nn.Module) -> nn.Module:
    """Its last convolution says nothing: the way around is what remains."""
    nn.init.zeros_(block.conv4.weight)
    nn.init.zeros_(block.conv4.bias)
    return block


def test_ways_around_a_block_drop_channels_or_add_some() -> None:
    x = torch.randn(2, 8, 4, 4)
    dropped = silent(GBlockUp(8, 4, 3, 1, 1e-5))(x, torch.randn(2, 3), 1.0)
    assert torch.equal(dropped, x[:, :4].repeat_interleave(2, 2).repeat_interleave(2, 3))
    assert torch.equal(silent(DBlock(8, 8))(x), x)
    more = silent(DBlockDown(8, 12))(x)
    assert torch.equal(more[:, :8], nn.functional.avg_pool2d(x, 2)) and more.shape == (2, 12, 2, 2)


def test_statistics_are_those_of_the_truncation() -> None:
    norm = TruncatedNorm(1, 5, 0.0, affine=False).eval()
    norm.running_mean[:, 0] = torch.arange(5.0)
    x = torch.zeros(1, 1, 1, 1)
    for truncation, mean in ((1.0, 4.0), (0.5, 2.0), (0.25, 1.0), (0.375, 1.5)):
        assert norm(x, truncation).item() == pytest.approx(-mean)
    assert between(torch.tensor([[7.0]]), 0.3).item() == 7.0  # one row serves all


def test_in_training_the_last_row_moves_as_batch_norm_does() -> None:
    norm, plain = TruncatedNorm(3, 4, 1e-5, affine=True), nn.BatchNorm2d(3)
    for _ in range(3):
        x = 2 + torch.randn(5, 3, 2, 2)
        torch.testing.assert_close(norm(x, 0.1), plain(x))
    torch.testing.assert_close(norm.running_mean[-1], plain.running_mean)
    torch.testing.assert_close(norm.running_var[-1], plain.running_var)
    assert torch.equal(norm.running_mean[:-1], torch.zeros(3, 3))


def test_latents_are_a_cut_normal_law_scaled() -> None:
    z = game("tiny").G.scaled(0.5, 4000, torch.Generator().manual_seed(0))["z"]
    assert z.abs().max() <= 1
    # The variance of N(0, 1) cut off at 2 is 1 - 4 phi(2) / (2 Phi(2) - 1).
    variance = 1 - 4 * math.exp(-2) / math.sqrt(2 * math.pi) / math.erf(math.sqrt(2))
    assert z.var().item() == pytest.approx(0.25 * variance, rel=0.02)


def test_truncated_samples_are_exact_and_less_varied() -> None:
    net = game("tiny").G
    many = net.sample(20, seed=1, truncation=0.3, label=3)
    assert torch.equal(many[:3], net.sample(3, seed=1, truncation=0.3, label=3))
    assert many.var(0).mean() < net.sample(20, seed=1, label=3).var(0).mean()


@pytest.mark.parametrize("truncation", [0.0, -1.0, 1.5, math.nan])
def test_other_truncations_are_refused(truncation: float) -> None:
    with pytest.raises(GanzooError, match="truncation"):
        game("tiny").G.sample(1, seed=0, truncation=truncation, label=0)


def test_what_is_published_has_standing_statistics() -> None:
    made = game("tiny").exported_networks()["G"]
    assert bool(made.stand) and not torch.equal(made.bn.running_var, torch.ones_like(made.bn.running_var))
