"""InfoGAN: the published tensors, the bound in closed form, and the sheet that shows what codes mean."""

from __future__ import annotations

import math
import runpy
from pathlib import Path

import pytest
import torch
from ganzoo_infogan.networks import networks
from ganzoo_infogan.objective import InfoGAN, gaussian_nll
from torch import nn
from torch.distributions import Normal
from torch.nn.functional import batch_norm, conv2d, conv_transpose2d, leaky_relu, one_hot

from ganzoo_core.errors import GanzooError


def shapes(*nets: nn.Module) -> list[tuple[int, ...]]:
    return [tuple(t.shape) for net in nets for t in net.state_dict().values() if t.is_floating_point()]


def count(net: nn.Module) -> int:
    return sum(w.numel() for w in net.parameters())


def norm(f: int) -> list[tuple[int, ...]]:
    return [(f,)] * 4


def test_paper_has_the_published_tensors() -> None:
    nets = networks()
    assert shapes(nets["G"]) == [
        (74, 1024, 1, 1), *norm(1024), (1024, 128, 7, 7), *norm(128), (128, 64, 4, 4), *norm(64), (64, 1, 4, 4),
    ]  # fmt: skip
    assert shapes(nets["D"]) == [
        (64, 1, 4, 4), (64,), (128, 64, 4, 4), *norm(128), (1024, 128, 7, 7), *norm(1024), (1, 1024, 1, 1), (1,),
    ]  # fmt: skip
    assert shapes(nets["Q"]) == [
        (128, 1024, 1, 1), *norm(128), (10, 128, 1, 1), (10,), (2, 128, 1, 1), (2,), (2, 128, 1, 1), (2,),
    ]  # fmt: skip
    assert [count(nets[k]) for k in "GDQ"] == [6_632_832, 6_556_992 + 1_025, 133_134]


def small() -> dict[str, nn.Module]:
    return networks(image_size=16, width=4, z_dim=6)


def test_forward_is_the_published_one() -> None:
    torch.manual_seed(0)
    nets = small()
    G, D, Q = (nets[k].eval() for k in "GDQ")
    z, c, u = G.priors(3).values()
    h = torch.cat([z, one_hot(c, 10).float(), u], 1)[:, :, None, None]
    *rest, last = (v for v in G.state_dict().values() if v.is_floating_point())
    for i, (stride, padding) in enumerate([(1, 0), (1, 0), (2, 1)]):
        w, gamma, beta, mean, var = rest[5 * i : 5 * i + 5]
        h = batch_norm(conv_transpose2d(h, w, stride=stride, padding=padding), mean, var, gamma, beta).relu()
    x = conv_transpose2d(h, last, stride=2, padding=1).sigmoid()  # in [0, 1]
    torch.testing.assert_close(G(z, c, u), 2 * x - 1)
    w, b, *rest, head, bias = (v for v in D.state_dict().values() if v.is_floating_point())
    h = leaky_relu(conv2d(x, w, b, stride=2, padding=1), 0.1)
    for i, (stride, padding) in enumerate([(2, 1), (1, 0)]):
        w, gamma, beta, mean, var = rest[5 * i : 5 * i + 5]
        h = leaky_relu(batch_norm(conv2d(h, w, stride=stride, padding=padding), mean, var, gamma, beta), 0.1)
    score, features = D.score_and_features(2 * x - 1)
    torch.testing.assert_close(features, h.flatten(1))
    torch.testing.assert_close(score, conv2d(h, head, bias).flatten())
    logits, mean, log_variance = Q(features)
    assert logits.shape == (3, 10) and mean.shape == log_variance.shape == (3, 2)


def test_the_likelihood_of_continuous_codes_is_gaussian() -> None:
    u, mean, log_variance = torch.randn(3, 7, 2, generator=torch.Generator().manual_seed(0))
    expected = -Normal(mean, (log_variance / 2).exp()).log_prob(u).sum(1).mean()
    torch.testing.assert_close(gaussian_nll(u, mean, log_variance), expected, rtol=1e-4, atol=1e-4)


def test_the_bound_is_tight_for_a_q_that_knows() -> None:
    """L_I = E log Q(c|x) + H(c) is H(c) = log K where Q is sure and right, and 0 where it knows nothing: Eq. 5."""
    game = InfoGAN(**small())  # type: ignore[arg-type]

    class Guess(nn.Module):
        def __init__(self, sure: float) -> None:
            super().__init__()
            self.sure = sure

        def forward(self, h: torch.Tensor) -> tuple[torch.Tensor, ...]:
            return self.sure * one_hot(drawn["c"], 10).float(), torch.zeros(8, 2), torch.zeros(8, 2)

    for sure, l_i in ((50.0, math.log(10)), (0.0, 0.0)):
        torch.manual_seed(2)
        drawn = game.G.priors(8)
        torch.manual_seed(2)
        game.Q = Guess(sure)
        terms = game.g_loss({"x": torch.zeros(8, 1, 16, 16)})
        assert math.log(10) - float(terms["c"].detach()) == pytest.approx(l_i, abs=1e-4)


def test_q_moves_with_g() -> None:
    D, G = (step.player for step in InfoGAN(**small()).phases()[0].steps)  # type: ignore[arg-type]
    assert [type(net).__name__ for net in G.nets] == ["G", "Q"] and [type(net).__name__ for net in D.nets] == ["D"]


def test_a_sheet_changes_one_code_from_left_to_right_and_the_category_from_row_to_row() -> None:
    G = small()["G"]
    seen = G.sheet(30, 0, 1)
    assert seen["c"].reshape(10, 3).tolist() == [[k] * 3 for k in range(10)]
    assert seen["u"].reshape(10, 3, 2)[4].tolist() == [[0, -2], [0, 0], [0, 2]]
    assert len(seen["z"].unique(dim=0)) == 1
    assert G.sample(30, seed=0, traverse=1).shape == (30, 1, 16, 16)
    assert not torch.equal(G.sample(30, seed=0, traverse=1), G.sample(30, seed=1, traverse=1))
    with pytest.raises(GanzooError, match="traverse"):
        G.sample(32, seed=0, traverse=1)
    with pytest.raises(GanzooError, match="traverse"):
        G.sample(30, seed=0, traverse=2)


def test_the_shipped_codes_mean_slant_and_stroke() -> None:
    path = Path(__file__).parent.parent / "experiments" / "codes.py"
    measured = runpy.run_path(str(path))
    slants = [slant for slant, _ in measured["moved"]("infogan.mnist", 0)]
    strokes = [stroke for _, stroke in measured["moved"]("infogan.mnist", 1)]
    assert slants == sorted(slants) and slants[-1] - slants[0] > 1
    assert strokes == sorted(strokes, reverse=True) and strokes[0] > 2 * strokes[-1]


def test_codes_may_be_given() -> None:
    G = small()["G"]
    drawn, given = G.sample(4, seed=0), G.sample(4, seed=0, c=3, u=[0.5, -0.5])
    assert not torch.equal(drawn, given)
    with pytest.raises(GanzooError, match="out of range"):
        G.sample(4, seed=0, c=10)
