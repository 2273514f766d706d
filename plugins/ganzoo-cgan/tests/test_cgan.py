"""Conditional GAN: equality with the published configuration."""

from __future__ import annotations

import pytest
import torch
from ganzoo_cgan.networks import networks
from ganzoo_cgan.objective import CGAN
from torch import Tensor, nn
from torch.nn.functional import one_hot

import ganzoo_core as gz
from ganzoo_core.errors import GanzooError


def shapes(net: nn.Module) -> list[tuple[int, ...]]:
    return [tuple(t.shape) for t in net.state_dict().values()]


def count(net: nn.Module) -> int:
    return sum(w.numel() for w in net.parameters())


def test_paper_has_the_published_tensors() -> None:
    nets = networks()
    assert shapes(nets["G"]) == [
        (200, 100), (200,), (1000, 10), (1000,), (1200, 1200), (1200,), (784, 1200), (784,),
    ]  # fmt: skip
    assert shapes(nets["D"]) == [(1200, 784), (1200,), (250, 10), (250,), (960, 290), (960,), (1, 240), (1,)]
    assert (count(nets["G"]), count(nets["D"])) == (2_413_984, 1_224_351)


def maxout(x: Tensor, w: Tensor, b: Tensor, k: int) -> Tensor:
    z = x @ w.T + b
    return torch.stack([z[:, k * j : k * j + k].max(1).values for j in range(len(w) // k)], 1)


def test_forward_is_the_published_one() -> None:
    torch.manual_seed(0)
    nets = networks()
    for w in [*nets["G"].parameters(), *nets["D"].parameters()]:
        w.data += 0.05 * torch.randn_like(w)  # biases too
    G, D = (nets[k].eval() for k in "GD")
    z, label = G.prior(3), torch.tensor([0, 7, 9])
    y = one_hot(label, 10).float()
    assert z.min() >= 0 and z.max() <= 1
    wz, bz, wy, by, w, b, wx, bx = G.state_dict().values()
    h = torch.cat([(z @ wz.T + bz).relu(), (y @ wy.T + by).relu()], 1)
    x = ((h @ w.T + b).relu() @ wx.T + bx).sigmoid()
    torch.testing.assert_close(G(z, label), (2 * x - 1).reshape(3, 1, 28, 28))
    wx, bx, wy, by, w, b, ws, bs = D.state_dict().values()
    h = maxout(torch.cat([maxout(x, wx, bx, 5), maxout(y, wy, by, 5)], 1), w, b, 4)
    torch.testing.assert_close(D((2 * x - 1).reshape(3, 1, 28, 28), label), (h @ ws.T + bs).flatten())


@pytest.mark.parametrize("body", ["perceptron", "convolutional"])
def test_both_players_see_the_label(body: str) -> None:
    torch.manual_seed(0)
    nets = networks(body=body, image_size=16, width=24, z_dim=8, units=24)  # type: ignore[arg-type]
    G, D = (nets[k].eval() for k in "GD")
    z, zero, one = G.prior(2), torch.zeros(2).long(), torch.ones(2).long()
    x = G(z, zero)
    assert x.shape == (2, 1, 16, 16) and not torch.equal(x, G(z, one))
    assert D(x, zero).shape == (2,) and not torch.equal(D(x, zero), D(x, one))


def test_the_losses_are_equation_2() -> None:
    torch.manual_seed(0)
    game = CGAN(**networks(image_size=4, width=12, units=24)).eval()  # type: ignore[arg-type]
    batch = {"x": torch.rand(5, 1, 4, 4), "label": torch.arange(5)}
    torch.manual_seed(1)
    terms = game.d_loss(batch)
    torch.manual_seed(1)
    fake = game.G(game.G.prior(5), batch["label"])
    real_p, fake_p = (torch.sigmoid(game.D(x, batch["label"])) for x in (batch["x"], fake))
    torch.testing.assert_close(terms["real"], -real_p.log().mean())
    torch.testing.assert_close(terms["fake"], -(1 - fake_p).log().mean())
    torch.manual_seed(1)
    torch.testing.assert_close(game.g_loss(batch)["adv"], -fake_p.log().mean())


def test_schedules_begin_and_end_as_published() -> None:
    D, G = (step.player for step in CGAN(**networks(image_size=4)).phases()[0].steps)  # type: ignore[arg-type]
    assert (G.schedules["lr"](0), 0.5 * G.schedules["momentum"](1)) == (1, pytest.approx(0.7))
    assert 0.1 * D.schedules["lr"](1) == pytest.approx(max(0.1 * 1.00004**-250_000, 1e-6))


@pytest.mark.parametrize("label", [None, 10, -1, 1.5, "seven"])
def test_a_missing_or_wrong_label_is_refused_in_one_line(label: object) -> None:
    G = networks(image_size=4, width=12, units=24)["G"]
    with pytest.raises(GanzooError, match="label") as refused:
        G.sample(2, seed=0, label=label)
    assert "\n" not in str(refused.value) and refused.value.exit_code == 2


def test_data_without_labels_are_refused() -> None:
    with pytest.raises(GanzooError, match="label"):
        gz.fit(gz.create("cgan", preset="tiny"), [torch.zeros(16, 1, 16, 16)], images=16, batch_size=16)
