"""pix2pix: equality with the published networks, losses in closed form, noise exact in its seed."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
import torch
from ganzoo_pix2pix.networks import PatchGAN, UNet, networks, unet
from ganzoo_pix2pix.objective import Pix2Pix
from torch import Tensor, nn
from torch.nn.functional import batch_norm, binary_cross_entropy_with_logits, conv2d, conv_transpose2d, leaky_relu

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator, Generator, Image, Images
from ganzoo_core.registry.recipes import build, recipe
from ganzoo_core.training.trainer import Alternating

# Equality with the published networks


def bn(f: int) -> list[tuple[int, ...]]:
    return [(f,)] * 4  # gamma, beta, running mean and variance


# Parameters and float buffers of junyanz/pytorch-CycleGAN-and-pix2pix, in their order.
HEAD = [(64, 3, 4, 4), (128, 64, 4, 4), *bn(128), (256, 128, 4, 4), *bn(256), (512, 256, 4, 4), *bn(512)]
TAIL = [(1024, 256, 4, 4), *bn(256), (512, 128, 4, 4), *bn(128), (256, 64, 4, 4), *bn(64), (128, 3, 4, 4), (3,)]
SAME, WIDE = [(512, 512, 4, 4), *bn(512)], [(1024, 512, 4, 4), *bn(512)]
G_SHAPES = [*HEAD, *SAME * 3, (512, 512, 4, 4), *SAME, *WIDE * 3, *TAIL]
G_128_SHAPES = [*HEAD, *SAME * 2, (512, 512, 4, 4), *SAME, *WIDE * 2, *TAIL]
D_SHAPES = [
    (64, 6, 4, 4), (64,), (128, 64, 4, 4), *bn(128), (256, 128, 4, 4), *bn(256), (512, 256, 4, 4), *bn(512),
    (1, 512, 4, 4), (1,),
]  # fmt: skip
D_PIXEL_SHAPES = [(64, 6, 1, 1), (64,), (128, 64, 1, 1), (128,), *bn(128), (1, 128, 1, 1), (1,)]


def shapes(net: nn.Module) -> list[tuple[int, ...]]:
    return [tuple(t.shape) for t in net.state_dict().values() if t.is_floating_point()]


def count(net: nn.Module) -> int:
    return sum(w.numel() for w in net.parameters())


def test_paper_has_the_published_tensors() -> None:
    with torch.device("meta"):
        game = build(recipe("pix2pix", preset="paper"))
        small = networks(image_size=128, levels=7, patch=1)
    assert shapes(game.G) == G_SHAPES and count(game.G) == 54_413_955
    assert shapes(game.D) == D_SHAPES and count(game.D) == 2_768_705
    assert shapes(small["G"]) == G_128_SHAPES and count(small["G"]) == 41_828_995
    assert shapes(small["D"]) == D_PIXEL_SHAPES and count(small["D"]) == 9_153


def shaken(net: nn.Module) -> nn.Module:
    """Weights and running statistics away from their first values."""
    torch.manual_seed(1)
    for t in net.state_dict().values():
        if t.ndim == 1:
            t += 0.5 * torch.rand_like(t)
        elif t.is_floating_point():
            t += 0.05 * torch.randn_like(t)
    return net


class Tensors:
    """A state dict's float tensors: from the front for what goes down, from the back for what comes up."""

    def __init__(self, net: nn.Module) -> None:
        self.rest = [t for t in net.state_dict().values() if t.is_floating_point()]

    def take(self, n: int, *, last: bool = False) -> list[Tensor]:
        at = slice(-n, None) if last else slice(0, n)
        taken = self.rest[at]
        del self.rest[at]
        return taken


def published_block(t: Tensors, x: Tensor, depth: int, levels: int, train: bool) -> Tensor:
    """The authors' block around the blocks within it, with their activations in place: they change what is skipped."""
    ends = depth in (0, levels - 1)
    (down,), norm_down = t.take(1), [] if ends else t.take(4)
    (up, bias), norm_up = (t.take(2, last=True), []) if depth == 0 else ([None, None], t.take(4, last=True))
    if depth > 0:
        (up,) = t.take(1, last=True)
        leaky_relu(x, 0.2, inplace=True)
    h = conv2d(x, down, stride=2, padding=1)
    h = normed(h, norm_down, train)
    if depth < levels - 1:
        h = published_block(t, h, depth + 1, levels, train)
    h = conv_transpose2d(h.relu_(), up, bias, stride=2, padding=1)
    if depth == 0:
        return h.tanh()
    h = normed(h, norm_up, train)
    if 1 <= levels - 1 - depth <= levels - 5:  # they count from the innermost, which has none
        h = torch.dropout(h, 0.5, train)
    return torch.cat([x, h], 1)


def normed(h: Tensor, tensors: list[Tensor], train: bool) -> Tensor:
    if not tensors:
        return h
    gamma, beta, mean, var = (t.clone() for t in tensors)
    return batch_norm(h, mean, var, gamma, beta, training=train)


@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize(("levels", "side"), [(5, 32), (6, 128), (7, 128), (8, 256)])
def test_forward_is_the_published_one(levels: int, side: int, train: bool) -> None:
    """In training mode, with dropout and statistics of the batch, and in evaluation mode, without."""
    G = shaken(unet(3, 4, levels, "batch")).train(train)
    a = torch.randn(2, 3, side, side)
    with torch.no_grad():
        torch.manual_seed(2)
        theirs = published_block(Tensors(G), a.clone(), 0, levels, train)
        torch.manual_seed(2)
        ours = G(a)
    assert theirs.std() > 0.1
    torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize(("levels", "dropped"), [(8, 3), (7, 2), (6, 1), (5, 0), (4, 0)])
def test_dropout_is_on_all_levels_from_512_to_512_but_the_innermost(levels: int, dropped: int) -> None:
    of_levels = [level.p for level in unet(3, 2, levels, "batch").up]
    assert of_levels == [0] + [0.5] * dropped + [0] * (levels - 1 - dropped)


@pytest.mark.parametrize("preset", ["edges2emoji", "noto2blob"])
def test_presets_for_emoji_have_noise(preset: str) -> None:
    G = build(recipe("pix2pix", preset=preset)).G
    two = G.sample(2, seed=0, a=torch.rand(3, 64, 64))
    assert not torch.equal(two[0], two[1])


@pytest.mark.parametrize("patch", [1, 16, 70])
@pytest.mark.parametrize("train", [True, False])
def test_discriminator_is_the_published_one(patch: int, train: bool) -> None:
    D = shaken(PatchGAN(6, 4, patch, "batch")).train(train)
    a, b = torch.randn(2, 3, 64, 64), torch.randn(2, 3, 64, 64)
    t, h = Tensors(D), torch.cat([a, b], 1)
    stride, pad = (1, 0) if patch == 1 else (2, 1)
    h = leaky_relu(conv2d(h, *t.take(2), stride=stride, padding=pad), 0.2)
    while len(t.rest) > 2:
        weight, bias = t.take(1)[0], t.take(1)[0] if patch == 1 else None
        stride = 1 if len(t.rest) == 6 else stride  # the last one before the score keeps the side
        h = leaky_relu(normed(conv2d(h, weight, bias, stride=stride, padding=pad), t.take(4), train), 0.2)
    scores = conv2d(h, *t.take(2), padding=pad)
    with torch.no_grad():
        torch.testing.assert_close(D(b, a), scores)


@pytest.mark.parametrize("patch", [1, 16, 34, 70, 142, 286])
def test_a_score_sees_as_many_pixels_as_it_is_named_for(patch: int) -> None:
    """Rows and columns on which one score in the middle depends, by its gradient."""
    torch.manual_seed(0)
    D = PatchGAN(1, 2, patch, "batch").eval()
    x = torch.randn(1, 1, 320, 320, requires_grad=True)
    scores = D(x)[:, 0]
    assert scores.shape[1] == {1: 320, 16: 158, 34: 78, 70: 38, 142: 18, 286: 8}[patch]
    scores[0, scores.shape[1] // 2, scores.shape[2] // 2].backward()
    seen = x.grad[0, 0] != 0
    assert (int(seen.any(0).sum()), int(seen.any(1).sum())) == (patch, patch)


def test_paper_scores_30_by_30_patches() -> None:
    assert PatchGAN(6, 2, 70, "batch")(torch.zeros(1, 3, 256, 256), torch.zeros(1, 3, 256, 256)).shape == (1, 1, 30, 30)


def test_instance_norm_is_batch_norm_at_a_batch_of_one() -> None:
    one, each = shaken(unet(3, 4, 4, "batch")), unet(3, 4, 4, "instance")
    each.load_state_dict({k: v for k, v in one.state_dict().items() if k in each.state_dict()})
    a = torch.randn(3, 3, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(each(a), torch.cat([one(x[None]) for x in a]))


def test_initial_weights() -> None:
    torch.manual_seed(0)
    for net in networks(image_size=64, levels=6, width=16, d_width=16).values():
        for layer in net.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
                assert layer.weight.std().item() == pytest.approx(0.02, rel=0.1)
                assert layer.bias is None or not layer.bias.any()
            elif isinstance(layer, nn.BatchNorm2d):
                assert abs(layer.weight.mean().item() - 1) < 0.02 and not layer.bias.any()
                assert 0.005 < layer.weight.std() < 0.04


# Sampling


@pytest.fixture
def noisy() -> UNet:
    """Small, but with levels that have dropout."""
    return shaken(unet(3, 4, 7, "batch")).train()


def test_noise_is_exact_in_its_seed_and_no_picture_depends_on_its_neighbours(noisy: UNet) -> None:
    a = torch.randn(3, 3, 128, 128)
    three = noisy.sample(3, seed=5, a=a)
    assert torch.equal(three, noisy.sample(3, seed=5, a=a))
    assert torch.equal(three[:2], noisy.sample(2, seed=5, a=a[:2]))
    assert not torch.equal(three, noisy.sample(3, seed=6, a=a))
    b = torch.cat([a[:1], 1 - a[1:]])
    assert torch.equal(three[:1], noisy.sample(3, seed=5, a=b)[:1])


def test_one_picture_has_many_translations(noisy: UNet) -> None:
    a = torch.randn(3, 128, 128)
    two = noisy.sample(2, seed=0, a=a)
    assert not torch.equal(two[0], two[1])
    same = noisy.sample(2, seed=0, a=a, noise=False)
    assert torch.equal(same[0], same[1]) and torch.equal(same, noisy.sample(2, seed=1, a=a, noise=False))
    with torch.no_grad():
        torch.testing.assert_close(same[:1], noisy.eval()(a[None]))


def test_sampling_takes_the_statistics_of_the_picture_and_leaves_the_running_ones(noisy: UNet) -> None:
    before = {k: v.clone() for k, v in noisy.state_dict().items()}
    first = noisy.sample(1, seed=0, a=torch.ones(3, 128, 128))
    assert all(torch.equal(v, before[k]) for k, v in noisy.state_dict().items())
    for name, t in noisy.state_dict().items():
        if "running" in name:
            t += 1
    assert torch.equal(first, noisy.sample(1, seed=0, a=torch.ones(3, 128, 128)))


def test_pictures_may_be_of_any_multiple(noisy: UNet) -> None:
    assert noisy.sample(1, seed=0, a=torch.zeros(3, 128, 256)).shape == (1, 3, 128, 256)
    with pytest.raises(GanzooError, match="130") as fault:
        noisy.sample(1, seed=0, a=torch.zeros(3, 130, 128))
    assert "\n" not in str(fault.value)
    with pytest.raises(GanzooError, match="missing"):
        noisy.sample(1, seed=0)


@pytest.mark.parametrize(
    ("given", "said"),
    [({"image_size": 100}, "100"), ({"levels": 1}, "levels 1"), ({"patch": 50}, "patch 50"), ({"width": 0}, "image")],
)
def test_what_does_not_fit_is_refused_in_one_line(given: dict[str, int], said: str) -> None:
    with pytest.raises(GanzooError, match=said) as fault:
        networks(**given)  # type: ignore[arg-type]
    assert "\n" not in str(fault.value)


# The game


class Constant(Generator):
    """The same value everywhere."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.inputs, self.output = {"a": Image((1, None, None))}, Images((1, None, None))
        self.value = nn.Parameter(torch.tensor(value))

    def forward(self, a: Tensor) -> Tensor:
        return self.value.expand_as(a)


class Weighted(Discriminator):
    """w_b b + w_a a at every place: which picture is which shows in the score."""

    def __init__(self, of_b: float, of_a: float) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.tensor([of_b, of_a]))

    def forward(self, x: Tensor, *conditions: Tensor) -> Tensor:
        return self.w[0] * x[:, 0] + self.w[1] * conditions[0][:, 0]


def test_losses_in_closed_form() -> None:
    game = Pix2Pix(Constant(0.5), Weighted(2.0, -1.0), lam=100.0)
    batch = {"a": torch.full((4, 1, 2, 2), 0.25), "b": torch.full((4, 1, 2, 2), -1.0)}
    real, fake = 2 * -1.0 - 0.25, 2 * 0.5 - 0.25
    d, g = game.d_loss(batch), game.g_loss(batch)
    assert d["real"].item() == pytest.approx(math.log1p(math.exp(-real)) / 2)
    assert d["fake"].item() == pytest.approx(math.log1p(math.exp(fake)) / 2)
    assert g["adv"].item() == pytest.approx(math.log1p(math.exp(-fake)))
    assert g["l1"].item() == pytest.approx(100 * 1.5)


def test_losses_are_the_published_cross_entropies() -> None:
    game = build(recipe("pix2pix", preset="tiny")).eval()  # without dropout, so that two passes are the same
    a, b = torch.randn(2, 3, 16, 16), torch.randn(2, 3, 16, 16)
    with torch.no_grad():
        real, fake = game.D.main(torch.cat([a, b], 1)), game.D.main(torch.cat([a, game.G(a)], 1))
        d, g = game.d_loss({"a": a, "b": b}), game.g_loss({"a": a, "b": b})
        bce = binary_cross_entropy_with_logits
        expected = (bce(real, torch.ones_like(real)) + bce(fake, torch.zeros_like(fake))) * 0.5
        torch.testing.assert_close(d["real"] + d["fake"], expected)
        torch.testing.assert_close(g["adv"], bce(fake, torch.ones_like(fake)))
        torch.testing.assert_close(g["l1"], 100 * (game.G(a) - b).abs().mean())


def test_paper_trains_as_published() -> None:
    with torch.device("meta"):
        game = build(recipe("pix2pix", preset="paper"))
    (phase,) = game.phases()
    plan = Alternating(batch_size=1).plan([phase])
    assert [step.player.name for step in phase.steps] == ["D", "G"] and plan[0].iterations == 200 * 400
    for player in phase.players:
        rates = [player.schedules["lr"](u) for u in (0.0, 0.5, 0.75, 1.0)]
        assert rates == pytest.approx([1, 1, 0.5, 0])
        options = player.optim([torch.zeros(1)]).defaults
        assert (options["lr"], options["betas"]) == (2e-4, (0.5, 0.999))


def test_g_learns_a_translation_that_pairs_show() -> None:
    """b is the negative of a, in blocks of 4x4 pixels."""
    game = build(recipe("pix2pix", preset="tiny", given={"lr": 2e-3}))

    def feed(*, start: int, batch_size: int, **_: object) -> Iterator[dict[str, Tensor]]:
        while True:
            a = torch.rand(batch_size, 3, 4, 4).repeat_interleave(4, 2).repeat_interleave(4, 3) * 2 - 1
            yield {"a": a, "b": -a}

    first, *_, last = Alternating(batch_size=8, images=1600).run(game, feed)
    assert last.losses["G/l1"] < 0.6 * first.losses["G/l1"]
