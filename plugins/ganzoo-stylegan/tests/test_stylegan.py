"""StyleGAN and StyleGAN2: the references' tensors, layers by hand, filters beside scipy's, W, growing."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from ganzoo_stylegan import networks2
from ganzoo_stylegan.networks import FUSED, Enlarging, Style, transposed
from ganzoo_stylegan.objective import StyleGAN
from ganzoo_stylegan.objective2 import StyleGAN2, lazy, path_lengths
from ganzoo_stylegan.resampling import BINOMIAL, TRIANGLE, filtered, half, kernel, twice
from ganzoo_stylegan.styles import MappingNetwork, Styled, mixed, numbered, silent
from scipy import signal
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, conv2d, conv_transpose2d, leaky_relu

from ganzoo_core.errors import GanzooError, UnknownNameError
from ganzoo_core.nn import Discriminator, Growing, interpolate_seeds, upsample
from ganzoo_core.registry.recipes import build, recipe
from ganzoo_core.testing.synthetic import synthetic
from ganzoo_core.training.trainer import Alternating


def game(family: str, **given: Any) -> Any:
    return build(recipe(family, preset="tiny", given=given))


def disturbed(net: nn.Module) -> nn.Module:
    """With noise on every parameter: zeros and ones hide mistakes."""
    with torch.no_grad():
        for w in net.parameters():
            w.add_(0.3 * torch.randn_like(w))
    return net


# The references' parameters, in their order

Shapes = list[tuple[int, ...]]
WIDTHS = [512, 512, 512, 512, 256, 128, 64, 32, 16]


def dense(f: int, f_next: int) -> Shapes:
    return [(f_next, f), (f_next,)]


def conv(f: int, f_next: int, k: int = 3) -> Shapes:
    return [(f_next, f, k, k), (f_next,)]


def style(f: int) -> Shapes:
    return [(f,), *dense(512, 2 * f)]


def reference(widths: list[int]) -> Shapes:
    shapes = dense(512, 512) * 8 + conv(widths[-1], 3, 1)
    shapes += [(1, widths[0], 4, 4), (widths[0],), *style(widths[0]), *conv(widths[0], widths[0]), *style(widths[0])]
    for f, g in pairwise(widths):
        shapes += conv(f, g) + style(g) + conv(g, g) + style(g)
    return shapes


def modulated(f: int, f_next: int) -> Shapes:
    return [(f_next, f, 3, 3), (), (f_next,), *dense(512, f)]


def shown(f: int) -> Shapes:
    return conv(f, 3, 1) + dense(512, f)


def reference2(widths: list[int]) -> tuple[Shapes, Shapes]:
    g: Shapes = [(widths[0], 4, 4), *modulated(widths[0], widths[0]), *shown(widths[0])]
    for f, h in pairwise(widths):
        g += modulated(f, h) + modulated(h, h) + shown(h)
    d = conv(3, widths[-1], 1)
    for f, h in reversed(list(pairwise(widths))):
        d += conv(h, h) + conv(h, f) + [(f, h, 1, 1)]
    d += conv(widths[0] + 1, widths[0]) + dense(16 * widths[0], widths[0]) + dense(widths[0], 1)
    return g + dense(512, 512) * 8, d


def parameters(net: nn.Module) -> tuple[Shapes, int]:
    own = list(net.parameters())
    return [tuple(w.shape) for w in own], sum(w.numel() for w in own)


def test_the_paper_generator_is_the_references() -> None:
    with torch.device("meta"):
        objective: Any = build(recipe("stylegan", preset="paper"))
    assert parameters(objective.G) == (reference(WIDTHS), 26_212_019)


@pytest.mark.parametrize("size,widths,counts", [
    (1024, [512, 512, 512, 512, 512, 256, 128, 64, 32], (30_370_060, 29_012_513)),
    (256, [512, 512, 512, 512, 512, 256, 128], (30_034_338, 28_864_129)),
])  # fmt: skip
def test_the_paper_networks_of_stylegan2_are_the_references(
    size: int, widths: list[int], counts: tuple[int, int]
) -> None:
    with torch.device("meta"):
        objective: Any = build(recipe("stylegan2", preset="paper", given={"image_size": size}))
    for net, shapes, count in zip((objective.G, objective.D), reference2(widths), counts, strict=True):
        assert parameters(net) == (shapes, count)
    buffers = {name: tuple(b.shape) for name, b in objective.G.named_buffers() if "noise_const" in name}
    assert sorted(buffers.values()) == sorted(
        [(4, 4)] + [(s, s) for s in (2**i for i in range(3, 11)) if s <= size] * 2
    )


def test_the_preset_with_half_the_channels_is_the_references() -> None:
    with torch.device("meta"):
        objective: Any = build(recipe("stylegan2", preset="ada256"))
    assert parameters(objective.D.D)[1] == 24_001_089
    assert parameters(objective.G)[1] == 24_767_458


# Filters


@pytest.mark.parametrize("taps,padding", [(BINOMIAL, 1), (BINOMIAL, 2), (TRIANGLE, 1)])
def test_filters_are_scipys(taps: tuple[float, ...], padding: int) -> None:
    x, f = torch.randn(2, 3, 7, 7, dtype=torch.float64), kernel(taps)
    assert float(f.sum()) == pytest.approx(1)
    ours = filtered(x, f, padding)
    padded = np.pad(x.numpy(), [(0, 0), (0, 0), (padding,) * 2, (padding,) * 2])
    for i in range(2):
        for c in range(3):
            expected = signal.convolve2d(padded[i, c], f.double().numpy(), mode="valid")
            np.testing.assert_allclose(ours[i, c].numpy(), expected, atol=1e-7)


def test_enlarging_and_halving_are_scipys_upfirdn() -> None:
    x, f = torch.randn(1, 1, 6, 6, dtype=torch.float64), kernel(BINOMIAL)
    taps = np.array(BINOMIAL) / 8

    def along(h: np.ndarray, axis: int, up: int, down: int, gain: int) -> np.ndarray:
        return signal.upfirdn(gain * taps, h, up, down, axis=axis)

    large = along(along(x[0, 0].numpy(), 0, 2, 1, 2), 1, 2, 1, 2)[1:13, 1:13]  # the filter's delay of 1.5 in the middle
    np.testing.assert_allclose(twice(x, f)[0, 0].numpy(), large, atol=1e-7)
    small = along(along(x[0, 0].numpy(), 0, 1, 1, 1), 1, 1, 1, 1)[2:8:2, 2:8:2]
    np.testing.assert_allclose(half(x, f)[0, 0].numpy(), small, atol=1e-7)
    flat = torch.ones(1, 2, 8, 8)
    torch.testing.assert_close(twice(flat, f)[:, :, 2:-2, 2:-2], torch.ones(1, 2, 12, 12))


def test_a_filter_of_three_enlarges_as_straight_lines_do() -> None:
    """Every other pixel is one of the old, those between are means of their neighbours; beyond the border lies 0."""
    x, f = torch.randn(2, 3, 5, 6, dtype=torch.float64), kernel(TRIANGLE)
    large = twice(x, f)
    torch.testing.assert_close(large[:, :, ::2, ::2], x)
    torch.testing.assert_close(large[:, :, ::2, 1:-1:2], (x[..., :-1] + x[..., 1:]) / 2)
    torch.testing.assert_close(large[:, :, ::2, -1], x[..., -1] / 2)
    x = torch.randn(2, 3, 6, 8, dtype=torch.float64)
    inner = x[:, :, 1:4, 1:4] * torch.outer(torch.tensor(TRIANGLE), torch.tensor(TRIANGLE)) / 16
    torch.testing.assert_close(half(x, f)[:, :, 1, 1], inner.sum((2, 3)))
    assert half(x, f).shape == (2, 3, 3, 4)


@pytest.mark.parametrize("resample", [lambda x, f: filtered(x, f, 2), twice, half], ids=["filtered", "twice", "half"])
def test_filters_can_be_differentiated_twice(resample: Any) -> None:
    x, f = torch.randn(1, 2, 4, 4, dtype=torch.float64, requires_grad=True), kernel(BINOMIAL).double()
    assert torch.autograd.gradcheck(lambda x: resample(x, f), x)
    assert torch.autograd.gradgradcheck(lambda x: resample(x, f).square(), x)


# Layers of StyleGAN


def test_adain_by_hand() -> None:
    layer = disturbed(Style(3, 5))
    assert isinstance(layer, Style)
    h, w, n = torch.randn(2, 3, 4, 4), torch.randn(2, 5), torch.randn(2, 1, 4, 4)
    y = (w @ layer.affine.weight.T / math.sqrt(5) + layer.affine.bias)[:, :, None, None]
    a = leaky_relu(h + n * layer.strength.view(1, 3, 1, 1), 0.2)
    mean, var = a.mean((2, 3), keepdim=True), a.var((2, 3), unbiased=False, keepdim=True)
    expected = (1 + y[:, :3]) * (a - mean) / (var + 1e-5).sqrt() + y[:, 3:]
    torch.testing.assert_close(layer(h, w, lambda layer, h: n), expected)


def test_a_transposed_convolution_enlarges_too_with_mirrored_weights() -> None:
    x, w = torch.randn(2, 3, 5, 5), torch.randn(4, 3, 3, 3)
    torch.testing.assert_close(transposed(x, w), conv2d(upsample(x), w.flip(2, 3), padding=1), atol=1e-5, rtol=1e-5)
    layer = Enlarging(3, 4, FUSED // 2)
    assert not layer.fused and Enlarging(3, 4, FUSED).fused
    with torch.no_grad():
        layer.bias.fill_(2.0)
    inside = layer(torch.zeros(1, 3, 4, 4))
    torch.testing.assert_close(inside, torch.full((1, 4, 8, 8), 2.0))  # after the blur: not dimmed at the border


def test_the_mapping_learns_a_hundredth_as_fast() -> None:
    for gain, after in ((math.sqrt(2), 1.0), (1.0, math.sqrt(2))):
        net = MappingNetwork(6, 4, 2, gain)
        first, second = net.layers
        z = torch.randn(3, 6)
        h = z / (z.square().mean(1, keepdim=True) + 1e-8).sqrt()
        for layer, n in ((first, 6), (second, 4)):
            h = after * leaky_relu(h @ layer.weight.T * (0.01 * gain / math.sqrt(n)) + 0.01 * layer.bias, 0.2)
        torch.testing.assert_close(net(z), h)
        assert first.weight.std() > 50


def test_w_avg_follows() -> None:
    net = MappingNetwork(6, 4, 2, 1.0)
    w = torch.randn(8, 4)
    net.follow(w)
    torch.testing.assert_close(net.w_avg, 0.005 * w.mean(0))


# Layers of StyleGAN2


@pytest.mark.parametrize("up", [False, True])
def test_scaled_activations_are_scaled_weights(up: bool) -> None:
    layer = disturbed((networks2.Up if up else networks2.Same)(3, 4, 5, 8))
    assert isinstance(layer, networks2.Modulated)
    h, w = torch.randn(2, 3, 4, 4), torch.randn(2, 5)
    s = w @ layer.affine.weight.T / math.sqrt(5) + layer.affine.bias  # [2, 3]
    for i in range(2):
        weight = layer.weight * s[i].view(1, 3, 1, 1)
        weight = weight / (weight.square().sum((1, 2, 3), keepdim=True) + 1e-8).sqrt()
        if up:
            large = conv_transpose2d(h[i : i + 1], weight.transpose(0, 1), stride=2)
            expected = filtered(large, 4 * kernel(BINOMIAL), 1)
        else:
            expected = conv2d(h[i : i + 1], weight, padding=1)
        noisy = expected + layer.strength * torch.ones_like(expected[:, :1])
        expected = math.sqrt(2) * leaky_relu(noisy + layer.bias.view(1, 4, 1, 1), 0.2)
        ours = layer(h, w, lambda layer, h: torch.ones(2, 1, *h.shape[2:]))[i : i + 1]
        torch.testing.assert_close(ours, expected, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_demodulation_keeps_the_variance() -> None:
    layer, s = networks2.Same(64, 64, 8, 32), torch.rand(4, 64) + 0.5
    h = layer.convolved(torch.randn(4, 64, 32, 32) * s[:, :, None, None])
    h = h * networks2.demodulation(layer.weight, s)[:, :, None, None]
    assert float(h[:, :, 1:-1, 1:-1].std()) == pytest.approx(1.0, rel=0.05)


def test_pictures_are_summed_over_skips() -> None:
    objective = game("stylegan2")
    net = disturbed(objective.G.synthesis)
    w = torch.randn(2, net.layers, 8)
    x, maps = None, list(net.maps(w, silent))
    for i, (block, h) in enumerate(zip(net.blocks, maps, strict=True)):
        y = block.to_rgb(h, w[:, 2 * i + 1])
        x = y if x is None else twice(x, net.filter) + y
    torch.testing.assert_close(net(w, silent), x)
    used = torch.autograd.grad(net(w.requires_grad_(), silent).sum(), w)[0]
    assert bool((used.abs().sum((0, 2)) > 0).all())  # every style is at work


def test_a_residual_block_of_d_by_hand() -> None:
    block = disturbed(networks2.Residual(3, 5))
    assert isinstance(block, networks2.Residual)
    x, f = torch.randn(2, 3, 8, 8), kernel(BINOMIAL)
    h = math.sqrt(2) * leaky_relu(conv2d(x, block.conv0.weight / math.sqrt(27), block.conv0.bias, padding=1), 0.2)
    h = conv2d(filtered(h, f, 2), block.conv1.weight / math.sqrt(27), block.conv1.bias, stride=2)
    skip = conv2d(filtered(x, f, 1)[:, :, ::2, ::2], block.skip.weight / math.sqrt(3))
    expected = leaky_relu(h, 0.2) + skip * math.sqrt(0.5)  # sqrt(2) sqrt(1/2) = 1
    torch.testing.assert_close(block(x), expected, atol=1e-5, rtol=1e-5)


# The games


def test_path_lengths_of_a_linear_picture() -> None:
    """x = A w in every layer: J_w^T y = A^T y, the same in all of them."""
    A, w = torch.randn(3 * 4 * 4, 5), torch.randn(6, 2, 5, requires_grad=True)
    x = (w.mean(1) @ A.T).view(6, 3, 4, 4)
    torch.manual_seed(1)
    ours = path_lengths(x, w)
    torch.manual_seed(1)
    y = torch.randn(6, 3, 4, 4) / 4
    torch.testing.assert_close(ours, (y.flatten(1) @ A / 2).norm(dim=1))


def test_the_average_length_is_followed() -> None:
    objective = game("stylegan2")
    batch = {"x": torch.randn(4, 1, 16, 16)}
    torch.manual_seed(2)
    pl = objective.pl_loss(batch)["pl"]
    torch.manual_seed(2)
    lengths = path_lengths(objective.G.synthesis(w := objective.styles(2)), w)
    torch.testing.assert_close(objective.a, 0.01 * lengths.mean(), check_stride=False)
    torch.testing.assert_close(pl, 2 * 4 * (lengths - objective.a).square().mean())
    assert float(objective.a) > 0


class Sum(Discriminator, Growing):
    """A critic of slope 1/8 at each of 64 pixels."""

    def __init__(self) -> None:
        super().__init__()
        self.declare(1)

    def forward(self, x: Tensor) -> Tensor:
        return 3 + x.flatten(1).sum(1) / 8


def test_r1_of_a_linear_critic() -> None:
    objective = game("stylegan2")
    objective.D = Sum()
    x = torch.randn(4, 1, 8, 8)
    assert float(objective.r1_loss({"x": x})["r1"]) == pytest.approx(10 / 2 * 16)
    older = game("stylegan")
    older.D = Sum()
    terms = older.d_loss({"x": x})
    assert float(terms["r1"]) == pytest.approx(10 / 2)
    score = 3 + x.flatten(1).sum(1) / 8
    torch.testing.assert_close(terms["real"], torch.nn.functional.softplus(-score).mean())


def test_the_steps_of_stylegan2_are_lazy() -> None:
    objective = game("stylegan2")
    (phase,) = objective.phases()
    assert [(s.player.name, s.every) for s in phase.steps] == [("G", 1), ("G", 4), ("D", 1), ("D", 16)]
    optimizer: Any = lazy(0.002, 16)([nn.Parameter(torch.zeros(1))])
    assert optimizer.defaults["lr"] == pytest.approx(0.002 * 16 / 17)
    assert optimizer.defaults["betas"] == (0.0, pytest.approx(0.99 ** (16 / 17)))


def test_the_course_of_stylegan_is_as_published() -> None:
    with torch.device("meta"):
        objective: Any = build(recipe("stylegan", preset="paper"))
    phases = objective.phases()
    assert [p.name for p in phases][:3] == ["8px", "16px fading in", "16px"] and len(phases) == 15
    assert sum(p.images for p in phases) == 25_000_000
    assert [p.data["batch_size"] for p in phases[::2]] == [256, 128, 64, 32, 32, 32, 32, 32]
    players = [p.steps[0].player for p in phases]
    assert players[1] is players[2] and players[2] is not players[3]  # Adam begins afresh at each resolution


def grown(depth: int, alpha: float) -> StyleGAN:
    objective = game("stylegan")
    disturbed(objective)
    objective.grow(depth, alpha)
    return objective


def painted(objective: StyleGAN, w: Tensor) -> Tensor:
    torch.manual_seed(5)
    return objective.shown(w)


def test_at_alpha_0_it_is_the_coarser_network() -> None:
    objective = grown(2, 0.0)
    w, x = torch.randn(3, 6, 8), torch.randn(3, 1, 16, 16)
    faded, score = painted(objective, w), objective.D(x)
    objective.grow(1, 1.0)
    torch.testing.assert_close(faded, upsample(painted(objective, w)))
    torch.testing.assert_close(score, objective.D(avg_pool2d(x, 2)))


def test_at_alpha_1_it_is_the_finished_generator() -> None:
    objective = grown(2, 1.0)
    w = torch.randn(3, 6, 8)
    whole = painted(objective, w)
    torch.manual_seed(5)
    assert torch.equal(whole, objective.G.synthesis(w))
    objective.grow(2, 0.25)
    quarter = painted(objective, w)
    objective.grow(1, 1.0)
    torch.testing.assert_close(quarter, 0.25 * whole + 0.75 * upsample(painted(objective, w)))


def test_previews_grow_with_it() -> None:
    made = recipe("stylegan", preset="tiny")
    objective: Any = build(made)
    sides = {}
    for report in Alternating(seed=0, batch_size=8, images=400).run(objective, synthetic(objective.needs, made.args)):
        sides[report.phase] = objective.sample({"x": torch.zeros(4, 1, 16, 16)})["G"].shape[-1]
    assert sides == {"8px": 8, "16px fading in": 16, "16px": 16}


# What users do in W


def generator(family: str) -> Styled:
    G = disturbed(game(family).G)
    assert isinstance(G, Styled)
    with torch.no_grad():
        for module in G.modules():
            if isinstance(getattr(module, "strength", None), nn.Parameter):
                module.strength.fill_(1.0)  # noise is to be seen
        G.mapping.w_avg.copy_(torch.randn_like(G.mapping.w_avg))
    return G


@pytest.fixture(params=["stylegan", "stylegan2"])
def G(request: pytest.FixtureRequest) -> Styled:  # noqa: N802
    return generator(request.param)


def test_noise_by_its_name(G: Styled) -> None:
    random, const, none = (G.sample(3, seed=1, noise=how) for how in ("random", "const", "none"))
    assert not torch.equal(random, const) and not torch.equal(const, none)
    w = torch.zeros(2, G.mapping.w_avg.numel())
    for how, same in (("const", True), ("none", True), ("random", False)):
        a, b = G.sample(2, seed=1, noise=how, w=w)
        assert torch.equal(a, b) is same, how
    const2 = G.sample(2, seed=9, noise="const", w=w)
    assert torch.equal(const2[0], G.sample(2, seed=1, noise="const", w=w)[0])  # no seed changes it


def test_truncation_leads_to_the_average(G: Styled) -> None:
    ends = G.sample(3, seed=1, truncation=0.0, noise="none")
    mean = G.sample(1, seed=1, w=G.mapping.w_avg[None], noise="none")
    torch.testing.assert_close(ends, mean.expand(3, -1, -1, -1))
    z = torch.randn(3, 8)
    torch.testing.assert_close(G.sample(3, seed=1, z=z), G.sample(3, seed=1, z=z, truncation=1.0))
    w = G.everywhere(G.mapping(z))
    near = G.truncated(w, 0.5, 2)
    torch.testing.assert_close(near[:, :2], (G.mapping.w_avg + w[:, :2]) / 2)
    assert torch.equal(near[:, 2:], w[:, 2:])


def test_a_sheet_of_mixed_styles(G: Styled) -> None:
    sheet = G.sample(64, seed=0, mix_rows=(1, 2), mix_cols=(4, 5, 6), mix_layers="0-1", noise="none")
    assert sheet.shape == (1, 1, 3 * 16, 4 * 16)

    def cell(row: int, column: int) -> Tensor:
        return sheet[0, :, 16 * row : 16 * row + 16, 16 * column : 16 * column + 16]

    assert torch.equal(cell(0, 0), torch.ones(1, 16, 16))
    close = {"atol": 1e-5, "rtol": 1e-5}
    torch.testing.assert_close(cell(1, 0), G.sample(1, seed=1, noise="none")[0], **close)
    torch.testing.assert_close(cell(0, 2), G.sample(1, seed=5, noise="none")[0], **close)
    a, b = G.styles_of([2])[0], G.styles_of([6])[0]
    expected = G.sample(1, seed=0, noise="none", w=torch.cat([b[:2], a[2:]])[None])[0]
    torch.testing.assert_close(cell(2, 3), expected, **close)
    whole = G.sample(1, seed=0, mix_rows=(1,), mix_cols=(4,), mix_layers="0-5", noise="none")[0]
    torch.testing.assert_close(whole[:, 16:, 16:], whole[:, :16, 16:])  # every layer is the column's


@pytest.mark.parametrize("options", [
    {"mix_rows": (1,), "mix_layers": "0-1"}, {"mix_cols": (1,), "mix_layers": "0"}, {"mix_layers": "0"},
    {"mix_rows": (1,), "mix_cols": (2,)}, {"mix_rows": (1,), "mix_cols": (2,), "mix_layers": "0-6"},
    {"mix_rows": (1,), "mix_cols": (2,), "mix_layers": "x"}, {"mix_rows": (1,), "mix_cols": (2,), "mix_layers": "3-"},
])  # fmt: skip
def test_sheets_that_cannot_be_are_refused(G: Styled, options: dict[str, Any]) -> None:
    with pytest.raises(GanzooError, match=r"style mixing|mix_layers"):
        G.sample(1, seed=0, **options)


def test_layers_by_numbers() -> None:
    assert numbered("0-3", 8) == [0, 1, 2, 3] and numbered("4-5, 7", 8) == [4, 5, 7]


def test_ways_in_w_are_straight(G: Styled) -> None:
    (leg,) = interpolate_seeds(G, [1, 2], 4, "w", noise="none")
    ends = torch.cat([G.sample(1, seed=seed, noise="none") for seed in (1, 2)])
    torch.testing.assert_close(leg[[0, 4]], ends, atol=1e-5, rtol=1e-5)
    a, b = G.styles_of([1])[:, 0], G.styles_of([2])[:, 0]
    torch.testing.assert_close(leg[2], G.sample(1, seed=1, w=(a + b) / 2, noise="none")[0], atol=1e-5, rtol=1e-5)
    with pytest.raises(UnknownNameError):
        interpolate_seeds(G, [1, 2], 2, "zigzag")


def test_styles_are_mixed_in_training(G: Styled) -> None:
    torch.manual_seed(0)
    w = mixed(G, torch.randn(256, 8), 0.9, 6)
    assert w.shape == (256, 6, 8)
    changes = [[not torch.equal(row[k], row[k + 1]) for k in range(5)] for row in w]
    assert all(sum(row) <= 1 for row in changes)
    share = sum(map(sum, changes)) / 256
    assert 0.84 < share < 0.96
    assert all(sum(row[k] for row in changes) > 20 for k in range(5))  # anywhere
    one = mixed(G, torch.randn(32, 8), 0.0, 6)
    assert torch.equal(one, one[:, :1].expand_as(one))


def test_sizes_are_powers_of_two() -> None:
    for family in ("stylegan", "stylegan2"):
        with pytest.raises(GanzooError, match="image_size 24"):
            game(family, image_size=24)
    assert isinstance(game("stylegan2"), StyleGAN2)
