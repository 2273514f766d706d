"""CUT and FastCUT: the published networks and counts, the contrast in closed form, mirrored pictures."""

from __future__ import annotations

import math

import pytest
import torch
from ganzoo_cut.networks import Double, Halve, networks
from ganzoo_cut.objective import CUT, FastCUT, chosen, patch_nce
from stand_ins import Mean
from torch import Tensor, nn
from torch.nn.functional import conv2d, conv_transpose2d, leaky_relu, pad, relu

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Generator, Image, Images
from ganzoo_core.registry.recipes import build, recipe

BLOCK = [(256, 256, 3, 3), (256,)] * 2
G_SHAPES = [
    (64, 3, 7, 7), (64,), (128, 64, 3, 3), (128,), (256, 128, 3, 3), (256,), *BLOCK * 9,
    (128, 256, 3, 3), (128,), (64, 128, 3, 3), (64,), (3, 64, 7, 7), (3,),
]  # fmt: skip
D_SHAPES = [
    (64, 3, 4, 4), (64,), (128, 64, 4, 4), (128,), (256, 128, 4, 4), (256,), (512, 256, 4, 4), (512,),
    (1, 512, 4, 4), (1,),
]  # fmt: skip


@pytest.mark.parametrize("family", ["cut", "fastcut"])
def test_paper_has_the_published_tensors(family: str) -> None:
    with torch.device("meta"):
        game = build(recipe(family, preset="paper"))
    assert [tuple(w.shape) for w in game.G.parameters()] == G_SHAPES
    assert [tuple(w.shape) for w in game.D.parameters()] == D_SHAPES
    counts = [sum(w.numel() for w in net.parameters()) for net in (game.G, game.F, game.D)]
    assert counts == [11_378_179, 560_384, 2_764_737]
    maps = game.G.features(torch.zeros(1, 3, 256, 256, device="meta"))
    assert [tuple(h.shape[1:]) for h in maps] == [
        (3, 262, 262), (128, 256, 256), (256, 128, 128), (256, 64, 64), (256, 64, 64),
    ]  # fmt: skip
    assert game.D(torch.zeros(1, 3, 256, 256, device="meta")).shape == (1, 1, 30, 30)


def test_halving_and_doubling_are_the_published_filters() -> None:
    h = torch.randn(2, 5, 8, 6)
    line = torch.tensor([1.0, 2, 1]) / 4
    expected = torch.stack(
        [conv2d(pad(c[:, None], (1, 1, 1, 1), mode="reflect"), (line[:, None] * line)[None, None], stride=2)[:, 0]
         for c in h.unbind(1)], 1
    )  # fmt: skip
    torch.testing.assert_close(Halve()(h), expected)
    line = torch.tensor([1.0, 3, 3, 1]) / 4
    kernel = (line[:, None] * line).expand(5, 1, 4, 4)
    wide = conv_transpose2d(pad(h, (1, 1, 1, 1), mode="replicate"), kernel, stride=2, padding=3, groups=5)
    torch.testing.assert_close(Double()(h), wide)


def normed(h: Tensor) -> Tensor:
    return (h - h.mean((2, 3), keepdim=True)) / (h.var((2, 3), keepdim=True, unbiased=False) + 1e-5).sqrt()


def test_g_and_its_features_are_those_of_the_paper() -> None:
    torch.manual_seed(0)
    G = networks(image_size=24, width=4, blocks=5, d_width=4)["G"]
    for w in G.parameters():
        nn.init.normal_(w, std=0.3)
    t, x = list(G.parameters()), torch.rand(2, 3, 16, 20) * 2 - 1

    maps = [pad(x, (3, 3, 3, 3), mode="reflect")]
    h = relu(normed(conv2d(maps[0], t.pop(0), t.pop(0))))
    for _ in range(2):
        h = conv2d(h, t.pop(0), t.pop(0), padding=1)
        maps.append(h)
        h = Halve()(relu(normed(h)))
    for i in range(5):
        y = relu(normed(conv2d(pad(h, (1, 1, 1, 1), mode="reflect"), t.pop(0), t.pop(0))))
        h = h + normed(conv2d(pad(y, (1, 1, 1, 1), mode="reflect"), t.pop(0), t.pop(0)))
        if i in (0, 4):
            maps.append(h)
    for _ in range(2):
        h = relu(normed(conv2d(Double()(h), t.pop(0), t.pop(0), padding=1)))
    expected = torch.tanh(conv2d(pad(h, (3, 3, 3, 3), mode="reflect"), t.pop(0), t.pop(0)))
    torch.testing.assert_close(G(x), expected, atol=1e-4, rtol=1e-3)
    for ours, theirs in zip(G.features(x), maps, strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-3)


def test_d_is_that_of_the_paper() -> None:
    torch.manual_seed(0)
    D = networks(image_size=32, width=4, blocks=1, d_width=4)["D"]
    for w in D.parameters():
        nn.init.normal_(w, std=0.3)
    t, x = list(D.parameters()), torch.rand(2, 3, 32, 32)
    h = Halve()(leaky_relu(conv2d(x, t.pop(0), t.pop(0), padding=1), 0.2))
    for i in range(3):
        h = leaky_relu(normed(conv2d(h, t.pop(0), t.pop(0), padding=1)), 0.2)
        h = Halve()(h) if i < 2 else h
    torch.testing.assert_close(D(x), conv2d(h, t.pop(0), t.pop(0), padding=1), atol=1e-4, rtol=1e-3)


def test_heads_give_features_of_length_one_of_the_places_asked_for() -> None:
    torch.manual_seed(0)
    F = networks(image_size=24, width=4, blocks=1, d_width=4, f_width=6)["F"]
    h = [torch.randn(2, c, 4, 5) for c in (3, 8, 16, 16, 16)]
    made = F(h, [torch.tensor([7, 0])] * 5)
    assert {tuple(q.shape) for q in made} == {(2, 2, 6)}
    one = F.heads[1](h[1][:, :, 1, 2])
    torch.testing.assert_close(made[1][:, 0], one / one.norm(dim=1, keepdim=True))
    torch.testing.assert_close(made[1].norm(dim=2), torch.ones(2, 2))


def test_the_contrast_in_closed_form() -> None:
    """Keys at right angles: the own one counts exp(1 / tau), each other one 1."""
    keys = torch.eye(4)[None].repeat(3, 1, 1)
    assert patch_nce(keys, keys, 0.5).item() == pytest.approx(math.log(math.exp(2) + 3) - 2)
    assert patch_nce(torch.zeros(3, 4, 4), keys, 0.07).item() == pytest.approx(math.log(4))
    assert sorted(chosen(torch.zeros(1, 2, 3, 4), 256).tolist()) == list(range(12))
    assert len(set(chosen(torch.zeros(1, 2, 30, 40), 256).tolist())) == 256


class Shift(Generator):
    """x + shift, its features the picture itself."""

    def __init__(self) -> None:
        super().__init__()
        self.inputs, self.output = {"a": Image((3, None, None))}, Images((3, None, None))
        self.shift = nn.Parameter(torch.tensor(0.5))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.shift

    def features(self, x: Tensor) -> list[Tensor]:
        return [x]


class Unit(nn.Module):
    """Pixels of length 1."""

    def forward(self, maps: list[Tensor], places: list[Tensor]) -> list[Tensor]:
        return [
            nn.functional.normalize(h.flatten(2).transpose(1, 2)[:, at], dim=2)
            for h, at in zip(maps, places, strict=True)
        ]


def test_losses_in_closed_form() -> None:
    torch.manual_seed(0)
    a, b = torch.full((2, 3, 4, 4), 0.25), torch.full((2, 3, 4, 4), -0.5)
    game = CUT(Shift(), Unit(), Mean())
    d = game.d_loss({"a": a, "b": b})
    assert d["real"].item() == pytest.approx((-0.5 - 1) ** 2 / 2) and d["fake"].item() == pytest.approx(0.75**2 / 2)
    g = game.g_loss({"a": a, "b": torch.full((2, 3, 4, 4), 0.5)})
    assert g["adv"].item() == pytest.approx((0.75 - 1) ** 2)
    for name in ("nce_x", "nce_y"):  # all places alike, so each is one of sixteen
        assert g[name].item() == pytest.approx(math.log(16) / 2)


def test_mirrored_pictures_are_mirrored_back() -> None:
    torch.manual_seed(0)
    game = FastCUT(Shift(), Unit(), Mean(), patches=16)
    x = torch.randn(2, 3, 4, 4)
    straight, mirrored = game.contrast(x, x), game.contrast(x, x.flip(3), mirrored=True)
    torch.testing.assert_close(straight, mirrored)
    assert game.contrast(x, x.flip(3)).item() > 1.2 * straight.item()
    seen = {game.g_loss({"a": x, "b": x})["nce_x"].item() for _ in range(12)}
    assert max(seen) == pytest.approx(min(seen), rel=1e-4)  # mirrored or not, the same patches are asked for


def test_only_queries_teach_the_heads() -> None:
    torch.manual_seed(0)
    game = build(recipe("cut", preset="tiny"))
    x = torch.rand(2, 3, 16, 16)
    game.contrast(x, x).backward()
    assert all(w.grad is not None and w.grad.abs().sum() > 0 for w in game.F.parameters() if w.ndim == 2)


def test_rates() -> None:
    cut, fast = CUT.schedules["lr"], FastCUT.schedules["lr"]
    assert [cut(u) for u in (0, 0.5, 0.75, 1)] == [1, 1, 0.5, 0]
    assert [fast(u) for u in (0, 0.75, 0.875, 1)] == [1, 1, 0.5, 0]


def test_sizes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(GanzooError, match="multiple of 4"):
        networks(image_size=30)
