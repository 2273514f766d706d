"""LR-GAN: pasting by hand and against torch's own, layers that are what they say, and data that have layers."""

from __future__ import annotations

import pytest
import torch
from ganzoo_structure.grounds import OnGrounds, on_grounds
from ganzoo_structure.lrgan_networks import G, networks
from ganzoo_structure.pasting import pasted, transformed
from torch import Tensor, nn
from torch.nn.functional import affine_grid, grid_sample

from ganzoo_core.data import DATASETS, open_dataset
from ganzoo_core.errors import GanzooError
from ganzoo_core.registry.recipes import build, recipe

SETS = {d.name: d for d in DATASETS}
SAME = torch.tensor([[[1.0, 0, 0], [0, 1, 0]]])


def test_a_picture_stays_where_theta_is_the_identity() -> None:
    x = torch.rand(2, 3, 4, 6)
    torch.testing.assert_close(transformed(x, SAME.expand(2, -1, -1)), x)


def test_scales_above_one_make_it_smaller_and_a_shift_moves_it() -> None:
    x = torch.ones(1, 1, 4, 4)
    half = transformed(x, torch.tensor([[[2.0, 0, 0], [0, 2, 0]]]))[0, 0]
    assert half[1:3, 1:3].eq(1).all() and half.sum() == 4  # whole in the middle, and nothing elsewhere
    moved = transformed(x, torch.tensor([[[1.0, 0, 0.5], [0, 1, 0]]]))[0, 0]  # half a side is a quarter of -1 ... 1
    assert moved[:, :3].eq(1).all() and moved[:, 3].eq(0).all()


def test_it_is_torch_s_own_look_up_and_so_are_its_gradients() -> None:
    torch.manual_seed(0)
    x, theta = torch.rand(3, 2, 5, 7), SAME + 0.4 * torch.randn(3, 2, 3)
    found = []
    theirs = lambda x, theta: grid_sample(x, affine_grid(theta, list(x.shape), False), align_corners=False)  # noqa: E731
    for look_up in (transformed, theirs):
        mine = [x.clone().requires_grad_(), theta.clone().requires_grad_()]
        made = look_up(*mine)
        made.square().sum().backward()
        found.append((made.detach(), *(v.grad for v in mine)))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)


def test_pasting_by_hand() -> None:
    ground, figure = torch.zeros(1, 1, 1, 3), torch.full((1, 1, 1, 3), 0.8)
    assert pasted(ground, figure, torch.tensor([[[[0.0, 0.5, 1.0]]]]))[0, 0, 0].tolist() == pytest.approx([0, 0.4, 0.8])


def made(layers: int = 3) -> G:
    torch.manual_seed(0)
    net = networks(image_size=16, width=4, d_width=4, z_dim=5, layers=layers, hidden=8)["G"]
    assert isinstance(net, G)
    return net.eval()


@torch.no_grad()
def test_each_layer_is_pasted_on_the_one_before() -> None:
    net, z = made(), torch.randn(2, 3, 5)
    ground, first, second = net.drawn(z)
    assert ground.mask.eq(1).all() and torch.equal(second.picture, net(z))
    outside = first.mask == 0
    assert outside.any() and torch.equal(*(p.masked_select(outside) for p in (first.picture, ground.picture)))
    inside = (second.mask * (second.picture - first.picture).abs()).sum()
    assert inside > 0 and torch.equal(ground.picture, net.ground(net.lstm(z[:, 0])[0]))


@torch.no_grad()
def test_what_is_drawn_depends_on_what_was_drawn_before_and_on_nothing_after() -> None:
    net, z = made(), torch.randn(1, 3, 5)
    other = z.clone()
    other[:, 1] += 1
    (a, b, c), (a2, b2, c2) = net.drawn(z), net.drawn(other)
    assert torch.equal(a.picture, a2.picture)
    assert not torch.equal(b.figure, b2.figure) and not torch.equal(c.figure, c2.figure)


@torch.no_grad()
def test_a_figure_is_told_the_features_of_the_one_before() -> None:
    net, told, features = made(), list[Tensor](), list[Tensor]()
    net.pool.register_forward_hook(lambda _, inputs, __: told.append(inputs[0][:, 8:]))
    net.figures.register_forward_hook(lambda *call: features.append(call[-1][1]))
    net(torch.randn(2, 3, 5))
    assert not told[0].any() and torch.equal(told[1], features[0]) and told[1].any()


@torch.no_grad()
def test_no_figure_fills_the_picture_or_becomes_a_line() -> None:
    """Scales are 1.2 or above, so that something of the ground is left at the border; and no map is singular."""
    net = made()
    nn.init.normal_(net.figures.pose.weight, std=5.0)
    theta = net.figures.theta(torch.randn(500, 8))
    scales = theta[:, :, :2].diagonal(dim1=1, dim2=2)
    assert torch.linalg.det(theta[:, :, :2]).min() > 0.4
    assert scales.min() >= 1.2 and theta[:, :, 2].abs().max() <= 1


def test_layers_are_shown_beside_the_picture() -> None:
    net = made()
    wide = net.sample(2, seed=0, apart=True)
    assert wide.shape == (2, 3, 16, 6 * 16) and torch.equal(wide[..., :16], net.sample(2, seed=0))


def test_gradients_reach_ground_figure_mask_and_pose() -> None:
    net = made(2).train()
    net(torch.randn(4, 2, 5)).square().sum().backward()
    for part in (net.ground, net.figures.appearance, net.figures.mask, net.figures.pose, net.lstm):
        assert all(w.grad is not None and w.grad.isfinite().all() for w in part.parameters())
        assert any(bool(w.grad.any()) for w in part.parameters())


def test_grounds_has_the_sizes_of_the_readme() -> None:
    with torch.device("meta"):
        game = build(recipe("lrgan", preset="grounds"))
    assert [sum(w.numel() for w in net.parameters()) for net in (game.G, game.D)] == [181_914, 42_944]


def test_data_on_grounds() -> None:
    """White on one colour, a quarter of the picture at most; the same every time, and in training elsewhere."""
    source = open_dataset("digits", image_size=16, channels=3, datasets=SETS)
    data = OnGrounds(source)
    x = data.fetch(range(8))["x"]
    assert x.shape == (8, 3, 16, 16) and torch.equal(x, data.fetch(range(8))["x"])
    for picture in x:
        colour = picture.flatten(1).mode(1).values  # of the ground
        figure = (picture != colour[:, None, None]).any(0)
        rows, columns = figure.any(1).nonzero(), figure.any(0).nonzero()
        assert 0 < rows.max() - rows.min() < 8 and 0 < columns.max() - columns.min() < 8
        assert colour.max() <= 0.2 and picture.max() > 0.6
    elsewhere = data.fetch_augmented(range(8), [1] * 8)["x"]
    assert not torch.equal(x, elsewhere)
    assert torch.equal(elsewhere[:2], data.fetch_augmented([0, 1], [1, 1])["x"])
    assert data.info.keys == source.info.keys and data.info.fingerprint != source.info.fingerprint


def test_black_pictures_are_ground_alone() -> None:
    x = on_grounds(torch.full((1, 3, 8, 8), -1.0), [0])
    assert torch.equal(x, x[:, :, :1, :1].expand_as(x))


def test_data_without_pictures_of_one_size_are_refused_in_one_line() -> None:
    for source in (open_dataset("ring", datasets=SETS), open_dataset("shapes:pairs", datasets=SETS)):
        with pytest.raises(GanzooError, match="of one even size") as fault:
            OnGrounds(source)
        assert "\n" not in str(fault.value)


@pytest.mark.parametrize("given", [{"layers": 1}, {"least": 0.5}, {"image_size": 24}, {"width": 0}])
def test_what_does_not_fit_is_refused_in_one_line(given: dict[str, float]) -> None:
    with pytest.raises(GanzooError) as fault:
        networks(**given)  # type: ignore[arg-type]
    assert "\n" not in str(fault.value)
