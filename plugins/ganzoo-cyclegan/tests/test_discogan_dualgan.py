"""DiscoGAN and DualGAN: the published sizes, and their losses in closed form."""

from __future__ import annotations

import math

import pytest
import torch
from ganzoo_cyclegan.discogan import DiscoGAN, Translator
from ganzoo_cyclegan.discogan import networks as discogan_networks
from ganzoo_cyclegan.dualgan import DualGAN
from ganzoo_cyclegan.dualgan import networks as dualgan_networks
from torch import Tensor, nn
from torch.nn.functional import batch_norm, conv2d, conv_transpose2d, leaky_relu

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator, Generator, Image, Images
from ganzoo_core.registry.recipes import build, recipe
from ganzoo_core.testing.synthetic import synthetic
from ganzoo_core.training.trainer import Alternating


def count(net: nn.Module) -> int:
    return sum(w.numel() for w in net.parameters())


@pytest.mark.parametrize(
    ("family", "preset", "of_g", "of_d"),
    [
        ("discogan", "paper", 5_513_856, 2_765_568),
        ("discogan", "bottleneck", 7_153_480, 2_765_568),
        ("dualgan", "paper", 30_627_907, 2_764_737),
    ],
)
def test_published_sizes(family: str, preset: str, of_g: int, of_d: int) -> None:
    with torch.device("meta"):
        game = build(recipe(family, preset=preset))
    assert [count(net) for net in (game.G, game.F, game.D_X, game.D_Y)] == [of_g, of_g, of_d, of_d]


BN = {f: [(f,)] * 4 for f in (64, 128, 256, 512)}
DOWN = [(64, 3, 4, 4), (128, 64, 4, 4), *BN[128], (256, 128, 4, 4), *BN[256], (512, 256, 4, 4), *BN[512]]
UP = [(512, 256, 4, 4), *BN[256], (256, 128, 4, 4), *BN[128], (128, 64, 4, 4), *BN[64], (64, 3, 4, 4)]


def test_discogan_has_the_published_tensors() -> None:
    with torch.device("meta"):
        nets = discogan_networks()

    def shapes(net: nn.Module) -> list[tuple[int, ...]]:
        return [tuple(t.shape) for t in net.state_dict().values() if t.is_floating_point()]

    assert shapes(nets["G"]) == [*DOWN, *UP] and shapes(nets["D_X"]) == [*DOWN, (1, 512, 4, 4)]


@pytest.mark.parametrize("bottleneck", [0, 6])
def test_discogans_translator_is_the_published_one(bottleneck: int) -> None:
    """In evaluation mode, on pixels in [0, 1], from a bare list of tensors."""
    torch.manual_seed(0)
    G = Translator("a", 3, [4, 8, 16], bottleneck)
    x = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        G(2 * x - 1)  # moves the running statistics
        G.eval()
        tensors = [t for t in G.state_dict().values() if t.is_floating_point()]
        stages = [(conv2d, 2, 1)] * 3 + [(conv2d, 1, 0), (conv_transpose2d, 1, 0)] * bool(bottleneck)
        h = x
        for step, stride, padding in stages + [(conv_transpose2d, 2, 1)] * 3:
            h = step(h, tensors.pop(0), stride=stride, padding=padding)
            if tensors and tensors[0].ndim == 1:
                gamma, beta, mean, var = (tensors.pop(0) for _ in range(4))
                h = batch_norm(h, mean, var, gamma, beta)
            if tensors:
                h = leaky_relu(h, 0.2) if step is conv2d else h.relu()
        torch.testing.assert_close((G(2 * x - 1) + 1) / 2, h.sigmoid())


def test_discogans_features_are_mean_squares_of_three_levels() -> None:
    D = discogan_networks(width=4)["D_X"].eval()
    x, y = torch.randn(2, 3, 64, 64), torch.randn(2, 3, 64, 64)
    maps: list[list[Tensor]] = [[], []]
    with torch.no_grad():
        for picture, found in zip((x, y), maps, strict=True):
            h = (picture + 1) / 2
            for layer in D.main[:-1]:
                h = layer(h)
                if isinstance(layer, nn.LeakyReLU):
                    found.append(h.clone())
        expected = sum((p - q).mean(0).square().mean() for p, q in zip(maps[0][1:], maps[1][1:], strict=True))
        gap = (D.features(x) - D.features(y)).mean(0).square().sum()
    assert len(maps[0]) == 4
    torch.testing.assert_close(gap, expected)


class Scaled(Generator):
    """A picture times a number."""

    def __init__(self, key: str, by: float) -> None:
        super().__init__()
        self.inputs, self.output = {key: Image((1, None, None))}, Images((1, None, None))
        self.by = nn.Parameter(torch.tensor(by))

    def forward(self, x: Tensor) -> Tensor:
        return self.by * x


class Scores(Discriminator):
    """Each pixel times a number; its features are the pixels."""

    def __init__(self, by: float) -> None:
        super().__init__()
        self.by = nn.Parameter(torch.tensor(by))

    def forward(self, x: Tensor, *conditions: Tensor) -> Tensor:
        return self.by * x[:, 0]

    def features(self, x: Tensor) -> Tensor:
        return x.flatten(1)


BATCH = {"a": torch.full((3, 1, 2, 2), 0.5), "b": torch.full((3, 1, 2, 2), -1.0)}
NETS = {"G": (Scaled, "a", 2.0), "F": (Scaled, "b", -3.0), "D_X": (Scores, 0.5), "D_Y": (Scores, 0.25)}
# x = 0.5, y = -1, G(x) = 1, F(y) = 3, F(G(x)) = -3, G(F(y)) = 6


def nets() -> dict[str, nn.Module]:
    return {name: kind(*args) for name, (kind, *args) in NETS.items()}


def softplus(x: float) -> float:
    return math.log1p(math.exp(x))


def values(terms: dict[str, Tensor]) -> dict[str, float]:
    return {name: term.item() for name, term in terms.items()}


@pytest.mark.parametrize("rate", [0.01, 0.5])
def test_discogan_in_closed_form(rate: float) -> None:
    game = DiscoGAN(**nets())
    assert values(game.d_loss(BATCH)) == pytest.approx({
        "x_real": softplus(-0.25) / 2, "x_fake": softplus(1.5) / 2,
        "y_real": softplus(0.25) / 2, "y_fake": softplus(0.25) / 2,
    })  # fmt: skip
    assert values(game.g_loss(BATCH, rate)) == pytest.approx({
        "adv_g": (1 - rate) * (0.1 * softplus(-0.25) + 0.9 * 4 * 2.0**2),
        "adv_f": (1 - rate) * (0.1 * softplus(-1.5) + 0.9 * 4 * 2.5**2),
        "const_x": rate * (3.5 / 2) ** 2, "const_y": rate * (7 / 2) ** 2,
    })  # fmt: skip


def test_discogan_reconstructs_more_after_the_warm_up() -> None:
    made = recipe("discogan", preset="tiny", given={"warm_up": 32, "images": 32})
    game = build(made)
    reports = list(Alternating(batch_size=8).run(game, synthetic(game.needs, made.args)))
    assert [(r.phase, r.drawn) for r in reports] == [("warm_up", 16)] * 2 + [("main", 16)] * 2  # two updates of G each
    ratio = reports[2].losses["G/const_x"] / reports[1].losses["G/const_x"]
    assert 20 < ratio < 100  # of weights, 50
    assert game.phases()[0].players != [] and reports[-1].checkpoint().optimizers.keys() == {"0.D", "0.G"}


def test_dualgan_in_closed_form() -> None:
    game = DualGAN(**nets(), lam=500.0)
    assert values(game.d_loss(BATCH)) == pytest.approx({"x_real": -0.25, "x_fake": 1.5, "y_real": 0.25, "y_fake": 0.25})
    assert values(game.g_loss(BATCH)) == pytest.approx(
        {"adv_g": -0.25, "adv_f": -1.5, "cycle_u": 500 * 3.5, "cycle_v": 500 * 7.0}
    )


def test_dualgans_critics_stay_clipped() -> None:
    made = recipe("dualgan", preset="tiny", given={"images": 48, "n_critic": 2})
    game = build(made)
    reports = list(Alternating(batch_size=4).run(game, synthetic(game.needs, made.args)))
    assert [r.drawn for r in reports] == [8] * 6
    for D in (game.D_X, game.D_Y):
        assert max(w.abs().max().item() for w in D.parameters()) == pytest.approx(0.01)
    assert max(w.abs().max().item() for w in game.G.parameters()) > 0.05


def test_dualgans_noise_is_dropout_on_the_three_innermost_levels() -> None:
    G = dualgan_networks(width=2, d_width=2)["G"]
    assert [level.p for level in G.up] == [0.5, 0.5, 0.5, 0, 0, 0, 0, 0]
    a = torch.randn(1, 3, 256, 256)
    one = G.sample(1, seed=0, a=a)
    assert torch.equal(one, G.sample(1, seed=0, a=a)) and not torch.equal(one, G.sample(1, seed=1, a=a))


@pytest.mark.parametrize("make", [discogan_networks, dualgan_networks])
@pytest.mark.parametrize("image_size", [0, 24, 100])
def test_other_sizes_are_refused_in_one_line(make, image_size: int) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(GanzooError, match=str(image_size)) as fault:
        make(image_size=image_size)
    assert "\n" not in str(fault.value)


@pytest.mark.parametrize("game", ["cyclegan", "discogan", "dualgan"])
@pytest.mark.parametrize("networks", ["cyclegan", "discogan", "dualgan"])
def test_every_game_plays_on_every_set_of_networks_that_has_what_it_reads(game: str, networks: str) -> None:
    made = recipe(game, preset="tiny", networks=f"{networks}:tiny", given={"images": 8})
    objective = build(made)
    runner = Alternating(batch_size=4, images=8)
    if (game, networks) in (("discogan", "cyclegan"), ("discogan", "dualgan")):
        with pytest.raises(GanzooError, match="PatchGAN: has no features"):
            list(runner.run(objective, synthetic(objective.needs, made.args)))
        return
    reports = list(runner.run(objective, synthetic(objective.needs, made.args)))
    assert reports and all(v.isfinite() for r in reports for v in r.losses.values())
