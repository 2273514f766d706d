"""HiFiC: the published tensors, likelihoods in closed form, the price of bits, and bits that are what was counted."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from ganzoo_compress.files import code
from ganzoo_compress.mentzer.hyperprior import BOUND, LEAST, MOST, Density, normal_step, scales
from ganzoo_compress.mentzer.networks import ChannelNorm, Halve
from torch import nn

import ganzoo_core as gz
from ganzoo_core.errors import GanzooError


def count(net: nn.Module) -> int:
    return sum(w.numel() for w in net.parameters())


def test_the_published_counts():
    with torch.device("meta"):
        objective = gz.create("hific", preset="paper")
    G, D = objective.G, objective.D
    assert (count(G.E), count(G.G), count(D)) == (7423420, 156774683, 2793117)
    assert (count(G.P.HA), count(G.P.HS_mu), count(G.P.HS_scale)) == (5754560, 5754460, 5754460)
    assert round(count(G) / 1e6) == 181


def test_channel_norm_is_over_channels_alone():
    x = torch.tensor([1.0, 3.0]).view(1, 2, 1, 1)
    norm = ChannelNorm(2)
    made = norm(x).flatten()  # mean 2, variance 2 (of a sample, as in the reference)
    torch.testing.assert_close(made, torch.tensor([-1.0, 1.0]) / math.sqrt(2.0 + 1e-3))
    wide = torch.randn(1, 2, 5, 7)
    torch.testing.assert_close(norm(wide)[..., 2, 3], norm(wide[..., 2:3, 3:4])[..., 0, 0])


def test_halving_mirrors_above_and_on_the_right():
    layer = Halve(1)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    with torch.no_grad():
        layer.weight[:, 0, 0, 0] = 1  # the upper left of each window
    x = torch.arange(16.0).view(1, 1, 4, 4)
    assert layer(x)[0, 0].tolist() == [[4.0, 6.0], [4.0, 6.0]]  # row 1 mirrored above row 0, then row 1 itself


def test_a_step_of_a_normal_distribution():
    normal = torch.distributions.Normal(0.0, 1.7)
    d = torch.tensor([0.0, 1.0, -1.0, 4.0])
    torch.testing.assert_close(normal_step(d, torch.tensor(1.7)), normal.cdf(d + 0.5) - normal.cdf(d - 0.5))
    assert float(normal_step(torch.tensor(-60.0), torch.tensor(1.0))) == pytest.approx(1e-9)  # never 0 bits away


def test_any_density_adds_up_to_one():
    torch.manual_seed(0)
    density = Density(3)
    for a in density.a:
        nn.init.normal_(a)
    tables = density.tables()
    assert tables.shape == (3, 2 * BOUND + 1)
    np.testing.assert_allclose(tables.sum(1), 1, atol=1e-3)
    z = torch.tensor([-3.0, 0.0, 8.0]).view(1, 3, 1, 1)
    logits = [density.logits(z.view(3, 1, 1) + shift).sigmoid() for shift in (-0.5, 0.5)]
    torch.testing.assert_close(density(z).flatten(), (logits[1] - logits[0]).flatten())
    assert (density.logits(torch.arange(-50.0, 50).expand(3, 1, -1)).diff() > 0).all()


def test_scales_are_the_nearest_of_the_table():
    sigma = torch.tensor([0.01, LEAST, 1.0, 1000.0])
    found = scales(sigma)
    assert found[0] == found[1] == LEAST and found[3] == pytest.approx(MOST)
    assert abs(math.log(found[2])) <= math.log(MOST / LEAST) / 63 / 2 + 1e-9


def tiny(**args):
    torch.manual_seed(1)
    return gz.create("hific", preset="tiny", **args)


def test_files_are_as_long_as_was_counted():
    """The coder's scales are the nearest of 64, and its ends are two words: a few percent."""
    net = tiny().G.eval()
    x = torch.rand(1, 3, 128, 128) * 2 - 1
    with torch.no_grad():
        counted = float(net.P.bits_rounded(net.E(x)))
    assert 8 * len(code(net, [x])) == pytest.approx(counted, rel=0.03)


def test_noise_in_place_of_rounding_counts_alike():
    net = tiny().G.eval()
    x = torch.rand(1, 3, 128, 128) * 2 - 1
    with torch.no_grad():
        y = net.E(x)
        assert float(net.P.bits(y)) == pytest.approx(float(net.P.bits_rounded(y)), rel=0.2)


def test_rounding_is_around_mu_and_gradients_pass():
    P = tiny().G.P
    y = torch.randn(1, 4, 8, 8, requires_grad=True)
    made = P.rounded(y)
    mu, sigma = P.moments(P.rounded_z(y))
    whole = (made - mu).detach()
    torch.testing.assert_close(whole, whole.round(), atol=1e-5, rtol=0)
    assert (made - y).abs().max() <= 0.5 + 1e-5
    assert sigma.min() > LEAST
    (slope,) = torch.autograd.grad(made.sum(), y)
    assert torch.equal(slope, torch.ones_like(y))


def test_the_price_of_a_bit_falls_at_the_target():
    objective = tiny(target=0.3, above=2.0, below=0.125)
    assert objective.price(torch.tensor(0.31)) == 2.0
    assert objective.price(torch.tensor(0.3)) == 0.125


def test_losses_are_those_of_the_paper():
    objective = tiny(beta=0.5, k_m=0.25, target=0.0, above=3.0)
    G, D = objective.G, objective.D
    x = torch.rand(2, 3, 16, 16) * 2 - 1
    y = G.E(x)
    code = G.P.rounded(y)
    made = G.G(code)
    torch.manual_seed(5)
    rate = G.P.bits(y).mean() / 256
    torch.manual_seed(5)
    terms = objective.g_loss({"x": x})
    torch.testing.assert_close(terms["rate"], 3 * rate)
    torch.testing.assert_close(terms["mse"], 0.25 * ((made - x) * 127.5).square().mean())
    torch.testing.assert_close(terms["adv"], -0.5 * D(made, code).sigmoid().log().mean())
    assert not terms["bpp"].requires_grad
    judged = objective.d_loss({"x": x})
    torch.testing.assert_close(judged["real"], -D(x, code).sigmoid().log().mean())
    torch.testing.assert_close(judged["fake"], -(1 - D(made, code).sigmoid()).log().mean())


def test_without_a_gan_there_is_one_phase():
    assert [phase.name for phase in tiny(images=0).phases()] == ["distortion"]
    assert [phase.name for phase in tiny().phases()] == ["distortion", "gan"]
    (schedule,) = {player.schedules["lr"] for phase in tiny().phases() for player in phase.players}
    assert (schedule(0.49), schedule(0.5)) == (1.0, 0.1)


def test_what_does_not_fit_is_refused():
    with pytest.raises(GanzooError, match="not a multiple of 8"):
        tiny(image_size=20)
