"""The original GAN: equality with the published configuration."""

from __future__ import annotations

import math

import pytest
import torch
from ganzoo_gan.networks import Maxout, networks
from ganzoo_gan.objective import GAN
from torch import Tensor, nn

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Generator, Images, Latent


class Dots(Generator):
    """Another's generator."""

    def __init__(self) -> None:
        super().__init__()
        self.inputs, self.output = {"z": Latent((16,))}, Images((1, 4, 4))
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, z: Tensor) -> Tensor:
        return (self.scale * z).reshape(-1, 1, 4, 4)


def shapes(net: nn.Module) -> list[tuple[int, ...]]:
    return [tuple(t.shape) for t in net.state_dict().values()]


def count(net: nn.Module) -> int:
    return sum(w.numel() for w in net.parameters())


def test_paper_has_the_published_tensors() -> None:
    nets = networks()
    assert shapes(nets["G"]) == [(1200, 100), (1200,), (1200, 1200), (1200,), (784, 1200), (784,)]
    assert shapes(nets["D"]) == [(1200, 784), (1200,), (1200, 240), (1200,), (1, 240), (1,)]
    assert (count(nets["G"]), count(nets["D"])) == (2_503_984, 1_231_441)


def maxout(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    """Unit by unit, as Goodfellow et al. 2013 write it."""
    z = x @ w.T + b
    return torch.stack([z[:, 5 * j : 5 * j + 5].max(1).values for j in range(240)], 1)


def test_forward_is_the_published_one() -> None:
    torch.manual_seed(0)
    nets = networks()
    for w in [*nets["G"].parameters(), *nets["D"].parameters()]:
        w.data += 0.05 * torch.randn_like(w)  # biases too
    G, D = (nets[k].eval() for k in "GD")
    w0, b0, w1, b1, w2, b2 = G.state_dict().values()
    z, x = G.prior(3), torch.rand(3, 784)
    y = (((z @ w0.T + b0).relu() @ w1.T + b1).relu() @ w2.T + b2).sigmoid()
    torch.testing.assert_close(G(z), (2 * y - 1).reshape(3, 1, 28, 28))
    w0, b0, w1, b1, w2, b2 = D.state_dict().values()
    score = (maxout(maxout(x, w0, b0), w1, b1) @ w2.T + b2).flatten()
    torch.testing.assert_close(D((2 * x - 1).reshape(3, 1, 28, 28)), score)


def test_pieces_of_a_unit_lie_side_by_side() -> None:
    layer = Maxout(1, 2, 3)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([1.0, -2, 0, 3, 4, -5])[:, None])
        layer.bias.zero_()
        assert layer(torch.tensor([[1.0], [-1.0]])).tolist() == [[1, 4], [2, 5]]


def test_latents_are_uniform_with_unit_variance() -> None:
    torch.manual_seed(0)
    z = networks()["G"].prior(1000)
    assert z.abs().max() <= math.sqrt(3)
    assert z.std().item() == pytest.approx(1, abs=0.01)


def test_initial_weights() -> None:
    nets = networks()
    for net, irange in ((nets["G"], 0.05), (nets["D"], 0.005)):
        for layer in net.modules():
            if isinstance(layer, nn.Linear):
                assert 0.9 * irange < layer.weight.abs().max() <= irange
                assert not layer.bias.any()


def test_dropout_keeps_and_scales() -> None:
    torch.manual_seed(0)
    D = networks()["D"]
    dropped = D.drop(torch.ones(1000, 100), keep=0.8)
    assert dropped.unique().tolist() == pytest.approx([0, 1.25])
    assert (dropped > 0).float().mean().item() == pytest.approx(0.8, abs=0.01)
    x = torch.rand(2, 1, 28, 28)
    assert not torch.equal(D(x), D(x))
    assert torch.equal(D.eval()(x), D(x))


def test_g_begins_at_the_marginals() -> None:
    nets = networks(image_size=4, width=8)
    game = GAN(nets["G"], nets["D"])
    p = torch.linspace(0, 1, 16).reshape(1, 1, 4, 4)
    game.prepare({"x": (2 * p - 1).expand(10, 1, 4, 4)})
    bias = nets["G"].main[-1].bias
    torch.testing.assert_close(bias.sigmoid(), p.flatten().clamp(1e-7, 1 - 1e-7))
    assert bias.isfinite().all()


def test_other_networks_need_no_marginals() -> None:
    game = GAN(Dots(), networks(image_size=4)["D"])
    game.prepare({"x": torch.zeros(10, 1, 4, 4)})
    assert game.g_loss({"x": torch.zeros(10, 1, 4, 4)})["adv"].isfinite()


def test_the_norm_of_each_piece_is_bounded() -> None:
    nets = networks(image_size=4)
    game = GAN(nets["G"], nets["D"], max_norm=1.9365)
    for w in nets["D"].parameters():
        w.data.fill_(1.0)
    game.phases()[0].steps[0].player.project()
    for layer in (nets["D"].h0, nets["D"].h1, nets["D"].y):
        assert layer.weight.norm(dim=1).max().item() == pytest.approx(1.9365, rel=1e-3)
        assert (layer.bias == 1).all()


def test_schedules_begin_and_end_as_published() -> None:
    nets = networks(image_size=4)
    D, G = (step.player for step in GAN(nets["G"], nets["D"]).phases()[0].steps)
    lr, momentum = G.schedules["lr"], G.schedules["momentum"]
    assert (lr(0), momentum(0)) == (1, 1)
    assert lr(1) == pytest.approx(1.000004**-250_000)
    assert 0.5 * momentum(0.5) == pytest.approx(0.7)  # epoch 250 of 500
    assert 0.5 * momentum(1) == pytest.approx(0.7)
    assert G.optim(G.parameters()).defaults["lr"] == 0.1
    assert D.optim(D.parameters()).defaults["lr"] == 0.05
    long = GAN(nets["G"], nets["D"], images=10**9).phases()[0].steps[1].player
    assert 0.1 * long.schedules["lr"](1) == pytest.approx(1e-6)


def test_adam_keeps_the_ratio_of_the_rates() -> None:
    nets = networks(image_size=4)
    D, G = (step.player for step in GAN(nets["G"], nets["D"], rule="adam", lr=4e-4).phases()[0].steps)
    assert (D.optim(D.parameters()).defaults["lr"], G.optim(G.parameters()).defaults["lr"]) == (2e-4, 4e-4)
    assert not D.schedules and not G.schedules


def test_k_updates_of_d_for_each_of_g() -> None:
    nets = networks(image_size=4)
    assert [step.repeat for step in GAN(nets["G"], nets["D"], k=3).phases()[0].steps] == [3, 1]


@pytest.mark.parametrize("size", [{"image_size": 0}, {"width": -1}, {"pieces": 0}])
def test_empty_sizes_are_refused_in_one_line(size: dict[str, int]) -> None:
    with pytest.raises(GanzooError) as fault:
        networks(**size)
    assert "\n" not in str(fault.value)
