"""StarGAN: the published tensors, its norm in both modes, and losses in closed form."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
import torch
from ganzoo_couples.stargan import StarGAN, elsewhere
from ganzoo_couples.stargan_networks import InstanceNorm, networks
from torch import Tensor, nn

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator, Generator, Image, Images, Label
from ganzoo_core.registry.recipes import build, recipe


def normed(*kernel: int, f: int) -> list[tuple[int, ...]]:
    return [kernel, (f,), (f,), (f,), (f,), ()]


G_SHAPES = [
    *normed(64, 8, 7, 7, f=64), *normed(128, 64, 4, 4, f=128), *normed(256, 128, 4, 4, f=256),
    *normed(256, 256, 3, 3, f=256) * 12,
    *normed(256, 128, 4, 4, f=128), *normed(128, 64, 4, 4, f=64), (3, 64, 7, 7),
]  # fmt: skip
WIDTHS = [3, 64, 128, 256, 512, 1024, 2048]
D_SHAPES = [
    *(shape for f, g in pairwise(WIDTHS) for shape in ((g, f, 4, 4), (g,))),
    *((1, 2048, 3, 3), (5, 2048, 2, 2)),
]


def count(net: nn.Module) -> int:
    return sum(w.numel() for w in net.parameters())


def test_paper_has_the_published_tensors() -> None:
    with torch.device("meta"):
        game = build(recipe("stargan", preset="paper"))
    shapes = {name: [tuple(t.shape) for t in getattr(game, name).state_dict().values()] for name in "GD"}
    assert shapes == {"G": G_SHAPES, "D": D_SHAPES}
    assert (count(game.G), count(game.D)) == (8_430_528, 44_762_048)


def test_styles_has_the_sizes_of_the_readme() -> None:
    with torch.device("meta"):
        game = build(recipe("stargan", preset="styles"))
    assert (count(game.G), count(game.D)) == (311_248, 175_728)


def test_the_norm_is_torch_s_own_in_both_modes() -> None:
    torch.manual_seed(0)
    ours, theirs = InstanceNorm(4), nn.InstanceNorm2d(4, affine=True, track_running_stats=True)
    for w in ours.parameters():
        nn.init.normal_(w)
    theirs.load_state_dict(ours.state_dict())
    for _ in range(3):
        x = 2 * torch.randn(5, 4, 6, 6) + 1
        live = theirs(x)
        torch.testing.assert_close(ours(x), live)
    torch.testing.assert_close(ours.state_dict(), theirs.state_dict())
    ours.eval(), theirs.eval()
    torch.testing.assert_close(ours(x), theirs(x))
    torch.testing.assert_close(ours(x, live=True), live)
    assert not torch.allclose(ours(x), live, atol=0.01)


def test_samples_take_each_picture_s_own_statistics() -> None:
    G, x, label = networks(classes=3, width=4, blocks=1)["G"], torch.rand(2, 3, 8, 12), torch.tensor([0, 2])
    trained = G.train()(x, label)
    sampled = G.sample(2, seed=0, x=x, label=label)
    torch.testing.assert_close(sampled, trained)
    assert not torch.allclose(G.eval()(x, label), trained, atol=0.01)


def test_one_hot_is_how_a_domain_is_said() -> None:
    G, x = networks(classes=3, width=4, blocks=1)["G"].eval(), torch.rand(2, 3, 8, 8)
    assert torch.equal(G(x, torch.tensor([1, 1])), G.translated(x, torch.tensor([[0.0, 1.0, 0.0]]).expand(2, -1)))


def test_targets_are_the_domains_of_the_batch() -> None:
    own = torch.tensor([0, 0, 0, 1, 2])
    assert sorted(elsewhere(own).tolist()) == own.tolist()


class Plus(Generator):
    """x plus the number of the domain."""

    def __init__(self) -> None:
        super().__init__()
        self.inputs, self.output = {"x": Image((1, None, None)), "label": Label(2)}, Images((1, None, None))
        self.by = nn.Parameter(torch.ones(()))

    def forward(self, x: Tensor, label: Tensor) -> Tensor:
        return x + self.by * label[:, None, None, None]


class Twice(Discriminator):
    """Twice each pixel; the logit of domain 1 is the first pixel, that of domain 0 is 0."""

    def __init__(self) -> None:
        super().__init__()
        self.by = nn.Parameter(torch.tensor(2.0))
        self.cls = lambda h: torch.stack([torch.zeros(len(h)), h[:, 0, 0, 0]], 1)

    def score_and_features(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self(x), x

    def forward(self, x: Tensor) -> Tensor:
        return self.by * x


def test_losses_in_closed_form() -> None:
    """All of domain 1: G adds 1 and, on the way back, 1 again. The slope of 2 x 9 scores is 2 sqrt(9)."""
    game = StarGAN(Plus(), Twice(), lam_cls=2.0)
    batch = {"x": torch.full((4, 1, 3, 3), 0.5), "label": torch.ones(4, dtype=torch.long)}
    log_p = lambda logit: math.log1p(math.exp(-logit))  # noqa: E731
    assert {k: v.item() for k, v in game.d_loss(batch).items()} == pytest.approx(
        {"real": -1.0, "fake": 3.0, "gp": 10 * (6 - 1) ** 2, "cls": 2 * log_p(0.5)}
    )
    assert {k: v.item() for k, v in game.g_loss(batch).items()} == pytest.approx(
        {"adv": -3.0, "cls": 2 * log_p(1.5), "rec": 10 * 2.0}
    )


@pytest.mark.parametrize("given", [{"image_size": 100}, {"classes": 0}, {"halvings": 8}])
def test_what_does_not_fit_is_refused_in_one_line(given: dict[str, int]) -> None:
    with pytest.raises(GanzooError) as fault:
        networks(**given)  # type: ignore[arg-type]
    assert "\n" not in str(fault.value)
