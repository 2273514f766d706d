"""Games whose D is asked more than whether a picture is real: losses in closed form, counts, who learns what."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from ganzoo_classes import losses
from ganzoo_classes.ssgan import turns
from torch import Tensor, nn
from torch.nn.functional import normalize

import ganzoo_core as gz
from ganzoo_core.errors import GanzooError


def count(net: nn.Module) -> int:
    return sum(w.numel() for w in net.parameters())


@pytest.mark.parametrize(
    ("preset", "g", "d"),
    [("paper", 4276739, 1054341), ("imagenet64", 12220675, 10145541), ("imagenet128", 32150787, 29021957)],
)
def test_ssgan_has_the_published_weights(preset: str, g: int, d: int) -> None:
    with torch.device("meta"):
        game = gz.create("ssgan", preset=preset)
    assert (count(game.G), count(game.D) + count(game.Q)) == (g, d)


def test_heads_of_reacgan_are_512_wide() -> None:
    game = gz.create("reacgan", preset="small")
    assert tuple(game.E.weight.shape) == (512, 192) and tuple(game.P.weight.shape) == (10, 512)


def test_four_turns_bring_a_picture_back() -> None:
    x = torch.arange(2 * 9.0).reshape(2, 1, 3, 3)
    turned, r = turns(x)
    assert r.tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    torch.testing.assert_close(turned[:2], x)
    torch.testing.assert_close(turned[4:6], x.flip(2, 3))
    torch.testing.assert_close(torch.rot90(turned[6:], 1, (2, 3)), x)


def batch(n: int = 8, side: int = 16) -> dict[str, Tensor]:
    rng = torch.Generator().manual_seed(0)
    return {
        "x": torch.rand(n, 1, side, side, generator=rng) * 2 - 1,
        "label": torch.randint(10, (n,), generator=rng),
    }


class Saying(nn.Module):
    """A head that knows nothing, or says one answer with certainty."""

    def __init__(self, answers: Tensor | int) -> None:
        super().__init__()
        self.answers = answers

    def forward(self, h: Tensor) -> Tensor:
        if isinstance(self.answers, int):
            return h.new_zeros(len(h), self.answers)
        return 100 * nn.functional.one_hot(self.answers, 10).to(h.dtype)


def test_who_cannot_tell_turns_pays_log_4() -> None:
    game = gz.create("ssgan", preset="tiny", alpha=0.5, beta=2.0)
    game.Q = Saying(4)
    assert game.turn_loss(batch()["x"]).item() == pytest.approx(np.log(4))
    assert game.d_loss(batch())["turn"].item() == pytest.approx(2 * np.log(4))
    assert game.g_loss(batch())["turn"].item() == pytest.approx(0.5 * np.log(4))


def test_the_twin_takes_back_what_the_classifier_gives() -> None:
    """Where both say the same, G is taught nothing of classes; where the twin alone errs, it gains."""
    game = gz.create("tacgan", preset="tiny", lam=3.0)
    y = batch()["label"]
    game.C_mi.load_state_dict(game.C.state_dict())
    assert game.g_loss(batch())["class"].item() == pytest.approx(0, abs=1e-5)
    game.C, game.C_mi = Saying(y), Saying(10)
    assert game.g_loss(batch())["class"].item() == pytest.approx(-3 * np.log(10))
    terms = game.d_loss(batch())
    assert [terms[name].item() for name in ("class", "class_fake", "twin")] == pytest.approx([0, 0, 3 * np.log(10)])


def unit(n: int, d: int, seed: int) -> Tensor:
    return normalize(torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64))


def test_2c_as_the_paper_writes_it() -> None:
    h, w, y, t = unit(6, 4, 0), unit(6, 4, 1), torch.tensor([0, 0, 1, 1, 1, 2]), 0.7
    total = 0.0
    for i in range(6):
        own = np.exp(float(h[i] @ w[i]) / t)
        each = {j: np.exp(float(h[i] @ h[j]) / t) for j in range(6) if j != i}
        total -= np.log((own + sum(e for j, e in each.items() if y[j] == y[i])) / (own + sum(each.values()))) / 6
    assert losses.two_c(h, w, y, t).item() == pytest.approx(total)


def test_d2d_ce_as_the_paper_writes_it() -> None:
    h, w, y, t, m_p = unit(6, 4, 0), unit(6, 4, 1), torch.tensor([0, 0, 1, 1, 1, 2]), 0.5, 0.98
    total = 0.0
    for i in range(6):
        near = np.exp(min(float(h[i] @ w[i]) - m_p, 0) / t)
        far = sum(np.exp(max(float(h[i] @ h[j]) - (1 - m_p), 0) / t) for j in range(6) if y[j] != y[i])
        total -= np.log(near / (near + far)) / 6
    assert losses.d2d_ce(h, w, y, t, m_p).item() == pytest.approx(total)


def test_what_is_near_and_far_enough_teaches_nothing_more() -> None:
    """At its proxy, and at right angles to another class: no slope, where cross-entropy still has one."""
    h = torch.tensor([[1.0, 0.0], [0.0, 1.0]], requires_grad=True)
    easy = losses.d2d_ce(h, h.detach(), torch.tensor([0, 1]), 0.5, 0.98)
    assert torch.autograd.grad(easy, h)[0].abs().max() == 0
    still = losses.two_c(h, h.detach(), torch.tensor([0, 1]), 0.5)
    assert torch.autograd.grad(still, h)[0].abs().max() > 0


@pytest.mark.parametrize("y", [[0, 0, 0, 0], [0, 1, 2, 3]])
def test_batches_of_one_class_and_of_all_have_slopes(y: list[int]) -> None:
    for loss in (lambda *p: losses.two_c(*p, 1.0), lambda *p: losses.d2d_ce(*p, 0.5, 0.98)):
        h, w = unit(4, 3, 0).requires_grad_(), unit(4, 3, 1)
        assert torch.autograd.gradcheck(lambda v, w=w, loss=loss: loss(v, w, torch.tensor(y)), (h,))


@pytest.mark.parametrize("family", ["contragan", "reacgan"])
def test_both_players_compare(family: str) -> None:
    game = gz.create(family, preset="tiny")
    assert game.d_loss(batch())["compared"].item() > 0
    made = game.g_loss(batch())["compared"]
    (slope,) = torch.autograd.grad(made, [game.G.linear.parametrizations.weight.original])
    assert slope.abs().sum() > 0


def test_one_class_is_refused_in_a_line() -> None:
    for family in ("tacgan", "contragan", "reacgan"):
        with pytest.raises(GanzooError, match="two or more"):
            gz.create(family, preset="tiny", classes=1)
