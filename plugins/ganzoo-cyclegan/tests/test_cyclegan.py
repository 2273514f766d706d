"""CycleGAN: equality with the published networks, the pool and the losses in closed form."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from ganzoo_cyclegan.networks import networks
from ganzoo_cyclegan.objective import CycleGAN
from torch import Tensor, nn
from torch.nn.functional import conv2d, conv_transpose2d, instance_norm, leaky_relu, pad

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator, Generator, Image, Images
from ganzoo_core.objectives import ImagePool
from ganzoo_core.registry.recipes import build, build_networks, recipe
from ganzoo_core.testing.synthetic import synthetic
from ganzoo_core.training import checkpoint
from ganzoo_core.training.distributed import Processes
from ganzoo_core.training.trainer import Alternating

# Equality with the published networks: parameters of junyanz/pytorch-CycleGAN-and-pix2pix, in their order


def conv(f: int, f_next: int, k: int) -> list[tuple[int, ...]]:
    return [(f_next, f, k, k), (f_next,)]


ENDS = [*conv(3, 64, 7), *conv(64, 128, 3), *conv(128, 256, 3)]
UP = [(256, 128, 3, 3), (128,), (128, 64, 3, 3), (64,), *conv(64, 3, 7)]
G_SHAPES = {blocks: [*ENDS, *conv(256, 256, 3) * 2 * blocks, *UP] for blocks in (6, 9)}
D_SHAPES = [*conv(3, 64, 4), *conv(64, 128, 4), *conv(128, 256, 4), *conv(256, 512, 4), *conv(512, 1, 4)]


def shapes(net: nn.Module) -> list[tuple[int, ...]]:
    return [tuple(t.shape) for t in net.state_dict().values()]


def count(net: nn.Module) -> int:
    return sum(w.numel() for w in net.parameters())


@pytest.mark.parametrize(("preset", "blocks", "parameters"), [("paper", 9, 11_378_179), ("paper128", 6, 7_837_699)])
def test_paper_has_the_published_tensors(preset: str, blocks: int, parameters: int) -> None:
    with torch.device("meta"):
        game = build(recipe("cyclegan", preset=preset))
    for G in (game.G, game.F):
        assert shapes(G) == G_SHAPES[blocks] and count(G) == parameters
    for D in (game.D_X, game.D_Y):
        assert shapes(D) == D_SHAPES and count(D) == 2_764_737


@pytest.mark.parametrize(("preset", "D_parameters"), [("noto2blob", 175_089), ("twemoji2noto", 42_865)])
def test_small_presets_have_the_sizes_of_the_readme(preset: str, D_parameters: int) -> None:
    with torch.device("meta"):
        game = build(recipe("cyclegan", preset=preset))
    assert count(game.G) == count(game.F) == 346_371
    assert count(game.D_X) == count(game.D_Y) == D_parameters


def shaken(net: nn.Module) -> nn.Module:
    torch.manual_seed(1)
    for w in net.parameters():
        w.data += 0.1 * torch.randn_like(w)
    return net


def published_g(tensors: list[Tensor], x: Tensor) -> Tensor:
    """The authors' residual translator, from a bare list of tensors."""

    def mirrored(h: Tensor, by: int) -> Tensor:
        return conv2d(pad(h, (by,) * 4, mode="reflect"), tensors.pop(0), tensors.pop(0))

    h = instance_norm(mirrored(x, 3)).relu()
    for _ in range(2):
        h = instance_norm(conv2d(h, tensors.pop(0), tensors.pop(0), stride=2, padding=1)).relu()
    while len(tensors) > 6:
        h = h + instance_norm(mirrored(instance_norm(mirrored(h, 1)).relu(), 1))
    for _ in range(2):
        weight, bias = tensors.pop(0), tensors.pop(0)
        h = instance_norm(conv_transpose2d(h, weight, bias, stride=2, padding=1, output_padding=1)).relu()
    return mirrored(h, 3).tanh()


def published_d(tensors: list[Tensor], x: Tensor) -> Tensor:
    h = leaky_relu(conv2d(x, tensors.pop(0), tensors.pop(0), stride=2, padding=1), 0.2)
    while len(tensors) > 2:
        stride = 1 if len(tensors) == 4 else 2
        h = conv2d(h, tensors.pop(0), tensors.pop(0), stride=stride, padding=1)
        h = leaky_relu(instance_norm(h), 0.2)
    return conv2d(h, tensors.pop(0), tensors.pop(0), padding=1)


@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize(("blocks", "sides"), [(9, (32, 64)), (6, (64, 32)), (2, (32, 32))])
def test_forward_is_the_published_one(blocks: int, sides: tuple[int, int], train: bool) -> None:
    nets = networks(width=4, blocks=blocks, d_width=4)
    x = torch.randn(2, 3, *sides)
    with torch.no_grad():
        for name in ("G", "F", "D_X", "D_Y"):
            net = shaken(nets[name]).train(train)
            published = published_g if name in ("G", "F") else published_d
            theirs = published(list(net.parameters()), x)
            assert theirs.std() > 0.1
            torch.testing.assert_close(net(x), theirs)


@pytest.mark.parametrize("given", [{"image_size": 30}, {"width": 0}, {"blocks": -1}, {"patch": 7}])
def test_what_does_not_fit_is_refused_in_one_line(given: dict[str, int]) -> None:
    with pytest.raises(GanzooError) as fault:
        networks(**given)  # type: ignore[arg-type]
    assert "\n" not in str(fault.value)


# The pool


def marked(*values: float) -> Tensor:
    return torch.tensor(values)[:, None, None, None].expand(-1, 3, 2, 2).clone()


def marks(images: Tensor) -> list[float]:
    return images[:, 0, 0, 0].tolist()


def test_a_pool_that_is_not_full_shows_and_keeps_what_comes() -> None:
    pool = ImagePool(3)
    assert marks(pool.exchange(marked(1, 2))) == [1, 2]
    assert int(pool.count) == 2 and marks(pool.images) == [1, 2, 0]


def test_a_full_pool_tosses_a_coin() -> None:
    """As the published rule, drawn from the same numbers."""
    pool, held, shown, expected = ImagePool(4), list[float](), list[float](), list[float]()
    torch.manual_seed(0)
    for start in range(0, 60, 5):
        new = [float(start + i) for i in range(5)]
        rng = torch.get_rng_state()
        shown += marks(pool.exchange(marked(*new)))
        torch.set_rng_state(rng)
        coins, places = torch.rand(5), torch.randint(4, (5,))
        for value, coin, place in zip(new, coins, places, strict=True):
            if len(held) < 4:
                held.append(value)
                expected.append(value)
            elif coin < 0.5:
                expected.append(held[place])
                held[place] = value
            else:
                expected.append(value)
    assert shown == expected and marks(pool.images) == held
    assert len(set(shown) - set(expected[:4])) > 10 and shown != [float(i) for i in range(60)]


def test_half_of_what_a_full_pool_shows_is_old() -> None:
    pool = ImagePool(50)
    torch.manual_seed(0)
    pool.exchange(marked(*[-1.0] * 50))
    old = sum(value != i for i in range(2000) for value in marks(pool.exchange(marked(float(i)))))
    assert old / 2000 == pytest.approx(0.5, abs=0.04)


def test_a_pool_of_none_shows_what_comes() -> None:
    fakes = marked(1, 2, 3)
    assert ImagePool(0).exchange(fakes) is fakes


def test_pools_are_part_of_what_a_broken_run_is_resumed_from(tmp_path: Path) -> None:
    """Broken once the pools are full, when they have begun to toss coins."""
    made = recipe("cyclegan", preset="tiny")
    whole, broken, resumed = (build(made, seed=seed) for seed in (0, 0, 7))
    feed, course = synthetic(whole.needs, made.args), Alternating(batch_size=4, images=24)
    list(course.run(whole, feed))
    for i, report in enumerate(Alternating(batch_size=4, images=24).run(broken, feed)):
        if i == 2:
            assert int(broken.pool_x.count) == 6
            checkpoint.save(tmp_path, report.checkpoint(), frozenset(), Processes())
            break
    saved, _ = checkpoint.newest(tmp_path)
    list(Alternating(batch_size=4, images=24).run(resumed, feed, saved))
    assert whole.state_dict().keys() == resumed.state_dict().keys()
    assert all(torch.equal(v, resumed.state_dict()[k]) for k, v in whole.state_dict().items())
    assert whole.pool_y.images.any()


# The game


class Scaled(Generator):
    """A picture times a number."""

    def __init__(self, key: str, by: float) -> None:
        super().__init__()
        self.inputs, self.output = {key: Image((1, None, None))}, Images((1, None, None))
        self.by = nn.Parameter(torch.tensor(by))

    def forward(self, x: Tensor) -> Tensor:
        return self.by * x


class Scores(Discriminator):
    """Each pixel times a number."""

    def __init__(self, by: float) -> None:
        super().__init__()
        self.by = nn.Parameter(torch.tensor(by))

    def forward(self, x: Tensor, *conditions: Tensor) -> Tensor:
        return self.by * x[:, 0]

    def score_and_features(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self(x), x.flatten(1)


BATCH = {"a": torch.full((3, 1, 2, 2), 0.5), "b": torch.full((3, 1, 2, 2), -1.0)}  # x = 0.5, y = -1
G, F, D_X, D_Y = 2.0, -3.0, 0.5, 0.25


def toy(game: type[CycleGAN], **given: float) -> CycleGAN:
    return game(Scaled("a", G), Scaled("b", F), Scores(D_X), Scores(D_Y), **given)


def values(terms: dict[str, Tensor]) -> dict[str, float]:
    return {name: term.item() for name, term in terms.items()}


def test_losses_in_closed_form() -> None:
    """G(x) = 1, F(y) = 3, F(G(x)) = -3, G(F(y)) = 6, G(y) = -2, F(x) = -1.5."""
    game = toy(CycleGAN, lam=10.0, identity=0.5, pool=50)
    assert values(game.g_loss(BATCH)) == pytest.approx({
        "adv_g": (0.25 * 1 - 1) ** 2, "adv_f": (0.5 * 3 - 1) ** 2,
        "cycle_x": 10 * 3.5, "cycle_y": 10 * 7.0,
        "identity_g": 5 * 1.0, "identity_f": 5 * 2.0,
    })  # fmt: skip
    assert values(game.d_loss(BATCH)) == pytest.approx({
        "x_real": (0.5 * 0.5 - 1) ** 2 / 2, "x_fake": (0.5 * 3) ** 2 / 2,
        "y_real": (0.25 * -1 - 1) ** 2 / 2, "y_fake": (0.25 * 1) ** 2 / 2,
    })  # fmt: skip


def test_without_identity_there_is_none_to_compute() -> None:
    assert toy(CycleGAN, identity=0.0).g_loss(BATCH).keys() == {"adv_g", "adv_f", "cycle_x", "cycle_y"}


def test_discriminators_are_shown_what_the_pools_hold() -> None:
    game = toy(CycleGAN, pool=3)
    game.d_loss(BATCH)  # fills both
    assert marks(game.pool_x.images.expand(-1, 3, -1, -1)) == [3.0] * 3
    assert marks(game.pool_y.images.expand(-1, 3, -1, -1)) == [1.0] * 3
    game.pool_x.images.fill_(7.0)
    torch.manual_seed(0)
    shown = copy.deepcopy(game.pool_x).exchange(game.F(BATCH["b"]))
    torch.manual_seed(0)
    fakes = game.d_loss(BATCH)["x_fake"].item()
    assert 7.0 in shown and fakes == pytest.approx((0.5 * shown).square().mean().item() / 2)


def test_paper_trains_as_published() -> None:
    with torch.device("meta"):
        game = build(recipe("cyclegan", preset="paper"))
    (phase,) = game.phases()
    assert [step.player.name for step in phase.steps] == ["G", "D"]
    assert (game.pool_x.size, game.lam, game.identity, phase.images) == (50, 10, 0.5, 200 * 1335)
    for player in phase.players:
        assert [player.schedules["lr"](u) for u in (0.0, 0.5, 0.75, 1.0)] == pytest.approx([1, 1, 0.5, 0])
        options = player.optim([torch.zeros(1)]).defaults
        assert (options["lr"], options["betas"]) == (2e-4, (0.5, 0.999))


def test_both_translators_are_published_and_neither_minds_its_neighbours() -> None:
    game = build(recipe("cyclegan", preset="tiny"))
    assert list(game.exported_networks()) == ["G", "F"]
    x = torch.randn(3, 3, 16, 24)
    for name, key in (("G", "a"), ("F", "b")):
        three = game.exported_networks()[name].sample(3, seed=0, **{key: x})
        assert torch.equal(three[:2], game.exported_networks()[name].sample(2, seed=1, **{key: x[:2]}))


def test_the_grid_shows_there_and_back() -> None:
    game = toy(CycleGAN)
    shown = game.sample(BATCH)
    means = {name: round(images.mean().item(), 4) for name, images in shown.items()}
    assert means == {"a": 0.5, "G": 1.0, "FG": -3.0, "b": -1.0, "F": 3.0, "GF": 6.0}


@pytest.mark.slow
def test_g_learns_a_shift_of_colours_without_pairs() -> None:
    """b is darker than a: G must darken, F must lighten."""
    torch.manual_seed(0)
    made = recipe("cyclegan", preset="tiny", given={"lr": 2e-3, "identity": 0.0})
    game = build(made)

    def feed(*, start: int, batch_size: int, **_: object):  # type: ignore[no-untyped-def]
        while True:
            a, b = (torch.rand(batch_size, 3, 4, 4).repeat_interleave(4, 2).repeat_interleave(4, 3) for _ in "ab")
            yield {"a": a, "b": -b}

    before = copy.deepcopy(game)
    list(Alternating(batch_size=8, images=1600).run(game, feed))
    x = next(feed(start=0, batch_size=16))["a"]
    with torch.no_grad():
        assert (game.G(x).mean() + 0.5).abs() < 0.25 < (before.G(x).mean() + 0.5).abs()
        assert (game.F(-x).mean() - 0.5).abs() < 0.25


def test_a_picture_that_is_too_small_to_be_mirrored_is_refused_in_one_line() -> None:
    g = build_networks("cyclegan", recipe("cyclegan", preset="tiny").args)["G"]
    with pytest.raises(GanzooError, match="4x4 is too small"):
        g.sample(1, seed=0, a=torch.zeros(1, 3, 4, 4))
