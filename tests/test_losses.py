"""Every adversarial loss against numpy, closed forms at the optimal discriminator, finite differences and its signs."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch.autograd import gradcheck

from ganzoo_core.objectives import losses


def sigmoid(s):
    return 1 / (1 + np.exp(-s))


def log_d(s):
    return np.log(sigmoid(s))


def log_not_d(s):
    return np.log(1 - sigmoid(s))


# The papers' formulas as they are printed: half of d on real, half of d on fake, g.
FORMULAS = {
    "minimax": (lambda r: -log_d(r), lambda f: -log_not_d(f), lambda f: log_not_d(f)),
    "nonsaturating": (lambda r: -log_d(r), lambda f: -log_not_d(f), lambda f: -log_d(f)),
    "least_squares": (lambda r: (r - 1) ** 2 / 2, lambda f: f**2 / 2, lambda f: (f - 1) ** 2 / 2),
    "wasserstein": (lambda r: -r, lambda f: f, lambda f: -f),
    "hinge": (lambda r: np.maximum(0, 1 - r), lambda f: np.maximum(0, 1 + f), lambda f: -f),
}
each_loss = pytest.mark.parametrize("name", FORMULAS)
SHAPES = [(7,), (7, 1), (5, 1, 3, 3), (1,), ()]


def scores(*shape, seed=0, dtype=torch.float64):
    return 3 * torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def d_of(loss, real, fake):
    return sum(loss.d(real, fake).values())


@each_loss
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_value_against_numpy(name, shape):
    loss, (on_real, on_fake, on_g) = getattr(losses, name), FORMULAS[name]
    real, fake = scores(*shape, seed=1), scores(2, *shape, seed=2)  # batches of real and fake may differ in size
    terms = loss.d(real, fake)
    assert terms.keys() == {"real", "fake"}
    values = {"real": (terms["real"], on_real(real.numpy())), "fake": (terms["fake"], on_fake(fake.numpy()))}
    for value, expected in [*values.values(), (loss.g(fake, None), on_g(fake.numpy()))]:
        assert value.shape == ()
        np.testing.assert_allclose(value, np.mean(expected), rtol=1e-12)


@each_loss
def test_gradients_against_finite_differences(name):
    loss = getattr(losses, name)
    real, fake = scores(6, 2, seed=3).requires_grad_(), scores(6, 2, seed=4).requires_grad_()
    assert gradcheck(lambda r, f: d_of(loss, r, f), (real, fake))
    assert gradcheck(lambda f: loss.g(f, None), (fake,))


@each_loss
def test_higher_is_more_real(name):
    """Raising a real score lowers d, raising a fake one lifts d and lowers g: in (-1, 1), where no loss is flat."""
    loss = getattr(losses, name)
    real, fake = (torch.linspace(-0.9, 0.9, 9, dtype=torch.float64).requires_grad_() for _ in range(2))
    real_slope, fake_slope = torch.autograd.grad(d_of(loss, real, fake), (real, fake))
    (g_slope,) = torch.autograd.grad(loss.g(fake, None), fake)
    if name == "least_squares":  # its target for a fake is 0: raising a fake above that is what d resents
        fake_slope = fake_slope[fake > 0]
    assert (real_slope < 0).all() and (fake_slope > 0).all() and (g_slope < 0).all()


P, Q = torch.tensor([0.1, 0.2, 0.3, 0.4], dtype=torch.float64), torch.tensor([0.4, 0.3, 0.2, 0.1], dtype=torch.float64)


def expected_d(name, best):
    """The value of d where symbols are drawn from P and Q, at one score per symbol."""
    weighted = lambda s, w: sum(getattr(losses, name).d(s[i], s[i])[w[0]] * w[1][i] for i in range(4))  # noqa: E731
    return float(weighted(best, ("real", P)) + weighted(best, ("fake", Q)))


JSD = float(((P * (2 * P / (P + Q)).log()).sum() + (Q * (2 * Q / (P + Q)).log()).sum()) / 2)
CHI = float(((P - Q) ** 2 / (P + Q)).sum())
TV = float((P - Q).abs().sum())
OPTIMAL = {  # the best score for P against Q, and what d is worth there
    "minimax": ((P / Q).log(), math.log(4) - 2 * JSD),  # sigmoid(s) = p / (p + q), Goodfellow et al. 2014, Prop. 1
    "least_squares": (P / (P + Q), (2 - CHI) / 8),  # Mao et al. 2017, Eq. 5; half the sum of p q / (p + q)
    "hinge": ((P - Q).sign(), 2 - TV),  # Lim & Ye 2017: 2 min(p, q) summed
}
OPTIMAL["nonsaturating"] = OPTIMAL["minimax"]


@pytest.mark.parametrize("name", OPTIMAL)
def test_the_optimal_discriminator_in_closed_form(name):
    best, value = OPTIMAL[name]
    assert expected_d(name, best) == pytest.approx(value, rel=1e-12)
    for shift in (-0.3, 0.3):
        for i in range(4):
            moved = best.clone()
            moved[i] += shift
            assert expected_d(name, moved) > value - 1e-12


def test_an_undecided_discriminator_pays_log_4():
    zero = torch.zeros(3)
    assert float(d_of(losses.minimax, zero, zero)) == pytest.approx(math.log(4))
    assert float(losses.minimax.g(zero, None)) == pytest.approx(-math.log(2))
    assert float(losses.nonsaturating.g(zero, None)) == pytest.approx(math.log(2))


def test_nonsaturating_has_the_strong_gradient_where_minimax_has_none():
    fake = torch.tensor([-20.0], requires_grad=True)
    strong, weak = (
        float(torch.autograd.grad(loss.g(fake, None), fake)[0]) for loss in (losses.nonsaturating, losses.minimax)
    )
    assert strong == pytest.approx(-1) and weak == pytest.approx(0, abs=1e-8)


@each_loss
@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32, torch.float64], ids=str)
def test_scores_are_cast_to_float32_or_better_first(name, dtype):
    loss = getattr(losses, name)
    real, fake = scores(64, 1, seed=5, dtype=torch.float32).to(dtype), scores(64, 1, seed=6).to(dtype)
    wide = torch.promote_types(dtype, torch.float32)
    for a, b in [
        *zip(loss.d(real, fake).values(), loss.d(real.to(wide), fake.to(wide)).values(), strict=True),
        (loss.g(fake, None), loss.g(fake.to(wide), None)),
    ]:
        assert a.dtype == wide and torch.equal(a, b)


@each_loss
def test_large_scores_stay_finite(name):
    loss = getattr(losses, name)
    real, fake = torch.tensor([-1e4, 1e4], requires_grad=True), torch.tensor([-1e4, 1e4], requires_grad=True)
    total = d_of(loss, real, fake) + loss.g(fake, None)
    assert all(x.isfinite().all() for x in (total, *torch.autograd.grad(total, (real, fake))))
