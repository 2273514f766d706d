"""AttGAN: the published tensors, attributes that are told twice, and losses in closed form."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from ganzoo_couples.attgan import AttGAN, tenth, unlike
from ganzoo_couples.attgan_networks import networks
from torch import Tensor, nn

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator, Generator, Image, Images, Label
from ganzoo_core.registry.recipes import build, recipe

WIDTHS = [3, 64, 128, 256, 512, 1024]
UP = [(1037, 1024), (1549, 512), (512, 256), (256, 128)]


def normed(f: int, *kernel: int) -> list[tuple[int, ...]]:
    return [kernel, (f,), (f,), (f,), (f,), ()]


G_SHAPES = [
    *(shape for f, g in pairwise(WIDTHS) for shape in normed(g, g, f, 4, 4)),
    *(shape for f, g in UP for shape in normed(g, f, g, 4, 4)),
    *((128, 3, 4, 4), (3,)),
]
D_SHAPES = [
    *(shape for f, g in pairwise(WIDTHS) for shape in ((g, f, 4, 4), (g,), (g,))),
    *((1024, 16384), (1024,), (1, 1024), (1,), (1024, 16384), (1024,), (13, 1024), (13,)),
]


def count(net: nn.Module) -> int:
    return sum(w.numel() for w in net.parameters())


def test_paper_has_the_published_tensors() -> None:
    with torch.device("meta"):
        game = build(recipe("attgan", preset="paper"))
    shapes = {name: [tuple(t.shape) for t in getattr(game, name).state_dict().values()] for name in "GD"}
    assert shapes == {"G": G_SHAPES, "D": D_SHAPES}
    assert (count(game.G), count(game.D)) == (43_459_203, 44_718_990)


def test_styles_has_the_sizes_of_the_readme() -> None:
    with torch.device("meta"):
        game = build(recipe("attgan", preset="styles"))
    assert (count(game.G), count(game.D)) == (361_203, 173_412)


@pytest.mark.parametrize(("layer", "other"), [(0, 1), (1, 0)])
def test_attributes_are_told_twice(layer: int, other: int) -> None:
    G = networks(image_size=16, classes=3, width=4, halvings=3)["G"].eval()
    x, none, one = torch.rand(2, 3, 16, 16), torch.tensor([0, 0]), torch.tensor([1, 1])
    nn.init.zeros_(G.decoder[other][0].weight[-3:])
    assert not torch.equal(G(x, none), G(x, one))
    nn.init.zeros_(G.decoder[layer][0].weight[-3:])
    assert torch.equal(G(x, none), G(x, one))


def test_attributes_are_half_or_minus_half() -> None:
    G, x = networks(image_size=16, classes=3, width=4, halvings=2)["G"].eval(), torch.rand(1, 3, 16, 16)
    assert torch.equal(G(x, torch.tensor([1])), G.edited(x, torch.tensor([[-0.5, 0.5, -0.5]])))


class Plus(Generator):
    """x plus the number of the attribute."""

    def __init__(self) -> None:
        super().__init__()
        self.inputs, self.output = {"x": Image((1, None, None)), "label": Label(2)}, Images((1, None, None))
        self.by = nn.Parameter(torch.ones(()))

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        return x + self.by * label[:, None, None, None]


class Sum(Discriminator):
    """The sum of all pixels; both logits are the first pixel."""

    def __init__(self) -> None:
        super().__init__()
        self.by = nn.Parameter(torch.ones(()))
        self.cls = lambda h: h[:, 0, 0, :1].expand(-1, 2)

    def score_and_features(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self(x), x

    def forward(self, x: Tensor) -> Tensor:
        return self.by * x.sum((1, 2, 3))


def test_losses_in_closed_form() -> None:
    """All have attribute 1, so G adds 1, whether it edits or makes x again. The slope of a sum of 9 pixels is 3."""
    game = AttGAN(Plus(), Sum())
    batch = {"x": torch.full((4, 1, 3, 3), 0.5), "label": torch.ones(4, dtype=torch.long)}
    soft = lambda s: math.log1p(math.exp(s))  # noqa: E731
    assert {k: v.item() for k, v in game.d_loss(batch).items()} == pytest.approx(
        {"real": -4.5, "fake": 13.5, "gp": 10 * (3 - 1) ** 2, "cls": (soft(0.5) + soft(-0.5)) / 2}
    )
    assert {k: v.item() for k, v in game.g_loss(batch).items()} == pytest.approx(
        {"adv": -13.5, "cls": 10 * (soft(1.5) + soft(-1.5)) / 2, "rec": 100.0}
    )


def test_who_is_sure_and_right_pays_nothing() -> None:
    logits = torch.tensor([[50.0, -50.0], [-50.0, 50.0]])
    assert unlike(logits, torch.tensor([0, 1])).item() == pytest.approx(0, abs=1e-9)
    assert unlike(logits, torch.tensor([1, 0])).item() == pytest.approx(50)


def test_the_step_falls_once() -> None:
    assert [tenth(u) for u in (0.0, 0.49, 0.5, 1.0)] == [1.0, 1.0, 0.1, 0.1]


@pytest.mark.parametrize("given", [{"image_size": 100}, {"classes": 0}, {"halvings": 7}, {"halvings": 1}])
def test_what_does_not_fit_is_refused_in_one_line(given: dict[str, int]) -> None:
    with pytest.raises(GanzooError) as fault:
        networks(**given)  # type: ignore[arg-type]
    assert "\n" not in str(fault.value)
