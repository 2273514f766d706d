"""ESRGAN and Real-ESRGAN: the published networks, layer by layer; their losses; how pictures are spoilt."""

from __future__ import annotations

import io
import math

import numpy
import PIL.Image
import pytest
import torch
from ganzoo_esrgan import content, degradations
from ganzoo_esrgan.content import LEVELS, BeforeReLU, Levels, distance
from ganzoo_esrgan.degradations import FIRST, blur_kernel, degraded, filtered, sharpened, shot, sinc
from ganzoo_esrgan.jpeg import compressed
from ganzoo_esrgan.networks import G, UNetD, VGGStyleD, interpolated
from ganzoo_esrgan.objective import ESRGAN, RealESRGAN, halved
from stand_ins import Flat, Mean
from torch import Tensor, nn
from torch.nn.functional import batch_norm, conv2d, interpolate, leaky_relu, linear, pixel_unshuffle

from ganzoo_core.errors import GanzooError
from ganzoo_core.registry.recipes import build, recipe

PUBLISHED = {  # parameters of G and D
    ("esrgan", "paper"): (16_697_987, 14_499_401),
    ("real_esrgan", "paper"): (16_697_987, 4_376_897),
    ("real_esrgan", "x2"): (16_703_171, 4_376_897),
    ("real_esrgan", "anime6b"): (4_467_779, 4_376_897),
}


@pytest.mark.parametrize("which", PUBLISHED, ids="-".join)
def test_paper_has_the_published_weights(which: tuple[str, str]) -> None:
    with torch.device("meta"):
        game = build(recipe(which[0], preset=which[1]))
    assert tuple(sum(w.numel() for w in net.parameters()) for net in (game.G, game.D)) == PUBLISHED[which]


def lrelu(x: Tensor) -> Tensor:
    return leaky_relu(x, 0.2)


def published_g(net: nn.Module, low: Tensor, blocks: int) -> Tensor:
    """RRDBNet on a picture in [0, 1], from a bare list of tensors in the reference's order."""
    t = list(net.state_dict().values())

    def conv(x: Tensor) -> Tensor:
        return conv2d(x, t.pop(0), t.pop(0), padding=1)

    h = first = conv(low)
    for _ in range(blocks):
        whole = h
        for _ in range(3):
            seen = [h]
            for _ in range(4):
                seen.append(lrelu(conv(torch.cat(seen, 1))))
            h = seen[0] + 0.2 * conv(torch.cat(seen, 1))
        h = whole + 0.2 * h
    h = first + conv(h)
    for _ in range(2):
        h = lrelu(conv(h.repeat_interleave(2, 2).repeat_interleave(2, 3)))
    h = conv(lrelu(conv(h)))
    assert not t
    return h


def spread(net: nn.Module) -> nn.Module:
    """Weights of such a size that every layer shows."""
    torch.manual_seed(0)
    for w in net.parameters():
        nn.init.normal_(w, std=0.5 / math.sqrt(max(1, w[0].numel())))
    return net.eval()


@pytest.mark.parametrize(("scale", "fold"), [(4, 1), (2, 2), (1, 4)])
def test_g_is_the_published_network(scale: int, fold: int) -> None:
    net = spread(G(3, scale, 8, 4, 2, "none"))
    low = torch.rand(2, 3, 8, 12)
    expected = published_g(net, pixel_unshuffle(low, fold) if fold > 1 else low, 2)
    torch.testing.assert_close((net(2 * low - 1) + 1) / 2, expected, atol=1e-5, rtol=1e-4)


def test_sizes_that_do_not_fold_are_enlarged_all_the_same() -> None:
    assert spread(G(3, 2, 8, 4, 1, "none"))(torch.rand(1, 3, 7, 9)).shape == (1, 3, 14, 18)


def test_in_the_dense_blocks_weights_begin_small() -> None:
    torch.manual_seed(0)
    block = G(3, 4, 64, 32, 1, "none").blocks[0].blocks[0]
    for conv in block.convs:
        assert conv.weight.std().item() == pytest.approx(0.1 * math.sqrt(2 / conv.weight[0].numel()), rel=0.05)
        assert not conv.bias.any()


def test_the_crops_judge_is_the_published_one() -> None:
    torch.manual_seed(0)
    net = VGGStyleD(64, 3, 8, 16).eval()
    t = [v for v in net.state_dict().values() if v.is_floating_point()]
    x = torch.rand(2, 3, 64, 64)

    def normed(h: Tensor, stride: int) -> Tensor:
        w, gamma, beta, mean, var = (t.pop(0) for _ in range(5))
        return lrelu(batch_norm(conv2d(h, w, stride=stride, padding=1), mean, var, gamma, beta))

    h = normed(lrelu(conv2d(x, t.pop(0), t.pop(0), padding=1)), 2)
    for _ in range(4):
        h = normed(normed(h, 1), 2)
    h = linear(lrelu(linear(h.flatten(1), t.pop(0), t.pop(0))), t.pop(0), t.pop(0))
    assert not t
    torch.testing.assert_close(net(2 * x - 1), h.flatten(), atol=1e-5, rtol=1e-4)


def test_the_unet_is_the_published_one() -> None:
    torch.manual_seed(0)
    net = UNetD(32, 3, 8).eval()
    x = torch.rand(2, 3, 32, 32)
    plain = {name: layer.weight for name, layer in net.named_modules() if isinstance(layer, nn.Conv2d)}

    def conv(name: str, h: Tensor, stride: int = 1) -> Tensor:
        return lrelu(conv2d(h, plain[name], stride=stride, padding=1))

    def twice(h: Tensor) -> Tensor:
        return interpolate(h, scale_factor=2, mode="bilinear", align_corners=False)

    x0 = lrelu(conv2d(x, net.first.weight, net.first.bias, padding=1))
    x1 = conv("down.0", x0, 2)
    x2 = conv("down.1", x1, 2)
    x3 = conv("down.2", x2, 2)
    x4 = conv("up.0", twice(x3)) + x2
    x5 = conv("up.1", twice(x4)) + x1
    x6 = conv("up.2", twice(x5)) + x0
    h = conv("high.1", conv("high.0", x6))
    expected = conv2d(h, net.last.weight, net.last.bias, padding=1)
    torch.testing.assert_close(net(2 * x - 1), expected, atol=1e-5, rtol=1e-4)
    norms = [
        torch.linalg.matrix_norm(w.flatten(1), 2).item() for name, w in plain.items() if name not in ("first", "last")
    ]
    assert len(norms) == 8 and max(norms) < 1.6 and min(norms) > 0.9


def test_what_does_not_exist_is_refused_in_one_line() -> None:
    for make in (lambda: G(3, 3, 8, 4, 1, "none"), lambda: VGGStyleD(100, 3, 8, 8), lambda: UNetD(100, 3, 8)):
        with pytest.raises(GanzooError, match="Choose"):
            make()


def test_samples_in_tiles_equal_the_whole() -> None:
    net = spread(G(3, 4, 4, 2, 1, "none"))
    low = torch.rand(1, 3, 150, 401) * 2 - 1
    with torch.no_grad():
        whole = net(low).clamp(-1, 1)
    torch.testing.assert_close(net.sample(1, seed=0, low=low), whole, atol=1e-5, rtol=1e-5)


def test_networks_are_interpolated_weight_by_weight() -> None:
    a, b = (spread(G(3, 4, 4, 2, 1, "none")) for _ in range(2))
    nn.init.ones_(b.trunk.weight)
    mixed = interpolated(a, b, 0.8)
    torch.testing.assert_close(mixed.trunk.weight, 0.2 * a.trunk.weight + 0.8)
    torch.testing.assert_close(mixed.last.weight, a.last.weight)
    with pytest.raises(GanzooError, match="not of one shape"):
        interpolated(a, G(3, 4, 8, 2, 1, "none"), 0.5)


# The games


BATCH = {"x": torch.full((2, 3, 32, 32), 0.75), "low": torch.zeros(2, 3, 8, 8)}


def softplus(x: float) -> float:
    return math.log1p(math.exp(x))


def test_esrgans_losses_in_closed_form() -> None:
    game = ESRGAN(Flat(0.25), Mean(8), content="pixels")
    assert game.l1_loss(BATCH)["l1"].item() == pytest.approx(0.25)  # of [0, 1]
    r, s = 6.0, 2.0
    d = game.d_loss(BATCH)
    assert d["real"].item() == pytest.approx(softplus(s - r) / 2) and d["fake"].item() == pytest.approx(
        softplus(s - r) / 2
    )
    g = game.g_loss(BATCH)
    assert g["adv"].item() == pytest.approx(5e-3 * softplus(r - s))
    assert g["l1"].item() == pytest.approx(1e-2 * 0.25) and g["percep"].item() == pytest.approx(0.5)


def test_real_esrgans_losses_in_closed_form() -> None:
    """A flat picture stays flat whatever happens to it but noise, and sharpening leaves it."""
    game = RealESRGAN(Flat(0.25), Mean(8), content="pixels")
    batch = {"x": BATCH["x"]}
    d = game.d_loss(batch)
    assert d["real"].item() == pytest.approx(softplus(-6.0), rel=1e-4)
    assert d["fake"].item() == pytest.approx(softplus(2.0), rel=1e-4)
    g = game.g_loss(batch)
    assert g["adv"].item() == pytest.approx(0.1 * softplus(-2.0)) and g["l1"].item() == pytest.approx(0.25, rel=1e-4)


def test_the_rate_is_halved_at_the_published_marks() -> None:
    assert [halved(u) for u in (0, 0.13, 0.3, 0.6, 0.8)] == [1, 0.5, 0.25, 0.125, 0.0625]


def test_features_are_taken_before_their_relu(monkeypatch: pytest.MonkeyPatch) -> None:
    net = nn.Sequential(*[nn.Identity() for _ in range(content.CONV5_4)], nn.Conv2d(3, 2, 1))
    for space, parts in ((BeforeReLU(), {content.CONV5_4: 1.0}), (Levels(), LEVELS)):
        monkeypatch.setattr(type(space), "read", lambda self: net)
        a, b = torch.rand(2, 3, 8, 8), torch.rand(2, 3, 8, 8)
        scale = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1) * 2
        difference = (a - b) / scale
        last = net[-1](difference) - net[-1].bias.view(2, 1, 1)
        expected = sum(w * (last if at == content.CONV5_4 else difference).abs().mean() for at, w in parts.items())
        torch.testing.assert_close(distance(space, a, b), expected, atol=1e-5, rtol=1e-4)


# How pictures are spoilt


@pytest.mark.parametrize("quality", [30, 60, 95])
def test_jpeg_is_what_pillow_writes(quality: int) -> None:
    """Within two levels on average, colours at half the side included; and far nearer to it than to the original."""
    y, x = torch.meshgrid(torch.arange(70.0), torch.arange(90.0), indexing="ij")
    planes = [((x * a + y * b) / 9).sin() / 2 + 0.5 for a, b in ((0.9, 0.5), (-0.3, 0.8), (0.2, -0.4))]
    picture = (torch.stack(planes)[None] * 255).round() / 255
    file = io.BytesIO()
    array = (picture[0] * 255).permute(1, 2, 0).to(torch.uint8).numpy()
    PIL.Image.fromarray(array).save(file, "JPEG", quality=quality)
    theirs = torch.tensor(numpy.asarray(PIL.Image.open(file))).permute(2, 0, 1)[None] / 255
    ours = compressed(picture, quality)
    assert ours.shape == picture.shape and ours.min() >= 0 and ours.max() <= 1
    assert (ours - theirs).abs().mean() * 255 < 2
    assert (ours - theirs).abs().mean() < 0.6 * (picture - theirs).abs().mean() or quality == 95


def test_kernels_sum_to_one_and_keep_flat_pictures() -> None:
    torch.manual_seed(0)
    flat = torch.full((1, 3, 30, 40), 0.3)
    for kernel in [*(blur_kernel(FIRST.widths) for _ in range(20)), *(sinc(k) for k in degradations.SIZES)]:
        assert kernel.sum().item() == pytest.approx(1, abs=1e-5)
        torch.testing.assert_close(filtered(flat, kernel), flat)


def test_a_narrow_gaussian_is_the_textbooks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(degradations, "KINDS", {"gaussian": 1.0})
    monkeypatch.setattr(degradations, "SIZES", [21])
    kernel = blur_kernel((2.0, 2.0))
    line = torch.exp(-torch.arange(-10.0, 11.0).square() / 8)
    torch.testing.assert_close(kernel, line[:, None] * line / line.sum() ** 2)


def test_shot_noise_has_the_variance_of_its_light() -> None:
    torch.manual_seed(0)
    noise = shot(torch.full((1, 1, 300, 300), 100 / 255))
    assert noise.mean().item() * 255 == pytest.approx(0, abs=0.2)
    assert (noise * 255).var().item() == pytest.approx(100, rel=0.03)


def test_sharpening_leaves_what_is_flat_and_steepens_an_edge() -> None:
    x = torch.full((1, 3, 64, 64), 0.4)
    torch.testing.assert_close(sharpened(x), x)
    x[..., 32:] = 0.6
    y = sharpened(x)
    assert y[..., 31].max() < 0.39 and y[..., 32].min() > 0.61


def test_every_picture_goes_a_way_of_its_own_the_same_for_a_seed() -> None:
    x = torch.rand(1, 3, 64, 48).expand(4, -1, -1, -1)
    made = []
    for _ in range(2):
        torch.manual_seed(5)
        made.append(degraded(x, 4))
    assert torch.equal(*made) and made[0].shape == (4, 3, 16, 12)
    assert len({picture.sum().item() for picture in made[0]}) == 4
    torch.testing.assert_close(made[0] * 255, (made[0] * 255).round())
    assert made[0].min() >= 0 and made[0].max() <= 1


# Files of others


@pytest.mark.parametrize("table", ["basicsr", "esrgan"])
def test_published_names_are_told(table: str) -> None:
    from ganzoo_esrgan import layouts

    args = {"channels": 3, "scale": 2, "width": 8, "grow": 4, "blocks": 2}
    names = dict(getattr(layouts, table)(args))
    with torch.device("meta"):
        ours = {
            name.rpartition(".")[0]: w.shape
            for name, w in G(**args, skip="none").named_parameters()
            if "weight" in name
        }
    assert list(names.values()) == list(ours)
    theirs = {f"{name}.weight": tuple(ours[mine]) for name, mine in names.items()}
    if table == "basicsr":
        assert "body.1.rdb3.conv5.weight" in theirs and layouts.of_g(theirs) == args
    else:
        assert "RRDB_trunk.1.RDB3.conv5.weight" in theirs and layouts.of_g(theirs) == args
