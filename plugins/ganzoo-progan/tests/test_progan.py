"""ProGAN: the reference's tensors, growing, and its layers by hand."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from ganzoo_progan.networks import D, G
from ganzoo_progan.objective import ProGAN
from torch import Tensor
from torch.nn.functional import avg_pool2d, conv2d

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import EqualizedConv2d, EqualizedLinear, minibatch_std, pixel_norm, upsample
from ganzoo_core.registry.recipes import build, recipe
from ganzoo_core.testing.synthetic import synthetic
from ganzoo_core.training.trainer import Alternating

# The reference's parameters, in their order

Shapes = list[tuple[int, ...]]
WIDTHS = [512, 512, 512, 512, 256, 128, 64, 32, 16]


def layer(*weight: int) -> Shapes:
    return [weight, (weight[0],)]


def reference(widths: list[int]) -> tuple[Shapes, Shapes]:
    pairs = list(pairwise(widths))
    g = [s for f, h in pairs for s in layer(h, f, 3, 3) + layer(h, h, 3, 3)]
    g += [s for f in widths for s in layer(3, f, 1, 1)] + layer(8192, 512) + layer(512, 512, 3, 3)
    d = [s for f, h in pairs for s in layer(h, h, 3, 3) + layer(f, h, 3, 3)]
    d += [s for f in widths for s in layer(f, 3, 1, 1)]
    return g, d + layer(1, 512) + layer(512, 513, 3, 3) + layer(512, 8192)


@pytest.mark.parametrize("size,counts", [(1024, (23_086_795, 23_087_249)), (128, (22_941_074, 22_941_313))])
def test_paper_networks_are_the_references(size: int, counts: tuple[int, int]) -> None:
    with torch.device("meta"):
        objective = build(recipe("progan", preset="paper", given={"image_size": size}))
    expected = reference(WIDTHS[: size.bit_length() - 2])
    for net, shapes, count in zip((objective.G, objective.D), expected, counts, strict=True):
        own = list(net.parameters())  # type: ignore[union-attr]
        assert [tuple(w.shape) for w in own] == shapes and sum(w.numel() for w in own) == count


# Layers


def test_layers_are_equalised() -> None:
    conv, dense = EqualizedConv2d(6, 4, 3), EqualizedLinear(6, 4, gain=1.0, lr=0.01)
    x = torch.randn(2, 6, 5, 5)
    expected = conv2d(x, conv.weight * math.sqrt(2 / (6 * 9)), conv.bias, padding=1)
    torch.testing.assert_close(conv(x), expected)
    assert dense.weight.std() > 50  # 1 / lr, so that a step of Adam is a hundredth of it
    torch.nn.init.ones_(dense.bias)
    y = torch.randn(3, 6)
    torch.testing.assert_close(dense(y), y @ (dense.weight.T * 0.01 / math.sqrt(6)) + 0.01)


def test_pixels_have_length_one() -> None:
    x = pixel_norm(torch.randn(2, 7, 3, 3))
    torch.testing.assert_close(x.square().mean(1), torch.ones(2, 3, 3))


def test_the_deviation_is_that_of_the_group() -> None:
    x = torch.randn(8, 3, 2, 2)
    out = minibatch_std(x)
    assert torch.equal(out[:, :3], x) and out.shape == (8, 4, 2, 2)
    for m in (0, 1):  # pictures 0, 2, 4, 6 are a group, and 1, 3, 5, 7
        std = x[m::2].var(0, unbiased=False).add(1e-8).sqrt().mean()
        torch.testing.assert_close(out[m::2, 3], std.expand(4, 2, 2))
    assert float(minibatch_std(x[:1])[0, 3, 0, 0]) == pytest.approx(1e-4)  # alone it has nothing to differ from
    assert minibatch_std(x[:6])[0, 3, 0, 0] == minibatch_std(x[:6])[5, 3, 0, 0]  # not by fours: one group


# Growing


def grown(depth: int, alpha: float) -> ProGAN:
    objective = build(recipe("progan", preset="tiny"))
    assert isinstance(objective, ProGAN)
    with torch.no_grad():
        for w in objective.parameters():
            w.add_(0.1 * torch.randn_like(w))  # biases, too
    objective.grow(depth, alpha)
    return objective


@pytest.mark.parametrize("depth", [1, 2])
def test_at_alpha_0_it_is_the_coarser_network(depth: int) -> None:
    objective = grown(depth, 0.0)
    z, x = torch.randn(3, 8), torch.randn(3, 1, 4 * 2**depth, 4 * 2**depth)
    faded, score = objective.G(z), objective.D(x)
    objective.grow(depth - 1, 1.0)
    torch.testing.assert_close(faded, upsample(objective.G(z)))
    torch.testing.assert_close(score, objective.D(avg_pool2d(x, 2)))


def test_at_alpha_1_nothing_of_it_is_left_and_in_between_it_is_between() -> None:
    objective = grown(2, 0.25)
    z = torch.randn(3, 8)
    quarter = objective.G(z)
    objective.grow(2, 1.0)
    whole = objective.G(z)
    objective.grow(1, 1.0)
    torch.testing.assert_close(quarter, 0.25 * whole + 0.75 * upsample(objective.G(z)))


def test_real_images_fade_in_likewise() -> None:
    x = torch.randn(2, 1, 8, 8)
    assert torch.equal(grown(1, 1.0).faded(x), x)
    torch.testing.assert_close(grown(1, 0.0).faded(x), upsample(avg_pool2d(x, 2)))


def test_the_course_is_as_published() -> None:
    with torch.device("meta"):
        objective = build(recipe("progan", preset="paper"))
    phases = objective.phases()
    assert [p.name for p in phases][:4] == ["4px", "8px fading in", "8px", "16px fading in"]
    assert len(phases) == 17 and all(p.images == 800_000 for p in phases)
    assert objective.D.group == 16
    assert [p.data["batch_size"] for p in phases] == [16] * 11 + [14] * 2 + [6] * 2 + [3] * 2
    assert [p.data["image_size"] for p in phases[::2]] == [4 * 2**i for i in range(9)]
    players = [p.steps[0].player for p in phases]
    assert players[1] is players[2] and players[2] is not players[3]  # Adam begins afresh at each resolution


def test_a_run_goes_through_all_of_them() -> None:
    made = recipe("progan", preset="tiny")
    objective = build(made)
    seen: dict[str, set[tuple[int, float]]] = {}
    runner = Alternating(seed=0, batch_size=8, images=400)
    for report in runner.run(objective, synthetic(objective.needs, made.args)):
        seen.setdefault(report.phase, set()).add((int(objective.G.depth), round(float(objective.G.alpha), 2)))  # type: ignore[union-attr, arg-type]
    assert list(seen) == ["4px", "8px fading in", "8px", "16px fading in", "16px"]
    assert seen["8px"] == {(1, 1.0)} and seen["16px"] == {(2, 1.0)}
    fading = sorted(alpha for _, alpha in seen["16px fading in"])
    assert len(fading) > 3 and fading[-1] == 1.0 and {depth for depth, _ in seen["16px fading in"]} == {2}
    assert float(objective.exported_networks()["G"].alpha) == 1.0  # type: ignore[arg-type]


def test_losses_at_known_scores() -> None:
    class Sum(D):
        def forward(self, x: Tensor, *conditions: Tensor) -> Tensor:
            return 3 + x.flatten(1).sum(1) / 8  # slope 1/8 at each of 64 pixels: of length 1

    objective = grown(1, 1.0)
    objective.D = Sum([8, 8, 8], 1, 4)
    objective.grow(1, 1.0)
    x = torch.randn(4, 1, 8, 8)
    terms = objective.d_loss({"x": x})
    score = 3 + x.flatten(1).sum(1) / 8
    assert float(terms["gp"]) == pytest.approx(0, abs=1e-6)
    torch.testing.assert_close(terms["real"], -score.mean())
    torch.testing.assert_close(terms["drift"], 0.001 * score.square().mean())


def test_sizes_are_powers_of_two() -> None:
    with pytest.raises(GanzooError, match="image_size 24"):
        build(recipe("progan", preset="tiny", given={"image_size": 24}))
    assert isinstance(build(recipe("progan", preset="tiny")).G, G)
