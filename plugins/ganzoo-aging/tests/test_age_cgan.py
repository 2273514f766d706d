"""Age-cGAN: networks by their tensors, the search for z* where it is known, and ages that are found out."""

from __future__ import annotations

import pytest
import torch
from ganzoo_aging.age_cgan import TEMPERATURE, AgeCGAN, together
from ganzoo_aging.age_cgan_networks import Pixels, networks
from torch import Tensor, nn
from torch.nn.functional import normalize

from ganzoo_core.errors import GanzooError
from ganzoo_core.registry.recipes import build, recipe

SIZES = {
    "image_size": 16, "channels": 1, "classes": 3, "width": 4, "z_dim": 8, "e_width": 2, "e_units": 16,
    "features": 8, "fr_width": 4,
}  # fmt: skip


def small(**given: object) -> dict[str, nn.Module]:
    torch.manual_seed(0)
    return networks(**{**SIZES, **given})  # type: ignore[arg-type]


def test_paper_has_dcgans_tensors_and_an_age() -> None:
    with torch.device("meta"):
        game = build(recipe("age_cgan", preset="paper"))
    shapes = [tuple(w.shape) for w in game.G.G.parameters() if w.ndim > 1]
    assert shapes == [(106, 512, 4, 4), (512, 256, 4, 4), (256, 128, 4, 4), (128, 64, 4, 4), (64, 3, 4, 4)]
    shapes = [tuple(w.shape) for w in game.D.parameters() if w.ndim > 1]
    assert shapes == [(64, 3, 4, 4), (128, 70, 4, 4), (256, 128, 4, 4), (512, 256, 4, 4), (1, 512, 4, 4)]
    shapes = [tuple(w.shape) for w in game.G.E.parameters() if w.ndim > 1]
    assert shapes == [
        (32, 3, 5, 5), (64, 32, 5, 5), (128, 64, 5, 5), (256, 128, 5, 5), (4096, 4 * 4 * 256 + 6), (100, 4096),
    ]  # fmt: skip


def test_identities_are_contrasted_as_published() -> None:
    h = normalize(torch.randn(6, 4, generator=torch.Generator().manual_seed(0)), dim=1)
    who = [0, 0, 1, 1, 1, 2]
    each = []
    for i in range(6):
        alike = [j for j in range(6) if j != i and who[j] == who[i]]
        others = torch.stack([h[i] @ h[j] / TEMPERATURE for j in range(6) if j != i]).logsumexp(0)
        each += [-sum(h[i] @ h[j] / TEMPERATURE - others for j in alike) / len(alike)] if alike else []
    torch.testing.assert_close(together(h, torch.tensor(who)), torch.stack(each).mean())
    assert together(h, torch.arange(6)) == 0  # nobody is like another


class Linear(nn.Module):
    """A picture that is a linear function of z, brighter with age."""

    def __init__(self) -> None:
        super().__init__()
        self.A = nn.Parameter(torch.randn(256, 8, generator=torch.Generator().manual_seed(3)) / 16)
        self.z_dim = 8

    def forward(self, z: Tensor, y: Tensor) -> Tensor:
        return (z @ self.A.T + y[:, None]).reshape(-1, 1, 16, 16)


def test_the_search_ends_where_it_should() -> None:
    """Among pixels and for a linear G, z* is the least-squares solution, from wherever it begins."""
    G = small(features=0)["G"]
    G.G = Linear()
    assert isinstance(G.FR, Pixels)
    z, y0 = torch.randn(1, 8), torch.tensor([2])
    x = G.G(z, y0)
    with torch.no_grad():
        found = G.optimised(x, y0, torch.zeros(1, 8), 30)
    torch.testing.assert_close(found, z, atol=1e-3, rtol=1e-3)
    assert not found.requires_grad


def test_the_search_keeps_the_identity() -> None:
    G = small()["G"].eval()
    x, y0 = 2 * torch.rand(1, 1, 16, 16) - 1, torch.tensor([1])

    def off(z: Tensor) -> float:
        return float((G.FR(x) - G.FR(G.G(z, y0))).square().sum().detach())

    z0 = G.E(x, y0)
    assert off(G.optimised(x, y0, z0, 10)) < 0.9 * off(z0)


def test_the_own_age_is_the_one_at_which_a_picture_is_made_again() -> None:
    G = small()["G"].eval()
    G.G = Linear()
    G.E.forward = lambda x, y: torch.zeros(len(x), 8)  # type: ignore[method-assign]
    x = torch.tensor([2.0, 0.0, 1.0])[:, None, None, None].expand(3, 1, 16, 16)
    assert G.own_age(x).tolist() == [2, 0, 1]


def test_sampling_says_what_it_takes() -> None:
    G = small()["G"]
    x = torch.rand(2, 1, 16, 16)
    plain = G.sample(2, seed=0, x=x, age=[0, 2], iterations=0, own_age=1)
    G.eval()
    torch.testing.assert_close(plain, G.G(G.E(x, torch.tensor([1, 1])), torch.tensor([0, 2])), atol=1e-5, rtol=1e-4)
    assert not torch.equal(plain, G.sample(2, seed=0, x=x, age=[0, 2], iterations=3, own_age=1))
    for wrong in ({"iterations": -1}, {"own_age": 3}):
        with pytest.raises(GanzooError, match="out of range"):
            G.sample(1, seed=0, x=x[:1], age=0, **wrong)


def test_where_no_identity_is_known_pixels_are_compared() -> None:
    taught, plain = AgeCGAN(**small()), AgeCGAN(**small(features=0))  # type: ignore[arg-type]
    assert taught.needs == {"x", "age", "identity"} and plain.needs == {"x", "age"}
    assert [phase.name for phase in taught.phases()] == ["identity", "gan", "encoder"]
    assert [phase.name for phase in plain.phases()] == ["gan", "encoder"]


def test_the_encoder_sees_a_generator_that_stands_still() -> None:
    game = AgeCGAN(**small())  # type: ignore[arg-type]
    encoder = game.phases()[-1]
    encoder.on_start()
    before = {key: value.clone() for key, value in game.G.G.state_dict().items()}
    encoder.steps[0].loss({"x": torch.rand(4, 1, 16, 16), "age": torch.arange(4) % 3})
    assert all(torch.equal(before[key], value) for key, value in game.G.G.state_dict().items())
    assert {id(w) for w in encoder.steps[0].player.parameters()} == {id(w) for w in game.G.E.parameters()}
