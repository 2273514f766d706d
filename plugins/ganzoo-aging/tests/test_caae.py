"""CAAE: the published tensors, TensorFlow's padding, the losses in closed form, and an attribute that is kept."""

from __future__ import annotations

import math

import pytest
import torch
from bars import as_floats, bars
from ganzoo_aging.caae import CAAE, total_variation
from ganzoo_aging.caae_networks import Double, Halve, networks, signed
from torch import Tensor, nn
from torch.nn.functional import conv_transpose2d, interpolate, softplus

from ganzoo_core.errors import GanzooError
from ganzoo_core.registry.recipes import build, recipe


def count(net: nn.Module) -> int:
    return sum(w.numel() for w in net.parameters())


def test_paper_has_the_counts_of_the_authors_networks() -> None:
    with torch.device("meta"):
        game = build(recipe("caae", preset="paper"))
    assert [count(net) for net in (game.G.E, game.G.G, game.Dz, game.Dimg)] == [
        18_234_034, 19_948_195, 6_113, 8_677_377,
    ]  # fmt: skip
    assert [tuple(w.shape) for w in game.G.G.main.parameters() if w.ndim > 1] == [
        (1024, 512, 5, 5), (512, 256, 5, 5), (256, 128, 5, 5), (128, 64, 5, 5), (64, 32, 5, 5), (32, 16, 5, 5),
        (16, 3, 5, 5),
    ]  # fmt: skip
    assert game.needs == {"x", "age", "attribute"}


def small(**given: object) -> dict[str, nn.Module]:
    sizes = {"image_size": 16, "channels": 1, "classes": 3, "width": 8, "z_dim": 8, "d_width": 4, "d_units": 16}
    return networks(**{**sizes, **given})  # type: ignore[arg-type]


def test_layers_are_padded_as_tensorflow_does() -> None:
    """Place i sees 2 i - 1 ... 2 i + 3; and Double is the transpose of Halve."""
    torch.manual_seed(0)
    halve, double = Halve(1, 1), Double(1, 1)
    halve[1].weight.data.fill_(0)
    halve[1].weight.data[0, 0, 0, 4] = 1  # the row above, the column 3 to the right
    halve[1].bias.data.fill_(0)
    x = torch.randn(1, 1, 8, 8)
    out = halve(x)
    assert out.shape == (1, 1, 4, 4) and out[0, 0, 1, 1] == x[0, 0, 1, 5] and out[0, 0, 0, 0] == 0
    double.weight.data.copy_(torch.randn(1, 1, 5, 5))
    double.bias.data.fill_(0)
    halve[1].weight.data.copy_(double.weight.data)
    y = torch.randn(1, 1, 4, 4)
    assert double(y).shape == (1, 1, 8, 8)
    torch.testing.assert_close((halve(x) * y).sum(), (x * double(y)).sum())
    torch.testing.assert_close(double(y), conv_transpose2d(y, double.weight, stride=2)[..., 1:9, 1:9])


def test_conditions_are_repeated_until_they_are_as_long_as_z() -> None:
    code = signed(torch.tensor([1]), 3, 2)
    assert code.tolist() == [[-1, 1, -1, -1, 1, -1]]
    nets = networks(image_size=16, attribute=True)
    assert nets["G"].G.fc.in_features == 150  # 50 + 10 x 5 + 2 x 25
    assert nets["Dimg"].told == [(10, 1), (2, 5)]  # 20 channels


def test_total_variation_of_a_ramp() -> None:
    ramp = torch.arange(4.0).expand(2, 1, 4, 4)  # to the right by 1, down by 0
    assert float(total_variation(ramp)) == pytest.approx(0.5)


class Sum(nn.Module):
    """A score that is known by heart."""

    def forward(self, x: Tensor, *conditions: Tensor) -> Tensor:
        return x.flatten(1).sum(1) + sum(c.float() for c in conditions)


def batch(n: int = 4) -> dict[str, Tensor]:
    g = torch.Generator().manual_seed(1)
    x = 2 * torch.rand(n, 1, 16, 16, generator=g) - 1
    return {"x": x, "age": torch.arange(n) % 3, "attribute": torch.arange(n) % 2}


@pytest.mark.parametrize(("rec", "power"), [("l1", 1), ("l2", 2)])
def test_the_losses_are_those_of_the_paper(rec: str, power: int) -> None:
    nets = small()
    game = CAAE(G=nets["G"], Dz=Sum(), Dimg=Sum(), V=nets["V"], rec=rec, lam_img=0.3, lam_z=0.2, lam_tv=0.1)
    given = batch()
    x, age = given["x"], given["age"]
    z = game.G.E(x)
    again = game.G(x, age)
    torch.testing.assert_close(again, game.G.decode(z, age))
    terms = game.eg_loss(given)
    torch.testing.assert_close(terms["rec"], (x - again).abs().pow(power).mean())
    torch.testing.assert_close(terms["img"], 0.3 * softplus(-(again.flatten(1).sum(1) + age)).mean())
    torch.testing.assert_close(terms["z"], 0.2 * softplus(-z.sum(1)).mean())
    torch.testing.assert_close(terms["tv"], 0.1 * total_variation(again))
    d = game.dimg_loss(given)
    torch.testing.assert_close(d["real"], softplus(-(x.flatten(1).sum(1) + age)).mean())
    torch.testing.assert_close(d["fake"], softplus(again.flatten(1).sum(1) + age).mean())
    torch.testing.assert_close(game.dz_loss(given)["fake"], softplus(z.sum(1)).mean())
    assert [step.player.name for step in game.phases()[0].steps] == ["Dz", "Dimg", "EG"]


def test_the_prior_fills_the_cube() -> None:
    seen = []
    nets = small()
    game = CAAE(G=nets["G"], Dz=nn.Sequential(nn.Flatten(1)), Dimg=Sum(), V=nets["V"])
    game.Dz.register_forward_hook(lambda _, given, __: seen.append(given[0]))
    game.dz_loss({**batch(), "x": torch.zeros(2000, 1, 16, 16)})
    drawn = seen[0]
    assert drawn.shape == (2000, 8) and -1 <= drawn.min() < -0.99 and 0.99 < drawn.max() <= 1
    assert abs(float(drawn.std()) - 1 / math.sqrt(3)) < 0.01


def test_an_attribute_has_to_be_there_to_be_kept() -> None:
    with pytest.raises(GanzooError, match="lam_v"):
        CAAE(**small(), lam_v=1.0)  # type: ignore[arg-type]
    with pytest.raises(GanzooError, match="z_dim"):
        networks(classes=10, z_dim=5)


def descend(game: CAAE, which: str, given: dict[str, Tensor], steps: int) -> None:
    (step,) = (step for step in game.phases()[0].steps if step.player.name == which)
    assert step.player.optim is not None
    optim = step.player.optim(step.player.parameters())
    for _ in range(steps):
        optim.zero_grad()
        torch.stack([v for v in step.loss(given).values()]).sum().backward()
        optim.step()


def test_a_planted_attribute_is_kept_by_verification() -> None:
    """Slant: V learns which way a stroke leans, and then E and G keep that at every age."""
    torch.manual_seed(0)
    leans = torch.tensor([8, -8, 6, -6] * 6)
    x = interpolate(as_floats(bars(leans.tolist())), (16, 16), mode="bilinear")
    given = {"x": x, "age": torch.arange(24) % 3, "attribute": (leans > 0).long()}
    game = CAAE(**small(attribute=True), lam_v=1.0, lr=2e-3)  # type: ignore[arg-type]

    def kept() -> float:
        """The share of pictures at another age in which V sees the attribute."""
        seen = game.V(game.G(x, given["age"].flip(0), given["attribute"])).argmax(1)
        return float((seen == given["attribute"]).float().mean())

    descend(game, "V", given, 40)
    assert (game.V(x).argmax(1) == given["attribute"]).all() and kept() < 0.8
    descend(game, "EG", given, 40)
    assert kept() == 1
