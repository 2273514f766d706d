"""MSG-GAN: the published tensors and forward pass, and gradients that reach every scale at once."""

from __future__ import annotations

import math

import pytest
import torch
from ganzoo_structure.msggan_networks import smaller
from torch.nn.functional import avg_pool2d, conv2d, conv_transpose2d, interpolate, leaky_relu

from ganzoo_core.objectives import Objective
from ganzoo_core.registry.recipes import build, recipe

COUNTS = {
    "paper": (22_490_383, 18_364_161), "pictures256": (23_044_309, 18_733_185),
    "pictures1024": (23_079_115, 18_756_321),
}  # fmt: skip


def game(preset: str, **given: object) -> Objective:
    return build(recipe("msggan", preset=preset, given=given))


@pytest.mark.parametrize("preset", COUNTS)
def test_presets_have_the_published_counts(preset: str) -> None:
    with torch.device("meta"):
        made = game(preset)
    assert tuple(sum(w.numel() for w in net.parameters()) for net in (made.G, made.D)) == COUNTS[preset]


def normal(h: torch.Tensor) -> torch.Tensor:
    return h / (h.square().mean(1, keepdim=True) + 1e-8).sqrt()


def conv(h, weight, bias, padding):
    return conv2d(h, weight * math.sqrt(2 / weight[0].numel()), bias, padding=padding)


def test_forward_is_the_published_one() -> None:
    """From the bare tensors in their order: G's pictures of all scales, and D's scores of them."""
    torch.manual_seed(0)
    made = game("tiny", image_size=32, z_dim=8)
    G, D = (iter(list(net.parameters())) for net in (made.G, made.D))
    for net in (made.G, made.D):
        for name, w in net.named_parameters():
            if name.endswith("bias"):
                w.data.normal_(0, 0.1)
    z = torch.randn(3, 8)
    w, b = next(G), next(G)
    h = leaky_relu(conv_transpose2d(z[:, :, None, None], w * math.sqrt(2 / 8), b), 0.2)
    hs = [normal(leaky_relu(conv(h, next(G), next(G), 1), 0.2))]
    for _ in range(3):
        h = interpolate(hs[-1], scale_factor=2)
        for _ in range(2):
            h = normal(leaky_relu(conv(h, next(G), next(G), 1), 0.2))
        hs.append(h)
    pictures = [conv(h, next(G), next(G), 0) for h in hs]
    for ours, theirs in zip(made.G.pyramid(z), pictures, strict=True):
        torch.testing.assert_close(ours, theirs)
    rgb = [(next(D), next(D)) for _ in range(4)]
    blocks = [[(next(D), next(D)) for _ in range(2)] for _ in range(3)]
    h = conv(pictures[3], *rgb[2], 0)
    for i in (2, 1, 0):
        for w, b in blocks[i]:
            h = leaky_relu(conv(h, w, b, 1), 0.2)
        w, b = rgb[i - 1] if i else rgb[3]
        h = torch.cat([conv(pictures[i], w, b, 0), avg_pool2d(h, 2)], 1)
    apart = (h - h.mean(0)).square().mean(0).add(1e-8).sqrt().mean()
    h = torch.cat([h, apart.expand(3, 1, 4, 4)], 1)
    h = leaky_relu(conv(h, next(D), next(D), 1), 0.2)
    score = conv(leaky_relu(conv(h, next(D), next(D), 0), 0.2), next(D), next(D), 0)
    torch.testing.assert_close(made.D.judge(pictures), score.flatten())


def test_smaller_copies_are_means_of_pixels() -> None:
    x = torch.rand(2, 1, 16, 16)
    pyramid = smaller(x, 2)
    assert [p.shape[-1] for p in pyramid] == [4, 8, 16] and pyramid[-1] is x
    torch.testing.assert_close(pyramid[0], avg_pool2d(x, 4))


def test_every_scale_of_g_hears_from_d_directly() -> None:
    """Even where larger scales say nothing."""
    made = game("tiny")
    made.zero_grad()
    made.g_loss({"x": torch.rand(8, 1, 16, 16)})["adv"].backward()
    assert all(net.weight.grad is not None and net.weight.grad.abs().sum() > 0 for net in made.G.to_rgb)


def test_the_game_is_the_relativistic_hinge_of_pyramids() -> None:
    made = game("tiny")
    r, s = torch.tensor([1.0, 3.0]), torch.tensor([-1.0, 0.5])
    terms = made.loss.d(r, s)
    expected = torch.relu(1 - (r - s.mean())).mean() + torch.relu(1 + (s - r.mean())).mean()
    assert sum(terms.values()).item() == pytest.approx(expected.item())
