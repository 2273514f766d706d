"""SS-InfoGAN: the published sizes, both losses in closed form, and a code that a few labels guide."""

from __future__ import annotations

import math

import pytest
import torch
from ganzoo_infogan.semi import SSInfoGAN, networks
from torch import Tensor, nn

import ganzoo_core as gz
from ganzoo_core.errors import GanzooError


def count(net: nn.Module) -> int:
    return sum(w.numel() for w in net.parameters())


def small(**given: object) -> SSInfoGAN:
    game = gz.create("ss_infogan", preset="tiny", **given)
    assert isinstance(game, SSInfoGAN)
    return game


def pictures(seed: int) -> Tensor:
    return torch.rand(6, 1, 16, 16, generator=torch.Generator().manual_seed(seed)) * 2 - 1


BATCH = {"x": pictures(0), "x_labelled": pictures(1), "label": torch.tensor([0, 1, 2, 3, 4, 5])}


def test_paper_has_the_authors_layers() -> None:
    nets, flat = networks(), 7 * 7 * 128
    G = 75 * 1024 + 2 * 1024 + 1025 * flat + 2 * flat + 64 * 128 * 16 + 64 + 2 * 64 + 64 * 16 + 1
    body = 64 * 16 + 64 + 128 * 64 * 16 + 128 + 2 * 128 + (flat + 1) * 1024 + 2 * 1024
    Q = 1025 * 128 + 2 * 128 + 129 * 2
    assert [count(nets[name]) for name in "GDQ"] == [G, body + 1025 + 1025 * 10, Q]


class Reads(nn.Module):
    """A head that says the same of everything."""

    def __init__(self, said: Tensor) -> None:
        super().__init__()
        self.said = said

    def forward(self, h: Tensor) -> Tensor:
        return self.said.expand(len(h), -1)


def test_who_knows_nothing_pays_log_k_for_classes_and_a_third_for_codes() -> None:
    """E u^2 is 1/3 for u uniform in [-1, 1]."""
    game = small(lam_ss=3.0, lam_us=6.0)
    game.D.Q_ss, game.Q = Reads(torch.zeros(10)), Reads(torch.zeros(2))
    many = {key: value.repeat(200, *[1] * (value.ndim - 1)) for key, value in BATCH.items()}
    d, g = game.d_loss(many), game.g_loss(many)
    assert d["label"].item() == pytest.approx(3 * math.log(10)) and g["c"].item() == pytest.approx(3 * math.log(10))
    assert d["u"].item() == pytest.approx(2, rel=0.1) and g["u"].item() == pytest.approx(2, rel=0.1)


def test_q_ss_learns_from_labelled_pictures_and_g_from_q_ss() -> None:
    game = small()
    d = game.d_loss(BATCH)
    expected = -game.D.logits(BATCH["x_labelled"]).softmax(1)[range(6), BATCH["label"]].log().mean()
    assert d["label"].item() == pytest.approx(2 * expected.item(), rel=1e-5)
    torch.manual_seed(1)
    g = game.g_loss(BATCH)
    torch.manual_seed(1)
    z, label, u = game.drawn(6)
    fake = game.G(z, label, u)
    assert g["adv"].item() == pytest.approx(-game.D(fake).sigmoid().log().mean().item(), rel=1e-5)
    named = -game.D.logits(fake).softmax(1)[range(6), label].log().mean()
    assert g["c"].item() == pytest.approx(2 * named.item(), rel=1e-5)
    of_labels = torch.autograd.grad(d["label"], game.D.Q_ss.weight, retain_graph=True)[0]
    of_the_rest = torch.autograd.grad(d["real"] + d["fake"] + d["u"], game.D.Q_ss.weight, allow_unused=True)[0]
    assert of_labels.abs().sum() > 0 and of_the_rest is None  # nothing but labels says which class is which


def test_q_us_moves_with_d_and_g_alone() -> None:
    D, G = (step.player for step in small().phases()[0].steps)
    assert [type(net).__name__ for net in D.nets] == ["D", "Sequential"]
    assert [type(net).__name__ for net in G.nets] == ["G"]


def test_classes_are_drawn_equally_often_and_asked_for_by_label() -> None:
    game = small()
    drawn = game.drawn(5000)[1]
    assert torch.bincount(drawn, minlength=10).min() > 400
    assert game.G.sample(4, seed=0, label=3, u=[0.5, -0.5]).shape == (4, 1, 16, 16)


def test_guided_codes_become_the_classes() -> None:
    """Two kinds of pictures, dark and light, of which six have labels: G draws the kind that it is told."""
    torch.manual_seed(0)
    game = small(classes=2, lr_d=1e-3)
    d, g = (torch.optim.Adam([w for net in nets for w in net.parameters()], 2e-3, (0.5, 0.999))
            for nets in (game.nets("D"), game.nets("G")))  # fmt: skip
    for _ in range(200):
        kinds = torch.randint(2, (32,))
        x = (kinds[:, None, None, None] * 1.4 - 0.7) + 0.1 * torch.randn(32, 1, 16, 16)
        batch = {"x": x, "x_labelled": x[:6], "label": kinds[:6]}
        for optimizer, loss in ((d, game.d_loss), (g, game.g_loss)):
            optimizer.zero_grad()
            torch.stack([*loss(batch).values()]).sum().backward()
            optimizer.step()
    light = [game.G.sample(16, seed=0, label=k).mean().item() for k in (0, 1)]
    assert light[1] - light[0] > 0.2


@pytest.mark.parametrize(("given", "says"), [({"classes": 1}, "two or more"), ({"image_size": 18}, "multiple of 4")])
def test_what_does_not_fit_is_refused_in_one_line(given: dict[str, int], says: str) -> None:
    with pytest.raises(GanzooError, match=says) as fault:
        small(**given)
    assert "\n" not in str(fault.value)
