"""BicycleGAN: the published tensors, z at every level, losses in closed form, and an E that stands still."""

from __future__ import annotations

import math

import pytest
import torch
from ganzoo_couples.bicyclegan import BicycleGAN, frozen, kl
from ganzoo_couples.bicyclegan_networks import TwoScales, networks
from torch import Tensor, nn

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Generator, Image, Images, Latent
from ganzoo_core.registry.recipes import build, recipe


def conv(out: int, into: int, k: int) -> list[tuple[int, ...]]:
    return [(out, into, k, k), (out,)]


def block(f: int, f_next: int) -> list[tuple[int, ...]]:
    return [*conv(f, f, 3), *conv(f_next, f, 3), *conv(f_next, f, 1)]


DOWN = [(64, 11), (128, 72), (256, 136), (512, 264), *[(512, 520)] * 4]
UP = [(512, 512), *[(512, 1024)] * 3, (256, 1024), (128, 512), (64, 256), (3, 128)]
G_SHAPES = [*(s for sizes in DOWN for s in conv(*sizes, 4)), *(s for sizes in UP for s in conv(*sizes, 3))]
HEADS = [(8, 256), (8,)] * 2
E_SHAPES = [*HEADS, *conv(64, 3, 4), *block(64, 128), *block(128, 192), *block(192, 256), *block(256, 256)]
D_SHAPES = [
    *(s for f in (64, 32) for i, o in ((3, f), (f, 2 * f), (2 * f, 4 * f), (4 * f, 8 * f), (8 * f, 1))
      for s in conv(o, i, 4)),
]  # fmt: skip


def count(net: nn.Module) -> int:
    return sum(w.numel() for w in net.parameters())


def on_meta(preset: str) -> BicycleGAN:
    with torch.device("meta"):
        return build(recipe("bicyclegan", preset=preset))


def test_paper_has_the_published_tensors() -> None:
    game = on_meta("paper")
    shapes = {name: [tuple(t.shape) for t in getattr(game, name).state_dict().values()] for name in ("G", "E", "D")}
    assert shapes == {"G": G_SHAPES, "E": E_SHAPES, "D": D_SHAPES}


@pytest.mark.parametrize(
    ("preset", "sizes"),
    [
        ("paper", (39_538_435, 2_590_032, 3_458_978)),
        ("paper128", (30_558_979, 1_344_080, 830_626)),
        ("gray2noto", (824_515, 8_816, 54_058)),
    ],
)
def test_presets_have_the_sizes_of_the_readme(preset: str, sizes: tuple[int, int, int]) -> None:
    game = on_meta(preset)
    assert (count(game.G), count(game.E), count(game.D)) == sizes and count(game.D2) == sizes[2]


def test_z_is_told_at_every_level() -> None:
    G, a = networks(image_size=16, width=4, levels=4, z_dim=3)["G"], torch.rand(2, 3, 16, 32)
    z = torch.randn(2, 3)
    for level in range(4):
        others = [conv for i, conv in enumerate(G.down) if i != level]
        kept = [conv.weight.clone() for conv in others]
        for conv in others:
            nn.init.zeros_(conv.weight[:, -3:])
        nn.init.normal_(G.down[level].weight)
        assert not torch.allclose(G(a, z), G(a, -z)), f"level {level} is deaf"
        for conv, weight in zip(others, kept, strict=True):
            conv.weight.data.copy_(weight)


def test_d_looks_twice() -> None:
    D, b = networks(image_size=32, width=4, levels=4, patch=34, d_width=4)["D"], torch.rand(2, 3, 32, 32)
    fine, coarse = D.scales(b)
    assert fine.shape == (2, 1, 6, 6) and coarse.shape == (2, 1, 2, 2) and D(b).shape == (2, 40)
    corner = D.shrink(torch.ones(1, 1, 4, 4))
    assert torch.equal(corner, torch.ones(1, 1, 2, 2))  # what lies beyond the border does not count


def test_kl_in_closed_form() -> None:
    zero = torch.zeros(3, 2)
    assert kl(zero, zero) == 0
    assert kl(zero + 2, zero).item() == pytest.approx(6 * 2.0)
    assert kl(zero, zero + math.log(4)).item() == pytest.approx(6 * 0.5 * (4 - 1 - math.log(4)))


class Plus(Generator):
    """A plus the sum of z."""

    def __init__(self) -> None:
        super().__init__()
        self.inputs, self.output = {"a": Image((1, None, None)), "z": Latent((2,))}, Images((1, None, None))
        self.by = nn.Parameter(torch.ones(()))

    def forward(self, a: Tensor, z: Tensor) -> Tensor:
        return a + self.by * z.sum(1)[:, None, None, None]


class Sure(nn.Module):
    """The mean brightness twice, and hardly any doubt."""

    def __init__(self) -> None:
        super().__init__()
        self.by = nn.Parameter(torch.ones(()))

    def forward(self, b: Tensor) -> tuple[Tensor, Tensor]:
        mean = self.by * b.mean((1, 2, 3))[:, None].expand(-1, 2)
        return mean, torch.full_like(mean, -60.0)


class Twice(TwoScales):
    """Both scales score a number times the brightness."""

    def __init__(self, by: float) -> None:
        nn.Module.__init__(self)
        self.by = nn.Parameter(torch.tensor(by))

    def scales(self, b: Tensor) -> tuple[Tensor, Tensor]:
        return self.by * b, 2 * self.by * b.mean((2, 3))


def test_losses_in_closed_form(monkeypatch: pytest.MonkeyPatch) -> None:
    """A = 0 and B = 1 in the first half of the batch, 3 in the second: z = (1, 1), G(A, z) = 2; random z is (2, 2)."""
    game = BicycleGAN(Plus(), Sure(), Twice(1.0), Twice(0.5))
    monkeypatch.setattr(game.G, "prior", lambda n, rng=None: torch.full((n, 2), 2.0))
    batch = {"a": torch.zeros(4, 1, 3, 3), "b": torch.tensor([1.0, 1, 3, 3])[:, None, None, None].expand(4, 1, 3, 3)}
    assert {k: v.item() for k, v in game.g_loss(batch).items()} == pytest.approx({
        "adv": (2 - 1) ** 2 + (4 - 1) ** 2, "adv2": (2 - 1) ** 2 + (4 - 1) ** 2, "l1": 10 * 1.0,
        "kl": 0.01 * 4 * 0.5 * (1 + 60 - 1), "z": 0.5 * 2.0,
    })  # fmt: skip
    assert {k: v.item() for k, v in game.d_loss(batch).items()} == pytest.approx({
        "real": 0.0 + 1.0, "fake": 4.0 + 16.0, "real2": 0.5**2 + 2.0**2, "fake2": 4.0 + 16.0,
    })  # fmt: skip


def test_e_does_not_move_to_find_random_z() -> None:
    E, b = networks(image_size=16, levels=4, width=4, e_width=4)["E"], torch.rand(2, 3, 16, 16, requires_grad=True)
    mean = frozen(E, b)[0]
    assert torch.equal(mean, E(b)[0])
    mean.sum().backward()
    assert b.grad is not None and b.grad.abs().sum() > 0 and all(w.grad is None for w in E.parameters())


def test_another_z_another_picture() -> None:
    game = build(recipe("bicyclegan", preset="tiny"))
    a = torch.rand(2, 3, 16, 16)
    one, two = (game.G.sample(2, seed=seed, a=a) for seed in (0, 1))
    assert not torch.equal(one, two) and torch.equal(one, game.G.sample(2, seed=0, a=a))


@pytest.mark.parametrize("given", [{"image_size": 96}, {"levels": 1}, {"patch": 7}, {"width": 0}, {"image_size": 8}])
def test_what_does_not_fit_is_refused_in_one_line(given: dict[str, int]) -> None:
    with pytest.raises(GanzooError) as fault:
        networks(**given)  # type: ignore[arg-type]
    assert "\n" not in str(fault.value)
