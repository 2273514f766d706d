"""SPADE: published size, the norm by hand and on a map of one label, the game by hand, what a map does to a picture."""

from __future__ import annotations

import pytest
import torch
from ganzoo_pix2pixhd.maps import encoded
from ganzoo_pix2pixhd.objective import feature_matching
from ganzoo_pix2pixhd.spade_networks import Block, Denorm
from torch import Tensor, nn
from torch.nn.functional import batch_norm, conv2d

import ganzoo_core as gz
from ganzoo_core.errors import GanzooError


def count(net: nn.Module) -> int:
    return sum(w.numel() for w in net.parameters())


def batch(n: int = 4, side: int = 16) -> dict[str, Tensor]:
    rng = torch.Generator().manual_seed(0)
    labels = torch.randint(3, (n, side, side), generator=rng)
    return {"map": encoded(labels, labels, 3), "b": torch.rand(n, 3, side, side, generator=rng) * 2 - 1}


def test_g_has_the_size_that_is_published_of_it() -> None:
    """93.0 M on Cityscapes' 35 labels and the edges of instances, as GAN Compression (Li et al. 2020) has it."""
    with torch.device("meta"):
        game = gz.create("spade", preset="paper", percep=0.0)
    assert round(count(game.G) / 1e6, 1) == 93.0


def test_one_label_everywhere_is_batch_norm_with_a_scale_and_a_shift() -> None:
    """Two pixels from the border on, where no convolution sees beyond it."""
    torch.manual_seed(0)
    norm, h = Denorm(3, 4, 8), 5 * torch.randn(6, 3, 9, 9) + 2
    one = torch.zeros(6, 4, 9, 9)
    one[:, 1] = 1
    with torch.no_grad():
        out = norm(h, one)[:, :, 2:-2, 2:-2]
        seen = (norm.shared.weight.sum((2, 3))[:, 1] + norm.shared.bias).relu()
        gamma, beta = (conv.weight.sum((2, 3)) @ seen + conv.bias for conv in (norm.gamma, norm.beta))
        expected = batch_norm(h, None, None, 1 + gamma, beta, training=True)[:, :, 2:-2, 2:-2]
    torch.testing.assert_close(out, expected, atol=1e-5, rtol=1e-4)


def test_labels_scale_their_own_places() -> None:
    """A map of two halves: each has the scale that it would have alone, and so a plain h becomes an image of it."""
    torch.manual_seed(0)
    norm, h = Denorm(2, 2, 8).eval(), torch.ones(1, 2, 8, 16)
    map = torch.zeros(1, 2, 8, 16)
    map[:, 0, :, :8], map[:, 1, :, 8:] = 1, 1
    with torch.no_grad():
        out = norm(h, map)
        left, right = (norm(h, map[:, :, :, half].repeat(1, 1, 1, 2)) for half in (slice(0, 8), slice(8, 16)))
    torch.testing.assert_close(out[..., 2:-2, 2:6], left[..., 2:-2, 2:6])
    torch.testing.assert_close(out[..., 2:-2, 10:14], right[..., 2:-2, 10:14])
    assert (out[..., 4, 3] - out[..., 4, 12]).abs().max() > 1e-3


def test_a_block_whose_width_stays_has_no_shortcut() -> None:
    assert Block(4, 4, 2, 3).conv_s is None and Block(4, 2, 2, 3).conv_s is not None
    block, h, map = Block(4, 4, 2, 3).eval(), torch.randn(1, 4, 4, 4), torch.zeros(1, 2, 4, 4)
    with torch.no_grad():
        for w in (block.norm_1.gamma.weight, block.norm_1.beta.weight, block.norm_1.beta.bias, block.conv_1.bias):
            w.zero_()
        block.norm_1.gamma.bias.fill_(-1)  # nothing is left behind the second norm
        torch.testing.assert_close(block(h, map), h)


def test_spectral_norm_is_one_after_some_steps() -> None:
    D = gz.create("spade", preset="tiny").D
    conv = D.scales[0][1][0]
    for _ in range(50):
        conv(torch.zeros(1, 4, 8, 8))
    assert torch.linalg.matrix_norm(conv.weight.flatten(1), 2).item() == pytest.approx(1, abs=1e-2)
    assert conv.bias is None and len(D.scales) == 2


def test_the_game_by_hand() -> None:
    game, given = gz.create("spade", preset="tiny", fm=2.0).eval(), batch()
    map, b = given["map"], given["b"]
    with torch.no_grad():
        fake = game.G(map)
        found, wanted = game.D.maps(fake, map), game.D.maps(b, map)
        g, d = game.g_loss(given), game.d_loss(given)
    scores, real = [m[-1] for m in found], [m[-1] for m in wanted]
    assert len(scores) == 2 and fake.shape == (4, 3, 16, 16)
    assert g["adv"].item() == pytest.approx(-sum(s.mean().item() for s in scores) / 2, abs=1e-6)
    assert g["fm"].item() == pytest.approx(2 * feature_matching(found, wanted).item(), rel=1e-5)
    assert d["real"].item() == pytest.approx(sum((1 - s).relu().mean().item() for s in real) / 2, rel=1e-5)
    assert d["fake"].item() == pytest.approx(sum((1 + s).relu().mean().item() for s in scores) / 2, rel=1e-5)
    (phase,) = game.phases()
    assert [step.player.optim([torch.zeros(1)]).defaults["lr"] for step in phase.steps] == [1e-4, 4e-4]


def test_the_first_map_is_every_so_manieth_pixel() -> None:
    G, map = gz.create("spade", preset="tiny").G, batch(1)["map"]
    seen: list[Tensor] = []
    G.first.register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    G(map)
    assert torch.equal(seen[0], map[:, :, ::4, ::4])
    assert conv2d(seen[0], G.first.weight, G.first.bias, padding=1).shape == (1, 8, 4, 4)


def test_what_cannot_be_is_refused_in_a_line() -> None:
    for given, said in (({"image_size": 18}, "not a multiple of 4"), ({"widths": ()}, "no widths")):
        with pytest.raises(GanzooError, match=said):
            gz.create("spade", preset="tiny", **given)
    with pytest.raises(GanzooError, match="spade: Augmented does not show"):
        gz.create("spade", preset="tiny", augment="ada")


@pytest.mark.slow
def test_labels_get_their_colours() -> None:
    """Black, gray and white: what a map of three labels stands for is learnt."""
    torch.manual_seed(0)
    game, given = gz.create("spade", preset="tiny", g_lr=2e-3, d_lr=2e-3, images=3_200), batch()
    colours = given["map"][:, :3].argmax(1)[:, None].expand(-1, 3, -1, -1) - 1.0
    blocks = {"map": given["map"], "b": 0.8 * colours}
    before = (game.G(blocks["map"]) - blocks["b"]).abs().mean().item()
    list(gz.train(game, data=lambda **_: iter([blocks] * 900), batch_size=4, device="cpu"))
    after = (game.G.sample(4, seed=0, map=blocks["map"]) - blocks["b"]).abs().mean().item()
    assert after < before / 2
