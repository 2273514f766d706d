"""UNIT: the published tensors, codes that cross over, layer norm by hand, and losses in closed form."""

from __future__ import annotations

import pytest
import torch
from ganzoo_couples.scales import MultiScale
from ganzoo_couples.unit import UNIT, kl, noisy, stairs
from ganzoo_couples.unit_networks import D, Enlarge, G, LayerNorm, networks
from torch import Tensor, nn

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Generator, Image, Images
from ganzoo_core.registry.recipes import build, recipe


def conv(out: int, into: int, k: int) -> list[tuple[int, ...]]:
    return [(out, into, k, k), (out,)]


ENCODER = [*conv(64, 3, 7), *conv(128, 64, 4), *conv(256, 128, 4), *conv(256, 256, 3) * 8]
PAINTER = [(128,), (128,), *conv(128, 256, 5), (64,), (64,), *conv(64, 128, 5), *conv(3, 64, 7)]
JUDGE = [*conv(64, 3, 4), *conv(128, 64, 4), *conv(256, 128, 4), *conv(512, 256, 4), *conv(1, 512, 1)]


def shapes(net: nn.Module) -> list[tuple[int, ...]]:
    return [tuple(w.shape) for w in net.state_dict().values()]


def count(net: nn.Module) -> int:
    return sum(w.numel() for w in net.parameters())


@pytest.mark.parametrize(("preset", "sizes"), [("paper", (11_140_483, 8_271_171)), ("twemoji2noto", (229_035, 83_810))])
def test_presets_have_the_sizes_of_the_readme(preset: str, sizes: tuple[int, int]) -> None:
    with torch.device("meta"):
        game = build(recipe("unit", preset=preset))
    for translator, judge in ((game.G, game.D_Y), (game.F, game.D_X)):
        assert (count(translator), count(judge)) == sizes


def test_paper_has_the_published_tensors() -> None:
    with torch.device("meta"):
        game = build(recipe("unit", preset="paper"))
    assert shapes(game.G) == [*ENCODER, *conv(256, 256, 3) * 8, *PAINTER] and shapes(game.D_X) == JUDGE * 3


def test_layer_norm_is_over_all_numbers_of_a_picture() -> None:
    norm, h = LayerNorm(2), torch.tensor([[[[1.0, 2.0]], [[3.0, 6.0]]]])  # mean 3, squared deviations 4 + 1 + 0 + 9
    with torch.no_grad():
        norm.gamma.copy_(torch.tensor([1.0, 2.0])), norm.beta.copy_(torch.tensor([0.0, 10.0]))
    deviation = (14 / 3) ** 0.5 + 1e-5
    expected = [[[[-2 / deviation, -1 / deviation]], [[10.0, 10 + 2 * 3 / deviation]]]]
    torch.testing.assert_close(norm(h), torch.tensor(expected))


def test_enlarging_copies_pixels_before_it_sees_their_neighbours() -> None:
    enlarge, h = Enlarge(4), torch.rand(1, 4, 3, 3)
    with torch.no_grad():
        enlarge.conv.weight.zero_(), enlarge.conv.bias.zero_()
        enlarge.conv.weight[:, 0, 2, 2] = 1.0
    made, copied = enlarge(h), h[:, :1].repeat_interleave(2, 2).repeat_interleave(2, 3).expand(-1, 2, -1, -1)
    torch.testing.assert_close(made, enlarge.norm(copied).relu())


def test_each_scale_is_half_of_the_one_before_and_borders_do_not_count() -> None:
    judge = D(3, 4, 2, 3)
    assert [s.shape for s in judge.scales(torch.rand(2, 3, 32, 48))] == [(2, 1, 8, 12), (2, 1, 4, 6), (2, 1, 2, 3)]
    white = torch.ones(1, 3, 16, 16)
    for layer in judge.judges:
        layer.load_state_dict(judge.judges[0].state_dict())
    fine, half, _ = judge.scales(white)
    torch.testing.assert_close(fine[..., :1, :1], half[..., :1, :1])  # white stays white in smaller copies
    assert judge(white).shape == (1, 16 + 4 + 1)


def test_codes_are_noisy_in_training_alone() -> None:
    net, x = G("a", 3, 4, 1), torch.rand(1, 3, 8, 8)
    assert torch.equal(net.train()(x), net(x)) and torch.equal(net(x), net.decode(net.encode(x)))
    mu = torch.full((50_000,), 3.0)
    z = noisy(mu)
    assert z.mean().item() == pytest.approx(3, abs=0.03) and z.std().item() == pytest.approx(1, abs=0.03)


def test_kl_is_twice_that_of_unit_normal_laws() -> None:
    mu = torch.tensor([[3.0, -1.0]])
    one = torch.distributions.Normal(mu, 1.0)
    exact = torch.distributions.kl_divergence(one, torch.distributions.Normal(torch.zeros(1, 2), 1.0))
    assert kl(mu).item() == pytest.approx(2 * exact.mean().item()) == pytest.approx(5.0)


def test_steps_fall_in_stairs() -> None:
    assert [stairs(u, 10) for u in (0.0, 0.09, 0.1, 0.55, 0.99)] == [1, 1, 1 / 2, 1 / 32, 1 / 512]


class Shift(Generator):
    """Codes are pictures, `up` brighter; pictures are codes, `down` darker."""

    def __init__(self, key: str, up: float, down: float) -> None:
        super().__init__()
        self.inputs, self.output = {key: Image((1, None, None))}, Images((1, None, None))
        self.by = nn.Parameter(torch.tensor([up, down]))

    def encode(self, x: Tensor) -> Tensor:
        return x + self.by[0]

    def decode(self, z: Tensor) -> Tensor:
        return z - self.by[1]

    def forward(self, x: Tensor) -> Tensor:
        return self.decode(self.encode(x))


class Twice(MultiScale):
    """Both scales score the brightness, the second twice of it."""

    def __init__(self) -> None:
        super().__init__()
        self.by = nn.Parameter(torch.ones(()))

    def scales(self, b: Tensor) -> list[Tensor]:
        return [self.by * b, 2 * self.by * b.mean((2, 3))]


def test_losses_in_closed_form(monkeypatch: pytest.MonkeyPatch) -> None:
    """x = 0 has the code 1 and, in Y, is -1; y = 4 has the code 6 and, in X, is 3. Own codes make 1 - 3 and 6 - 2."""
    monkeypatch.setattr("ganzoo_couples.unit.noisy", lambda mu: mu)
    game = UNIT(Shift("a", 1.0, 2.0), Shift("b", 2.0, 3.0), Twice(), Twice())
    batch = {"a": torch.zeros(2, 1, 3, 3), "b": torch.full((2, 1, 3, 3), 4.0)}
    # x -> code 1 -> y^ = -1 -> F's code 1 -> F paints -2;  y -> code 6 -> x^ = 3 -> G's code 4 -> G paints 2
    assert {k: v.item() for k, v in game.g_loss(batch).items()} == pytest.approx({
        "adv_g": (-1 - 1) ** 2 + (-2 - 1) ** 2, "adv_f": (3 - 1) ** 2 + (6 - 1) ** 2,
        "rec_x": 10 * 2.0, "rec_y": 10 * 0.0, "kl_x": 0.01 * 1, "kl_y": 0.01 * 36,
        "cycle_x": 10 * 2.0, "cycle_y": 10 * 2.0, "kl_cycle_x": 0.01 * 1, "kl_cycle_y": 0.01 * 16,
    })  # fmt: skip
    assert {k: v.item() for k, v in game.d_loss(batch).items()} == pytest.approx({
        "x_real": 1.0 + 1.0, "x_fake": 9.0 + 36.0, "y_real": 9.0 + 49.0, "y_fake": 1.0 + 4.0,
    })  # fmt: skip


def test_each_way_has_a_network_and_both_are_learnt() -> None:
    game, pictures = build(recipe("unit", preset="tiny")), torch.rand(3, 3, 16, 24)
    assert game.exported == ("G", "F")
    assert game.G.sample(3, seed=0, a=pictures).shape == game.F.sample(3, seed=0, b=pictures).shape == pictures.shape


def test_other_discriminators_and_augmentation_are_refused_in_a_line() -> None:
    with pytest.raises(GanzooError, match="unit: Augmented does not score several scales"):
        build(recipe("unit", preset="tiny", given={"augment": "ada"}))


def test_pictures_that_are_too_small_are_refused_in_a_line() -> None:
    G, F = (networks(width=4, blocks=1)[name] for name in ("G", "F"))
    assert G.sample(1, seed=0, a=torch.zeros(3, 8, 8)).shape == F.sample(1, seed=0, b=torch.zeros(3, 8, 8)).shape
    with pytest.raises(GanzooError, match="4x4, not multiples of 8"):
        G.sample(1, seed=0, a=torch.zeros(3, 4, 4))


@pytest.mark.parametrize("given", [{"image_size": 36}, {"width": 0}, {"halvings": 7}, {"image_size": 32}])
def test_what_does_not_fit_is_refused_in_one_line(given: dict[str, int]) -> None:
    with pytest.raises(GanzooError) as fault:
        networks(**given)
    assert "\n" not in str(fault.value)
