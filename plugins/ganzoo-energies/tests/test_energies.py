"""EBGAN, BEGAN and MAGAN: published sizes, energies from bare layers, every loss in closed form, k and m by hand."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

import pytest
import torch
from ganzoo_energies import networks
from ganzoo_energies.ebgan import pulling_away
from ganzoo_energies.energy import Autoencoder
from torch import Tensor, nn

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Generator, Images, Latent
from ganzoo_core.objectives import Objective
from ganzoo_core.registry.recipes import build, recipe
from ganzoo_core.testing import synthetic
from ganzoo_core.training.trainer import Alternating

FAMILIES = ["ebgan", "began", "magan"]


# Sizes


def convolutions(*widths: int, bias: bool, kernel: int = 3) -> Iterator[tuple[int, ...]]:
    for f, f_next in pairwise(widths):
        yield (f_next, f, kernel, kernel)
        if bias:
            yield (f_next,)


def began_decoder(n: int, convs: int) -> list[tuple[int, ...]]:
    return [(64 * n, 64), (64 * n,), *convolutions(*[n] * (convs + 1), 3, bias=True)]


def shapes(net: nn.Module) -> list[tuple[int, ...]]:
    return [tuple(w.shape) for w in net.parameters()]


@pytest.mark.parametrize(
    ("side", "stages", "G", "D"), [(64, 4, 1_716_611, 11_340_227), (128, 5, 2_011_779, 18_796_483)]
)
def test_began_has_the_published_tensors(side: int, stages: int, G: int, D: int) -> None:
    with torch.device("meta"):
        nets = networks.began(image_size=side)
    n, widths = 128, [128 * (i + 1) for i in range(stages)]
    down = [3, n, *(f for w in widths for f in (w, w))]
    code = [(64, 64 * widths[-1]), (64,)]
    assert shapes(nets["G"]) == began_decoder(n, 2 * stages)
    assert shapes(nets["D"]) == [*convolutions(*down, bias=True), *code, *began_decoder(n, 2 * stages)]
    assert [sum(w.numel() for w in nets[name].parameters()) for name in "GD"] == [G, D]


def test_ebgan_has_the_published_tensors() -> None:
    with torch.device("meta"):
        game = build(recipe("ebgan", preset="paper"))
    kernels = [shape for shape in shapes(game.D) if len(shape) == 4]
    assert kernels == [
        (64, 3, 4, 4), (128, 64, 4, 4), (256, 128, 4, 4), (512, 256, 4, 4),
        (512, 256, 4, 4), (256, 128, 4, 4), (128, 64, 4, 4), (64, 3, 4, 4),
    ]  # fmt: skip
    assert [sum(w.numel() for w in net.parameters()) for net in (game.G, game.D)] == [3_576_704, 5_513_856]


@pytest.mark.parametrize("family", ["ebgan", "magan"])
def test_the_code_of_mnist_holds_less_than_the_picture(family: str) -> None:
    """As wide as G, D can copy anything, and samples never come to strokes."""
    game = build(recipe(family, preset="mnist"))
    assert game.D.features(torch.zeros(2, 1, 32, 32)).shape == (2, 512)


def test_ebgan_s_generator_starts_with_a_tenth_of_d_s_deviation() -> None:
    nets = networks.convolutional(image_size=32, width=16)
    for name, deviation in (("G", 0.002), ("D", 0.02)):
        first = max((w for w in nets[name].parameters() if w.ndim == 4), key=Tensor.numel)
        assert first.std().item() == pytest.approx(deviation, rel=0.05)


# Energies


@pytest.mark.parametrize(("family", "p"), [("ebgan", 2), ("began", 1)])
def test_the_energy_is_the_mean_error_of_what_is_redrawn(family: str, p: int) -> None:
    torch.manual_seed(0)
    D = build(recipe(family, preset="tiny")).D.eval()
    x = torch.randn(3, 1, 16, 16)
    h = x
    for layer in [*D.encoder, *D.decoder]:
        h = layer(h)
    expected = (x - h).abs().pow(p).mean((1, 2, 3))
    score, code = D.score_and_features(x)
    torch.testing.assert_close(-D(x), expected)
    torch.testing.assert_close(score, D(x))
    torch.testing.assert_close(D.reconstruct(x), h)
    assert code.shape == (3, {"ebgan": 16 * 16, "began": 8}[family])


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_no_autoencoder_is_refused_and_other_autoencoders_are_not(family: str) -> None:
    with pytest.raises(GanzooError, match="no energy"):
        build(recipe(family, preset="tiny", networks="dcgan:tiny"))
    game = build(recipe(family, preset="tiny", networks="ebgan:tiny" if family == "began" else "began:tiny"))
    reports = list(Alternating(batch_size=4, images=40).run(game, synthetic(game.needs, game.recipe.args)))
    assert all(value.isfinite() for report in reports for value in report.losses.values())


class Level(Generator):
    """Images of one gray; its only weight is it."""

    def __init__(self, gray: float) -> None:
        super().__init__()
        self.inputs, self.output = {"z": Latent((1,))}, Images((1, 16, 16))
        self.gray = nn.Parameter(torch.tensor(gray))

    def forward(self, z: Tensor) -> Tensor:
        return self.gray.expand(len(z), 1, 16, 16)


class Fade(Autoencoder):
    """Redraws a picture darker: x becomes x / 2, so E(x) = |x / 2|^p."""

    def __init__(self, p: float) -> None:
        super().__init__()
        self.p, self.shade = p, nn.Parameter(torch.tensor(0.5))
        self.encoder, self.decoder = nn.Identity(), nn.Identity()

    def score_and_features(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return -(x - self.shade * x).abs().pow(self.p).flatten(1).mean(1), x.flatten(1)


def planted(family: str, gray: float, p: float, **given: object) -> Objective:
    kind = type(build(recipe(family, preset="tiny")))
    return kind(Level(gray), Fade(p), **given)


def of_gray(*levels: float) -> dict[str, Tensor]:
    return {"x": torch.tensor(levels).view(-1, 1, 1, 1).expand(-1, 1, 16, 16)}


# EBGAN


def test_pulling_away_is_0_of_orthogonal_codes_and_1_of_equal_ones() -> None:
    assert pulling_away(3 * torch.eye(4)).item() == pytest.approx(0)
    assert pulling_away(torch.randn(1, 7).expand(5, 7)).item() == pytest.approx(1)
    assert pulling_away(torch.tensor([[1.0, 0.0], [-2.0, 0.0]])).item() == pytest.approx(1)  # lines, not arrows
    assert pulling_away(torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])).item() == pytest.approx(1 / 3)
    assert pulling_away(torch.ones(1, 3)).item() == 0


def test_pulling_away_pulls_away() -> None:
    torch.manual_seed(0)
    S = (torch.ones(6, 8) + 0.1 * torch.randn(6, 8)).requires_grad_()
    for _ in range(200):
        (slope,) = torch.autograd.grad(pulling_away(S), S)
        S.data -= slope
    assert pulling_away(S).item() < 0.01


@pytest.mark.parametrize(("m", "hinge"), [(2.0, 1.0), (0.5, 0.0)])
def test_ebgan_in_closed_form(m: float, hinge: float) -> None:
    game = planted("ebgan", gray=2.0, p=2, m=m, pull=0.1)  # a sample's energy is 1
    terms = game.d_loss(of_gray(0.4, 0.8))
    assert terms["real"].item() == pytest.approx((0.2**2 + 0.4**2) / 2)
    assert terms["fake"].item() == pytest.approx(hinge)
    terms = game.g_loss(of_gray(0.4, 0.8))
    assert terms["energy"].item() == pytest.approx(1) and terms["pull"].item() == pytest.approx(0.1)


# BEGAN


def test_began_s_k_and_m_by_hand() -> None:
    game = planted("began", gray=0.4, p=1, gamma=0.5, lambda_k=0.1)  # L(x) = 0.5, L(G(z)) = 0.2
    batch = of_gray(0.8, 1.2)
    for k in (0.0, 0.005, 0.01):  # k rises by 0.1 (0.5 * 0.5 - 0.2)
        terms = game.d_loss(batch)
        assert terms["real"].item() == pytest.approx(0.5)
        assert terms["fake"].item() == pytest.approx(-k * 0.2) and terms["k"].item() == pytest.approx(k)
        terms = game.g_loss(batch)
        assert terms["energy"].item() == pytest.approx(0.2)
        assert terms["M"].item() == pytest.approx(0.5 + abs(0.5 * 0.5 - 0.2)) and not terms["M"].requires_grad
        game.on_step_end(0.5)


@pytest.mark.parametrize(("gray", "k"), [(0.0, 1.0), (40.0, 0.0)])
def test_k_stays_between_0_and_1(gray: float, k: float) -> None:
    game = planted("began", gray=gray, p=1, gamma=0.5, lambda_k=3.0)
    for _ in range(3):
        game.d_loss(of_gray(1.0, 1.0)), game.g_loss(of_gray(1.0, 1.0))
        game.on_step_end(0.5)
    assert game.k_t.item() == k


def test_steps_are_halved_after_so_many_images() -> None:
    game = planted("began", gray=0.4, p=1, images=1000, halve_every=250)
    factors = [game.schedules("D")["lr"](u) for u in (0, 0.249, 0.25, 0.6, 0.99)]
    assert factors == [1, 1, 0.5, 0.25, 0.125]
    assert planted("began", gray=0.4, p=1, halve_every=0).schedules("G")["lr"](1.0) == 1


# MAGAN


def epoch_of(game: Objective, real: float, gray: float) -> float:
    """One epoch of two batches, and the margin after it."""
    game.G.gray.data.fill_(gray)
    for _ in range(2):
        game.d_loss(of_gray(*[2 * math.sqrt(real)] * 4))
        game.on_step_end(0.5)
    return float(game.m)


def test_magan_s_margin_falls_where_samples_have_not_come_closer() -> None:
    game = planted("magan", gray=4.0, p=2, epoch=8)  # samples of gray a have the energy a^2 / 4
    game.m.fill_(2.0)
    assert epoch_of(game, real=3.0, gray=4.0) == 2.0  # pictures have more energy than m
    assert epoch_of(game, real=1.0, gray=3.0) == 2.0  # samples' energy fell from 4 to 2.25
    assert epoch_of(game, real=1.0, gray=1.0) == 2.0  # and is now below that of pictures
    assert epoch_of(game, real=1.5, gray=4.0) == pytest.approx(1.5)  # it rose, above pictures': m follows these
    assert epoch_of(game, real=1.0, gray=4.0) == pytest.approx(1.0)  # it stayed
    assert game.seen == 0


def test_within_an_epoch_the_margin_stays_and_d_pays_for_what_is_below_it() -> None:
    game = planted("magan", gray=2.0, p=2, epoch=1000)
    game.m.fill_(1.5)
    terms = game.d_loss(of_gray(0.8, 0.8))
    game.on_step_end(0.5)
    assert float(terms["m"]) == float(game.m) == 1.5
    assert terms["fake"].item() == pytest.approx(0.5) and terms["real"].item() == pytest.approx(0.16)


def test_magan_first_learns_to_redraw_and_begins_with_that_energy() -> None:
    game = planted("magan", gray=2.0, p=2, epoch=1000)
    pretrain, main = game.phases()
    (step,) = pretrain.steps
    assert step.player is main.steps[0].player
    for levels in ((0.8, 0.8), (1.6, 1.6)):
        assert set(step.loss(of_gray(*levels))) == {"real"}
        pretrain.on_step_end(0.5)
    assert game.m.item() == pytest.approx((0.16 + 0.64) / 2)
