"""CoGAN: the published tensors, weights that both domains share, losses in closed form, and data without pairs."""

from __future__ import annotations

import math

import pytest
import torch
from ganzoo_couples.cogan import CoGAN
from ganzoo_couples.cogan_networks import networks
from ganzoo_couples.edged import Edged, outlines
from torch import Tensor, nn

from ganzoo_core.data import open_dataset
from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator
from ganzoo_core.registry.plugins import registry
from ganzoo_core.registry.recipes import build, recipe

G_SHAPES = [
    *((100, 1024, 4, 4), (1024,), (1024,), (1024,), (), (1,)),
    *((1024, 512, 3, 3), (512,), (512,), (512,), (), (1,)),
    *((512, 256, 3, 3), (256,), (256,), (256,), (), (1,)),
    *((256, 128, 3, 3), (128,), (128,), (128,), (), (1,)),
    *((128, 1, 6, 6), (1,), (128, 1, 6, 6), (1,)),
]
D_SHAPES = [
    *((20, 1, 5, 5), (20,), (20, 1, 5, 5), (20,), (50, 20, 5, 5), (50,)),
    *((500, 50, 4, 4), (500,), (1,), (2, 500, 1, 1), (2,)),
]


def shapes(net: nn.Module) -> list[tuple[int, ...]]:
    return [tuple(t.shape) for t in net.state_dict().values()]


def count(net: nn.Module) -> int:
    return sum(w.numel() for w in net.parameters())


def test_paper_has_the_published_tensors() -> None:
    with torch.device("meta"):
        game = build(recipe("cogan", preset="paper"))
    assert shapes(game.G) == G_SHAPES and count(game.G) == 7_842_694
    assert shapes(game.D) == D_SHAPES and count(game.D) == 427_593


def test_mnist_has_the_sizes_of_the_readme() -> None:
    with torch.device("meta"):
        game = build(recipe("cogan", preset="mnist"))
    assert (count(game.G), count(game.D)) == (302_966, 427_593)


def test_one_seed_is_a_couple() -> None:
    game = build(recipe("cogan", preset="tiny"))
    a, b = (game.G.sample(3, seed=5, domain=domain) for domain in ("a", "b"))
    game.G.b.load_state_dict(game.G.a.state_dict())
    same = game.G.sample(3, seed=5, domain="b")
    assert not torch.equal(a, b) and torch.equal(a, same)  # they differ in their heads and in nothing else


def test_d_has_a_first_layer_for_each_domain() -> None:
    D = networks(width=4, d_width=4)["D"]
    x, domain = torch.randn(2, 1, 28, 28).repeat(2, 1, 1, 1), torch.tensor([0, 0, 1, 1])
    before = D(x, domain)
    nn.init.zeros_(D.b.weight)
    after = D(x, domain)
    assert torch.equal(before[:2], after[:2]) and not torch.equal(before[2:], after[2:])


class Scores(Discriminator):
    """The mean of a picture, and the domain on top."""

    def __init__(self) -> None:
        super().__init__()
        self.by = nn.Parameter(torch.ones(()))

    def forward(self, x: Tensor, domain: Tensor) -> Tensor:
        return self.by * x.mean((1, 2, 3)) + domain


def test_losses_in_closed_form() -> None:
    """a is 1 everywhere, b is -1; both heads draw 0."""
    G = networks(width=4)["G"]
    for head in (G.a, G.b):
        nn.init.zeros_(head.weight)
        nn.init.zeros_(head.bias)
    game = CoGAN(G, Scores())
    batch = {"a": torch.ones(3, 1, 28, 28), "b": -torch.ones(3, 1, 28, 28)}
    soft = lambda s: math.log1p(math.exp(s))  # noqa: E731
    d = {name: term.item() for name, term in game.d_loss(batch).items()}
    assert d == pytest.approx({"a_real": soft(-1), "a_fake": soft(0), "b_real": soft(0), "b_fake": soft(1)})
    assert {k: v.item() for k, v in game.g_loss(batch).items()} == pytest.approx({"a": soft(0), "b": soft(-1)})


def test_d_s_score_is_cross_entropy_over_two_classes() -> None:
    D, x, domain = networks(width=4, d_width=4)["D"], torch.rand(4, 1, 28, 28), torch.tensor([0, 1, 0, 1])
    seen = []
    D.shared.register_forward_hook(lambda *call: seen.append(call[-1].flatten(1)))
    score = D(x, domain)
    theirs = nn.functional.cross_entropy(seen[0], torch.ones(4, dtype=torch.long))
    torch.testing.assert_close(nn.functional.softplus(-score).mean(), theirs)


@pytest.mark.parametrize("given", [{"image_size": 32}, {"d_width": 3}, {"width": 0}])
def test_what_does_not_fit_is_refused_in_one_line(given: dict[str, int]) -> None:
    with pytest.raises(GanzooError) as fault:
        networks(**given)  # type: ignore[arg-type]
    assert "\n" not in str(fault.value)


def test_outlines_of_a_square() -> None:
    x = torch.full((1, 1, 7, 7), -1.0)
    x[..., 2:5, 2:5] = 1
    edge = outlines(x)[0, 0]
    assert edge[1:6, 1:6].sum() == 16 - 9 and (edge[2:5, 2:5] == -1).all() and (edge[0] == -1).all()


def test_edged_data_know_no_pairs() -> None:
    zoo = registry()
    source, data = (
        open_dataset(name, image_size=28, datasets=zoo.datasets, views=zoo.views) for name in ("digits", "edged:digits")
    )
    assert data.info.keys == {"a", "b"} and len(data) == len(source) // 2
    batch = data.fetch([0, 3])
    assert torch.equal(batch["a"], source.fetch([0, 6])["x"])
    assert torch.equal(batch["b"], outlines(source.fetch([1, 7])["x"]))
    one, two = (data.fetch_augmented([0, 3], seeds) for seeds in ([1, 2], [3, 4]))
    assert torch.equal(one["a"], two["a"]) and not torch.equal(one["b"], two["b"])
    with pytest.raises(GanzooError):
        Edged(data)
