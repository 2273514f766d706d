"""The R3GAN family: sizes, the networks from bare layers, the game in closed form, and other networks in it."""

from __future__ import annotations

import copy
import math
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from ganzoo_r3gan.networks import Block, networks
from ganzoo_r3gan.objective import R3GAN, BurningIn
from processes import ganzoo
from torch import Tensor, nn
from torch.nn.functional import conv2d, leaky_relu, linear, softplus

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator, Generator, Images, Latent
from ganzoo_core.objectives import Objective
from ganzoo_core.registry.recipes import build, recipe
from ganzoo_core.testing.synthetic import synthetic
from ganzoo_core.training.trainer import Alternating, optimizer_of, set_options


def count(net: nn.Module) -> int:
    return sum(w.numel() for w in net.parameters())


def small(**given: object) -> Objective:
    return build(recipe("r3gan", preset="tiny", given=given))


# Sizes


def of_stages(widths: tuple[int, ...], blocks: int, group: int) -> int:
    """A block of width w has 2 w w + 2 w (its bias), 9 group 2 w + 2 w, and 2 w w weights; 1x1 layers join widths."""
    inside = sum(blocks * (4 * w * w + 18 * group * w + 4 * w) for w in widths)
    return inside + sum(a * b for a, b in pairwise(widths) if a != b)


@pytest.mark.parametrize("preset", ["paper", "small", "mnist", "pictures", "tiny"])
def test_sizes_follow_from_the_widths(preset: str) -> None:
    made = recipe("r3gan", preset=preset)
    with torch.device("meta"):
        game = build(made)
    args = made.args
    widths, z, c, k = args["widths"], args["z_dim"], args["channels"], args["classes"]
    stages = of_stages(widths, args["blocks"], args["group"])
    embedding = k * z
    told = z * (2 if k else 1)
    assert count(game.G) == stages + embedding + told * widths[0] + 16 * widths[0] + widths[-1] * c
    D = getattr(game.D, "D", game.D)
    assert count(D) == stages + c * widths[-1] + 16 * widths[0] + widths[0] + 1 + k * widths[0]


def test_the_paper_s_networks_have_about_23_million_weights_each() -> None:
    with torch.device("meta"):
        game = build(recipe("r3gan", preset="paper"))
    assert (count(game.G), count(game.D)) == (23_057_952, 23_009_569)


# The networks, from bare lists of layers


def straight(h: Tensor, axis: int) -> Tensor:
    """Twice as many, those between halfway; beyond the end lies 0."""
    after = torch.cat([h.narrow(axis, 1, h.shape[axis] - 1), torch.zeros_like(h.narrow(axis, 0, 1))], axis)
    return torch.stack([h, (h + after) / 2], axis + 1).flatten(axis, axis + 1)


def thinned(h: Tensor, axis: int) -> Tensor:
    """Half as many: each with a quarter of both its neighbours."""
    n = h.shape[axis]
    padded = torch.cat([torch.zeros_like(h.narrow(axis, 0, 1)), h], axis)
    at = torch.arange(0, n, 2)
    left, mid, right = (padded.index_select(axis, at + i) for i in range(3))
    return (left + 2 * mid + right) / 4


def bare(net: nn.Module, h: Tensor, resampled) -> Tensor:
    """Stages from their tensors, one after the other."""
    for stage in net.stages:
        if isinstance(stage, Block):
            a, b, c = stage.widen, stage.spread, stage.narrow
            inner = leaky_relu(conv2d(h, a.weight, a.bias), 0.2)
            inner = leaky_relu(conv2d(inner, b.weight, b.bias, padding=1, groups=b.weight.shape[0] // 8), 0.2)
            h = h + conv2d(inner, c.weight)
        else:
            h = resampled(h, lambda x, conv=stage.conv: conv2d(x, conv.weight) if hasattr(conv, "weight") else x)
    return h


def stirred(net: nn.Module) -> nn.Module:
    for w in net.parameters():
        w.data += 0.1 * torch.randn_like(w)
    return net


@pytest.mark.parametrize("classes", [0, 3])
def test_forward_is_what_the_paper_describes(classes: int) -> None:
    torch.manual_seed(0)
    game = small(classes=classes)
    G, D = stirred(game.G), stirred(game.D)
    z, y, x = G.prior(4), [torch.tensor([0, 2, 1, 2])] if classes else [], torch.randn(4, 1, 16, 16)
    told = torch.cat([z, *(G.embed.weight[label] for label in y)], 1)
    h = linear(told, G.scale.weight)[:, :, None, None] * G.basis
    h = bare(G, h, lambda h, conv: straight(straight(conv(h), 2), 3))
    torch.testing.assert_close(G(z, *y), conv2d(h, G.to_rgb.weight))
    h = bare(D, conv2d(x, D.from_rgb.weight), lambda h, conv: conv(thinned(thinned(h, 2), 3)))
    f = (h * D.basis.weight[:, 0]).sum((2, 3))
    head = D.head.linear if classes else D.head
    score = linear(f, head.weight, head.bias)[:, 0] + sum((D.head.embed.weight[label] * f).sum(1) for label in y)
    torch.testing.assert_close(D(x, *y), score)
    torch.testing.assert_close(D.features(x), f)


def test_blocks_begin_as_the_identity_and_small_inside() -> None:
    torch.manual_seed(0)
    net = networks(image_size=8, channels=1, widths=(256, 256), blocks=4, group=16)["G"]
    blocks = [module for module in net.modules() if isinstance(module, Block)]
    h = torch.randn(1, 256, 4, 4)
    assert len(blocks) == 8 and torch.equal(blocks[0](h), h)
    gain = math.sqrt(2 / 1.04) * 8**-0.25
    for block in blocks:
        assert block.widen.weight.std().item() == pytest.approx(gain / math.sqrt(256), rel=0.02)
        assert block.spread.weight.std().item() == pytest.approx(gain / math.sqrt(9 * 16), rel=0.02)


def test_samples_are_cut_and_training_is_not() -> None:
    net = small().G
    net.to_rgb.weight.data.fill_(3.0)
    assert net(net.prior(8)).abs().max() > 1
    assert net.sample(8, seed=0).abs().max() == 1


@pytest.mark.parametrize(
    ("given", "says"),
    [({"widths": (16, 8)}, "widths 16,8"), ({"group": 7}, "group 7"), ({"image_size": 20}, "image_size 20")],
)
def test_what_does_not_fit_is_refused_in_one_line(given: dict[str, object], says: str) -> None:
    with pytest.raises(GanzooError) as fault:
        small(**given)
    assert says in str(fault.value) and "\n" not in str(fault.value)


# The game


class Plane(Discriminator):
    """D(x) = w . x."""

    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.tensor([3.0, 4.0]))

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1) @ self.w


class Line(Generator):
    """G(z) = a z."""

    def __init__(self) -> None:
        super().__init__()
        self.inputs, self.output = {"z": Latent((1,))}, Images((1, 1, 2))
        self.a = nn.Parameter(torch.tensor([2.0, -1.0]))

    def forward(self, z: Tensor) -> Tensor:
        return (z * self.a)[:, None, None]


def test_losses_of_a_linear_discriminator_in_closed_form() -> None:
    game = R3GAN(Line(), Plane(), gamma=6.0)
    x = torch.randn(9, 1, 1, 2)
    torch.manual_seed(0)
    z = torch.randn(9, 1)
    r, s = x.flatten(1) @ torch.tensor([3.0, 4.0]), z[:, 0] * (3 * 2 - 4)
    torch.manual_seed(0)
    d = game.d_loss({"x": x})
    assert d["pair"].item() == pytest.approx(softplus(s - r).mean().item(), rel=1e-5)
    assert d["r1"].item() == pytest.approx(6 / 2 * 25) and d["r2"].item() == pytest.approx(6 / 2 * 25)
    torch.manual_seed(0)
    assert game.g_loss({"x": x})["adv"].item() == pytest.approx(softplus(r - s).mean().item(), rel=1e-5)


def test_the_burn_in_goes_along_half_a_cosine_and_then_stays() -> None:
    game = R3GAN(Line(), Plane(), gamma=10.0, end_gamma=2.0, lr=1e-2, end_lr=1e-3, b2=0.9, end_b2=0.99, burn_in=0.4)
    (phase,) = game.phases()
    D = phase.players[0]
    optimizer = optimizer_of(D, D.optim)
    along = [(0.0, 10, 1e-2, 0.9), (0.2, 6, 5.5e-3, 0.945), (0.4, 2, 1e-3, 0.99), (1.0, 2, 1e-3, 0.99)]
    for u, gamma, lr, b2 in along:
        set_options(optimizer, D, u)
        phase.on_step_end(u)
        game.D.w.grad = torch.ones(2)
        optimizer.step()
        (group,) = optimizer.param_groups
        assert (game.weight.item(), group["lr"], group["betas"][1]) == pytest.approx((gamma, lr, b2))


def test_adam_s_second_moment_follows_beta_2() -> None:
    """v = b v + (1 - b) g^2, with b as it was when g came."""
    w = nn.Parameter(torch.zeros(1))
    optimizer = BurningIn([w], lr=1e-3, beta2=0.5)
    v = 0.0
    for b, g in ((0.5, 1.0), (0.9, 2.0), (0.99, -3.0)):
        optimizer.param_groups[0]["beta2"] = b
        w.grad = torch.tensor([g])
        optimizer.step()
        v = b * v + (1 - b) * g * g
    assert optimizer.state[w]["exp_avg_sq"].item() == pytest.approx(v, rel=1e-5)


def test_gamma_is_part_of_the_state() -> None:
    game = small()
    game.on_step_end(0.1)
    other = small()
    other.load_state_dict(game.state_dict())
    assert other.weight.item() == game.weight.item() != 2.0


# On other networks


@pytest.mark.parametrize("nets", ["stylegan2:tiny", "biggan:tiny", "sngan:tiny", "sagan:tiny", "unet_gan:tiny"])
def test_it_plays_on_other_networks(nets: str) -> None:
    game = build(recipe("r3gan", preset="tiny", networks=nets))
    assert game.needs == ({"x", "label"} if nets in ("biggan:tiny", "sagan:tiny") else {"x"})
    reports = list(Alternating(batch_size=4, images=24).run(game, synthetic(game.needs, game.recipe.args)))
    assert all(value.isfinite() for report in reports for value in report.losses.values())
    assert {"D/pair", "D/r1", "D/r2", "G/adv"} == set(reports[-1].losses)


def test_batch_norm_in_the_discriminator_is_refused_and_can_be_left_out() -> None:
    with pytest.raises(GanzooError, match="batch norm"):
        build(recipe("r3gan", preset="tiny", networks="dcgan:tiny"))
    assert build(recipe("r3gan", preset="tiny", networks="dcgan:tiny", given={"norm": "none"}))


def test_with_labels_the_class_is_told(tmp_path: Path) -> None:
    game = small(classes=10)
    assert game.needs == {"x", "label"}
    terms = copy.deepcopy(game).d_loss(next(synthetic(game.needs, game.recipe.args)(start=0, batch_size=4)))
    assert all(value.isfinite() for value in terms.values())
    z = game.G.prior(1).expand(2, -1)
    assert not torch.equal(*stirred(game.G)(z, torch.tensor([0, 1])).unbind())


def test_the_command_line_trains_it_on_stylegan2_s_networks(tmp_path: Path) -> None:
    run = tmp_path / "run"
    done = ganzoo("train", "r3gan", "--networks", "stylegan2:tiny", "--preset", "tiny", "--data", "digits",
                  "--images", "64", "--batch-size", "16", "--out", run)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert ganzoo("sample", run, "-n", "4", "-o", tmp_path / "grid.png").returncode == 0
