"""AC-GAN: the published tensors, and both losses in closed form."""

from __future__ import annotations

import pytest
import torch
from ganzoo_acgan.networks import networks
from ganzoo_acgan.objective import ACGAN
from torch import Tensor, nn
from torch.nn.functional import batch_norm, conv2d, conv_transpose2d, leaky_relu, one_hot

from ganzoo_core.errors import GanzooError


def shapes(*nets: nn.Module) -> list[tuple[int, ...]]:
    return [tuple(t.shape) for net in nets for t in net.state_dict().values() if t.is_floating_point()]


def count(*nets: nn.Module) -> int:
    return sum(w.numel() for net in nets for w in net.parameters())


def norm(f: int) -> list[tuple[int, ...]]:
    return [(f,)] * 4


def test_paper_has_the_published_tensors() -> None:
    nets = networks()
    ups = [(768, 384, 5, 5), (384, 256, 5, 5), (256, 192, 5, 5), (192, 64, 5, 5)]
    g = [(768, 110), (768,)] + [s for up in ups for s in (up, *norm(up[1]))] + [(64, 3, 8, 8)]
    assert shapes(nets["G"]) == g
    downs = [(32, 16, 3, 3), (64, 32, 3, 3), (128, 64, 3, 3), (256, 128, 3, 3), (512, 256, 3, 3)]
    d = [(16, 3, 3, 3)] + [s for down in downs for s in (down, *norm(down[0]))]
    assert shapes(nets["D"], nets["C"]) == [*d, (1, 86528), (1,), (10, 86528), (10,)]
    assert (count(nets["G"]), count(nets["D"], nets["C"])) == (11_465_728, 2_525_563)


def test_the_networks_for_cifar_have_the_published_counts() -> None:
    nets = networks(image_size=32)
    assert (count(nets["G"]), count(nets["D"], nets["C"])) == (1_593_888, 1_663_867)


def test_forward_is_the_published_one() -> None:
    torch.manual_seed(0)
    nets = networks(image_size=32, width=2, z_dim=6)
    G, D, C = (nets[k].eval() for k in "GDC")
    z, label = G.prior(2), torch.tensor([3, 9])
    c = one_hot(label, 10).float()
    w, b, *rest, last = (v for v in G.state_dict().values() if v.is_floating_point())
    h = (torch.cat([c, z], 1) @ w.T + b)[:, :, None, None]
    for i in range(3):
        w, gamma, beta, mean, var = rest[5 * i : 5 * i + 5]
        h = batch_norm(conv_transpose2d(h, w, stride=2 if i else 1, padding=1 if i else 0), mean, var, gamma, beta)
        h = h.relu()
    x = conv_transpose2d(h, last, stride=2, padding=1).tanh()
    torch.testing.assert_close(G(z, label), x)
    first, *rest = (v for v in D.main.state_dict().values() if v.is_floating_point())
    h = leaky_relu(conv2d(x, first, stride=2, padding=1), 0.2)
    for i in range(5):
        w, gamma, beta, mean, var = rest[5 * i : 5 * i + 5]
        h = leaky_relu(batch_norm(conv2d(h, w, stride=1 + i % 2, padding=1), mean, var, gamma, beta), 0.2)
    score, features = D.score_and_features(x)
    torch.testing.assert_close(features, h.flatten(1))
    torch.testing.assert_close(score, (h.flatten(1) @ D.source.weight.T + D.source.bias).flatten())
    torch.testing.assert_close(D(x), score)
    assert C(features).shape == (2, 10)


@pytest.mark.parametrize("size", [16, 32, 128])
def test_g_makes_the_size_that_d_takes(size: int) -> None:
    nets = networks(image_size=size, width=1, channels=1, z_dim=2)
    x = nets["G"].sample(2, seed=0, label=1)
    assert x.shape == (2, 1, size, size) and nets["D"].eval()(x).shape == (2,)


def test_other_sizes_are_refused() -> None:
    with pytest.raises(GanzooError, match="not 16, 32 or 128"):
        networks(image_size=64)


def test_the_losses_are_equations_2_and_3() -> None:
    torch.manual_seed(0)
    game = ACGAN(**networks(image_size=16, width=2, channels=1, z_dim=4)).eval()  # type: ignore[arg-type]
    batch = {"x": torch.rand(5, 1, 16, 16), "label": torch.arange(5)}
    torch.manual_seed(1)
    d = game.d_loss(batch)
    torch.manual_seed(1)
    g = game.g_loss(batch)
    torch.manual_seed(1)
    fake, c = game.G(game.G.prior(5), batch["label"]), batch["label"]

    def log_p(x: Tensor) -> tuple[Tensor, Tensor]:
        """log P(S = real | x), log P(C = c | x)."""
        h = game.D.features(x)
        return game.D(x).sigmoid().log(), game.C(h).softmax(1)[torch.arange(5), c].log()

    (real_s, real_c), (fake_s, fake_c) = log_p(batch["x"]), log_p(fake)
    l_s = real_s.mean() + (1 - fake_s.exp()).log().mean()  # Eq. 2
    l_c = real_c.mean() + fake_c.mean()  # Eq. 3
    torch.testing.assert_close(sum(d.values()), -(l_s + l_c))
    torch.testing.assert_close(sum(g.values()), -(fake_s.mean() + fake_c.mean()))


def test_d_moves_the_class_head_and_g_does_not() -> None:
    D, G = (step.player for step in ACGAN(**networks(image_size=16, width=1)).phases()[0].steps)  # type: ignore[arg-type]
    assert [type(net).__name__ for net in D.nets] == ["D", "Linear"] and [type(net).__name__ for net in G.nets] == ["G"]
