"""MUNIT: the published tensors, AdaIN by hand, styles of examples, and losses in closed form."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from ganzoo_couples.munit import MUNIT
from ganzoo_couples.munit_networks import G, StyleEncoder, adain, networks
from ganzoo_couples.scales import MultiScale
from torch import Tensor, nn
from torch.nn.functional import batch_norm

from ganzoo_core import imaging
from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Generator, Image, Images, Latent
from ganzoo_core.registry.recipes import build, recipe


def conv(out: int, into: int, k: int) -> list[tuple[int, ...]]:
    return [(out, into, k, k), (out,)]


STYLE = [*conv(64, 3, 7), *conv(128, 64, 4), *conv(256, 128, 4), *conv(256, 256, 4) * 2, *conv(8, 256, 1)]
CONTENT = [*conv(64, 3, 7), *conv(128, 64, 4), *conv(256, 128, 4), *conv(256, 256, 3) * 8]
PAINTER = [(128,), (128,), *conv(128, 256, 5), (64,), (64,), *conv(64, 128, 5), *conv(3, 64, 7)]
MLP = [(256, 8), (256,), (256, 256), (256,), (4096, 256), (4096,)]


def count(net: nn.Module) -> int:
    return sum(w.numel() for w in net.parameters())


@pytest.mark.parametrize(("preset", "sizes"), [("paper", (15_026_187, 8_271_171)), ("twemoji2noto", (357_835, 83_810))])
def test_presets_have_the_sizes_of_the_readme(preset: str, sizes: tuple[int, int]) -> None:
    with torch.device("meta"):
        game = build(recipe("munit", preset=preset))
    for translator, judge in ((game.G, game.D_Y), (game.F, game.D_X)):
        assert (count(translator), count(judge)) == sizes


def test_paper_has_the_published_tensors() -> None:
    with torch.device("meta"):
        game = build(recipe("munit", preset="paper"))
    assert [tuple(w.shape) for w in game.G.state_dict().values()] == [
        *STYLE, *CONTENT, *conv(256, 256, 3) * 8, *PAINTER, *MLP,
    ]  # fmt: skip


def test_adain_gives_each_map_a_mean_and_a_deviation() -> None:
    h = torch.tensor([[[[0.0, 2.0]], [[5.0, 9.0]]]])  # of deviations 1 and 2, but for eps
    made = adain(h, torch.tensor([[10.0, -1.0]]), torch.tensor([[3.0, 0.5]]))
    torch.testing.assert_close(made, torch.tensor([[[[7.0, 13.0]], [[-1.5, -0.5]]]]), atol=1e-4, rtol=0)
    h, mean, deviation = torch.randn(2, 3, 4, 4), torch.randn(2, 3), torch.randn(2, 3)
    theirs = batch_norm(h.reshape(1, 6, 4, 4), None, None, deviation.flatten(), mean.flatten(), training=True)
    torch.testing.assert_close(adain(h, mean, deviation), theirs.view_as(h))


def test_the_mlp_says_means_before_deviations_block_by_block() -> None:
    """Deviations of 0 leave the means alone: what is said to the second block's last norm is all that it adds."""
    decoder, c = G("a", 1, 1, 2, 2, 3).decoder, torch.randn(1, 4, 6, 6)
    said = torch.zeros(32)
    said[16 + 8 : 16 + 12] = torch.tensor([1.0, 2.0, 3.0, 4.0])  # the second block's last means
    with torch.no_grad():
        decoder.mlp[-1].weight.zero_(), decoder.mlp[-1].bias.copy_(said)
    seen: list[Tensor] = []
    decoder.paint = nn.Sequential(Kept(seen))
    decoder(c, torch.zeros(1, 2))
    torch.testing.assert_close(seen[0] - c, torch.tensor([1.0, 2, 3, 4])[:, None, None].expand(1, 4, 6, 6))


class Kept(nn.Module):
    """Passes on what it keeps."""

    def __init__(self, kept: list[Tensor]) -> None:
        super().__init__()
        self.kept = kept

    def forward(self, h: Tensor) -> Tensor:
        self.kept.append(h)
        return h


def test_a_style_is_of_the_whole_picture_and_has_its_colour() -> None:
    """No norm: twice as bright is another style; and where something lies in a large flat picture matters little."""
    encoder = StyleEncoder(3, 4, 2)
    white = torch.ones(1, 3, 32, 32)
    assert not torch.allclose(encoder(white), encoder(white / 2), atol=1e-4)
    torch.testing.assert_close(encoder(white), encoder(torch.ones(1, 3, 48, 64)))


def tiny() -> G:
    torch.manual_seed(0)
    net = networks(image_size=16, width=4, blocks=1, style_dim=3, units=8, halvings=2, scales=2)["G"]
    assert isinstance(net, G)
    return net


def test_several_styles_of_one_picture_and_one_style_for_several() -> None:
    net, a = tiny(), torch.rand(3, 3, 16, 16) * 2 - 1
    several = net.sample(3, seed=0, a=a[:1])
    assert not torch.allclose(several[0], several[1], atol=1e-3)
    again = net.sample(3, seed=5, a=a, s=[0.5, -1.0, 2.0])
    torch.testing.assert_close(again, net.eval()(a, torch.tensor([0.5, -1.0, 2.0]).expand(3, -1)).detach())


def test_the_style_of_an_example_takes_the_place_of_s(tmp_path: Path) -> None:
    net, a, like = tiny(), torch.rand(2, 3, 16, 24), torch.rand(1, 3, 16, 16) * 2 - 1
    with torch.no_grad():
        expected = net.sample(2, seed=0, a=a, s=net.style(like)[0])
    made = net.sample(2, seed=1, a=a, like=like)
    torch.testing.assert_close(made, expected)
    assert torch.equal(made, net.sample(2, seed=2, a=a, like=like[0]))
    path = tmp_path / "like.png"
    imaging.save(imaging.picture(like[0]), path)
    assert (net.sample(2, seed=0, a=a, like=path) - made).abs().max() < 0.1  # but for its 256 tones


@pytest.mark.parametrize(
    "given", [{"like": torch.zeros(3, 12, 12)}, {"like": torch.zeros(3, 16, 16), "s": [0.0, 0, 0]}]
)
def test_examples_that_do_not_fit_are_refused_in_one_line(given: dict[str, object]) -> None:
    with pytest.raises(GanzooError, match="like") as fault:
        tiny().sample(1, seed=0, a=torch.zeros(3, 16, 16), **given)
    assert "\n" not in str(fault.value)


class Sum(Generator):
    """A picture is content plus style: its content is `dark` darker, its style is planted."""

    def __init__(self, key: str, dark: float, style: float) -> None:
        super().__init__()
        self.inputs = {key: Image((1, None, None)), "s": Latent((1,))}
        self.output, self.by = Images((1, None, None)), nn.Parameter(torch.tensor([dark, style]))

    def content(self, x: Tensor) -> Tensor:
        return x - self.by[0]

    def style(self, x: Tensor) -> Tensor:
        return self.by[1].expand(len(x), 1)

    def decode(self, c: Tensor, s: Tensor) -> Tensor:
        return c + s[:, :, None, None]

    def forward(self, x: Tensor, s: Tensor) -> Tensor:
        return self.decode(self.content(x), s)


class Twice(MultiScale):
    """Both scales score the brightness, the second twice of it."""

    def __init__(self) -> None:
        super().__init__()
        self.by = nn.Parameter(torch.ones(()))

    def scales(self, b: Tensor) -> list[Tensor]:
        return [self.by * b, 2 * self.by * b.mean((2, 3))]


def test_losses_in_closed_form(monkeypatch: pytest.MonkeyPatch) -> None:
    """x = 0 has content -1 and style 5 (F's), y = 4 has content 2 and style 3 (G's); drawn are 0.5 for Y, 2 for X."""
    game = MUNIT(Sum("a", 1.0, 3.0), Sum("b", 2.0, 5.0), Twice(), Twice(), lam_cycle=10.0)
    monkeypatch.setattr(game.G, "prior", lambda n, rng=None: torch.full((n, 1), 0.5))
    monkeypatch.setattr(game.F, "prior", lambda n, rng=None: torch.full((n, 1), 2.0))
    batch = {"a": torch.zeros(2, 1, 3, 3), "b": torch.full((2, 1, 3, 3), 4.0)}
    # y^ = -1 + 0.5 = -0.5, x^ = 2 + 2 = 4; F reads the content -2.5 of y^, G the content 3 of x^
    assert {k: v.item() for k, v in game.g_loss(batch).items()} == pytest.approx({
        "adv_g": 1.5**2 + 2.0**2, "adv_f": 3.0**2 + 7.0**2,
        "rec_x": 10 * 4.0, "rec_y": 10 * 1.0, "s_x": 5 - 2.0, "s_y": 3 - 0.5, "c_x": 2.5 - 1, "c_y": 3 - 2.0,
        "cycle_x": 10 * 2.5, "cycle_y": 10 * 2.0,
    })  # fmt: skip
    assert {k: v.item() for k, v in game.d_loss(batch).items()} == pytest.approx({
        "x_real": 1.0 + 1.0, "x_fake": 16.0 + 64.0, "y_real": 9.0 + 49.0, "y_fake": 0.25 + 1.0,
    })  # fmt: skip
    game.lam_cycle = 0.0
    assert not any("cycle" in name for name in game.g_loss(batch))


def test_styles_that_are_ignored_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    """A planted G whose pictures do not show s pays E |s - const|, and one that shows it does not."""
    game = MUNIT(Sum("a", 0.0, 0.0), Sum("b", 0.0, 0.0), Twice(), Twice())
    monkeypatch.setattr(game.G, "style", lambda x: x.mean((2, 3)))
    batch = {"a": torch.zeros(64, 1, 2, 2), "b": torch.zeros(64, 1, 2, 2)}
    terms = game.g_loss(batch)
    assert terms["s_y"].item() == pytest.approx(0, abs=1e-6) and terms["s_x"] > 0.4  # E |s| = 0.8


def test_training_shows_each_picture_in_several_styles() -> None:
    game = build(recipe("munit", preset="tiny"))
    shown = game.sample({"a": torch.rand(2, 3, 16, 16), "b": torch.rand(2, 3, 16, 16)})
    assert list(shown) == ["a", "G0", "G1", "G2", "b", "F0", "F1", "F2"]
    assert not torch.equal(shown["G0"], shown["G1"])


@pytest.mark.parametrize("given", [{"image_size": 8}, {"style_dim": 0}, {"blocks": 0}, {"scales": 0}])
def test_what_does_not_fit_is_refused_in_one_line(given: dict[str, int]) -> None:
    with pytest.raises(GanzooError) as fault:
        networks(**given)
    assert "\n" not in str(fault.value)
