"""WGAN and WGAN-GP: equality with the published networks and steps, and every game on every network."""

from __future__ import annotations

import math

import pytest
import torch
from ganzoo_wgan.networks import networks
from ganzoo_wgan.objective import WGAN, WGANGP
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, batch_norm, conv2d, interpolate, linear

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator, Generator, Images, Latent
from ganzoo_core.objectives import Objective, require_no_batch_norm
from ganzoo_core.registry.recipes import build, recipe
from ganzoo_core.testing.synthetic import synthetic
from ganzoo_core.training.trainer import Alternating, Report

# Parameters and float buffers of the authors' networks for CIFAR-10 without labels, in their order.
BN, CONV = [(128,)] * 4, [(128, 128, 3, 3), (128,)]
ONE = [(128, 128, 1, 1), (128,)]
G_SHAPES = [(2048, 128), (2048,), *[*BN, *BN, *CONV, *CONV, *ONE] * 3, *BN, (3, 128, 3, 3), (3,)]
D_SHAPES = [
    (128, 3, 3, 3), (128,), *CONV, (128, 3, 1, 1), (128,),
    *CONV, *CONV, *ONE,
    *CONV, *CONV,
    *CONV, *CONV,
    (1, 128), (1,),
]  # fmt: skip


def shapes(net: nn.Module) -> list[tuple[int, ...]]:
    return [tuple(t.shape) for t in net.state_dict().values() if t.is_floating_point()]


def count(net: nn.Module) -> int:
    return sum(w.numel() for w in net.parameters())


def test_paper_has_the_published_tensors() -> None:
    game = build(recipe("wgan_gp", preset="paper"))
    assert shapes(game.G) == G_SHAPES
    assert shapes(game.D) == D_SHAPES
    assert (count(game.G), count(game.D)) == (1_204_483, 1_053_825)


def test_wgan_plays_on_dcgans_networks() -> None:
    game = build(recipe("wgan", preset="paper"))
    assert (count(game.G), count(game.D)) == (3_576_704, 2_765_568)


class Tensors:
    """A state dict's float tensors, taken one after the other."""

    def __init__(self, net: nn.Module) -> None:
        self.rest = [t for t in net.state_dict().values() if t.is_floating_point()]

    def take(self, n: int) -> list[Tensor]:
        taken, self.rest = self.rest[:n], self.rest[n:]
        return taken


def published_g(net: nn.Module, z: Tensor) -> Tensor:
    """The authors' G in evaluation mode, from a bare list of tensors: the shortcut enlarges, then convolves."""
    t = Tensors(net)
    h = linear(z, *t.take(2)).reshape(len(z), -1, 4, 4)
    while len(t.rest) > 6:
        (g1, b1, m1, v1), (g2, b2, m2, v2) = t.take(4), t.take(4)
        conv1, conv2, shortcut = t.take(2), t.take(2), t.take(2)
        y = interpolate(batch_norm(h, m1, v1, g1, b1).relu(), scale_factor=2)
        y = batch_norm(conv2d(y, *conv1, padding=1), m2, v2, g2, b2).relu()
        h = conv2d(interpolate(h, scale_factor=2), *shortcut) + conv2d(y, *conv2, padding=1)
    gamma, beta, mean, var = t.take(4)
    return conv2d(batch_norm(h, mean, var, gamma, beta).relu(), *t.take(2), padding=1).tanh()


def published_d(net: nn.Module, x: Tensor) -> Tensor:
    """The authors' D, from a bare list of tensors: but for the first, shortcuts convolve, then pool."""
    t = Tensors(net)
    first, second, shortcut = t.take(2), t.take(2), t.take(2)
    y = conv2d(conv2d(x, *first, padding=1).relu(), *second, padding=1)
    h = avg_pool2d(y, 2) + conv2d(avg_pool2d(x, 2), *shortcut)
    while len(t.rest) > 2:
        first, second = t.take(2), t.take(2)
        y = conv2d(conv2d(h.relu(), *first, padding=1).relu(), *second, padding=1)
        halve = h.shape[-1] > 8
        h = avg_pool2d(conv2d(h, *t.take(2)) + y, 2) if halve else h + y
    return linear(h.relu().mean((2, 3)), *t.take(2)).flatten()


@pytest.mark.parametrize("image_size", [16, 32, 64])
def test_forward_is_the_published_one(image_size: int) -> None:
    torch.manual_seed(0)
    nets = networks(image_size=image_size, width=8)
    for w in [*nets["G"].parameters(), *nets["D"].parameters()]:
        w.data += 0.05 * torch.randn_like(w)  # biases too
    z, x = torch.randn(4, 128), torch.randn(4, 3, image_size, image_size)
    with torch.no_grad():
        nets["G"](z)  # moves the running statistics off 0 and 1
        G, D = nets["G"].eval(), nets["D"].eval()
        torch.testing.assert_close(G(z), published_g(G, z))
        torch.testing.assert_close(D(x), published_d(D, x))


@pytest.mark.parametrize("image_size", [0, 8, 28, 48, 128])
def test_other_sizes_are_refused_in_one_line(image_size: int) -> None:
    with pytest.raises(GanzooError) as fault:
        networks(image_size=image_size)
    assert str(image_size) in str(fault.value) and "\n" not in str(fault.value)


def test_the_critic_judges_samples_one_by_one() -> None:
    D = networks(channels=1, width=8)["D"]
    x = torch.randn(4, 1, 32, 32)
    assert torch.allclose(D(x)[:1], D(x[:1]), atol=1e-6)
    assert torch.allclose(D.linear(D.features(x)).flatten(), D(x))


def test_initial_weights() -> None:
    """Limits of the uniform laws: He's for 3x3, Glorot's for all else and for G's last layer."""
    torch.manual_seed(0)
    nets = networks()
    last = nets["G"].conv
    for net in nets.values():
        for layer in net.modules():
            if isinstance(layer, nn.Conv2d | nn.Linear):
                places = math.prod(layer.weight.shape[2:])
                gain = 4 if places == 9 and layer is not last else 2
                limit = math.sqrt(3 * gain / (places * sum(layer.weight.shape[:2])))
                assert 0.95 * limit < layer.weight.abs().max() <= limit
                assert not layer.bias.any()


# The games


class Dots(Generator):
    """z itself."""

    def __init__(self) -> None:
        super().__init__()
        self.inputs, self.output = {"z": Latent((4,))}, Images((1, 2, 2), None)
        self.shift = nn.Parameter(torch.zeros(()))

    def forward(self, z: Tensor) -> Tensor:
        return (z + self.shift).unflatten(1, (1, 2, 2))


class Linear(Discriminator):
    """w . x, whose slope is ||w|| everywhere."""

    def __init__(self, w: tuple[float, ...]) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.tensor(w))

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1) @ self.w


def small(family: str, **given: object) -> tuple[Objective, list[Report]]:
    made = recipe(family, preset="tiny", given=given)
    game = build(made)
    runner = Alternating(batch_size=4)
    return game, list(runner.run(game, synthetic(game.needs, made.args)))


def test_losses_are_the_distance_and_its_descent() -> None:
    game = WGAN(Dots(), Linear((1.0, 2.0, 0.0, -1.0)))
    x = torch.randn(8, 1, 2, 2)
    torch.manual_seed(0)
    terms = game.d_loss({"x": x})
    torch.manual_seed(0)
    fake = game.D(game.G(game.G.prior(8)))
    assert terms["real"].item() == pytest.approx(-game.D(x).mean().item())
    assert terms["fake"].item() == pytest.approx(fake.mean().item())
    torch.manual_seed(0)
    assert game.g_loss({"x": x})["adv"].item() == pytest.approx(-fake.mean().item())


def test_the_warm_up_is_25_updates_of_g_at_100_of_the_critic() -> None:
    plan = Alternating(batch_size=64).plan(build(recipe("wgan", preset="paper")).phases())
    assert [(s.phase.name, s.repeat) for s in plan] == [("warm_up", 100), ("main", 5)]
    assert plan[0].iterations == 25


def test_the_warm_up_draws_its_batches_and_then_ends() -> None:
    _, reports = small("wgan", n_warm=3, warm_up=24, n_critic=2, images=24)
    assert [(r.phase, r.drawn) for r in reports] == [("warm_up", 12)] * 2 + [("main", 8)] * 3


def test_players_keep_their_optimizers_after_the_warm_up() -> None:
    game = build(recipe("wgan", preset="tiny"))
    warm_up, main = game.phases()
    assert warm_up.players == main.players  # players are told apart by identity
    _, reports = small("wgan", n_warm=3, warm_up=24, n_critic=2, images=24)
    steps = {player: state["0.step"].item() for player, state in reports[-1].checkpoint().optimizers.items()}
    assert steps == {"0.D": 3 * 2 + 2 * 3, "0.G": 5}


def test_there_may_be_no_warm_up() -> None:
    assert [p.name for p in build(recipe("wgan", preset="tiny", given={"warm_up": 0})).phases()] == ["main"]


def test_weights_stay_clipped() -> None:
    game, _ = small("wgan", n_warm=2, warm_up=8, images=40, lr=0.1)
    largest = [w.abs().max().item() for w in game.D.parameters()]
    assert max(largest) == pytest.approx(0.01)
    assert max(w.abs().max().item() for w in game.G.parameters()) > 0.01


@pytest.mark.parametrize("w", [(0.0, 0, 0, 0.5), (3.0, 0, 4, 0), (0.6, 0, 0, 0.8)])
def test_penalty_of_a_linear_critic(w: tuple[float, ...]) -> None:
    """Wherever it is taken, lambda (||w|| - 1)^2."""
    game = WGANGP(Dots(), Linear(w), lam=7.0)
    expected = 7 * (math.hypot(*w) - 1) ** 2
    assert game.d_loss({"x": torch.randn(5, 1, 2, 2)})["gp"].item() == pytest.approx(expected, abs=1e-6)


def test_real_images_are_dequantised_and_fakes_are_not() -> None:
    x = torch.zeros(1000, 1, 2, 2)
    noisy = WGANGP(Dots(), Linear((1.0, 0, 0, 0))).dequantised(x)
    assert noisy.min() >= 0 and noisy.max() <= 1 / 128
    assert noisy.mean().item() == pytest.approx(1 / 256, rel=0.05)
    assert torch.equal(WGANGP(Dots(), Linear((1.0, 0, 0, 0)), noise=0.0).dequantised(x), x)


def test_g_may_draw_larger_batches() -> None:
    sizes = []
    game = WGANGP(Dots(), Linear((1.0, 0, 0, 0)), g_batches=2)
    game.D.register_forward_hook(lambda _, args, __: sizes.append(len(args[0])))
    game.g_loss({"x": torch.zeros(5, 1, 2, 2)})
    assert sizes == [10]


def test_rates_fall_linearly_to_zero() -> None:
    game = build(recipe("wgan_gp", preset="tiny"))
    for player in game.phases()[0].players:
        assert [player.schedules["lr"](u) for u in (0.0, 0.25, 1.0)] == [1, 0.75, 0]


def test_batch_norm_under_the_penalty_is_refused_in_one_line() -> None:
    with pytest.raises(GanzooError) as fault:
        build(recipe("wgan_gp", preset="tiny", networks="dcgan"))
    assert "batch norm" in str(fault.value) and "-c norm=none" in str(fault.value) and "\n" not in str(fault.value)
    build(recipe("wgan_gp", preset="tiny", networks="dcgan", given={"norm": "none"}))


def test_instance_norm_is_not_batch_norm() -> None:
    require_no_batch_norm(nn.Sequential(nn.InstanceNorm2d(3), nn.GroupNorm(1, 3), nn.LayerNorm(3)))


# Every game on every pair of networks


GAMES = ("gan", "dcgan", "wgan", "wgan_gp")
NETWORKS = {"gan": {}, "dcgan": {}, "dcgan without batch norm": {"norm": "none"}, "wgan_gp": {}}


@pytest.mark.parametrize("nets", NETWORKS)
@pytest.mark.parametrize("family", GAMES)
def test_every_game_plays_on_every_compatible_pair_of_networks(family: str, nets: str) -> None:
    made = recipe(family, preset="tiny", networks=f"{nets.split()[0]}:tiny", given=NETWORKS[nets])
    if (family, nets) == ("wgan_gp", "dcgan"):
        with pytest.raises(GanzooError) as fault:
            build(made)
        assert "\n" not in str(fault.value)
        return
    game = build(made)
    runner = Alternating(batch_size=4, images=1)
    feed = synthetic(game.needs, made.args)
    reports = [r for _ in range(2) for r in runner.run(game, feed)]
    assert len(reports) >= 2
    assert all(v.isfinite() for r in reports for v in r.losses.values())
