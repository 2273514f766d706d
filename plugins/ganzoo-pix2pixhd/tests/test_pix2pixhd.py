"""pix2pixHD: the published tensors and networks, edges of instances, the losses in closed form, scenes."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from ganzoo_pix2pixhd.content import WEIGHTS
from ganzoo_pix2pixhd.maps import LabelMap, edges, encoded, painted
from ganzoo_pix2pixhd.networks import Enhanced, halved, networks
from ganzoo_pix2pixhd.objective import Pix2PixHD, feature_matching
from ganzoo_pix2pixhd.scenes import LABELS, open_scenes
from stand_ins import Mean
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, conv2d, conv_transpose2d, leaky_relu, pad, relu

from ganzoo_core.errors import GanzooError
from ganzoo_core.models.usage import usage_of
from ganzoo_core.registry.recipes import build, recipe

Shapes = list[tuple[int, ...]]


def layer(f: int, f_next: int, k: int) -> Shapes:
    return [(f_next, f, k, k), (f_next,)]


def up(f: int) -> Shapes:
    return [(f, f // 2, 3, 3), (f // 2,)]


def published_global(halvings: int) -> Shapes:
    widths = [64 * 2**i for i in range(halvings)]
    downs = [shape for f in widths for shape in layer(f, 2 * f, 3)]
    widest = 64 * 2**halvings
    ups = [shape for f in reversed(widths) for shape in up(2 * f)]
    return [*layer(36, 64, 7), *downs, *layer(widest, widest, 3) * 18, *ups]


PATCHES = [*layer(39, 64, 4), *layer(64, 128, 4), *layer(128, 256, 4), *layer(256, 512, 4), *layer(512, 1, 4)]
LOCAL = [*layer(36, 32, 7), *layer(32, 64, 3), *layer(64, 64, 3) * 6, *up(64), *layer(32, 3, 7)]


def shapes(net: nn.Module) -> Shapes:
    return [tuple(w.shape) for w in net.parameters()]


@pytest.mark.parametrize(
    ("preset", "given", "g", "d"),
    [
        ("paper", {}, (published_global(4) + layer(64, 3, 7), 182_546_755), (2, 5_603_202)),
        ("paper", {"halvings": 3}, (published_global(3) + layer(64, 3, 7), 45_696_835), (2, 5_603_202)),
        ("hd", {}, (published_global(4) + LOCAL, 182_857_059), (3, 8_404_803)),
    ],
)
def test_published_tensors(preset: str, given: dict[str, int], g: tuple[Shapes, int], d: tuple[int, int]) -> None:
    with torch.device("meta"):
        game = build(recipe("pix2pixhd", preset=preset, given=given))
        assert game.G(torch.zeros(1, 36, 64, 96)).shape == (1, 3, 64, 96)
        maps = game.D.maps(torch.zeros(1, 3, 128, 128), torch.zeros(1, 36, 128, 128))
    assert (shapes(game.G), sum(w.numel() for w in game.G.parameters())) == g
    assert (shapes(game.D), sum(w.numel() for w in game.D.parameters())) == (PATCHES * d[0], d[1])
    assert [m.shape[-1] for m in maps[0]] == [65, 33, 17, 18, 19] and maps[1][-1].shape[-1] == 11


# Networks by hand


def normed(h: Tensor) -> Tensor:
    return (h - h.mean((2, 3), keepdim=True)) / (h.var((2, 3), keepdim=True, unbiased=False) + 1e-5).sqrt()


def mirrored(h: Tensor, w: Tensor, b: Tensor) -> Tensor:
    return conv2d(pad(h, (w.shape[-1] // 2,) * 4, mode="reflect"), w, b)


def residual(h: Tensor, t: list[Tensor]) -> Tensor:
    y = relu(normed(mirrored(h, t.pop(0), t.pop(0))))
    return h + normed(mirrored(y, t.pop(0), t.pop(0)))


def fresh(**sizes: int) -> dict[str, nn.Module]:
    torch.manual_seed(0)
    nets = networks(image_size=16, labels=3, width=3, d_width=3, halvings=1, blocks=1, local_blocks=1, **sizes)
    for w in [w for net in nets.values() for w in net.parameters()]:
        nn.init.normal_(w, std=0.3)
    return nets


def test_the_enhancer_adds_g1_s_map_to_its_own() -> None:
    net = fresh(enhancer=True)["G"]
    assert isinstance(net, Enhanced)
    t, x = list(net.parameters()), torch.rand(2, 4, 16, 20)
    low = avg_pool2d(x, 3, 2, 1, count_include_pad=False)
    h = relu(normed(mirrored(low, t.pop(0), t.pop(0))))
    h = relu(normed(conv2d(h, t.pop(0), t.pop(0), stride=2, padding=1)))
    h = residual(h, t)
    coarse = relu(normed(conv_transpose2d(h, t.pop(0), t.pop(0), stride=2, padding=1, output_padding=1)))
    h = relu(normed(mirrored(x, t.pop(0), t.pop(0))))
    h = relu(normed(conv2d(h, t.pop(0), t.pop(0), stride=2, padding=1)))
    h = residual(h + coarse, t)
    h = relu(normed(conv_transpose2d(h, t.pop(0), t.pop(0), stride=2, padding=1, output_padding=1)))
    torch.testing.assert_close(net(x), torch.tanh(mirrored(h, t.pop(0), t.pop(0))), atol=1e-4, rtol=1e-3)
    assert not t


def test_d_judges_at_several_scales_the_coarsest_last() -> None:
    net = fresh()["D"]
    x, map = torch.rand(2, 3, 32, 32), torch.rand(2, 4, 32, 32)
    seen = torch.cat([map, x], 1)
    for scale, made in zip((1, 0), net.maps(x, map), strict=True):  # the tensors of the coarsest come first
        t, h = list(net.scales[scale].parameters()), seen
        for i in range(4):
            h = conv2d(h, t.pop(0), t.pop(0), stride=2 if i < 3 else 1, padding=2)
            h = leaky_relu(normed(h) if i else h, 0.2)
            torch.testing.assert_close(made[i], h, atol=1e-4, rtol=1e-3)
        torch.testing.assert_close(made[4], conv2d(h, t.pop(0), t.pop(0), padding=2), atol=1e-4, rtol=1e-3)
        seen = avg_pool2d(seen, 3, 2, 1, count_include_pad=False)
    assert net(x, map).shape == (2, sum(m[-1][0].numel() for m in net.maps(x, map)))


# Maps


def test_edges_are_where_things_meet() -> None:
    things = torch.tensor([[[7, 7, 2, 2], [7, 7, 2, 2], [7, 7, 7, 7]]])
    assert edges(things)[0].tolist() == [[0, 1, 1, 0], [0, 1, 1, 1], [0, 0, 1, 1]]
    map = encoded((things == 2).long(), things, 3)
    assert map.shape == (1, 4, 3, 4) and torch.equal(map[:, :3].sum(1), torch.ones(1, 3, 4))
    assert torch.equal(map[0, 1], (things[0] == 2).float()) and torch.equal(map[:, 3], edges(things))
    seen = painted(map)
    assert (seen[0, :, 0, 1] == -1).all() and (seen[0, :, 0, 0] == 1).all()  # black edges; label 0 is white


def test_two_things_of_a_kind_are_told_apart_by_edges_alone() -> None:
    """Of all scenes where two of a kind touch, the one-hot planes of either side are alike, and the edge is there."""
    batch = open_scenes(None, "train").fetch(range(64))
    planes, edge = batch["map"][:, :LABELS], batch["map"][:, LABELS:]
    same = (planes[..., 1:] == planes[..., :-1]).all(1, keepdim=True)
    assert (edge[..., 1:] * edge[..., :-1] * same).sum() > 100
    apart = ~same & (edge[..., 1:] * edge[..., :-1] == 0)
    assert not apart.any()  # where labels differ, things do


def test_wrong_maps_are_refused_in_one_line() -> None:
    net = fresh(enhancer=True)["G"]
    with pytest.raises(GanzooError, match=r"labels from 0 to 3: not in 0\.\.2"):
        encoded(torch.tensor([[[0, 3]]]), torch.tensor([[[0, 3]]]), 3)
    for wrong in ("map.png", torch.zeros(1, 3, 16, 16), torch.zeros(1, 4, 15, 16), None):
        with pytest.raises(GanzooError) as fault:
            net.sample(1, seed=0, map=wrong)
        assert "map" in str(fault.value) and "\n" not in str(fault.value)
    assert isinstance(net.inputs["map"], LabelMap)
    with pytest.raises(GanzooError, match="image_size 18"):
        networks(image_size=18, halvings=1, enhancer=True)


def test_what_comes_next_is_python() -> None:
    """No option of the command line gives a label map, so nobody is told to sample there."""
    net = fresh()["G"]
    how = usage_of({"inputs": {"map": net.inputs["map"].to_config()}, "output": net.output.to_config()})
    assert how.line("mine", "grid") == "# map: given from Python alone, gz.load('mine').sample(1, seed=0, map=map)"


# The game


class Layers(nn.Module):
    """As D shows it: two scales, two layers each, all of them multiples of the mean pixel."""

    def maps(self, x: Tensor, map: Tensor) -> list[list[Tensor]]:
        mean = x.mean((1, 2, 3))
        return [[mean, 2 * mean, 3 * mean], [mean, mean, -mean]]


def game(monkeypatch: pytest.MonkeyPatch) -> Pix2PixHD:
    made = build(recipe("pix2pixhd", preset="tiny"))
    monkeypatch.setattr("ganzoo_pix2pixhd.objective.MultiScale", Layers)
    made.D = Layers()
    return made


def test_losses_in_closed_form(monkeypatch: pytest.MonkeyPatch) -> None:
    made, map = game(monkeypatch), torch.zeros(2, 4, 16, 16)
    b, fake = torch.full((2, 3, 16, 16), 0.5), torch.full((2, 3, 16, 16), 0.1)
    d = {name: term.item() for name, term in made.judging(map, b, fake).items()}
    assert d == pytest.approx({"real": ((1.5 - 1) ** 2 + (-0.5 - 1) ** 2) / 2, "fake": (0.3**2 + 0.1**2) / 2})
    g = {name: term.item() for name, term in made.pleasing(map, b, fake).items()}
    fm = ((0.4 + 0.8) + (0.4 + 0.4)) / 2  # summed over layers but for the scores, the mean of both scales
    assert g == pytest.approx({"adv": (0.3 - 1) ** 2 + (-0.1 - 1) ** 2, "fm": 10 * fm})


def test_feature_matching_is_0_for_the_picture_itself() -> None:
    D = fresh()["D"]
    x, map = torch.rand(1, 3, 32, 32), torch.rand(1, 4, 32, 32)
    assert feature_matching(D.maps(x, map), D.maps(x, map)).item() == 0
    assert feature_matching(D.maps(x, map), D.maps(-x, map)).item() > 0


def test_coarse_to_fine() -> None:
    """G1 learns alone at half the side, then G2 around it, then both."""
    made = build(recipe("pix2pixhd", preset="tiny"))
    phases = made.phases()
    assert [(p.name, [s.player.name for s in p.steps]) for p in phases] == [
        ("global", ["D", "G1"]), ("local", ["D", "G2"]), ("main", ["D", "G"]),
    ]  # fmt: skip
    coarse, local = set(made.G.coarse.parameters()), {w for net in made.G.local() for w in net.parameters()}
    assert set(phases[0].steps[1].player.parameters()) == coarse | set(made.head.parameters())
    assert set(phases[1].steps[1].player.parameters()) == local
    assert set(phases[2].steps[1].player.parameters()) == coarse | local == set(made.G.parameters())
    map = torch.rand(1, 4, 16, 16)
    assert made.coarse(halved(map)).shape == (1, 3, 8, 8)
    alone = build(recipe("pix2pixhd", preset="tiny", given={"enhancer": False}))
    assert [p.name for p in alone.phases()] == ["main"]


def test_others_discriminators_and_augmentation_are_refused() -> None:
    with pytest.raises(GanzooError, match="augment=none"):
        build(recipe("pix2pixhd", preset="tiny", given={"augment": "diffaugment"}))
    with pytest.raises(GanzooError, match="Mean"):
        Pix2PixHD(fresh()["G"], Mean())


def test_vgg_s_maps_count_the_more_the_deeper_they_lie() -> None:
    assert WEIGHTS == {1: 1 / 32, 6: 1 / 16, 11: 1 / 8, 20: 1 / 4, 29: 1}


# Scenes


@pytest.mark.parametrize("channels", [1, 3])
def test_scenes_are_functions_of_their_numbers(channels: int) -> None:
    scenes = open_scenes(None, "train", image_size=32, channels=channels)
    batch = scenes.fetch([5, 2])
    assert torch.equal(batch["b"][1], scenes.fetch([2])["b"][0])
    assert batch["map"].shape == (2, LABELS + 1, 32, 32)
    assert batch["a"].shape == batch["b"].shape == (2, channels, 32, 32)
    assert batch["b"].min() >= -1 and batch["b"].max() <= 1


def test_test_scenes_are_others() -> None:
    train, test = open_scenes(Path("."), "train"), open_scenes(None, "test")
    assert len(train) == 4096 and len(test) == 256 and train.info.fingerprint != test.info.fingerprint
    assert not torch.equal(train.fetch([0])["b"], test.fetch([0])["b"])
