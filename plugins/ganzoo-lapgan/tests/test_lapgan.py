"""LAPGAN: the published sizes, the pyramid, losses in closed form, and sampling from the coarsest up."""

from __future__ import annotations

import math

import pytest
import torch
from ganzoo_lapgan.objective import LAPGAN
from ganzoo_lapgan.pyramid import at_level, down, up
from torch import Tensor, nn
from torch.nn.functional import conv2d, linear, relu, softplus

from ganzoo_core.errors import GanzooError
from ganzoo_core.registry.recipes import build, recipe
from ganzoo_core.testing.synthetic import synthetic
from ganzoo_core.training.trainer import Alternating


def game_of(preset: str = "tiny", **given: object) -> LAPGAN:
    game = build(recipe("lapgan", preset=preset, given=given))
    assert isinstance(game, LAPGAN)
    return game


def count(net: nn.Module) -> int:
    return sum(w.numel() for w in net.parameters())


def shapes(net: nn.Module) -> list[tuple[int, ...]]:
    return [tuple(w.shape) for w in net.parameters()]


# The published networks


def test_the_coarsest_networks_have_the_published_sizes() -> None:
    """8x8 in colour with ten classes: 1200 units a layer in G, 600 in D."""
    with torch.device("meta"):
        game = game_of("paper")
    g, d = game.G.nets[0], game.D.nets[0]
    assert shapes(g) == [(1200, 110), (1200,), (1200, 1200), (1200,), (192, 1200), (192,)]
    assert shapes(d) == [(600, 202), (600,), (600, 600), (600,), (1, 600), (1,)]
    assert (count(g), count(d)) == (1_804_992, 483_001)


@pytest.mark.parametrize(("k", "side", "f"), [(1, 16, 64), (2, 32, 128)])
def test_the_finer_networks_have_the_published_layers(k: int, side: int, f: int) -> None:
    with torch.device("meta"):
        g, d = (getattr(game_of("unconditional"), name).nets[k] for name in "GD")
    assert shapes(g) == [(f, 4, 7, 7), (f,), (f, f, 7, 7), (f,), (3, f, 5, 5), (3,)]
    assert shapes(d) == [(64, 3, 5, 5), (64,), (64, 64, 5, 5), (64,), (1, 64 * side * side // 4), (1,)]


def test_the_class_is_one_more_plane() -> None:
    with torch.device("meta"):
        g, d = (getattr(game_of("paper"), name).nets[2] for name in "GD")
    assert shapes(g)[:3] == [(1024, 10), (1024,), (128, 5, 7, 7)]
    assert shapes(d)[:3] == [(1024, 10), (1024,), (64, 4, 5, 5)]


def plane(layer: nn.Linear, y: Tensor, side: int) -> Tensor:
    """A row of the weights for each class, and the bias."""
    return (layer.weight.T[y] + layer.bias).reshape(len(y), 1, side, side)


def test_forward_is_the_published_one() -> None:
    torch.manual_seed(0)
    game = game_of(classes=5).eval()
    y = torch.tensor([3, 0, 4])
    z, low, image = torch.rand(3, 1, 8, 8), torch.randn(3, 1, 8, 8), torch.randn(3, 1, 8, 8)
    g, d = game.G.nets[1], game.D.nets[1]
    with torch.no_grad():
        w = list(g.main.parameters())
        x = torch.cat([low, z, plane(g.plane, y, 8)], 1)
        x = relu(conv2d(relu(conv2d(x, w[0], w[1], padding=3)), w[2], w[3], padding=3))
        torch.testing.assert_close(g(z, low, y), conv2d(x, w[4], w[5], padding=2))
        x = torch.cat([image, plane(d.plane, y, 8)], 1)
        x = relu(conv2d(x, d.conv1.weight, d.conv1.bias, padding=2))
        x = relu(conv2d(x, d.conv2.weight, d.conv2.bias, stride=2, padding=2))
        torch.testing.assert_close(game.D(image, 1, y), linear(x.flatten(1), d.linear.weight, d.linear.bias)[:, 0])
        w = list(game.G.nets[0].parameters())
        z0 = torch.rand(3, 8)
        x = relu(linear(relu(linear(torch.cat([z0, torch.eye(5)[y]], 1), w[0], w[1])), w[2], w[3]))
        torch.testing.assert_close(game.G.nets[0](z0, y), linear(x, w[4], w[5]).tanh().reshape(3, 1, 4, 4))


# The pyramid


def test_halving_is_the_mean_of_four_pixels() -> None:
    x = torch.arange(16.0).reshape(1, 1, 4, 4)
    assert down(x)[0, 0].tolist() == [[2.5, 4.5], [10.5, 12.5]]


def test_doubling_is_linear_between_common_corners() -> None:
    x = torch.tensor([0.0, 3.0]).expand(1, 1, 2, 2)
    assert up(x)[0, 0, 0].tolist() == pytest.approx([0, 1, 2, 3])
    ramp = torch.linspace(0, 1, 5).expand(1, 1, 5, 5)
    torch.testing.assert_close(up(ramp)[0, 0, 0], torch.linspace(0, 1, 10))


def test_a_pyramid_gives_its_picture_back() -> None:
    x = torch.randn(2, 3, 32, 32)
    bands, coarse = [], x
    for side in (16, 8):
        bands.append(coarse - up(down(coarse)))
        coarse = at_level(x, side)
    for h in reversed(bands):
        coarse = up(coarse) + h
    torch.testing.assert_close(coarse, x)


@pytest.mark.parametrize("image_size", [0, 12, 28, 34])
def test_other_sizes_are_refused_in_one_line(image_size: int) -> None:
    with pytest.raises(GanzooError) as fault:
        game_of(image_size=image_size, coarsest=8)
    assert "\n" not in str(fault.value)


def test_28_pixels_are_two_doublings_of_7() -> None:
    game = game_of(image_size=28, coarsest=7)
    assert game.sides == [7, 14, 28]
    assert game.G.sample(2, seed=0).shape == (2, 1, 28, 28)


# Sampling


def test_sampling_climbs_from_the_coarsest_level() -> None:
    G = game_of().G.eval()
    assert {k: (i.kind, i.shape, i.range) for k, i in G.inputs.items()} == {
        "z0": ("latent", (8,), (-1.0, 1.0)),
        "z1": ("latent", (1, 8, 8), (-1.0, 1.0)),
        "z2": ("latent", (1, 16, 16), (-1.0, 1.0)),
    }
    z = G.priors(3)
    with torch.no_grad():
        x = G.nets[0](z["z0"])
        for k in (1, 2):
            low = up(x)
            x = low + G.nets[k](z[f"z{k}"], low)
        torch.testing.assert_close(G(*z.values()), x.clamp(-1, 1))


def test_a_latent_may_be_given() -> None:
    G = game_of().G
    one, other = (G.sample(2, seed=seed, z0=torch.zeros(8)) for seed in (0, 1))
    coarse = [at_level(x, 4) for x in (one, other)]
    assert not torch.equal(one, other)  # the planes of noise are drawn
    free = at_level(G.sample(2, seed=1), 4)
    assert (coarse[0] - coarse[1]).abs().mean() < (free[0] - free[1]).abs().mean()


def test_classes_are_asked_for_and_matter() -> None:
    game = game_of(classes=3)
    assert game.needs == {"x", "label"} and game_of().needs == {"x"}
    with pytest.raises(GanzooError, match="label"):
        game.G.sample(1, seed=0)
    zero, one = (game.G.sample(1, seed=0, label=k) for k in (0, 1))
    assert not torch.equal(zero, one)


# The game


def batch_of(game: LAPGAN, n: int = 4) -> dict[str, Tensor]:
    return dict(next(synthetic(game.needs, game.recipe.args)(start=0, batch_size=n)))


@pytest.mark.parametrize("classes", [0, 3])
@pytest.mark.parametrize("k", [0, 1, 2])
def test_losses_in_closed_form(k: int, classes: int) -> None:
    game = game_of(classes=classes).eval()
    batch = batch_of(game)
    x = batch["x"]
    for _ in range(2 - k):
        x = down(x)
    y = [batch["label"]] if classes else []
    torch.manual_seed(0)
    z = 2 * torch.rand(4, *((8,) if k == 0 else (1, x.shape[-1], x.shape[-1]))) - 1
    low = up(down(x))
    fake = low + game.G.nets[k](z, low, *y) if k else game.G.nets[k](z, *y)
    scores, fakes = game.D.nets[k](x, *y), game.D.nets[k](fake, *y)
    torch.manual_seed(0)
    terms = game.d_loss(k, batch)
    assert terms["real"].item() == pytest.approx(softplus(-scores).mean().item(), rel=1e-5)
    assert terms["fake"].item() == pytest.approx(softplus(fakes).mean().item(), rel=1e-5)
    torch.manual_seed(0)
    assert game.g_loss(k, batch)["adv"].item() == pytest.approx(softplus(-fakes).mean().item(), rel=1e-5)


def test_levels_are_independent() -> None:
    """A level's losses do not change with the networks of another."""
    game = game_of().eval()
    batch = batch_of(game)
    losses = []
    for _ in range(2):
        torch.manual_seed(0)
        losses.append([v.item() for v in (game.d_loss(1, batch) | game.g_loss(1, batch)).values()])
        for net in (game.G.nets[0], game.G.nets[2], game.D.nets[0], game.D.nets[2]):
            for w in net.parameters():
                w.data += 1
    assert losses[0] == losses[1]


def test_the_schedule_is_the_published_one() -> None:
    plan = Alternating(batch_size=128).plan(game_of("paper").phases())
    assert [s.phase.name for s in plan] == ["8px", "16px", "32px"]
    player = plan[0].phase.players[0]
    options = player.optim([torch.zeros(1, requires_grad=True)]).defaults
    assert (options["lr"], options["momentum"]) == (0.02, 0.5)
    epochs = 18_750_000 / 50_000
    for u in (0.0, 0.25, 1.0):
        assert options["lr"] * player.schedules["lr"](u) == pytest.approx(0.02 / 1.0004 ** (u * epochs))
        assert 0.5 * player.schedules["momentum"](u) == pytest.approx(0.5 + 0.0008 * u * epochs)
    long = game_of("paper", lengths=(37_500_000,)).phases()[0].players[0].schedules["momentum"]
    assert 0.5 * long(0.5) == pytest.approx(0.8) and 0.5 * long(1.0) == pytest.approx(0.8)


def test_lengths_may_differ_and_adams_step_falls_to_0() -> None:
    game = game_of(lengths=(300, 200))
    assert [p.images for p in game.phases()] == [300, 200, 200]
    assert [game.phases()[0].players[0].schedules["lr"](u) for u in (0.0, 0.5, 1.0)] == [1, 0.5, 0]


def test_the_progress_grid_shows_every_level() -> None:
    game = game_of()
    shown = game.sample(batch_of(game))
    assert {k: tuple(v.shape) for k, v in shown.items()} == {
        "G": (4, 1, 16, 16), "8px": (4, 1, 8, 8), "16px": (4, 1, 16, 16),
    }  # fmt: skip
    assert all(v.abs().max() <= 1 and math.isfinite(v.sum()) for v in shown.values())


@pytest.mark.parametrize("k", [0, 1, 2])
def test_every_level_sees_augmented_pictures_where_that_is_asked_for(k: int) -> None:
    game, seen = game_of(augment="diffaugment"), []
    game.D.D.nets[k].register_forward_hook(lambda _, args, __: seen.append(args[0]))
    batch = batch_of(game)
    game.d_loss(k, batch)
    assert len(seen) == 2 and not torch.equal(seen[0], game.level(k, batch)[0])
