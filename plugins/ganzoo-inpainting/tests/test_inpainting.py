"""Holes anywhere: published counts, gates and attention on planted cases, both games by hand, holes as they are cut."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from ganzoo_inpainting.attention import ContextualAttention, turned
from ganzoo_inpainting.deepfill_networks import Gated, Up
from ganzoo_inpainting.glcic import middle, part, squares
from ganzoo_inpainting.holes import Boxes, FreeForms
from torch import Tensor, nn
from torch.nn.functional import elu, softplus

import ganzoo_core as gz
from ganzoo_core.data import DATASETS, open_dataset
from ganzoo_core.errors import GanzooError
from ganzoo_core.registry.plugins import registry

SETS = {entry.name: entry for entry in DATASETS}


def count(net: nn.Module) -> int:
    return sum(w.numel() for w in net.parameters())


def batch(n: int = 4, side: int = 16) -> dict[str, Tensor]:
    x = torch.rand(n, 3, side, side, generator=torch.Generator().manual_seed(0)) * 2 - 1
    mask = torch.zeros(n, 1, side, side)
    mask[:, :, 3:9, 6:12] = 1
    return {"x": x, "mask": mask}


@pytest.mark.parametrize(
    ("family", "of_g", "of_d"), [("glcic", 6_072_131, 45_063_681), ("deepfill", 4_052_478, 5_946_816)]
)
def test_presets_have_the_published_counts(family: str, of_g: int, of_d: int) -> None:
    with torch.device("meta"):
        game = gz.create(family, preset="paper")
    assert (count(game.G), count(game.D)) == (of_g, of_d)


@pytest.mark.parametrize("family", ["glcic", "deepfill"])
def test_only_the_hole_is_drawn_and_nothing_of_it_is_seen(family: str) -> None:
    G, given = gz.create(family, preset="tiny").G.eval(), batch()
    x, mask = given["x"], given["mask"]
    out = G.sample(4, seed=0, x=x, mask=mask)
    assert torch.equal(out * (1 - mask), x * (1 - mask)) and not torch.equal(out, x)
    assert torch.equal(G.sample(4, seed=1, x=torch.where(mask > 0, torch.rand_like(x), x), mask=mask), out)
    alone = G.sample(4, seed=0, x=x)  # the hole is the middle half
    assert torch.equal(alone[..., :4, :], x[..., :4, :]) and not torch.equal(alone[..., 4:12, 4:12], x[..., 4:12, 4:12])


# GLCIC


def test_squares_are_of_holes_alone_and_of_pixels_from_0_to_1() -> None:
    x, mask = torch.zeros(2, 3, 4, 4), torch.zeros(2, 1, 4, 4)
    mask[0, :, 0] = 1
    drawn = torch.full_like(x, 0.5)
    drawn[:, :, 1:] = 100.0  # outside, whatever it is
    assert squares(drawn, x, mask).item() == pytest.approx(0.25**2)
    assert squares(drawn, x, 0 * mask).item() == 0


def test_a_part_is_around_the_middle_of_the_hole_and_inside_the_picture() -> None:
    mask = torch.zeros(3, 1, 16, 16)
    mask[0, :, 4:8, 6:12], mask[1, :, 0:2, 14:16], mask[2, :, 12, 3] = 1, 1, 1
    rows, columns = middle(mask)
    assert rows.tolist() == [6, 1, 12.5] and columns.tolist() == [9, 15, 3.5]
    x = torch.arange(256.0).view(1, 1, 16, 16).expand(3, 1, 16, 16)
    cut = part(x, rows, columns, 8)
    assert torch.equal(cut[0], x[0, :, 2:10, 5:13]) and torch.equal(cut[1], x[1, :, :8, 8:])
    assert torch.equal(cut[2], x[2, :, 8:, :8])


def test_the_hole_is_shown_in_the_colour_of_the_data() -> None:
    game, given = gz.create("glcic", preset="tiny"), batch()
    game.prepare(given)
    torch.testing.assert_close(game.G.fill, (given["x"].mean((0, 2, 3)) + 1) / 2)
    seen: list[Tensor] = []
    game.G.main.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    game.G(given["x"], given["mask"])
    assert torch.equal(seen[0][0, :3, 5, 8], game.G.fill) and torch.equal(seen[0][:, 3:], given["mask"])
    torch.testing.assert_close(seen[0][0, :3, 0, 0], (given["x"][0, :, 0, 0] + 1) / 2)


def test_glcic_by_hand() -> None:
    game, given = gz.create("glcic", preset="tiny", alpha=0.5).eval(), batch()
    x, mask = given["x"], given["mask"]
    with torch.no_grad():
        fake = game.G(x, mask)
        score = game.D(fake, fake[:, :, 2:10, 5:13])
        torch.manual_seed(3)
        g, d, c = game.g_loss(given), game.d_loss(given), game.c_loss(given)
        hole = ((fake - x) / 2).square().sum() / (4 * 36 * 3)
    assert g["adv"].item() == pytest.approx(0.5 * softplus(-score).mean().item(), rel=1e-5)
    assert g["rec"].item() == c["rec"].item() == pytest.approx(hole.item(), rel=1e-5)
    assert d["fake"].item() == pytest.approx(softplus(score).mean().item(), rel=1e-5)
    assert [(phase.name, [s.player.name for s in phase.steps]) for phase in game.phases()] == [
        ("complete", ["G"]), ("judge", ["D"]), ("main", ["D", "G"]),
    ]  # fmt: skip


def test_dilations_see_far() -> None:
    """A pixel of the picture reaches what is drawn 60 px away, which 3x3 convolutions alone would not."""
    G = gz.create("glcic", preset="tiny", image_size=128, local=64).G.eval()
    for w in G.parameters():
        w.data.abs_()  # no ReLU is silent
    seen = torch.rand(1, 4, 128, 128, requires_grad=True)
    G.main[:-1](seen)[0, :, 64, 64].sum().backward()
    assert seen.grad is not None
    assert (seen.grad[0].abs().sum(0).nonzero() - 64).abs().max() > 60


# DeepFill v2


@pytest.mark.parametrize("kind", [Gated, Up])
def test_with_its_gate_open_it_is_a_convolution_and_closed_nothing(kind: type[Gated]) -> None:
    torch.manual_seed(0)
    layer, h = kind(3, 5), torch.randn(2, 3, 6, 6)
    with torch.no_grad():
        layer.conv.weight[5:] = 0
        layer.conv.bias[5:] = 30.0
        large = h.repeat_interleave(2, 2).repeat_interleave(2, 3) if kind is Up else h
        plain = torch.conv2d(large, layer.conv.weight[:5], layer.conv.bias[:5], padding=1)
        torch.testing.assert_close(layer(h), elu(plain))
        layer.conv.bias[5:] = 0.0
        torch.testing.assert_close(layer(h), elu(plain) / 2)
        layer.conv.bias[5:] = -100.0
        assert layer(h).abs().max() < 1e-20


def test_attention_copies_what_comes_again() -> None:
    """A texture of period 8: what is in the hole is found elsewhere, once for every period, and put there exactly."""
    tile = 6 * torch.randn(1, 8, 8, 8, generator=torch.Generator().manual_seed(0))
    f = tile.repeat(1, 1, 4, 4)
    mask = torch.zeros(1, 1, 32, 32)
    mask[..., 10:20, 12:18] = 1
    out = ContextualAttention()(f, mask)
    inner = (slice(None), slice(None), slice(3, -3), slice(3, -3))  # at the border a place has fewer than four patches
    torch.testing.assert_close(out[inner], f[inner], atol=1e-3, rtol=1e-3)


def test_attention_takes_nothing_out_of_the_hole() -> None:
    rng = torch.Generator().manual_seed(0)
    f, mask = torch.randn(1, 4, 16, 16, generator=rng), torch.zeros(1, 1, 16, 16)
    mask[..., 4:12, 4:12] = 1
    shares = ContextualAttention().known(mask)[0, :, 0].view(8, 8)
    assert shares[2:6, 2:6].sum() == 0 and shares.sum() == 64 - 36  # nor out of patches that touch it
    assert not ContextualAttention()(f, torch.ones_like(mask)).any()


def test_scores_are_summed_along_both_diagonals() -> None:
    """One score of patch (1, 2) for place (2, 1) spreads to those of their neighbours that are moved alike."""
    attention, scores, by = ContextualAttention(), torch.zeros(1, 16, 16), (-1, 0, 1)
    scores[0, 1 * 4 + 2, 2 * 4 + 1] = 1.0
    found = attention.fused(scores, (4, 4))[0].view(4, 4, 4, 4)
    assert {tuple(at) for at in found.nonzero().tolist()} == {(1 + i, 2 + j, 2 + i, 1 + j) for i in by for j in by}
    assert found.sum() == 9
    wide = torch.rand(1, 12, 12)
    assert torch.equal(turned(turned(wide, (3, 4), 1), (4, 3), 1), wide)


def test_deepfill_by_hand() -> None:
    game, given = gz.create("deepfill", preset="tiny", l1=3.0).eval(), batch()
    x, mask = given["x"], given["mask"]
    with torch.no_grad():
        coarse, fine = game.G.both(x, mask)
        fake = torch.where(mask > 0, fine, x)
        g, d = game.g_loss(given), game.d_loss(given)
        score, real = game.D(fake, mask), game.D(x, mask)
    assert score.shape == (4, 8, 4, 4)
    assert g["coarse"].item() == pytest.approx(3 * (coarse - x).abs().mean().item(), rel=1e-5)
    assert g["fine"].item() == pytest.approx(3 * (fine - x).abs().mean().item(), rel=1e-5)
    assert g["adv"].item() == pytest.approx(-score.mean().item(), abs=1e-6)
    assert d["real"].item() == pytest.approx((1 - real).relu().mean().item(), rel=1e-5)
    assert d["fake"].item() == pytest.approx((1 + score).relu().mean().item(), rel=1e-5)


# Holes


def test_boxes_are_whole_and_anywhere() -> None:
    holes = Boxes(open_dataset("shapes", image_size=32, datasets=SETS))
    masks = holes.fetch(range(20))["mask"]
    assert torch.equal(masks, holes.fetch(range(20))["mask"]) and len(masks.unique(dim=0)) > 15
    for mask in masks[:, 0]:
        tall, wide = mask.any(1).sum().item(), mask.any(0).sum().item()
        assert 12 <= tall <= 16 and 12 <= wide <= 16 and mask.sum() == tall * wide
    assert len({middle(mask[None])[0].item() for mask in masks}) > 8


def test_free_forms_are_strokes() -> None:
    holes = FreeForms(open_dataset("shapes", image_size=64, datasets=SETS))
    masks = holes.fetch_augmented(range(30), range(100, 130))["mask"]
    assert holes.info.name == "free_form:shapes" and holes.info.keys >= {"x", "mask"}
    assert set(masks.unique().tolist()) == {0.0, 1.0} and len(masks.unique(dim=0)) == 30
    covered = masks.mean((1, 2, 3))
    assert covered.min() > 0.02 and covered.max() < 0.8 and 0.1 < covered.mean() < 0.5


def test_views_are_known_by_name() -> None:
    assert {"boxes", "free_form"} <= set(registry().views)


@pytest.mark.parametrize(
    ("family", "given"),
    [("glcic", {"image_size": 24}), ("glcic", {"local": 32}), ("glcic", {"local": 4}), ("deepfill", {"image_size": 20}),
     ("deepfill", {"width": 2})],
)  # fmt: skip
def test_sizes_that_cannot_be_are_refused_in_a_line(family: str, given: dict[str, int]) -> None:
    with pytest.raises(GanzooError) as refused:
        gz.create(family, preset="tiny", **given)
    assert "\n" not in str(refused.value)


def test_a_filled_picture_is_saved(tmp_path: Path) -> None:
    G, given = gz.create("deepfill", preset="tiny").G, batch(1)
    G.output.save(G.sample(1, seed=0, **given), tmp_path / "filled.png")
    assert G.output.open(tmp_path / "filled.png").shape == (1, 3, 16, 16)


@pytest.mark.slow
@pytest.mark.parametrize("family", ["glcic", "deepfill"])
def test_a_hole_is_filled_in_the_colour_around_it(family: str) -> None:
    """Pictures of one colour each: what is around the hole tells all."""
    torch.manual_seed(0)
    given = {
        "glcic": {"width": 8, "images_c": 8_000, "images_d": 160, "images": 480},
        "deepfill": {"width": 16, "lr": 3e-3, "l1": 10.0, "images": 4_000},
    }[family]
    game = gz.create(family, preset="tiny", **given)

    def feed(**_: object):  # type: ignore[no-untyped-def]
        while True:
            yield {"x": (2 * torch.rand(16, 3, 1, 1) - 1).expand(16, 3, 16, 16), "mask": batch(16)["mask"]}

    list(gz.train(game, data=feed, batch_size=16, device="cpu"))
    shown = next(feed())
    x, hole = shown["x"], shown["mask"].expand(-1, 3, -1, -1) > 0
    filled = game.G.sample(16, seed=0, **shown)
    assert (filled - x)[hole].abs().mean() < x[hole].abs().mean() / 2
