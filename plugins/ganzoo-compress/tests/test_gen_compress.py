"""Agustsson et al. 2019: the quantiser and the losses in closed form, the published layers, what is kept."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from ganzoo_compress.agustsson.networks import E, G, Global, Selective, Shape
from ganzoo_compress.agustsson.quantiser import Quantiser, around_zero
from ganzoo_compress.data import open_kept

import ganzoo_core as gz
from ganzoo_core.errors import GanzooError
from ganzoo_core.testing.synthetic import synthetic


def test_the_nearest_centre_and_the_soft_one():
    q = Quantiser([-1.0, 0.0, 2.0], sigma=0.5)
    w = torch.tensor([-0.6, 0.4, 1.1], requires_grad=True)
    made = q(w)
    assert made.tolist() == [-1.0, 0.0, 2.0]
    (slope,) = torch.autograd.grad(made.sum(), w)
    centres = torch.tensor([-1.0, 0.0, 2.0])
    p = (-0.5 * (w.detach()[:, None] - centres).square()).softmax(1)
    mean = (p * centres).sum(1)
    torch.testing.assert_close(slope, ((p * centres.square()).sum(1) - mean.square()))  # 2 sigma Var(c), 2 sigma = 1


def test_centres_lie_around_zero():
    assert around_zero(5) == [-2, -1, 0, 1, 2]
    assert around_zero(4) == [-1.5, -0.5, 0.5, 1.5]


def test_entropy_is_that_of_the_symbols():
    q = Quantiser(around_zero(5))
    assert float(q.entropy(torch.tensor([-2.0, -1.0, 0.0, 1.0, 2.0]))) == pytest.approx(math.log2(5))
    assert float(q.entropy(torch.zeros(9))) == 0
    assert float(q.entropy(torch.tensor([0.0, 0.0, 0.0, 1.0]))) == pytest.approx(0.75 * math.log2(4 / 3) + 0.25 * 2)


def test_the_published_layers():
    """c7s1-60, d120, d240, d480, d960, c3s1-C; c3s1-960, 9 x R960, u480, u240, u120, u60, c7s1-3."""
    with torch.device("meta"):
        shape = Shape(channels=3, width=60, halvings=4, blocks=9, code=8, levels=5, norm="instance")
        e, g = E(shape), G(8, shape)
    widths = [60, 120, 240, 480, 960]
    down = sum(9 * a * b + b for a, b in pairwise(widths))
    assert sum(w.numel() for w in e.parameters()) == 3 * 60 * 49 + 60 + down + 9 * 960 * 8 + 8
    up = sum(9 * a * b + a for a, b in pairwise(widths))
    blocks = 18 * (9 * 960 * 960 + 960)
    assert sum(w.numel() for w in g.parameters()) == 9 * 8 * 960 + 960 + blocks + up + 60 * 3 * 49 + 3


@pytest.mark.parametrize("family", ["gen_compress", "gen_compress_sc"])
def test_losses_are_those_of_the_paper(family):
    objective = gz.create(family, preset="tiny", mse=3.0, fm=7.0)
    batch = next(iter(synthetic(objective.needs, objective.recipe.args)(start=0, batch_size=2)))
    x, made = batch["x"], objective.made(batch)
    s = batch.get("map", x[:, :0])
    terms, judged = objective.g_loss(batch), objective.d_loss(batch)
    real, fake = (objective.D.maps(picture, s) for picture in (x, made))
    torch.testing.assert_close(terms["adv"], sum((maps[-1] - 1).square().mean() for maps in fake))
    torch.testing.assert_close(judged["real"], sum((maps[-1] - 1).square().mean() / 2 for maps in real))
    torch.testing.assert_close(judged["fake"], sum(maps[-1].square().mean() / 2 for maps in fake))
    layers = [
        (f - r).abs().mean() for fs, rs in zip(fake, real, strict=True) for f, r in zip(fs[:-1], rs[:-1], strict=True)
    ]
    torch.testing.assert_close(terms["fm"], 7 * sum(layers) / len(fake))
    kept = (1 - batch["redraw"]).expand_as(x).bool() if "redraw" in batch else torch.ones_like(x).bool()
    torch.testing.assert_close(terms["mse"], 3 * (made - x)[kept].square().mean())
    assert not terms["entropy"].requires_grad


def test_nothing_of_what_is_redrawn_comes_through():
    net = gz.create("gen_compress_sc", preset="tiny").G.eval()
    assert isinstance(net, Selective)
    x, map = torch.rand(1, 3, 16, 16) * 2 - 1, torch.zeros(1, 4, 16, 16)
    redraw = torch.ones(1, 1, 16, 16)
    assert torch.equal(net(x, map, redraw), net(-x, map, redraw))
    redraw[..., 5:] = 0
    assert net.kept(redraw)[0, 0].tolist() == [[0.0, 1.0, 1.0, 1.0]] * 4  # a place that holds any kept pixel


def test_noise_is_drawn_at_every_place():
    net = gz.create("gen_compress", preset="tiny", noise=2).G
    assert isinstance(net, Global)
    seen = {}
    net.G[0].register_forward_hook(lambda module, given, made: seen.update(z=given[0]))
    x = torch.zeros(1, 3, 16, 16)
    torch.manual_seed(4)
    net(x)
    torch.manual_seed(4)
    assert torch.equal(seen["z"], torch.cat([net.q(net.E(x)), torch.randn(1, 2, 4, 4)], 1))


def test_kept_scenes_mark_whole_labels():
    data = open_kept(None, "test", image_size=32)
    batch = data.fetch([0, 1, 2, 3])
    for map, redraw in zip(batch["map"], batch["redraw"], strict=True):
        for plane in map[:-1]:
            where = redraw[0][plane > 0]
            assert where.numel() == 0 or where.min() == where.max()
    assert 0 < batch["redraw"].mean() < 1
    assert torch.equal(batch["redraw"], data.fetch([0, 1, 2, 3])["redraw"])
    again = [data.fetch_augmented([0], [seed])["redraw"] for seed in range(8)]
    assert len({tuple(mask.flatten().tolist()) for mask in again}) > 2


def test_what_does_not_fit_is_refused():
    with pytest.raises(GanzooError, match="not a multiple of 4"):
        gz.create("gen_compress", preset="tiny", image_size=18)
    with pytest.raises(GanzooError, match="fewer than 2 levels"):
        gz.create("gen_compress", preset="tiny", levels=1)
    with pytest.raises(GanzooError, match="augment"):
        gz.create("gen_compress", preset="tiny", augment="diffaugment")


def test_channel_norm_leaves_a_plain_picture_its_colour():
    """Instance norm takes the mean out of every map: of a crop of one colour nothing is left but its borders."""
    lost = {}
    for norm in ("instance", "channel"):
        net = gz.create("gen_compress", preset="tiny", norm=norm).G.eval()
        red, blue = (torch.tensor([r, -0.5, -r]).view(1, 3, 1, 1).expand(1, 3, 32, 32) for r in (0.8, -0.8))
        lost[norm] = float((net.E(red) - net.E(blue)).detach().abs().max())
    assert lost["instance"] < 1e-2 * lost["channel"]
