"""The U-Net GAN family: the discriminator from bare layers, CutMix's masks, and every loss in closed form."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from ganzoo_unetgan.cutmix import masks, mix, within
from ganzoo_unetgan.networks import UNet
from ganzoo_unetgan.objective import inconsistency, mixed_loss
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, conv2d, interpolate, linear

from ganzoo_core.errors import GanzooError
from ganzoo_core.objectives import Objective, hinge
from ganzoo_core.registry.recipes import build, recipe
from ganzoo_core.testing.synthetic import synthetic
from ganzoo_core.training.trainer import Alternating


def small(**given: object) -> Objective:
    return build(recipe("unet_gan", preset="tiny", given=given))


# The discriminator


def of_d(widths: tuple[int, ...], channels: int, classes: int) -> int:
    """Two 3x3 and a 1x1 convolution in every block, with biases; the head, and the score of a pixel."""

    def block(f: int, f_next: int) -> int:
        return 9 * f * f_next + 9 * f_next**2 + f * f_next + 3 * f_next

    down = [block(f, g) for f, g in zip([channels, *widths], widths, strict=False)]
    into = [*(2 * f for f in widths[:-1]), widths[-1]]
    up = [block(f, g) for f, g in zip(into, [widths[0], *widths[:-1]], strict=True)]
    return sum(down) + sum(up) + (classes + 1) * widths[-1] + 1 + widths[0] + 1


@pytest.mark.parametrize("preset", ["small", "fashion", "pictures", "tiny"])
def test_sizes_follow_from_the_widths(preset: str) -> None:
    made = recipe("unet_gan", preset=preset)
    with torch.device("meta"):
        game = build(made)
    args = made.args
    found = sum(w.numel() for w in game.D.parameters())
    assert found == of_d(args["d_widths"], args["channels"], args["classes"])


def bare(layer: nn.Module, h: Tensor, padding: int = 0) -> Tensor:
    return conv2d(h, layer.weight, layer.bias, padding=padding)


@pytest.mark.parametrize("classes", [0, 3])
def test_forward_goes_down_and_up_again(classes: int) -> None:
    torch.manual_seed(0)
    net = small(d_widths=(4, 6, 8), classes=classes).D
    for w in net.parameters():
        w.data += 0.1 * torch.randn_like(w)
    net.eval()
    x, y = torch.randn(2, 1, 16, 16), [torch.tensor([2, 0])] if classes else []
    a, b, c = net.down
    m1 = avg_pool2d(bare(a.conv2, bare(a.conv1, x, 1).relu(), 1), 2) + bare(a.shortcut, avg_pool2d(x, 2))
    maps = [m1]
    for block in (b, c):
        h = maps[-1]
        inner = bare(block.conv2, bare(block.conv1, h.relu(), 1).relu(), 1)
        maps.append(avg_pool2d(inner + bare(block.shortcut, h), 2))
    f = maps[-1].relu().sum((2, 3))
    head = net.head.linear if classes else net.head
    whole = linear(f, head.weight, head.bias)[:, 0] + sum((net.head.embed.weight[label] * f).sum(1) for label in y)

    def up(block: nn.Module, h: Tensor) -> Tensor:
        large = interpolate(h.relu(), scale_factor=2)
        return bare(block.conv2, bare(block.conv1, large, 1).relu(), 1) + interpolate(
            bare(block.shortcut, h), scale_factor=2
        )

    u1, u2, u3 = net.up  # to 16, to 8, to 4
    h = torch.cat([up(u3, maps[2]), maps[1]], 1)
    h = torch.cat([up(u2, h), maps[0]], 1)
    pixels = bare(net.pixel, up(u1, h).relu())
    scores = net(x, *y)
    assert scores.shape == (2, 1 + 16 * 16)
    torch.testing.assert_close(scores[:, 0], whole, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(scores[:, 1:], pixels.flatten(1), atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(net.features(x), f)


def test_every_layer_of_both_networks_is_spectrally_normalised() -> None:
    game = small(classes=4)
    for net in (game.G, game.D):
        kinds = (nn.Conv2d, nn.Linear) if net is game.G else (nn.Conv2d, nn.Linear, nn.Embedding)
        plain = [m for m in net.modules() if type(m) in kinds]
        assert not plain  # parametrised layers have a class of their own


# CutMix


def test_masks_are_boxes_half_of_them_turned_round() -> None:
    torch.manual_seed(0)
    found = masks(torch.empty(4000, 3, 16, 12))
    assert found.shape == (4000, 1, 16, 12) and set(found.unique().tolist()) == {0.0, 1.0}
    for mask in found[:200, 0]:
        inside = mask if is_box(mask) else 1 - mask
        assert is_box(inside)
    assert found.mean().item() == pytest.approx(0.5, abs=0.02)


def is_box(mask: Tensor) -> bool:
    """Whether the ones are all the places of some rows and columns, without gaps."""
    rows, columns = mask.amax(1), mask.amax(0)
    gaps = max(int((line.diff() > 0).sum() + line[0]) for line in (rows, columns))
    return torch.equal(torch.outer(rows, columns), mask) and gaps <= 1


def test_a_piece_of_a_line_is_as_long_as_it_is_said_to_be() -> None:
    torch.manual_seed(0)
    side = torch.full((20000, 1), 0.25)
    lengths = within(side, 16).sum(1)
    assert lengths.max() <= 5 and lengths.float().max() >= 4
    # A piece of length b with its middle anywhere in [0, 1] has b - b^2 / 4 of it inside, on average.
    assert lengths.float().mean().item() / 16 == pytest.approx(0.25 - 0.25**2 / 4, abs=0.004)


def test_mixing_takes_from_one_or_the_other() -> None:
    a, b, mask = torch.ones(2, 3, 4, 4), -torch.ones(2, 3, 4, 4), masks(torch.empty(2, 3, 4, 4))
    assert torch.equal(mix(a, b, mask), (2 * mask - 1).expand(2, 3, 4, 4))


# The game


def scores(n: int = 5, seed: int = 0) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    torch.manual_seed(seed)
    return (*torch.randn(3, n, 1 + 16, dtype=torch.float64).unbind(), (torch.rand(n, 1, 4, 4) < 0.5).double())


def test_losses_of_mixed_pictures_are_those_of_the_paper() -> None:
    real, fake, mixed, mask = scores()
    m, s = mask.flatten(1).numpy(), mixed.numpy()
    pixels = np.where(m == 1, np.maximum(0, 1 - s[:, 1:]), np.maximum(0, 1 + s[:, 1:])).mean()
    assert mixed_loss(mixed, mask).item() == pytest.approx(np.maximum(0, 1 + s[:, 0]).mean() + pixels)
    expected = ((s[:, 1:] - (m * real.numpy()[:, 1:] + (1 - m) * fake.numpy()[:, 1:])) ** 2).mean()
    assert inconsistency(real, fake, mixed, mask).item() == pytest.approx(expected)


def test_a_discriminator_that_sees_only_pixels_is_consistent() -> None:
    x, fake, mask = torch.randn(3, 2, 4, 4), torch.randn(3, 2, 4, 4), masks(torch.empty(3, 2, 4, 4))
    judge = lambda x: torch.cat([x.mean((1, 2, 3))[:, None], x.square().sum(1).flatten(1)], 1)  # noqa: E731
    assert inconsistency(judge(x), judge(fake), judge(mix(x, fake, mask)), mask).item() == pytest.approx(0, abs=1e-10)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_terms_of_both_players(share: float) -> None:
    game = small().eval()
    game.share.fill_(share)
    batch = next(synthetic(game.needs, game.recipe.args)(start=0, batch_size=4))
    torch.manual_seed(0)
    terms = game.d_loss(batch)
    torch.manual_seed(0)
    fake = game.fake(4)
    mask = masks(fake)
    r, s, m = (game.D(x) for x in (batch["x"], fake, mix(batch["x"], fake, mask)))
    whole, pixels = hinge.d(r[:, 0], s[:, 0]), hinge.d(r[:, 1:], s[:, 1:])
    expected = {
        **whole, "real_pixels": pixels["real"], "fake_pixels": pixels["fake"],
        "mixed": share * mixed_loss(m, mask), "consistency": share * inconsistency(r, s, m, mask),
    }  # fmt: skip
    assert terms.keys() == expected.keys()
    for key, value in expected.items():
        torch.testing.assert_close(terms[key], value)
    torch.manual_seed(0)
    paid = game.g_loss(batch)
    torch.testing.assert_close(paid["adv"], -s[:, 0].mean())
    torch.testing.assert_close(paid["pixels"], -s[:, 1:].mean())


def test_cutmix_comes_in_slowly() -> None:
    game = small(mixing=0.5, mixing_from=0.4)
    shares = [0.0]
    for u in (0.1, 0.2, 0.4, 1.0):
        game.on_step_end(u)
        shares.append(game.share.item())
    assert shares == pytest.approx([0, 0.125, 0.25, 0.5, 0.5])


def test_with_labels_g_and_d_are_told_them() -> None:
    game = small(classes=10)
    assert game.needs == {"x", "label"}
    reports = list(Alternating(batch_size=4, images=24).run(game, synthetic(game.needs, game.recipe.args)))
    assert all(value.isfinite() for report in reports for value in report.losses.values())


@pytest.mark.parametrize("networks,given", [("biggan:tiny", {}), ("", {"augment": "ada"}), ("sngan:tiny", {})])
def test_other_discriminators_are_refused_in_one_line(networks: str, given: dict[str, str]) -> None:
    with pytest.raises(GanzooError) as fault:
        build(recipe("unet_gan", preset="tiny", networks=networks, given=given))
    assert "judge pixels" in str(fault.value) and "\n" not in str(fault.value)


def test_its_networks_play_the_hinge_game() -> None:
    game = build(recipe("sngan", preset="tiny", networks="unet_gan:tiny"))
    assert isinstance(game.D, UNet)
    reports = list(Alternating(batch_size=4, images=24).run(game, synthetic(game.needs, game.recipe.args)))
    assert all(value.isfinite() for report in reports for value in report.losses.values())
