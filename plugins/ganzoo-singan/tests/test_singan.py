"""SinGAN: the published networks, pyramid and losses in closed form, and every application."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from ganzoo_singan.applications import animation, blended, softened
from ganzoo_singan.objective import SinGAN, pixelwise_penalty
from ganzoo_singan.pyramid import count, resize, sizes
from PIL import Image
from torch import Tensor, nn
from torch.nn.functional import batch_norm, conv2d, leaky_relu, pad

from ganzoo_core.errors import GanzooError
from ganzoo_core.models import model, store
from ganzoo_core.registry.recipes import build, recipe
from ganzoo_core.training.trainer import Alternating


def game_of(**given: object) -> SinGAN:
    game = build(recipe("singan", preset="tiny", given=given))
    assert isinstance(game, SinGAN)
    return game


def picture(height: int = 16, width: int = 16, channels: int = 1) -> Tensor:
    rng = torch.Generator().manual_seed(5)
    return 2 * torch.rand(1, channels, height, width, generator=rng) - 1


def prepared(height: int = 12, width: int = 16, **given: object) -> SinGAN:
    """A game that has seen its picture and stands at the last scale, untrained, with noise on all."""
    game = game_of(**given)
    game.requires_grad_(False)
    game.prepare({"x": picture(height, width, int(given.get("channels", 1)))})
    for phase in game.phases():
        phase.on_start()
    return game


# The published networks, tensor by tensor in their order: convolution, batch norm, running mean and variance


def layer(c_in: int, f: int) -> list[tuple[int, ...]]:
    return [(f, c_in, 3, 3), (f,), (f,), (f,), (f,), (f,)]


def published(f: int, out: int) -> list[tuple[int, ...]]:
    return [*layer(3, f), *layer(f, f), *layer(f, f), *layer(f, f), (out, f, 3, 3), (out,)]


@pytest.mark.parametrize(
    ("n", "f", "g_count", "d_count"), [(0, 32, 29_763, 29_185), (4, 64, 114_819, 113_665), (8, 128, 450_819, 448_513)]
)
def test_paper_has_the_published_tensors(n: int, f: int, g_count: int, d_count: int) -> None:
    with torch.device("meta"):
        game = build(recipe("singan", preset="paper"))
    for net, out, expected in ((game.G.nets[n], 3, g_count), (game.D.nets[n], 1, d_count)):
        assert [tuple(t.shape) for t in net.state_dict().values() if t.is_floating_point()] == published(f, out)
        assert sum(w.numel() for w in net.parameters()) == expected


def test_widths_double_every_four_scales_up_to_128() -> None:
    with torch.device("meta"):
        game = build(recipe("singan", preset="paper"))
    assert [net.tail.in_channels for net in game.D.nets] == [32] * 4 + [64] * 4 + [128] * 3


def stirred(net: nn.Module) -> list[Tensor]:
    """Weights and statistics off their first values; the float tensors in their order."""
    for t in net.state_dict().values():
        if t.is_floating_point():
            t += 0.1 * torch.rand_like(t)
    return [t for t in net.state_dict().values() if t.is_floating_point()]


def published_map(t: list[Tensor], x: Tensor) -> Tensor:
    for w, b, gamma, beta, mean, var in zip(*[iter(t[:-2])] * 6, strict=True):
        x = leaky_relu(batch_norm(conv2d(x, w, b), mean, var, gamma, beta), 0.2)
    return conv2d(x, *t[-2:])


def test_forward_is_the_published_one() -> None:
    torch.manual_seed(0)
    game = build(recipe("singan", preset="paper", given={"longest_side": 50})).eval()
    g, d = game.G.nets[0], game.D.nets[0]
    t_g, t_d = stirred(g), stirred(d)
    x, y = torch.randn(1, 3, 35, 35), torch.randn(1, 3, 25, 25)
    with torch.no_grad():
        expected = published_map(t_g, x).tanh()
        torch.testing.assert_close(g(x, y), expected + y)
        torch.testing.assert_close(g(x, pad(y, (5,) * 4)), expected + y)  # a padded picture is cut
        scores = d(y)
        assert scores.shape == (1, 1, 15, 15)
        torch.testing.assert_close(scores, published_map(t_d, y))


def test_a_patch_is_11_pixels_wide() -> None:
    d = build(recipe("singan", preset="paper", given={"longest_side": 50})).eval().D.nets[0]
    x = torch.randn(1, 3, 25, 25, requires_grad=True)
    d(x)[0, 0, 7, 7].backward()
    assert x.grad is not None
    seen = x.grad.abs().sum((0, 1)) > 0
    assert seen[7:18, 7:18].all() and seen.sum() == 121


def test_initial_weights() -> None:
    torch.manual_seed(0)
    g = build(recipe("singan", preset="paper", given={"longest_side": 50})).G.nets[0]
    conv, norm = g.body[1][0], g.body[1][1]
    assert conv.weight.std().item() == pytest.approx(0.02, rel=0.05)
    assert norm.weight.std().item() == pytest.approx(0.02, rel=0.5)
    assert norm.weight.mean().item() == pytest.approx(1, abs=0.02)
    assert not norm.bias.any() and conv.bias.any()


# The pyramid


@pytest.mark.parametrize(("shorter", "scales"), [(25, 2), (26, 3), (100, 7), (188, 10), (250, 11)])
def test_scales_are_counted_as_published(shorter: int, scales: int) -> None:
    assert count(shorter, 25, 0.75) == scales
    assert math.ceil(math.log(25 / shorter) / math.log(0.75)) + 2 == scales  # num_scales + 1, then from 0 to stop_scale


def test_sizes_of_a_pyramid() -> None:
    found = sizes((188, 250), 25, 0.75, (188, 250))
    r = (25 / 188) ** (1 / 9)
    assert found == [(math.ceil(188 * r**k - 1e-6), math.ceil(250 * r**k - 1e-6)) for k in range(9, -1, -1)]
    assert found[0] == (25, 34) and found[-1] == (188, 250)
    assert sizes((188, 250), 25, 0.75, (376, 125))[0] == (50, 17)


def test_a_picture_that_is_too_small_is_refused_in_one_line() -> None:
    with pytest.raises(GanzooError) as fault:
        game_of().prepare({"x": picture(7, 16)})
    assert "7 pixels" in str(fault.value) and "\n" not in str(fault.value)


@pytest.mark.parametrize("size", [(9, 14), (40, 33)])
def test_resizing_is_bicubic_with_a_minus_half(size: tuple[int, int]) -> None:
    x = torch.rand(1, 1, 20, 27)
    pillow = Image.fromarray(x[0, 0].numpy()).resize((size[1], size[0]), Image.Resampling.BICUBIC)
    torch.testing.assert_close(resize(x, size)[0, 0], torch.from_numpy(np.array(pillow)), atol=1e-5, rtol=0)


@pytest.mark.parametrize(("given", "says"), [({"coarsest": 6}, "coarsest 6"), ({"factor": 1.0}, "factor")])
def test_misfits_are_refused_in_one_line(given: dict[str, object], says: str) -> None:
    with pytest.raises(GanzooError) as fault:
        game_of(**given)
    assert says in str(fault.value) and "\n" not in str(fault.value)


# The game


def test_scales_follow_from_the_picture() -> None:
    game = game_of()
    assert [p.name for p in game.phases()] == ["scale 0: 8x8", "scale 1: 12x12", "scale 2: 16x16"]
    game.prepare({"x": picture(8, 12)})
    assert [p.name for p in game.phases()] == ["scale 0: 8x12", "scale 1: 8x12"]
    assert game.G.reconstruction().shape == (1, 1, 8, 12)


def test_larger_pictures_are_made_smaller() -> None:
    game = game_of()
    game.prepare({"x": picture(32, 24)})
    assert game.x.shape == (1, 1, 16, 12)


def test_the_steps_are_the_published_ones() -> None:
    game = build(recipe("singan", preset="paper", given={"longest_side": 60}))
    plan = Alternating(batch_size=1).plan(game.phases())
    assert {(s.iterations, s.repeat) for s in plan} == {(2000, 3)}
    d, g = plan[0].phase.steps
    assert (d.player.name, d.repeat, g.player.name, g.repeat) == ("D", 3, "G", 3)
    options = d.player.optim([torch.zeros(1, requires_grad=True)]).defaults
    assert (options["lr"], options["betas"]) == (5e-4, (0.5, 0.999))
    assert [g.player.schedules["lr"](t / 2000) for t in (0, 1599, 1600, 1999)] == [1, 1, 0.1, 0.1]


def test_iterations_may_differ_by_scale() -> None:
    game = game_of(iterations=(30, 20))
    assert [s.iterations for s in Alternating(batch_size=1).plan(game.phases())] == [30, 20, 20]


def test_weights_are_carried_on_where_the_widths_are_equal() -> None:
    game = game_of()  # widths 4, 4, 8
    game.requires_grad_(False)
    game.prepare({"x": picture()})
    before = {k: v.clone() for k, v in game.state_dict().items()}
    stirred(game.G.nets[0])
    game.enter(1)
    for name in ("G", "D"):
        nets = getattr(game, name).nets
        assert all(torch.equal(v, nets[0].state_dict()[k]) for k, v in nets[1].state_dict().items())
    game.enter(2)
    assert all(torch.equal(before[f"G.nets.2.{k}"], v) for k, v in game.G.nets[2].state_dict().items())


def test_noise_follows_from_the_error_of_the_reconstruction_below() -> None:
    game = prepared(noise=0.25)
    assert game.G.amp[0] == 1
    made = resize(game.G.reconstruction(1), game.G.sizes()[2])
    error = (made - game.x).square().mean().sqrt()
    assert game.G.amp[2].item() == pytest.approx(0.25 * error.item(), rel=1e-5)
    torch.testing.assert_close(game.y_star, made)


def test_scales_that_are_over_stay_as_they_are() -> None:
    game = game_of()
    made = game.recipe.args
    batches = lambda **_: iter([{"x": picture(12, 16)}] * 1000)  # noqa: E731
    seen: dict[str, dict[str, Tensor]] = {}
    for report in Alternating(batch_size=1, images=30).run(game, batches):
        n = int(report.phase[6])
        state = {k: v.clone() for k, v in game.G.nets[:n].state_dict().items()}
        first = seen.setdefault(report.phase, state)
        assert all(torch.equal(first[k], v) for k, v in state.items())
        assert not any(net.training for net in game.G.nets[:n]) and game.G.nets[n].training
    assert len(seen) == 3 and made["layers"] == 3


def test_penalty_of_a_linear_critic() -> None:
    """D(x) = sum_c w_c x_c at every pixel has the slope ||w|| at every pixel, whatever x."""
    w = torch.tensor([3.0, 0.0, 4.0]).view(1, 3, 1, 1)
    real, fake = torch.randn(2, 3, 5, 6), torch.randn(2, 3, 5, 6)
    assert pixelwise_penalty(lambda x: conv2d(x, w), real, fake).item() == pytest.approx(16)


def test_losses_in_closed_form() -> None:
    game = prepared()
    game.G.amp[1:] = 0.3
    batch, n = {"x": picture(12, 16).expand(2, -1, -1, -1)}, 2
    game.eval()  # batch norms in training mode look at others
    torch.manual_seed(0)
    fake = game.fake(n, 2)
    D = game.D.nets[n]
    torch.manual_seed(0)
    terms = game.d_loss(n, batch)
    assert terms["real"].item() == pytest.approx(-D(game.x).mean().item(), abs=1e-6)
    assert terms["fake"].item() == pytest.approx(D(fake).mean().item(), abs=1e-6)
    torch.manual_seed(0)
    game.fake(n, 2)
    assert terms["gp"].item() == pytest.approx(0.1 * pixelwise_penalty(D, game.x.expand_as(fake), fake).item())
    torch.manual_seed(0)
    terms = game.g_loss(n, batch)
    assert terms["adv"].item() == pytest.approx(-D(fake).mean().item(), abs=1e-6)
    error = (game.G.reconstruction() - game.x).square().mean()
    assert terms["rec"].item() == pytest.approx(10 * error.item(), rel=1e-4)


@pytest.mark.parametrize("n", [0, 2])
def test_every_scale_sees_augmented_pictures_where_that_is_asked_for(n: int) -> None:
    game, seen = prepared(augment="diffaugment"), []
    game.D.D.nets[n].register_forward_hook(lambda _, args, __: seen.append(args[0]))
    game.d_loss(n, {"x": picture(12, 16)})
    assert len(seen) == 3 and not torch.equal(seen[0], game.real(n))


def test_a_sample_by_hand() -> None:
    """Noise, zeros around it, the residual network, bicubic up: Eqs. 2 to 4, scale by scale."""
    game = prepared()
    G = game.G.eval()
    G.amp[1:] = 0.3
    z = torch.randn(1, 1, *G.sizes()[0])
    torch.manual_seed(3)
    found = G(z)
    torch.manual_seed(3)
    x = G.nets[0](pad(z, (3,) * 4), torch.zeros(1, 1, 14, 17))
    for n in (1, 2):
        y = pad(resize(x, G.sizes()[n]), (3,) * 4)
        noise = pad(torch.randn(1, 1, *G.sizes()[n]), (3,) * 4)
        x = G.nets[n](0.3 * noise + y, y)
    torch.testing.assert_close(found, x.clamp(-1, 1))


# Applications


def test_samples_of_any_size() -> None:
    G = prepared().G
    assert G.sample(2, seed=0).shape == (2, 1, 12, 16)
    assert G.sample(1, seed=0, height=9, width=40).shape == (1, 1, 9, 40)
    assert G.sample(1, seed=0, width=40).shape == (1, 1, 12, 40)


@pytest.mark.parametrize("start", [1, 2])
def test_below_the_start_scale_comes_the_training_picture(start: int) -> None:
    G = prepared().G
    G.amp[1:] = 0.5
    assert not torch.equal(G.sample(1, seed=0, start=start), G.sample(1, seed=1, start=start))
    G.amp[start:] = 0
    torch.testing.assert_close(G.sample(1, seed=0, start=start), G.reconstruction().clamp(-1, 1))


def test_a_picture_is_put_in_below_its_scale() -> None:
    G, image = prepared().G, picture(24, 32)
    G.amp[1:] = 0
    y = resize(resize(image, G.sizes()[1]), G.sizes()[2])
    expected = G.eval().refined(2, torch.zeros_like(y), y).clamp(-1, 1)
    torch.testing.assert_close(G.sample(1, seed=0, image=image, start=2), expected)
    torch.testing.assert_close(G.sample(1, seed=0, image=image[0], start=2), expected)


def test_without_a_scale_a_picture_goes_into_the_middle() -> None:
    G, image = prepared().G, picture(12, 16)
    assert torch.equal(G.sample(1, seed=0, image=image), G.sample(1, seed=0, image=image, start=1))


def test_every_sample_may_have_its_picture() -> None:
    G = prepared().G
    G.amp[1:] = 0
    two = torch.cat([picture(12, 16), -picture(12, 16)])
    made = G.sample(2, seed=0, image=two, start=2)
    torch.testing.assert_close(made[1:], G.sample(1, seed=0, image=two[1:], start=2))
    assert not torch.equal(made[0], made[1])


def test_outside_of_a_mask_the_picture_stays() -> None:
    G, image = prepared().G, picture(12, 16)
    none, everywhere = torch.zeros(1, 1, 12, 16), torch.ones(1, 1, 12, 16)
    assert torch.equal(G.sample(1, seed=0, image=image, mask=none, start=1), image)
    free = G.sample(1, seed=0, image=image, start=1)
    torch.testing.assert_close(G.sample(1, seed=0, image=image, mask=everywhere, start=1), free)


def test_masks_grow_by_a_disk_and_are_soft() -> None:
    mask = torch.zeros(1, 1, 101, 101, dtype=torch.bool)
    mask[..., 50, 50] = True
    m = softened(mask, 20)[0, 0]
    assert (m.min(), m.max()) == (0, 1)
    along, across = m[50], m.diagonal()
    assert along[70] > 0.4 and along[71] < 0.6  # half at the rim of the disk, 20 pixels away
    rim = 20 / math.sqrt(2)
    assert across[50 + int(rim)] > 0.4 and across[50 + math.ceil(rim) + 1] < 0.6
    x, image = torch.zeros(1, 3, 101, 101), torch.ones(1, 3, 101, 101)
    torch.testing.assert_close(blended(x, image, mask.float(), 20), (1 - m).expand(1, 3, -1, -1))


def test_super_resolution_goes_through_the_finest_scale_again_and_again() -> None:
    G, image = prepared().G, picture(12, 16)
    G.amp[1:] = 0
    G.eval()
    passes = []
    hook = G.nets[2].register_forward_hook(lambda _, args, out: passes.append(tuple(out.shape[2:])))
    made = G.sample(1, seed=0, image=image, upscale=4.0)
    hook.remove()
    assert made.shape == (1, 1, 48, 64)
    assert len(passes) == 6 and passes[-1] == (48, 64)
    assert [b[1] / a[1] for a, b in pairwise(passes)] == pytest.approx([2 ** (1 / 3)] * 5, rel=0.05)
    x = image
    for size in passes:
        x = resize(x, size)
        x = G.refined(2, torch.zeros_like(x), x)
    torch.testing.assert_close(made, x.clamp(-1, 1))


def test_an_animation_walks_around_the_training_picture() -> None:
    G = prepared().G
    clip = G.sample(2, seed=0, frames=5)
    assert clip.shape == (2, 5, 1, 12, 16) and clip.abs().max() <= 1
    assert torch.equal(clip[:1], G.sample(1, seed=0, frames=5))
    still = G.sample(1, seed=0, frames=3, alpha=1.0)
    torch.testing.assert_close(still, G.reconstruction().clamp(-1, 1)[:, None].expand(-1, 3, -1, -1, -1))
    smooth, wild = (G.sample(1, seed=0, frames=12, beta=beta) for beta in (0.99, 0.2))
    moved = [clip.diff(dim=1).square().mean() for clip in (smooth, wild)]
    assert moved[0] < moved[1]


def test_an_animation_by_hand() -> None:
    """z_(t+1) = alpha z* + (1 - alpha) (z_t + beta (z_t - z_(t-1)) + (1 - beta) u), as one sequence."""
    G = prepared().G.eval()
    sizes_, alpha, beta = G.sizes(), 0.3, 0.6
    torch.manual_seed(1)
    draw = lambda n: torch.randn(1, 1, *sizes_[n])  # noqa: E731
    stars = [G.star(n, sizes_[n]) for n in range(3)]
    old, now = stars, [0.95 * s + 0.05 * draw(n) for n, s in enumerate(stars)]
    frames = []
    for _ in range(2):
        steps = [beta * (now[n] - old[n]) + (1 - beta) * draw(n) for n in range(3)]
        old, now = now, [alpha * stars[n] + (1 - alpha) * (now[n] + steps[n]) for n in range(3)]
        x = G.empty(1)
        for n in range(3):
            x = resize(x, sizes_[n])
            x = G.refined(n, stars[0] if n < 1 else now[n], x)
        frames.append(x.clamp(-1, 1))
    torch.manual_seed(1)
    torch.testing.assert_close(animation(G, sizes_, 1, 2, alpha, beta, torch.zeros(1)), torch.stack(frames, 1))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"start": 3}, "start 3"),
        ({"height": -1}, "height -1"),
        ({"mask": torch.ones(1, 1, 12, 16)}, "mask"),
        ({"image": torch.zeros(1, 3, 12, 16)}, "image: of shape"),
        ({"image": torch.zeros(3, 1, 12, 16)}, "image: of shape"),
        ({"frames": 2, "upscale": 2.0}, "frames"),
        ({"upscale": 0.5}, "upscale"),
        ({"truncation": 1.0}, "truncation"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(given: dict[str, object], says: str) -> None:
    with pytest.raises(GanzooError) as fault:
        prepared().G.sample(2, seed=0, **given)  # type: ignore[arg-type]
    assert says in str(fault.value) and "\n" not in str(fault.value)


def test_a_model_directory_needs_no_picture(tmp_path: Path) -> None:
    """Size, amplitudes and z* of a picture that is not square travel with the weights, in half precision too."""
    game = prepared()
    origin = store.Origin("singan.tiny", "CC0-1.0", "noise", "CC0-1.0", 12, 1, "pytest", {})
    store.write_model(tmp_path, game, origin, "float16")
    loaded = model.load(tmp_path)
    assert loaded.sample(1, seed=0).shape == (1, 1, 12, 16)
    torch.testing.assert_close(loaded.generator.reconstruction(), game.G.reconstruction(), atol=0.02, rtol=0)
