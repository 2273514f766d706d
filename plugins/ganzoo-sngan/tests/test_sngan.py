"""SNGAN and SAGAN: equality with the published networks, labels, and the hinge game."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from ganzoo_sngan.objective import falling
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, batch_norm, conv2d, interpolate, linear

from ganzoo_core.errors import GanzooError
from ganzoo_core.objectives import Objective
from ganzoo_core.registry.recipes import build, recipe
from ganzoo_core.testing.synthetic import synthetic
from ganzoo_core.training.trainer import Alternating

# Parameters of the reference implementations, in their order


def plain(f: int, f_next: int, k: int) -> list[tuple[int, ...]]:
    return [(f_next, f, k, k), (f_next,)]


def biased(f: int, f_next: int, k: int) -> list[tuple[int, ...]]:
    """A spectrally normalised layer of SNGAN's: its bias comes first."""
    return plain(f, f_next, k)[::-1]


def sngan_g(side: int, widths: list[int], classes: int = 0) -> list[tuple[int, ...]]:
    shapes: list[tuple[int, ...]] = [(side**2 * widths[0], 128), (side**2 * widths[0],)]
    for f, g in pairwise(widths):
        norms = [(classes, 2 * f), (classes, 2 * g)] if classes else [(f,), (f,), (g,), (g,)]
        shapes += [*plain(f, g, 3), *plain(g, g, 3), *norms, *plain(f, g, 1)]
    return [*shapes, (widths[-1],), (widths[-1],), *plain(widths[-1], 3, 3)]


def sngan_d(widths: list[int], halvings: int, classes: int = 0) -> list[tuple[int, ...]]:
    f = widths[0]
    shapes = [*biased(3, f, 3), *biased(f, f, 3), *biased(3, f, 1)]
    for i, (f, g) in enumerate(pairwise(widths), start=1):
        shapes += [*biased(f, f, 3), *biased(f, g, 3), *(biased(f, g, 1) if i < halvings or f != g else [])]
    return [*shapes, (1,), (1, widths[-1]), *([(classes, widths[-1])] if classes else [])]


def sagan_g(widths: list[int]) -> list[tuple[int, ...]]:
    shapes: list[tuple[int, ...]] = [(16 * widths[0], 128), (16 * widths[0],)]
    for f, g in pairwise(widths):
        shapes += [*plain(f, g, 3), *plain(g, g, 3), *plain(f, g, 1), *[(1000, f)] * 2, *[(1000, g)] * 2]
        shapes += attention(g) if g == 128 else []
    return [*shapes, (64,), (64,), *plain(64, 3, 3)]


def sagan_d(widths: list[int]) -> list[tuple[int, ...]]:
    shapes = [*plain(3, 64, 3), *plain(64, 64, 3), *plain(3, 64, 1), *attention(64)]
    for f, g in pairwise(widths):
        shapes += [*plain(f, g, 3), *plain(g, g, 3), *(plain(f, g, 1) if f != g else [])]
    return [*shapes, (1, 1024), (1,), (1000, 1024)]


def attention(f: int) -> list[tuple[int, ...]]:
    return [(), (f // 8, f, 1, 1), (f // 8, f, 1, 1), (f // 2, f, 1, 1), (f, f // 2, 1, 1)]


UP, DOWN = [1024, 1024, 512, 256, 128, 64], [64, 128, 256, 512, 1024, 1024]
PUBLISHED = {
    ("sngan", "paper"): (sngan_g(4, [256] * 4), sngan_d([128] * 4, 2), 4_276_739, 1_053_825),
    ("sngan", "stl10"): (sngan_g(6, UP[2:]), sngan_d(DOWN[:5], 4), 4_878_083, 10_141_441),
    ("sngan", "imagenet64"): (sngan_g(4, UP[1:]), sngan_d(DOWN[:5], 5), 12_220_675, 10_141_441),
    ("sngan", "imagenet128"): (sngan_g(4, UP), sngan_d(DOWN, 5), 32_150_787, 29_017_857),
    ("sngan", "cifar10"): (sngan_g(4, [256] * 4, 10), sngan_d([128] * 4, 2, 10), 4_304_387, 1_055_105),
    ("sngan", "imagenet"): (sngan_g(4, UP, 1000), sngan_d(DOWN, 5, 1000), 41_996_931, 30_041_857),
    ("sagan", "paper"): (sagan_g(UP), sagan_d(DOWN), 42_017_412, 39_448_258),
}


@pytest.mark.parametrize(("family", "preset"), PUBLISHED)
def test_presets_have_the_published_tensors(family: str, preset: str) -> None:
    with torch.device("meta"):
        game = build(recipe(family, preset=preset))
    g_shapes, d_shapes, g_count, d_count = PUBLISHED[family, preset]
    assert [tuple(w.shape) for w in game.G.parameters()] == g_shapes
    assert [tuple(w.shape) for w in game.D.parameters()] == d_shapes
    assert (count(game.G), count(game.D)) == (g_count, d_count)


def count(net: nn.Module) -> int:
    return sum(w.numel() for w in net.parameters())


def test_normalised_layers_of_paper_have_their_singular_vectors_behind_them() -> None:
    """State dicts of D, vectors included, in the order of the published code: bias, weight, u, v."""
    with torch.device("meta"):
        D = build(recipe("sngan", preset="paper")).D
    shapes = [tuple(t.shape) for t in D.state_dict().values()]
    assert shapes[:8] == [(128,), (128, 3, 3, 3), (128,), (27,), (128,), (128, 128, 3, 3), (128,), (1152,)]
    assert shapes[-4:] == [(1,), (1, 128), (1,), (128,)]


# The published forward passes, from bare lists of tensors


class Tensors:
    """Tensors taken one after the other."""

    def __init__(self, tensors: list[Tensor]) -> None:
        self.rest = tensors

    def take(self, n: int) -> list[Tensor]:
        taken, self.rest = self.rest[:n], self.rest[n:]
        return taken


def floats(net: nn.Module) -> Tensors:
    return Tensors([t for t in net.state_dict().values() if t.is_floating_point()])


def effective(net: nn.Module) -> Tensors:
    """Weight and bias of every layer with a weight, as it is used: normalised where it is normalised."""
    kinds = (nn.Conv2d, nn.Linear, nn.Embedding)
    return Tensors(
        [t for layer in net.modules() if isinstance(layer, kinds) for t in (layer.weight, getattr(layer, "bias", None))]
    )


def published_g(net: nn.Module, z: Tensor, y: Tensor | None) -> Tensor:
    """SNGAN's G in evaluation mode: the shortcut enlarges, then convolves."""
    t = floats(net)
    h = linear(z, *t.take(2)).reshape(len(z), net.linear.out_features // net.side**2, net.side, net.side)

    def normed(x: Tensor, part: list[Tensor]) -> Tensor:
        if y is None:
            gamma, beta, mean, var = part
            return batch_norm(x, mean, var, gamma, beta)
        mean, var, table = part
        gamma, beta = table[y].chunk(2, 1)
        return gamma[:, :, None, None] * batch_norm(x, mean, var) + beta[:, :, None, None]

    n = 4 if y is None else 3
    while len(t.rest) > 6:
        conv1, conv2, norm1, norm2, shortcut = t.take(2), t.take(2), t.take(n), t.take(n), t.take(2)
        inner = conv2d(interpolate(normed(h, norm1).relu(), scale_factor=2), *conv1, padding=1)
        inner = conv2d(normed(inner, norm2).relu(), *conv2, padding=1)
        h = conv2d(interpolate(h, scale_factor=2), *shortcut) + inner
    gamma, beta, mean, var = t.take(4)
    return conv2d(batch_norm(h, mean, var, gamma, beta).relu(), *t.take(2), padding=1).tanh()


def published_d(net: nn.Module, x: Tensor, y: Tensor | None, halvings: int) -> Tensor:
    """D's score: but for the first, shortcuts convolve, then pool; the sum over places is projected."""
    t = effective(net)
    conv1, conv2, shortcut = t.take(2), t.take(2), t.take(2)
    h = avg_pool2d(conv2d(conv2d(x, *conv1, padding=1).relu(), *conv2, padding=1), 2)
    h, done = h + conv2d(avg_pool2d(x, 2), *shortcut), 1
    while len(t.rest) > 4:
        conv1, conv2 = t.take(2), t.take(2)
        inner = conv2d(conv2d(h.relu(), *conv1, padding=1).relu(), *conv2, padding=1)
        widens = inner.shape[1] != h.shape[1]
        h = (conv2d(h, *t.take(2)) if done < halvings or widens else h) + inner
        h = avg_pool2d(h, 2) if done < halvings else h
        done += 1
    h = h.relu().sum((2, 3))
    score = linear(h, *t.take(2)).flatten()
    return score if y is None else score + (t.take(1)[0][y] * h).sum(1)


def stirred(net: nn.Module) -> nn.Module:
    """Biases, tables and gammas off their first values."""
    for w in net.parameters():
        w.data += 0.05 * torch.randn_like(w)
    return net


@pytest.mark.parametrize("classes", [0, 5])
@pytest.mark.parametrize(
    ("image_size", "g_widths", "d_widths", "halvings"),
    [
        (32, (16,) * 4, (8,) * 4, 2),
        (48, (32, 16, 8, 4), (4, 8, 8, 16, 32), 4),
        (64, (32, 16, 8, 8, 4), (4, 8, 16, 16), 3),
    ],
)
def test_forward_is_the_published_one(
    image_size: int, g_widths: tuple[int, ...], d_widths: tuple[int, ...], halvings: int, classes: int
) -> None:
    torch.manual_seed(0)
    given = {
        "image_size": image_size, "channels": 3, "classes": classes, "g_widths": g_widths, "d_widths": d_widths,
        "d_halvings": halvings,
    }  # fmt: skip
    game = build(recipe("sngan", preset="tiny", given=given))
    z, x, y = torch.randn(4, 16), torch.randn(4, 3, image_size, image_size), torch.tensor([0, 1, 2, 1])
    told = (y,) if classes else ()
    with torch.no_grad():
        stirred(game.G)(z, *told)  # moves the running statistics off 0 and 1
        stirred(game.D)(x, *told)
        G, D = game.G.eval(), game.D.eval()
        torch.testing.assert_close(G(z, *told), published_g(G, z, *told or (None,)))
        torch.testing.assert_close(D(x, *told), published_d(D, x, *told or (None,), halvings))
        assert (D(x, *told) - D.head.linear(D.features(x)).flatten()).abs().max() > 1e-4 if classes else True


def test_attention_is_at_its_side_in_both_networks() -> None:
    game = build(recipe("sagan", preset="tiny", given={"attention": 8}))
    sides = []
    for net in (game.G, game.D):
        (layer,) = (m for m in net.modules() if type(m).__name__ == "SelfAttention")
        layer.register_forward_hook(lambda _, args, __: sides.append(args[0].shape[-1]))
    y = torch.zeros(2, dtype=torch.int64)
    game.D(game.G(game.G.prior(2), y), y)
    assert sides == [8, 8]


def test_paper_attends_at_64() -> None:
    with torch.device("meta"):
        game = build(recipe("sagan", preset="paper"))
    assert [i for i, block in enumerate(game.G.blocks) if hasattr(block, "attention")] == [3]  # 4 -> 8, 16, 32, 64
    assert [i for i, block in enumerate(game.D.blocks) if hasattr(block, "attention")] == [0]  # 128 -> 64


@pytest.mark.parametrize(
    ("family", "given", "says"),
    [
        ("sngan", {"image_size": 33}, "image_size 33"),
        ("sngan", {"d_widths": (8, 16, 32), "d_halvings": 4}, "d_halvings 4: D has 3 blocks"),
        ("sngan", {"d_halvings": 0}, "d_halvings 0"),
        ("sagan", {"attention": 5}, "attention 5: maps of both networks have the sides 8"),
    ],
)
def test_misfits_are_refused_in_one_line(family: str, given: dict[str, object], says: str) -> None:
    with pytest.raises(GanzooError) as fault:
        build(recipe(family, preset="tiny", given=given))
    assert says in str(fault.value) and "\n" not in str(fault.value)


@pytest.mark.parametrize("label", [None, 10, -1, 2.5, "seven", [0, 1]])
def test_a_missing_or_wrong_label_is_refused_in_one_line(label: object) -> None:
    G = build(recipe("sagan", preset="tiny")).G
    with pytest.raises(GanzooError) as fault:
        G.sample(3, seed=0, label=label)
    assert "label" in str(fault.value) and "\n" not in str(fault.value)


def test_initial_weights() -> None:
    """Limits of Glorot's law, with sqrt 2 in the 3x3 convolutions of SNGAN's blocks; D's are those before division."""
    torch.manual_seed(0)
    game = build(recipe("sngan", preset="paper", given={"classes": 10, "d_widths": (64,) * 4, "g_widths": (64,) * 4}))
    for name, w in game.named_parameters():
        if w.ndim < 2 or "affine" in name:
            continue
        fan = sum(w.shape[:2]) * math.prod(w.shape[2:])
        gain = 2 if w.shape[2:] == (3, 3) and not name.startswith("G.conv") else 1
        limit = math.sqrt(6 * gain / fan)
        assert 0.9 * limit < w.abs().max() <= limit, name
    tables = [m.affine.weight for m in game.G.modules() if hasattr(m, "affine") and isinstance(m.affine, nn.Embedding)]
    assert len(tables) == 6
    assert all((t[:, :64] == 1).all() and (t[:, 64:] == 0).all() for t in tables)


@pytest.mark.parametrize("family", ["sngan", "sagan"])
def test_a_fresh_d_is_bounded_in_evaluation_mode(family: str) -> None:
    D = build(recipe(family, preset="tiny")).D.eval()
    with torch.no_grad():
        scores = D(torch.randn(8, 1, 16, 16), *[torch.zeros(8, dtype=torch.int64)] * (family == "sagan"))
    assert scores.abs().max() < 100


# The game


def game_of(family: str = "sngan", **given: object) -> Objective:
    return build(recipe(family, preset="tiny", given=given))


def test_losses_are_the_hinge_and_its_descent() -> None:
    game = game_of()
    game.eval()
    x = torch.randn(6, 1, 16, 16)
    torch.manual_seed(0)
    terms = game.d_loss({"x": x})
    torch.manual_seed(0)
    fake = game.D(game.G(game.G.prior(6)))
    assert terms["real"].item() == pytest.approx((1 - game.D(x)).clamp(min=0).mean().item())
    assert terms["fake"].item() == pytest.approx((1 + fake).clamp(min=0).mean().item())
    torch.manual_seed(0)
    twice = game.D(game.G(game.G.prior(12)))
    torch.manual_seed(0)
    assert game.g_loss({"x": x})["adv"].item() == pytest.approx(-twice.mean().item(), rel=1e-5)


def test_only_networks_that_take_labels_need_them() -> None:
    assert game_of(classes=0).needs == {"x"}
    assert game_of(classes=3).needs == {"x", "label"}
    assert game_of("sagan").needs == {"x", "label"}
    assert game_of("sagan", classes=0).needs == {"x"}


def test_labels_of_the_data_are_taken_only_where_they_are_asked_for() -> None:
    info = {"classes": 7}
    assert recipe("dcgan", preset="tiny", networks="sngan", facts=info).args["classes"] == 0
    assert recipe("sngan", preset="tiny", given={"classes": "7"}, facts=info).args["classes"] == 7
    assert recipe("dcgan", preset="tiny", networks="sagan", facts=info).args["classes"] == 7


def test_fakes_have_the_labels_of_the_batch() -> None:
    game, seen = game_of(classes=3), []
    game.D.register_forward_hook(lambda _, args, __: seen.append(args[1].tolist()))
    batch = {"x": torch.randn(4, 1, 16, 16), "label": torch.tensor([2, 0, 1, 1])}
    game.d_loss(batch)
    game.g_loss(batch)
    assert seen == [[2, 0, 1, 1], [2, 0, 1, 1], [2, 0, 1, 1, 2, 0, 1, 1]]


@pytest.mark.parametrize("net", ["G", "D"])
def test_labels_change_what_networks_do(net: str) -> None:
    game = game_of("sagan")
    stirred(game).eval()
    x = game.G.prior(3) if net == "G" else torch.randn(3, 1, 16, 16)
    one, other = (getattr(game, net)(x, torch.full((3,), k)) for k in (1, 2))
    assert (one - other).abs().max() > 1e-4


def test_the_steps_are_those_of_the_papers() -> None:
    plan = Alternating(batch_size=64).plan(build(recipe("sngan", preset="paper")).phases())
    assert (plan[0].iterations, plan[0].repeat) == (50_000, 5)
    (phase,) = game_of("sagan").phases()
    rates = {p.name: p.optim([torch.zeros(1, requires_grad=True)]).defaults["lr"] for p in phase.players}
    assert rates == {"D": 4e-4, "G": 1e-4}


def test_rates_fall_linearly_to_zero() -> None:
    assert [falling(0.0)(u) for u in (0.0, 0.25, 1.0)] == [1, 0.75, 0]
    assert [falling(0.5)(u) for u in (0.0, 0.5, 0.75, 1.0)] == [1, 1, 0.5, 0]
    assert all(p.schedules["lr"](0.5) == 0.5 for p in game_of().phases()[0].players)


@pytest.mark.parametrize("nets", ["dcgan", "wgan_gp"])
def test_the_game_plays_on_other_networks(nets: str) -> None:
    made = recipe("sngan", preset="tiny", networks=f"{nets}:tiny")
    game = build(made)
    reports = list(Alternating(batch_size=4, images=40).run(game, synthetic(game.needs, made.args)))
    assert all(v.isfinite() for r in reports for v in r.losses.values())


def test_spectral_norms_stay_near_one_in_training() -> None:
    game = game_of(classes=3, lr=1e-2)
    list(Alternating(batch_size=8, images=800).run(game, synthetic(game.needs, game.recipe.args)))
    sizes = [torch.linalg.matrix_norm(m.weight.flatten(1), 2).item() for m in game.D.eval().modules()
             if isinstance(m, nn.Conv2d | nn.Linear | nn.Embedding)]  # fmt: skip
    assert min(sizes) > 0.8 and max(sizes) < 1.5
