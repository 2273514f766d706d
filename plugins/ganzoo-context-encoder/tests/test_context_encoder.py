"""Context encoders: equality with the published networks, what is hidden, and what an error costs."""

from __future__ import annotations

import math

import pytest
import torch
from ganzoo_context_encoder.networks import centre, networks
from ganzoo_context_encoder.objective import ContextEncoderGAN
from torch import Tensor, nn
from torch.nn.functional import batch_norm, conv2d, conv_transpose2d, leaky_relu

import ganzoo_core as gz
from ganzoo_core.errors import GanzooError
from ganzoo_core.objectives import Objective
from ganzoo_core.registry.recipes import build, recipe
from ganzoo_core.testing.synthetic import synthetic

# Parameters and float buffers of the reference networks (128 px in, 64 px out), in their order.
ENCODER = [
    (64, 3, 4, 4),
    (64, 64, 4, 4), *[(64,)] * 4,
    (128, 64, 4, 4), *[(128,)] * 4,
    (256, 128, 4, 4), *[(256,)] * 4,
    (512, 256, 4, 4), *[(512,)] * 4,
]  # fmt: skip
DECODER = [
    *[(512,)] * 4,
    (512, 256, 4, 4), *[(256,)] * 4,
    (256, 128, 4, 4), *[(128,)] * 4,
    (128, 64, 4, 4), *[(64,)] * 4,
    (64, 3, 4, 4),
]  # fmt: skip
D_SHAPES = [(64, 3, 4, 4), *ENCODER[6:], (1, 512, 4, 4)]


def tensors(net: nn.Module) -> list[Tensor]:
    return [t for t in net.state_dict().values() if t.is_floating_point()]


def shapes(net: nn.Module) -> list[tuple[int, ...]]:
    return [tuple(t.shape) for t in tensors(net)]


def count(net: nn.Module) -> int:
    return sum(w.numel() for w in net.parameters())


@pytest.mark.parametrize(("bottleneck", "parameters"), [(4000, 71_124_544), (100, 7_219_144)])
def test_paper_has_the_published_tensors(bottleneck: int, parameters: int) -> None:
    with torch.device("meta"):
        game = build(recipe("context_encoder", preset="paper", given={"bottleneck": bottleneck}))
    middle = [(bottleneck, 512, 4, 4), *[(bottleneck,)] * 4, (bottleneck, 512, 4, 4)]
    assert shapes(game.G) == [*ENCODER, *middle, *DECODER]
    assert shapes(game.D) == D_SHAPES
    assert (count(game.G), count(game.D)) == (parameters, 2_765_568)


def test_for_random_regions_decoder_and_discriminator_have_a_stage_more() -> None:
    with torch.device("meta"):
        game = build(recipe("context_encoder", preset="paper_regions"))
    assert shapes(game.G)[-6:] == [(64, 64, 4, 4), *[(64,)] * 4, (64, 3, 4, 4)]
    assert shapes(game.D) == [*ENCODER, (1, 512, 4, 4)]
    assert game.G(torch.empty(2, 3, 128, 128, device="meta")).shape == (2, 3, 128, 128)


def published(net: nn.Module, x: Tensor) -> Tensor:
    """The published forward pass in evaluation mode, up to tanh and sigmoid, from a bare list of tensors."""
    t, decoding = tensors(net), False
    while t:
        weight = t.pop(0)
        whole = x.shape[-1] == (1 if decoding else 4)  # where 1x1 meets 4x4
        x = (conv_transpose2d if decoding else conv2d)(x, weight, stride=1 if whole else 2, padding=0 if whole else 1)
        if t and t[0].ndim == 1:
            gamma, beta, mean, var = (t.pop(0) for _ in range(4))
            x = batch_norm(x, mean, var, gamma, beta)
        if t:
            x = x.relu() if decoding else leaky_relu(x, 0.2)
        decoding = decoding or x.shape[-1] == 1
    return x


@pytest.mark.parametrize("draws", ["centre", "all"])
@pytest.mark.parametrize("image_size", [16, 32, 64, 128])
def test_forward_is_the_published_one(image_size: int, draws: str) -> None:
    torch.manual_seed(0)
    nets = networks(image_size=image_size, width=4, d_width=4, bottleneck=8, draws=draws)  # type: ignore[arg-type]
    for w in [*nets["G"].parameters(), *nets["D"].parameters()]:
        w.data += 0.05 * torch.randn_like(w)
    side = image_size if draws == "all" else image_size // 2
    x, y = torch.randn(4, 3, image_size, image_size), torch.randn(4, 3, side, side)
    with torch.no_grad():
        nets["G"](x), nets["D"](y)  # moves the running statistics off 0 and 1
        G, D = nets["G"].eval(), nets["D"].eval()
        assert G(x).shape == y.shape
        torch.testing.assert_close(G(x), published(G, x).tanh())
        torch.testing.assert_close(D(y), published(D, y).flatten())
        torch.testing.assert_close(D.main[-1](D.features(y).reshape(4, -1, 4, 4)).flatten(), D(y))


@pytest.mark.parametrize("image_size", [0, 8, 48, 256])
def test_other_sizes_are_refused_in_one_line(image_size: int) -> None:
    with pytest.raises(GanzooError) as fault:
        networks(image_size=image_size)
    assert "\n" not in str(fault.value)


def test_a_colour_with_another_number_of_channels_is_refused() -> None:
    with pytest.raises(GanzooError, match="fill"):
        networks(image_size=16, channels=1)


# What is hidden


def pair(draws: str = "centre") -> tuple[nn.Module, Tensor]:
    torch.manual_seed(0)
    nets = networks(image_size=16, width=4, d_width=4, bottleneck=8, draws=draws)  # type: ignore[arg-type]
    return nets["G"], 2 * torch.rand(3, 3, 16, 16) - 1


def test_the_hole_has_the_mean_colour_and_the_rest_is_untouched() -> None:
    G, x = pair()
    masked = G.masked(x, centre(16).expand(3, -1, -1, -1))
    for channel, colour in enumerate((117, 104, 123)):
        assert masked[:, channel, 4:12, 4:12].allclose(torch.tensor(2 * colour / 255 - 1))
    outside = centre(16)[0] < 0.5
    assert torch.equal(masked[:, :, outside], x[:, :, outside])


@pytest.mark.parametrize("draws", ["centre", "all"])
def test_samples_are_the_pictures_with_the_hole_filled_in(draws: str) -> None:
    G, x = pair(draws)
    mask = centre(16)
    out = G.sample(3, seed=0, x=x, mask=mask)
    outside = mask[0] < 0.5
    assert torch.equal(out[:, :, outside], x[:, :, outside])
    with torch.no_grad():
        drawn = G.eval()(G.masked(x, mask.expand(3, -1, -1, -1)))
    drawn = drawn if draws == "centre" else drawn[:, :, 4:12, 4:12]
    torch.testing.assert_close(out[:, :, 4:12, 4:12], drawn)
    assert torch.equal(G.sample(3, seed=5, x=x), out)  # the centre is what is meant where no mask is given
    assert torch.equal(G.sample(1, seed=0, x=x[:1], mask=mask), out[:1])


def test_no_pixel_of_the_hole_is_looked_at() -> None:
    G, x = pair()
    other = torch.where(centre(16) > 0.5, -x, x)
    assert torch.equal(G.sample(3, seed=0, x=x), G.sample(3, seed=0, x=other))


def test_holes_beyond_what_is_drawn_are_refused_in_one_line() -> None:
    corner = torch.zeros(1, 16, 16)
    corner[:, :6, :6] = 1
    G, x = pair()
    with pytest.raises(GanzooError, match="beyond the central 8x8") as fault:
        G.sample(3, seed=0, x=x, mask=corner)
    assert "\n" not in str(fault.value)
    with pytest.raises(GanzooError, match="8x8 px, and this model takes 16x16"):
        G.sample(3, seed=0, x=x, mask=torch.zeros(1, 8, 8))
    G, x = pair("all")
    assert torch.equal(G.sample(3, seed=0, x=x, mask=corner)[:, :, 6:], x[:, :, 6:])


# The game


def game_on_meta(preset: str) -> Objective:
    with torch.device("meta"):
        return build(recipe("context_encoder", preset=preset))


class Grey(nn.Module):
    """In place of G: the centre in one tone, and what it was shown."""

    def __init__(self, tone: float) -> None:
        super().__init__()
        self.tone = nn.Parameter(torch.tensor(tone))
        self.seen = torch.empty(0)
        self.real = networks(image_size=32, width=4, bottleneck=8)["G"]
        self.masked, self.window = self.real.masked, self.real.window

    def forward(self, masked: Tensor) -> Tensor:
        self.seen = masked
        return self.tone.expand(len(masked), 3, 16, 16)


class Mean(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return 8 * x.mean((1, 2, 3))


def game(overlap: int = 4) -> ContextEncoderGAN:
    return ContextEncoderGAN(Grey(0.25), Mean(), overlap=overlap)  # type: ignore[arg-type]


BATCH = {"x": torch.full((2, 3, 32, 32), 0.75), "mask": centre(32).expand(2, 1, 32, 32)}


def test_the_border_of_4_pixels_is_shown_and_counts_ten_times() -> None:
    played = game()
    hole, weights = played.hole(BATCH["mask"]), played.weights(BATCH["mask"])
    expected = torch.zeros(32, 32)
    expected[8:24, 8:24] = 10  # the 16x16 that are drawn
    expected[12:20, 12:20] = 1  # of which 8x8 are hidden
    assert torch.equal(weights[0, 0], expected)
    assert torch.equal(hole[0, 0], (expected == 1).float())
    played.g_loss(BATCH)
    shown = played.G.seen[0, 0] == 0.75
    assert torch.equal(shown, expected != 1)


def test_losses_in_closed_form() -> None:
    """An error of 1/2 everywhere on 8x8 hidden and 16x16 - 8x8 shown pixels of 16x16."""
    terms = game().g_loss(BATCH)
    assert terms["rec"].item() == pytest.approx(0.999 * 0.25 * (64 + 10 * 192) / 256)  # Eqs. 1 and 3
    assert terms["adv"].item() == pytest.approx(0.001 * math.log(1 + math.exp(-2)))
    terms = game().d_loss(BATCH)
    assert terms["real"].item() == pytest.approx(math.log(1 + math.exp(-6)))  # Eq. 2
    assert terms["fake"].item() == pytest.approx(math.log(1 + math.exp(2)))


def test_without_overlap_all_of_the_mask_is_hidden_and_counts_alike() -> None:
    played = game(overlap=0)
    assert torch.equal(played.hole(BATCH["mask"]), BATCH["mask"])
    assert torch.equal(played.weights(BATCH["mask"]), BATCH["mask"])
    assert played.g_loss(BATCH)["rec"].item() == pytest.approx(0.999 * 0.25)


def test_the_power_of_the_error() -> None:
    played = game(overlap=0)
    played.power = 1.0
    assert played.g_loss(BATCH)["rec"].item() == pytest.approx(0.999 * 0.5)


def test_of_random_regions_nothing_outside_the_mask_is_compared() -> None:
    made = recipe("context_encoder", preset="tiny", given={"draws": "all", "overlap": 1, "jitter": 0})
    played = build(made)
    batch = next(synthetic(played.needs, made.args)(start=0, batch_size=4))
    corner = torch.zeros(4, 1, 16, 16)
    corner[:, :, :6, :6] = 1
    torch.manual_seed(0)
    rec = played.g_loss({**batch, "mask": corner})["rec"]
    fake = played.drawn(batch["x"], corner)
    error = (fake - batch["x"]).square()
    hidden, shown = error[:, :, :5, :5].sum(), error[:, :, :6, :6].sum() - error[:, :, :5, :5].sum()  # the edges of
    assert rec.item() == pytest.approx(0.999 * (hidden + 10 * shown).item() / error.numel())  # the picture show nothing


def test_pictures_are_moved_and_mirrored() -> None:
    """Each by a way of its own, up to two pixels; pixels that come in are those of the edge."""
    torch.manual_seed(0)
    x = torch.arange(64.0).reshape(1, 1, 8, 8).expand(400, 2, 8, 8)
    shifted = {}
    padded = torch.nn.functional.pad(x[:1, :1], (2,) * 4, mode="replicate")[0, 0]
    for down in range(5):
        for right in range(5):
            part = padded[down : down + 8, right : right + 8]
            shifted |= {(down, right, False): part, (down, right, True): part.flip(1)}
    found = []
    for picture in ContextEncoderGAN(Grey(0.0), Mean(), jitter=2).jittered(x):  # type: ignore[arg-type]
        assert torch.equal(picture[0], picture[1])
        found += [how for how, part in shifted.items() if torch.equal(part, picture[0])]
    assert len(found) == 400 and set(found) == set(shifted)
    assert game().jittered(x) is x


def test_the_generator_is_ten_times_as_fast() -> None:
    D, G = game_on_meta("paper").phases()[0].players
    rates = [player.optim(player.parameters()).defaults["lr"] for player in (D, G)]
    assert rates == pytest.approx([2e-4, 2e-3])
    assert [player.schedules["lr"](u) for player in (D, G) for u in (0.0, 1.0)] == [1.0] * 4


def test_steps_may_fall_to_zero() -> None:
    D, G = game_on_meta("emoji").phases()[0].players
    assert [player.schedules["lr"](u) for player in (D, G) for u in (0.0, 0.5, 1.0)] == [1.0, 0.5, 0.0] * 2


@pytest.mark.slow
def test_it_learns_to_draw_what_surrounds_the_hole() -> None:
    """Pictures of one colour each: the hole has it, too."""
    colours = 2 * torch.rand(64, 3, 1, 1, generator=torch.Generator().manual_seed(0)) - 1
    x, mask = colours.expand(64, 3, 16, 16), centre(16).expand(64, 1, 16, 16)
    played = build(recipe("context_encoder", preset="tiny", given={"images": 9_600}))
    for _ in gz.train(played, data=[{"x": x, "mask": mask}], batch_size=32, device="cpu", precision="fp32"):
        pass
    error = (played.G.sample(64, seed=0, x=x, mask=mask) - x)[:, :, 4:12, 4:12].square().mean()
    assert error < 0.1 * colours.var()


def test_pictures_for_the_progress_grid() -> None:
    made = recipe("context_encoder", preset="tiny")
    played = build(made)
    batch = next(synthetic(played.needs, made.args)(start=0, batch_size=3))
    pictures = played.sample(batch)
    assert list(pictures) == ["masked", "G", "x"]
    assert {p.shape for p in pictures.values()} == {(3, 3, 16, 16)}
