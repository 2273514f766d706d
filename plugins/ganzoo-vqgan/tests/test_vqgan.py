"""VQGAN: the published tensors, the codebook, its losses and lambda in closed form, codes there and back."""

from __future__ import annotations

import math

import pytest
import torch
from ganzoo_vqgan.networks import Attention, Codebook, Coded, Double, Halve, Residual, networks
from ganzoo_vqgan.objective import DELTA, VQGAN, adaptive, usage
from stand_ins import Mean
from torch import Tensor, nn
from torch.nn.functional import conv2d, group_norm, pad, sigmoid

from ganzoo_core.errors import GanzooError
from ganzoo_core.registry.recipes import build, recipe

Shapes = list[tuple[int, ...]]


def shapes(net: nn.Module) -> Shapes:
    return [tuple(w.shape) for w in net.parameters()]


def layer(f: int, f_next: int, k: int = 3) -> Shapes:
    return [(f_next, f, k, k), (f_next,)]


def residual(f: int, f_next: int) -> Shapes:
    around = layer(f, f_next, 1) if f != f_next else []
    return [(f,), (f,), *layer(f, f_next), (f_next,), (f_next,), *layer(f_next, f_next), *around]


def attention(f: int) -> Shapes:
    return [(f,), (f,), *layer(f, f, 1) * 4]


MIDDLE = [*residual(512, 512), *attention(512), *residual(512, 512)]


def published_e() -> Shapes:
    made, f = layer(3, 128), 128
    for i, f_next in enumerate((128, 128, 256, 256, 512)):
        made += [*residual(f, f_next), *residual(f_next, f_next)]
        made += attention(512) * 2 if i == 4 else layer(f_next, f_next)
        f = f_next
    return [*made, *MIDDLE, (512,), (512,), *layer(512, 256)]


def published_g() -> Shapes:
    levels = []
    for f, f_next in ((128, 128), (256, 128), (256, 256), (512, 256), (512, 512)):
        levels.append([*residual(f, f_next), *residual(f_next, f_next) * 2])
    levels = [level + (layer(level[-1][0], level[-1][0]) if i else []) for i, level in enumerate(levels)]
    levels[4][-2:] = [*attention(512) * 3, *layer(512, 512)]
    finest_first = [shape for level in levels for shape in level]
    return [*layer(256, 512), *MIDDLE, *finest_first, (128,), (128,), *layer(128, 3)]


def test_paper_has_the_published_tensors() -> None:
    with torch.device("meta"):
        game = build(recipe("vqgan", preset="paper"))
        codes = game.G.encode(torch.zeros(1, 3, 256, 256))
        assert codes.shape == (1, 16, 16) and game.G.decode(codes).shape == (1, 3, 256, 256)
        assert game.D(torch.zeros(1, 3, 256, 256)).shape == (1, 1, 30, 30)
    assert shapes(game.G.E) == published_e() and shapes(game.G.G) == published_g()
    assert shapes(game.G.Z) == [(1024, 256), *layer(256, 256, 1) * 2]
    counts = [sum(w.numel() for w in net.parameters()) for net in (game.G.E, game.G.Z, game.G.G, game.D)]
    assert counts == [29_298_176, 393_728, 42_449_795, 2_765_633]
    assert all(m.num_groups == 32 and m.eps == 1e-6 for m in game.G.modules() if isinstance(m, nn.GroupNorm))


# Layers


def test_a_residual_block_by_hand() -> None:
    torch.manual_seed(0)
    block, x = Residual(8, 16), torch.randn(2, 8, 5, 6)
    t = list(block.parameters())

    def swished(h: Tensor, gain: Tensor, bias: Tensor) -> Tensor:
        h = group_norm(h, h.shape[1] // 4, gain, bias, eps=1e-6)
        return h * sigmoid(h)

    h = conv2d(swished(x, t[0], t[1]), t[2], t[3], padding=1)
    h = conv2d(swished(h, t[4], t[5]), t[6], t[7], padding=1)
    torch.testing.assert_close(block(x), conv2d(x, t[8], t[9]) + h)


def test_attention_by_hand() -> None:
    torch.manual_seed(0)
    block, x = Attention(8), torch.randn(2, 8, 3, 4)
    t = list(block.parameters())
    h = group_norm(x, 2, t[0], t[1], eps=1e-6)
    q, k, v = (conv2d(h, t[i], t[i + 1]).flatten(2) for i in (2, 4, 6))
    of_places = torch.softmax(q.transpose(1, 2) @ k / math.sqrt(8), 2)  # [N, to, from]
    seen = torch.einsum("nij,ncj->nci", of_places, v).reshape(x.shape)
    torch.testing.assert_close(block(x), x + conv2d(seen, t[8], t[9]))


def test_halving_sees_zeros_on_the_right_and_below_alone() -> None:
    torch.manual_seed(0)
    halve, x = Halve(4), torch.randn(1, 4, 6, 8)
    torch.testing.assert_close(halve(x), conv2d(pad(x, (0, 1, 0, 1)), halve.weight, halve.bias, stride=2))
    assert Double(4)(x).shape == (1, 4, 12, 16)


# The codebook


def test_the_nearest_vector_is_found_at_every_place() -> None:
    torch.manual_seed(0)
    book = Codebook(32, 6)
    assert book.vectors.weight.abs().max() <= 1 / 32
    nn.init.normal_(book.vectors.weight)
    z = torch.randn(2, 6, 3, 5)
    away = torch.cdist(z.permute(0, 2, 3, 1).reshape(-1, 6), book.vectors.weight)
    codes = book.nearest(z)
    assert codes.dtype == torch.int64 and torch.equal(codes, away.argmin(1).reshape(2, 3, 5))
    planted = torch.randint(32, (2, 3, 5))
    assert torch.equal(book.nearest(book.look_up(planted) + 1e-3), planted)


def test_a_picture_is_its_codes() -> None:
    """What is drawn depends on the codes alone; they are what `encode` says, and a picture of any size has some."""
    torch.manual_seed(0)
    net = build(recipe("vqgan", preset="tiny")).G.eval()
    x = torch.rand(3, 1, 12, 20) * 2 - 1
    codes = net.encode(x)
    assert codes.shape == (3, 6, 10)
    torch.testing.assert_close(net.decode(codes), net(x).clamp(-1, 1), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(net.sample(3, seed=0, x=x), net.decode(codes), atol=1e-5, rtol=1e-4)
    with pytest.raises(GanzooError, match="multiples of 2"):
        net.sample(1, seed=0, x=torch.zeros(1, 1, 12, 13))


def test_gradients_go_straight_through_the_codebook() -> None:
    torch.manual_seed(0)
    net = build(recipe("vqgan", preset="tiny")).G
    coded = net.coded(torch.rand(2, 1, 16, 16) * 2 - 1)
    coded.z.retain_grad()
    coded.drawn.square().sum().backward()
    assert coded.z.grad is not None and coded.z.grad.abs().sum() > 0  # E learns from the picture
    assert net.Z.vectors.weight.grad is None  # Z does not


def test_the_codebook_begins_as_places_of_the_data() -> None:
    torch.manual_seed(0)
    game = build(recipe("vqgan", preset="tiny", given={"seen": 2}))
    x = torch.rand(2, 1, 16, 16) * 2 - 1
    assert game.prepare_on == 2 and build(recipe("vqgan", preset="tiny")).prepare_on == 0
    before = usage(game.G.encode(x), 16)["used"]
    game.prepare({"x": x})
    z = game.G.Z.before(game.G.E(x)).permute(0, 2, 3, 1).reshape(-1, 8)
    assert torch.cdist(game.G.Z.vectors.weight, z).min(1).values.max() < 1e-3
    assert usage(game.G.encode(x), 16)["used"] == 1 > before
    with pytest.raises(GanzooError, match="seen 2: 1 places for 16 codes"):
        game.prepare({"x": x[:1, :, :2, :2]})


# The game


def test_losses_in_closed_form() -> None:
    """z is 0.5 away from its vector: squares of 0.25, of which the codebook's counts a quarter."""
    game = build(recipe("vqgan", preset="tiny"))
    x, z = torch.zeros(2, 1, 4, 4), torch.zeros(2, 8, 2, 2, requires_grad=True)
    z_q = torch.full((2, 8, 2, 2), 0.5, requires_grad=True)
    codes = torch.tensor([0, 0, 1, 2]).reshape(1, 2, 2).expand(2, 2, 2)
    terms = game.terms(x, Coded(torch.full((2, 1, 4, 4), 0.3), z, z_q, codes))
    assert {name: term.item() for name, term in terms.items()} == pytest.approx({
        "l1": 0.3, "commit": 0.25, "codes": 0.25 / 4, "used": 3 / 16,
        "perplexity": math.exp(1.5 * math.log(2)),
    })  # fmt: skip
    commit = torch.autograd.grad(terms["commit"], [z, z_q], allow_unused=True)
    moved = torch.autograd.grad(terms["codes"], [z, z_q], allow_unused=True)
    assert commit[1] is None and moved[0] is None  # each moves one side


def test_lambda_is_the_ratio_of_gradients() -> None:
    w = torch.tensor([1.0, 2.0], requires_grad=True)
    lam = adaptive((3 * w).sum(), (w * torch.tensor([0.0, 0.5])).sum(), w)
    assert lam.item() == pytest.approx(3 * math.sqrt(2) / (0.5 + DELTA)) and not lam.requires_grad
    assert adaptive((3 * w).sum(), (0 * w).sum(), w).item() == 1e4  # bounded
    assert adaptive(w.sum(), w.sum(), w.detach()).item() == 0


def test_with_lambda_both_losses_pull_alike() -> None:
    """At G's last layer the adversarial gradient is as long as that of the reconstruction, times 0.8."""
    torch.manual_seed(0)
    game = build(recipe("vqgan", preset="tiny"))
    terms = game.g_loss({"x": torch.rand(2, 1, 16, 16) * 2 - 1})
    last = game.G.G.last.weight
    (rec,) = torch.autograd.grad(terms["l1"], last, retain_graph=True)
    (adv,) = torch.autograd.grad(terms["adv"], last)
    assert adv.norm().item() == pytest.approx(0.8 * rec.norm().item(), rel=0.05)


def test_d_has_half_a_hinge_and_comes_late() -> None:
    game = build(recipe("vqgan", preset="tiny"))
    game.D = Mean(0.0)  # scores of 0: each half of the hinge is 1
    terms = game.d_loss({"x": torch.zeros(2, 1, 16, 16)})
    assert {name: term.item() for name, term in terms.items()} == {"real": 0.5, "fake": 0.5}
    first, second = game.phases()
    assert [step.player.name for step in first.steps] == ["G"]
    assert [step.player.name for step in second.steps] == ["G", "D"]
    assert first.players[0] is second.players[0]  # with the moments that it has
    assert [p.name for p in VQGAN(game.G, game.D, images=0).phases()] == ["codes"]


@pytest.mark.parametrize(("codes", "used", "perplexity"), [([3, 3, 3, 3], 1 / 8, 1), ([0, 1, 2, 3], 1 / 2, 4)])
def test_usage(codes: list[int], used: float, perplexity: float) -> None:
    found = usage(torch.tensor(codes), 8)
    assert found["used"].item() == pytest.approx(used) and found["perplexity"].item() == pytest.approx(perplexity)


def test_it_learns_to_draw_what_it_was_given() -> None:
    """Two pictures, one dark on the left and one dark above: half of their pixels differ."""
    torch.manual_seed(0)
    game = build(recipe("vqgan", preset="tiny"))
    x = torch.full((2, 1, 16, 16), 0.8)
    x[0, :, :, :8] = x[1, :, :8] = -0.8
    player = game.phases()[0].players[0]
    optimizer = torch.optim.Adam(player.parameters(), 3e-3)
    for _ in range(60):
        optimizer.zero_grad()
        sum(v for v in game.code_loss({"x": x}).values() if v.requires_grad).backward()
        optimizer.step()
    assert (game.G(x) - x).abs().mean().item() < 0.2


def test_sizes_that_do_not_fit_are_refused_in_one_line() -> None:
    for wrong in ({"image_size": 24}, {"codes": 0}, {"width": 2}):
        with pytest.raises(GanzooError) as fault:
            networks(**wrong)
        assert "\n" not in str(fault.value)
