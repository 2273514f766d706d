"""DeblurGAN: the published tensors, the game in closed form, and a blur that is known."""

from __future__ import annotations

import pytest
import torch
from ganzoo_structure.blur import REACH, blurred, kernel, pairs
from ganzoo_structure.deblurgan import VGG33

from ganzoo_core.objectives import Objective
from ganzoo_core.registry.recipes import build, recipe


def game(preset: str = "tiny", **given: object) -> Objective:
    return build(recipe("deblurgan", preset=preset, given=given))


def test_presets_have_the_published_counts() -> None:
    with torch.device("meta"):
        made = game("paper", content="pixels")
    assert [sum(w.numel() for w in net.parameters()) for net in (made.G, made.D)] == [6_067_459, 2_764_737]
    assert VGG33.layers == 15  # features 0 to 14, of which the last is conv3_3


def test_g_adds_to_the_picture_within_its_range() -> None:
    made = game().eval()
    a = torch.rand(2, 3, 16, 16) * 2 - 1
    with torch.no_grad():
        assert torch.equal(made.G(a), (a + made.G.main(a)).clamp(-1, 1))
        made.G.main[-2].weight.zero_()
        torch.testing.assert_close(made.G(a), a)


def test_sampling_takes_the_running_statistics() -> None:
    net = game().G
    a = torch.rand(4, 3, 16, 16)
    net.train()(a)
    alone, beside = net.eval()(a[:1]), net(a)[:1]
    torch.testing.assert_close(alone, beside)
    assert net.main[1].running_mean.abs().sum() > 0


def test_the_game_by_hand() -> None:
    made = game(lam=7.0, gp=0.0).eval()
    batch = {"a": torch.rand(3, 3, 16, 16), "b": torch.rand(3, 3, 16, 16)}
    with torch.no_grad():
        fake = made.G(batch["a"])
        real_score, fake_score = (made.D(x).mean() for x in (batch["b"], fake))
        g = made.g_loss(batch)
    assert g["adv"].item() == pytest.approx(-fake_score.item(), abs=1e-6)
    assert g["content"].item() == pytest.approx(7 * (fake - batch["b"]).square().mean().item(), rel=1e-5)
    d = made.d_loss(batch)
    assert sum(d.values()).item() == pytest.approx((fake_score - real_score).item(), abs=1e-5)


def test_a_kernel_is_a_walk() -> None:
    for seed in range(20):
        k = kernel(seed)
        assert k.shape == (2 * REACH + 1,) * 2 and k.min() >= 0 and k.sum().item() == pytest.approx(1)
        assert 3 <= (k > 0).sum() <= 150  # a line, not a disc
    assert torch.equal(kernel(3), kernel(3)) and not torch.equal(kernel(3), kernel(4))


def test_a_plain_picture_stays_and_a_point_becomes_the_walk() -> None:
    k = kernel(1)
    plain = torch.full((3, 20, 20), 0.3)
    torch.testing.assert_close(blurred(plain, k), plain)
    point = torch.zeros(1, 31, 31)
    point[0, 15, 15] = 1
    found = blurred(point, k)[0, 15 - REACH : 16 + REACH, 15 - REACH : 16 + REACH]
    torch.testing.assert_close(found, k.flip(0, 1))  # a convolution of torch is a correlation
    made = pairs(torch.rand(2, 3, 20, 20), [1, 2])
    assert made["a"].shape == made["b"].shape and not torch.equal(made["a"], made["b"])
