"""Penalties in closed form on linear and quadratic critics, and their double backward against finite differences."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.autograd import gradcheck
from torch.func import functional_call

from ganzoo_core.objectives import (
    clip_rows,
    clip_weights,
    dragan_penalty,
    gradient_penalty,
    interpolate,
    penalties,
    r1,
    r2,
)

# All as functions of (critic, real, fake).
PENALTIES = {
    "gradient_penalty": gradient_penalty,
    "one_sided": penalties.one_sided_gradient_penalty,
    "r1": lambda critic, real, fake: r1(critic, real),
    "r2": lambda critic, real, fake: r2(critic, fake),
    "dragan": lambda critic, real, fake: dragan_penalty(critic, real),
}
OF_NORM = {  # at a critic whose slope has this norm everywhere
    "gradient_penalty": lambda s: (s - 1) ** 2,
    "one_sided": lambda s: max(0.0, s - 1) ** 2,
    "r1": lambda s: s**2,
    "r2": lambda s: s**2,
    "dragan": lambda s: (s - 1) ** 2,
}
each_penalty = pytest.mark.parametrize("name", PENALTIES)


def images(seed, *shape, dtype=torch.float64):
    return torch.randn(*(shape or (5, 2, 4, 4)), generator=torch.Generator().manual_seed(seed), dtype=dtype)


def small_critic():
    """Smooth, and with slopes on both sides of 1."""
    torch.manual_seed(0)
    conv, body, head = nn.Conv2d(2, 3, 3, stride=2, padding=1), nn.Linear(12, 4), nn.Linear(4, 1)
    for layer, std in ((body, 2), (head, 4)):
        nn.init.normal_(layer.weight, std=std)
    return nn.Sequential(conv, nn.Softplus(), nn.Flatten(), body, nn.Tanh(), head).double()


def value(name, critic, real, fake):
    torch.manual_seed(1)  # the same interpolates every time
    return PENALTIES[name](critic, real, fake)


@each_penalty
@pytest.mark.parametrize("scale", [0.25, 1.0, 3.0])
@pytest.mark.parametrize("score", [(), (1,), (1, 2, 2)], ids=["[N]", "[N, 1]", "a map that sums"])
def test_a_linear_critic_in_closed_form(name, scale, score):
    w = images(2, 32)
    w *= scale / w.norm()
    parts = 4 if len(score) == 3 else 1  # a map of scores: their sum is what has the slope
    critic = lambda x: (x.flatten(1) @ w / parts).view(-1, *[1] * len(score)).expand(-1, *score)  # noqa: E731
    assert float(value(name, critic, images(3), images(4))) == pytest.approx(OF_NORM[name](scale), abs=1e-12)


@pytest.mark.parametrize("penalty", [r1, r2])
def test_a_quadratic_critic_in_closed_form(penalty):
    """D(x) = x^T A x / 2 + b^T x has the slope (A + A^T) x / 2 + b."""
    x, A, b = images(5, 6, 8), images(6, 8, 8), images(7, 8)
    expected = (x @ (A + A.T) / 2 + b).square().sum(1).mean()
    torch.testing.assert_close(penalty(lambda v: ((v @ A) * v).sum(1) / 2 + v @ b, x), expected)


@each_penalty
def test_second_order_gradients_against_finite_differences(name):
    critic, real, fake = small_critic(), images(8), images(9)
    names, weights = zip(*critic.named_parameters(), strict=True)

    def penalty(*w):
        return value(name, lambda x: functional_call(critic, dict(zip(names, w, strict=True)), x), real, fake)

    assert gradcheck(penalty, weights, atol=1e-4)


@each_penalty
def test_a_conv_critic_against_one_sample_at_a_time(name):
    """The penalty of a batch is the mean of the penalties of its samples, at the same points."""
    critic, real, fake = small_critic(), images(10), images(11)
    seen = []
    whole = value(name, lambda x: (seen.append(x), critic(x))[1], real, fake)
    norms = [torch.autograd.grad(critic(x[None]).sum(), x)[0].norm() for x in seen[0]]
    assert min(norms) < 1 < max(norms)
    assert float(whole.detach()) == pytest.approx(sum(OF_NORM[name](float(n)) for n in norms) / len(norms))


@each_penalty
def test_nothing_flows_into_real_or_fake(name):
    real, fake = images(12).requires_grad_(), images(13).requires_grad_()
    critic = small_critic()
    value(name, critic, real, fake).backward()
    assert real.grad is None and fake.grad is None and critic[0].weight.grad.abs().sum() > 0


@each_penalty
def test_a_penalty_is_float32_under_autocast(name):
    critic, real, fake = small_critic().float(), images(14).float(), images(15).float()
    with torch.autocast("cpu", torch.bfloat16):
        loose = value(name, critic, real, fake.bfloat16())
    assert loose.dtype == torch.float32 and loose.isfinite()
    torch.testing.assert_close(loose, value(name, critic, real, fake), rtol=0.1, atol=0.05)


def test_a_critic_that_ignores_its_input_has_finite_gradients():
    w = torch.zeros(32, dtype=torch.float64, requires_grad=True)
    penalty = gradient_penalty(lambda x: x.flatten(1) @ w, images(16), images(17))
    penalty.backward()
    assert float(penalty.detach()) == 1 and w.grad.isfinite().all()


def test_interpolates_lie_on_the_segments_and_each_has_its_own():
    torch.manual_seed(0)
    real, fake = images(18, 4000, 1, 2, 2), images(19, 4000, 1, 2, 2)
    way = (interpolate(real, fake) - fake) / (real - fake)
    torch.testing.assert_close(way, way[:, :, :1, :1].expand_as(way), rtol=1e-6, atol=1e-6)  # one eps per sample
    eps = way[:, 0, 0, 0]
    assert 0 <= eps.min() < 0.01 and 0.99 < eps.max() <= 1
    assert abs(eps.mean() - 1 / 2) < 0.02 and abs(eps.var() - 1 / 12) < 0.01  # uniform


def test_dragan_looks_around_the_data_only():
    real, seen = images(20, 500, 1, 2, 2), []
    dragan_penalty(lambda x: (seen.append(x), x.flatten(1).sum(1))[1], real)
    moved = seen[0].detach() - real
    assert moved.min() >= 0 and 0.4 * real.std() < moved.max() <= 0.5 * real.std()


def test_clip_weights_projects_onto_the_box():
    net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4))
    before = [w.detach().clone() for w in net.parameters()]
    clip_weights(net, 0.1)
    for w, old in zip(net.parameters(), before, strict=True):
        assert torch.equal(w, old.clamp(-0.1, 0.1))


def test_clip_rows_shrinks_long_rows_and_leaves_short_ones():
    net = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Conv2d(1, 1, 1))
    with torch.no_grad():
        net[0].weight.copy_(torch.tensor([[3.0, 4.0], [0.3, 0.4], [0.0, -2.0]]))
    bias, conv = net[0].bias.clone(), net[2].weight.clone()
    clip_rows(net, 1.0)
    torch.testing.assert_close(net[0].weight.detach(), torch.tensor([[0.6, 0.8], [0.3, 0.4], [0.0, -1.0]]))
    assert torch.equal(net[0].bias, bias) and torch.equal(net[2].weight, conv)
