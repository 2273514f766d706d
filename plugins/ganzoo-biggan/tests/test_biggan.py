"""BigGAN: equality with the published networks, truncation, standing statistics, regularisation."""

from __future__ import annotations

import copy
import math
from itertools import pairwise

import pytest
import torch
from ganzoo_biggan.networks import G, networks
from ganzoo_biggan.objective import overlap
from torch import Tensor, nn
from torch.nn.functional import batch_norm, conv2d, interpolate, linear, max_pool2d

import ganzoo_core as gz
from ganzoo_core.data import hash32
from ganzoo_core.errors import GanzooError
from ganzoo_core.models import model, store
from ganzoo_core.nn.inputs import cycled
from ganzoo_core.objectives import Objective, off_diagonal
from ganzoo_core.registry.recipes import build, recipe
from ganzoo_core.testing.synthetic import synthetic
from ganzoo_core.training.trainer import Alternating

# Parameters of the reference implementation, in its order


def conv(f: int, f_next: int, k: int) -> list[tuple[int, ...]]:
    return [(f_next, f, k, k), (f_next,)]


def attention(f: int) -> list[tuple[int, ...]]:
    return [(), (f // 8, f, 1, 1), (f // 8, f, 1, 1), (f // 2, f, 1, 1), (f, f // 2, 1, 1)]


def g_shapes(widths: list[int], attending: int) -> list[tuple[int, ...]]:
    """`attending`: which block attention follows."""
    shapes: list[tuple[int, ...]] = [(1000, 128), (16 * widths[0], 20), (16 * widths[0],)]
    for i, (f, g) in enumerate(pairwise(widths)):
        shapes += [*conv(f, g, 3), *conv(g, g, 3), *conv(f, g, 1), *[(f, 148)] * 2, *[(g, 148)] * 2]
        shapes += attention(g) if i == attending else []
    return [*shapes, (96,), (96,), *conv(96, 3, 3)]


def d_shapes(widths: list[int], attending: int) -> list[tuple[int, ...]]:
    shapes: list[tuple[int, ...]] = []
    for i, (f, g) in enumerate(pairwise([3, *widths])):
        last = i == len(widths) - 1
        shapes += [*conv(f, g, 3), *conv(g, g, 3), *([] if last else conv(f, g, 1))]
        shapes += attention(g) if i == attending else []
    return [*shapes, (1, widths[-1]), (1,), (1000, widths[-1])]


G256, D256 = [1536, 1536, 768, 768, 384, 192, 96], [96, 192, 384, 768, 768, 1536, 1536]
PUBLISHED = {
    "paper": (g_shapes([1536, 1536, 768, 384, 192, 96], 3), d_shapes([96, 192, 384, 768, 1536, 1536], 0)),
    "imagenet256": (g_shapes(G256, 3), d_shapes(D256, 1)),
    "imagenet512": (g_shapes([*G256, 96], 3), d_shapes([96, *D256], 2)),
}
COUNTS = {"paper": (70_433_988, 87_982_370), "imagenet256": (82_235_844, 99_225_890)}


def on_meta(preset: str) -> Objective:
    with torch.device("meta"):
        return build(recipe("biggan", preset=preset))


def count(net: nn.Module) -> int:
    return sum(w.numel() for w in net.parameters())


@pytest.mark.parametrize("preset", PUBLISHED)
def test_presets_have_the_published_tensors(preset: str) -> None:
    game = on_meta(preset)
    assert [tuple(w.shape) for w in game.G.parameters()] == PUBLISHED[preset][0]
    assert [tuple(w.shape) for w in game.D.parameters()] == PUBLISHED[preset][1]


@pytest.mark.parametrize("preset", COUNTS)
def test_presets_have_the_published_counts(preset: str) -> None:
    game = on_meta(preset)
    assert (count(game.G), count(game.D)) == COUNTS[preset]


def test_the_largest_generator_has_the_published_count() -> None:
    assert count(on_meta("imagenet512").G) == 82_468_068


@pytest.mark.parametrize(("preset", "z_dim"), [("paper", 120), ("imagenet256", 140), ("imagenet512", 160)])
def test_z_has_one_part_more_than_g_blocks(preset: str, z_dim: int) -> None:
    assert on_meta(preset).G.inputs["z"].shape == (z_dim,)


@pytest.mark.parametrize("preset", PUBLISHED)
def test_both_networks_attend_at_64(preset: str) -> None:
    made = recipe("biggan", preset=preset)
    with torch.device("meta"):
        game = build(made)
    (g,) = (i for i, block in enumerate(game.G.blocks) if hasattr(block, "attention"))
    (d,) = (i for i, block in enumerate(game.D.blocks) if hasattr(block, "attention"))
    assert 4 * 2 ** (g + 1) == 64 == made.args["image_size"] // 2 ** (d + 1)


# The published forward pass, from a bare list of layers


def small(**given: object) -> Objective:
    return build(recipe("biggan", preset="tiny", given=given))


def stirred(net: nn.Module) -> nn.Module:
    """Biases, gammas and gains off their first values."""
    for w in net.parameters():
        w.data += 0.05 * torch.randn_like(w)
    return net


def published_g(net: nn.Module, z: Tensor, y: Tensor) -> Tensor:
    """The published G in evaluation mode, from the tensors that it uses, one after the other."""
    kinds = (nn.Conv2d, nn.Linear, nn.Embedding, nn.BatchNorm2d)
    layers = [m for m in net.modules() if isinstance(m, kinds)]
    gammas = [m.gamma for m in net.modules() if hasattr(m, "gamma")]
    shared, first = layers.pop(0), layers.pop(0)
    zs = z.chunk(len(net.blocks) + 1, 1)

    def take(n: int) -> list[nn.Module]:
        return [layers.pop(0) for _ in range(n)]

    def normed(x: Tensor, part: list[nn.Module], told: Tensor) -> Tensor:
        bn, gain, bias = part
        h = batch_norm(x, bn.running_mean, bn.running_var)
        return h * (1 + linear(told, gain.weight))[:, :, None, None] + linear(told, bias.weight)[:, :, None, None]

    h = linear(zs[0], first.weight, first.bias).reshape(len(z), -1, 4, 4)
    for i, part in enumerate(zs[1:]):
        told = torch.cat([shared.weight[y], part], 1)
        conv1, conv2, shortcut = take(3)
        norm1, norm2 = take(3), take(3)
        inner = interpolate(normed(h, norm1, told).relu(), scale_factor=2)
        inner = conv2d(inner, conv1.weight, conv1.bias, padding=1)
        inner = conv2d(normed(inner, norm2, told).relu(), conv2.weight, conv2.bias, padding=1)
        h = inner + conv2d(interpolate(h, scale_factor=2), shortcut.weight, shortcut.bias)
        if hasattr(net.blocks[i], "attention"):
            theta, phi, g, o = (m.weight for m in take(4))
            n, c, height, width = h.shape
            query = conv2d(h, theta).reshape(n, c // 8, -1)
            key = max_pool2d(conv2d(h, phi), 2).reshape(n, c // 8, -1)
            value = max_pool2d(conv2d(h, g), 2).reshape(n, c // 2, -1)
            beta = torch.softmax(torch.einsum("ncj,nci->nji", query, key), -1)
            seen = torch.einsum("nci,nji->ncj", value, beta).reshape(n, c // 2, height, width)
            h = gammas.pop(0) * conv2d(seen, o) + h
    bn, last = take(2)
    h = batch_norm(h, bn.running_mean, bn.running_var, bn.weight, bn.bias).relu()
    return conv2d(h, last.weight, last.bias, padding=1).tanh()


def test_forward_is_the_published_one() -> None:
    torch.manual_seed(0)
    net = stirred(small(g_widths=(16, 16, 16), z_chunk=4).G)
    z, y = net.prior(5), torch.tensor([0, 3, 9, 3, 1])
    with torch.no_grad():
        net(z, y)  # moves the running statistics off 0 and 1
        net.eval()
        torch.testing.assert_close(net(z, y), published_g(net, z, y))


@pytest.mark.parametrize("part", [0, 1, 2])
def test_every_part_of_z_changes_the_picture(part: int) -> None:
    torch.manual_seed(0)
    net, y = stirred(small().G).eval(), torch.zeros(2, dtype=torch.int64)
    z = net.prior(2)
    other = z.clone()
    other[:, 8 * part : 8 * (part + 1)] += 1
    assert (net(z, y) - net(other, y)).abs().max() > 1e-3


def test_initial_weights_are_orthogonal() -> None:
    torch.manual_seed(0)
    for net in networks(
        image_size=16, classes=4, g_widths=(8, 8, 8), d_widths=(8, 8, 8), d_halvings=2, attention=8
    ).values():
        for name, w in net.named_parameters():
            if w.ndim > 1:
                W = w.detach().flatten(1)
                gram = W @ W.T if W.shape[0] <= W.shape[1] else W.T @ W
                torch.testing.assert_close(gram, torch.eye(len(gram)), atol=1e-5, rtol=0, msg=name)


def test_data_without_labels_are_refused_in_one_line() -> None:
    with pytest.raises(GanzooError) as fault:
        small(classes=0)
    assert "classes 0" in str(fault.value) and "\n" not in str(fault.value)


# Truncation


def test_truncated_latents_are_a_truncated_normal() -> None:
    net = small().G
    rng = torch.Generator().manual_seed(0)
    z = net.truncated(0.5, 4000, rng)["z"]
    assert z.abs().max() <= 0.5
    # The variance of N(0, 1) truncated to [-a, a] is 1 - 2 a phi(a) / (2 Phi(a) - 1).
    phi, inside = math.exp(-0.125) / math.sqrt(2 * math.pi), math.erf(0.5 / math.sqrt(2))
    assert z.var().item() == pytest.approx(1 - phi / inside, rel=0.02)
    assert z.mean().item() == pytest.approx(0, abs=0.005)


def test_what_lies_inside_is_kept() -> None:
    net = small().G
    z = net.prior(100, torch.Generator().manual_seed(0))
    kept = net.truncated(1.0, 100, torch.Generator().manual_seed(0))["z"]
    assert torch.equal(kept[z.abs() <= 1], z[z.abs() <= 1])


def test_truncated_samples_are_exact() -> None:
    net = stirred(small().G)
    label = [k % 10 for k in range(20)]
    many = net.sample(20, seed=1, truncation=0.3, label=label)
    assert torch.equal(many[:3], net.sample(3, seed=1, truncation=0.3, label=label[:3]))
    assert not torch.equal(many, net.sample(20, seed=1, label=label))
    assert torch.equal(net.sample(2, seed=1, truncation=50.0, label=0), net.sample(2, seed=1, label=0))


@pytest.mark.parametrize("truncation", [0.0, -1.0, 0.009, math.nan])
def test_truncations_that_would_take_for_ever_are_refused(truncation: float) -> None:
    with pytest.raises(GanzooError, match="truncation"):
        small().G.sample(1, seed=0, truncation=truncation, label=0)


@pytest.mark.parametrize("label", [None, 10, -1, 2.5])
def test_a_missing_or_wrong_label_is_refused_in_one_line(label: object) -> None:
    with pytest.raises(GanzooError) as fault:
        small().G.sample(3, seed=0, label=label)
    assert "label" in str(fault.value) and "\n" not in str(fault.value)


# Standing statistics


def test_standing_statistics_are_those_of_all_batches_together() -> None:
    net = stirred(small().G)
    found = net.standing(3)
    seen: list[Tensor] = []
    other = copy.deepcopy(net).eval()  # what is seen lies before the first norm
    other.linear.register_forward_hook(lambda _, __, h: seen.append(h.unflatten(1, (-1, 4, 4))))
    for i in range(3):
        rng = torch.Generator().manual_seed(hash32(0, "standing", i))
        other(other.prior(64, rng), cycled(net, 64)["label"])
    first = next(m for m in found.modules() if isinstance(m, nn.BatchNorm2d))
    torch.testing.assert_close(first.running_mean, torch.cat(seen).mean((0, 2, 3)), atol=1e-5, rtol=1e-4)
    variances = [h.transpose(0, 1).flatten(1).var(1) for h in seen]
    torch.testing.assert_close(first.running_var, torch.stack(variances).mean(0))


def test_standing_statistics_are_always_the_same_and_change_nothing_else() -> None:
    net = stirred(small().G).train()
    before = {k: v.clone() for k, v in net.state_dict().items()}
    rng = torch.get_rng_state()
    one, other = net.standing(2), net.standing(2)
    assert all(torch.equal(a, b) for a, b in zip(one.state_dict().values(), other.state_dict().values(), strict=True))
    assert all(torch.equal(v, before[k]) for k, v in net.state_dict().items())
    assert torch.equal(rng, torch.get_rng_state()) and net.training and not one.training
    assert all(m.momentum == 0.1 for m in one.modules() if isinstance(m, nn.BatchNorm2d))


def test_what_is_published_has_standing_statistics_of_its_average() -> None:
    game = small()
    feed = synthetic(game.needs, game.recipe.args)
    list(Alternating(batch_size=8, images=160, ema_images=200).run(game, feed))
    average = game.ema["G"]
    exported_networks = game.exported_networks()["G"]
    assert bool(exported_networks.stand) and not bool(average.stand) and not bool(game.G.stand)
    expected = average.standing(2).state_dict()
    assert all(torch.equal(v, expected[k]) for k, v in exported_networks.state_dict().items())
    assert any(not torch.equal(v, average.state_dict()[k]) for k, v in expected.items() if "running_mean" in k)


def test_a_trained_model_is_saved_as_it_is_also_in_half_precision(tmp_path) -> None:
    game = small()
    origin = store.Origin("biggan.tiny", "CC0-1.0", "none", "CC0-1.0", 0, 0, "pytest", {})
    store.write_model(tmp_path / "a", game, origin, "float16")
    model.load(tmp_path / "a").save(tmp_path / "b")
    files = [(tmp_path / name / "model.safetensors").read_bytes() for name in "ab"]
    assert files[0] == files[1]


def test_what_is_published_knows_its_classes_by_name(tmp_path) -> None:
    gz.fit(small(), "digits", images=64, out=tmp_path / "run")
    found = gz.load(tmp_path / "run")
    assert found.generator.inputs["label"].names == tuple("0123456789")
    assert bool(found.generator.stand)


def test_training_on_makes_statistics_stale() -> None:
    net = small().G.standing(1)
    y = torch.zeros(2, dtype=torch.int64)
    net(net.prior(2), y)
    assert bool(net.stand)
    net.train()(net.prior(2), y)
    assert not bool(net.stand)


# The game


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 4), (6, 2, 3, 3)])
def test_regularisation_is_that_of_equation_3(shape: tuple[int, ...]) -> None:
    W = torch.randn(shape, dtype=torch.float64).flatten(1)
    gram = W @ W.T
    torch.testing.assert_close(off_diagonal(W), (gram * (1 - torch.eye(len(W), dtype=torch.float64))).square().sum())


def test_orthogonal_filters_cost_nothing_whatever_their_length() -> None:
    W = nn.init.orthogonal_(torch.empty(4, 9)) * torch.tensor([1.0, 2, 3, 4])[:, None]
    assert off_diagonal(W).item() == pytest.approx(0, abs=1e-3)
    assert off_diagonal(torch.ones(2, 9)).item() == pytest.approx(2 * 81)


def test_regularisation_spares_the_shared_embedding_and_d() -> None:
    game = small()
    game.zero_grad()
    terms = game.g_loss(next(synthetic(game.needs, game.recipe.args)(start=0, batch_size=4)))
    expected = 1e-4 * overlap(game.G)
    assert terms["ortho"].item() == pytest.approx(expected.item())
    expected.backward()
    reached = {name for name, w in game.named_parameters() if w.grad is not None}
    assert reached == {f"G.{k}" for k, w in game.G.named_parameters() if w.ndim > 1 and k != "shared.weight"}


def test_the_steps_are_those_of_the_paper() -> None:
    game = on_meta("paper")
    (phase,) = game.phases()
    assert [(s.player.name, s.repeat) for s in phase.steps] == [("D", 2), ("G", 1)]
    options = {p.name: p.optim([torch.zeros(1, requires_grad=True)]).defaults for p in phase.players}
    assert {k: (o["lr"], *o["betas"]) for k, o in options.items()} == {"D": (2e-4, 0.0, 0.999), "G": (5e-5, 0.0, 0.999)}
    train = game.recipe.train
    per_update = 0.5 ** (2 * train["batch_size"] / train["ema_images"])
    assert per_update == pytest.approx(0.9999, abs=1e-6)


def test_the_game_plays_on_sngans_networks() -> None:
    made = recipe("biggan", preset="tiny", networks="sngan:tiny", given={"classes": 3})
    game = build(made)
    assert not isinstance(game.G, G)
    reports = list(Alternating(batch_size=4, images=40).run(game, synthetic(game.needs, made.args)))
    assert all(v.isfinite() for r in reports for v in r.losses.values())
    assert game.exported_networks()["G"] is game.G
