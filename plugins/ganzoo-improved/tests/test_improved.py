"""Improved techniques: the published counts, and every technique against its definition."""

from __future__ import annotations

import pytest
import torch
from ganzoo_improved.convolutional import networks as convolutional
from ganzoo_improved.networks import Noise, Normed, Softplus, networks
from ganzoo_improved.objective import Improved, ImprovedDCGAN
from ganzoo_improved.parts import (
    History,
    MinibatchDiscrimination,
    VirtualBatchNorm,
    feature_matching,
    smoothed_d,
)
from torch import Tensor, nn
from torch.nn.functional import batch_norm, one_hot

import ganzoo_core as gz
from ganzoo_core.errors import GanzooError


def count(net: nn.Module) -> int:
    return sum(w.numel() for w in net.parameters())


def published(net: nn.Module) -> int:
    """How many weights and biases: the published counts leave out the gains."""
    return sum(w.numel() for name, w in net.named_parameters() if not name.endswith(".g"))


def rng(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def test_paper_has_the_published_counts() -> None:
    nets = networks()
    assert (published(nets["G"]), published(nets["D"])) == (4_924_803, 1_406_794)
    assert count(nets["D"]) == 1_406_794 + 10
    assert nets["G"].sample(2, seed=0).shape == (2, 3, 32, 32)
    assert nets["D"].eval()(torch.zeros(2, 3, 32, 32)).shape == (2,)


def test_the_classifier_for_mnist_has_the_published_count() -> None:
    nets = networks(body="dense", image_size=28, channels=1, width=1000)
    assert published(nets["D"]) == 1_538_760
    assert count(nets["D"]) == 1_538_760 + 10
    sizes = [tuple(layer.weight.shape) for layer in nets["D"].modules() if isinstance(layer, Normed)]
    assert sizes == [(1000, 784), (500, 1000), (250, 500), (250, 250), (250, 250), (10, 250)]


def test_weight_normalisation_is_its_formula() -> None:
    layer, x = Normed(5, 3), rng(7, 5)
    layer.g.copy_(torch.tensor([1.0, 2.0, 3.0]))
    expected = torch.stack([g * (x @ w) / w.norm() for g, w in zip(layer.g, layer.weight, strict=True)], 1)
    torch.testing.assert_close(layer(x), expected + layer.bias)


@pytest.mark.parametrize("layer", [Normed(5, 3), Normed(5, 3, 3, 2, 1)])
def test_what_begins_by_the_data_has_mean_0_and_deviation_1(layer: Normed) -> None:
    x = 3 + 2 * (rng(50, 5, 8, 8) if layer.weight.ndim == 4 else rng(200, 5))
    layer.begin(x)
    y = layer(x).transpose(0, 1).flatten(1)
    torch.testing.assert_close(y.mean(1), torch.zeros(3), atol=1e-4, rtol=0)
    torch.testing.assert_close(y.std(1), torch.ones(3), atol=1e-4, rtol=0)


def test_only_the_last_gains_are_trained() -> None:
    D = networks(body="dense", image_size=8, channels=1, width=16, z_dim=4)["D"]
    assert [name for name, _ in D.named_parameters() if name.endswith(".g")] == ["head.1.g"]
    D.eval().begin(rng(50, 1, 8, 8))
    y = D.logits(rng(50, 1, 8, 8)).detach()
    torch.testing.assert_close(y.std(0), torch.ones(10), atol=1e-4, rtol=0)


def test_noise_comes_before_every_layer_and_after_the_features() -> None:
    D = networks(body="dense", image_size=8, channels=1, width=16, z_dim=4)["D"]
    kinds = [type(layer).__name__ for layer in (*D.main, *D.head)]
    assert kinds == ["Unit", "Flatten", *["Noise", "Normed", "ReLU"] * 5, "Noise", "Scaled"]
    assert [layer.std for layer in D.modules() if isinstance(layer, Noise)] == [0.3, *[0.5] * 5]


def test_images_of_an_untrained_generator_differ_and_softplus_is_centred() -> None:
    G = networks(body="dense", image_size=28, channels=1, width=1000)["G"]
    with torch.no_grad():
        x = G.train()(G.prior(100))
        assert float(x.std(0).mean()) > 0.3  # [-1, 1]
        assert float(Softplus()(torch.zeros(1))) == pytest.approx(0, abs=1e-6)


def test_feature_matching_is_the_distance_of_means() -> None:
    h, fake = rng(4, 6), rng(9, 6, seed=1)
    expected = sum((float(h[:, f].mean()) - float(fake[:, f].mean())) ** 2 for f in range(6)) / 6
    assert float(feature_matching(h, fake)) == pytest.approx(expected, rel=1e-5)
    assert float(feature_matching(h, h.flip(0))) == pytest.approx(0, abs=1e-10)


def test_minibatch_discrimination_against_loops() -> None:
    part, f = MinibatchDiscrimination(6, kernels=4, dims=3), rng(5, 6)
    o = torch.zeros(5, 4)
    for i in range(5):
        for b in range(4):
            M = [f[n] @ part.T[:, b] for n in range(5)]
            o[i, b] = sum(torch.exp(-(M[i] - M[j]).abs().sum()) for j in range(5) if j != i) + part.bias[b]
    torch.testing.assert_close(part(f), torch.cat([f, o], 1))


def test_a_collapsed_batch_shows() -> None:
    part = MinibatchDiscrimination(6, kernels=4, dims=3)
    alike, apart = ((part(f)[:, 6:] - part.bias).detach() for f in (rng(1, 6).repeat(8, 1), 100 * rng(8, 6)))
    torch.testing.assert_close(alike, torch.full((8, 4), 7.0))  # seven others, each at no distance
    assert float(apart.max()) < 0.5


def test_history_is_the_distance_from_the_running_mean() -> None:
    net, past = nn.Linear(3, 2), []
    history = History(net)
    for i in range(5):
        with torch.no_grad():
            for w in net.parameters():
                w.copy_(rng(*w.shape, seed=i))
        past.append([w.detach().clone() for w in net.parameters()])
        history.update(net)
    means = [torch.stack(ws).mean(0) for ws in zip(*past, strict=True)]
    expected = sum(float((w.detach() - m).square().sum()) for w, m in zip(net.parameters(), means, strict=True))
    assert float(history(net).detach()) == pytest.approx(expected, rel=1e-5)
    assert len(list(history.parameters())) == 0 and int(history.t) == 5


def test_history_pulls_towards_the_past() -> None:
    net = nn.Linear(1, 1, bias=False)
    history = History(net)
    history.update(net)
    with torch.no_grad():
        net.weight += 2.0
    history(net).backward()
    assert float(net.weight.grad) == pytest.approx(4.0)  # d/dw (w - mean)^2


def test_smoothing_moves_only_the_target_of_real_images() -> None:
    real, fake = rng(9), rng(9, seed=1)
    p, q = real.sigmoid(), fake.sigmoid()
    terms = smoothed_d(real, fake, 0.9)
    torch.testing.assert_close(terms["real"], -(0.9 * p.log() + 0.1 * (1 - p).log()).mean())
    torch.testing.assert_close(terms["fake"], -(1 - q).log().mean())
    score = torch.zeros(1, requires_grad=True)  # the best score for real images is logit 0.9
    for _ in range(2000):
        (grad,) = torch.autograd.grad(smoothed_d(score, fake, 0.9)["real"], score)
        score = (score - grad).detach().requires_grad_()
    assert float(score.detach().sigmoid()) == pytest.approx(0.9, abs=1e-3)


@pytest.mark.parametrize("places", [(), (4, 4)])
def test_virtual_batch_norm_is_that_of_the_reference_and_the_example(places: tuple[int, ...]) -> None:
    part, reference, x = VirtualBatchNorm(3, 6), rng(6, 3, *places), 2 + rng(4, 3, *places, seed=1)
    with torch.no_grad():
        part.gamma.copy_(torch.tensor([1.0, 2.0, 3.0]))
        part.beta.copy_(torch.tensor([0.0, 0.5, 1.0]))
    y = part(torch.cat([reference, x]))
    for i in range(4):  # each as the seventh of the reference batch
        seven = torch.cat([reference, x[i : i + 1]])
        torch.testing.assert_close(y[6 + i], batch_norm(seven, None, None, part.gamma, part.beta, True)[6])
    torch.testing.assert_close(y[:6], batch_norm(reference, None, None, part.gamma, part.beta, True))


def test_no_sample_depends_on_its_neighbours_even_in_training() -> None:
    G = convolutional(image_size=16, channels=1, width=4, z_dim=5, reference=6)["G"].train()
    z = rng(4, 5)
    torch.testing.assert_close(G(z)[:2], G(z[:2]))


def test_the_losses_are_those_of_k_plus_1_classes() -> None:
    """With a (K+1)-th logit of 0: softmax over K + 1, fakes labelled K + 1 (Sec. 5)."""
    torch.manual_seed(0)
    nets = networks(body="dense", image_size=8, channels=1, width=16, z_dim=4)
    game = Improved(nets["G"], nets["D"]).eval()  # type: ignore[arg-type]
    batch = {"x": rng(6, 1, 8, 8), "x_labelled": rng(6, 1, 8, 8, seed=1), "label": torch.arange(6)}
    torch.manual_seed(1)
    terms = game.d_loss(batch)
    torch.manual_seed(1)
    fake = game.G(game.G.prior(6))

    def p(x: Tensor) -> Tensor:  # [N, K + 1]
        return torch.cat([game.D.logits(x), torch.zeros(len(x), 1)], 1).softmax(1)

    labelled = p(batch["x_labelled"])
    known = (labelled[:, :10] * one_hot(batch["label"], 10)).sum(1) / (1 - labelled[:, 10])  # p(y | x, y < K + 1)
    torch.testing.assert_close(terms["label"], -known.log().mean())
    torch.testing.assert_close(terms["real"], -(1 - p(batch["x"])[:, 10]).log().mean() / 2)
    torch.testing.assert_close(terms["fake"], -p(fake)[:, 10].log().mean() / 2)
    torch.testing.assert_close(game.D(fake).sigmoid(), 1 - p(fake)[:, 10])


def test_the_past_is_remembered_after_every_iteration() -> None:
    nets = convolutional(image_size=16, channels=1, width=4, z_dim=5, reference=6, kernels=4)
    game = ImprovedDCGAN(nets["G"], nets["D"])  # type: ignore[arg-type]
    game.phases()[0].on_step_end(0.5)
    assert int(game.past_G.t) == int(game.past_D.t) == 1


def test_labels_are_needed_in_a_key_of_their_own() -> None:
    with pytest.raises(GanzooError, match="x_labelled"):
        gz.fit(gz.create("improved", preset="tiny"), "digits", images=16)


@pytest.mark.slow
def test_it_learns_digits_from_a_hundred_labels() -> None:
    """Ten labels a class, and the other digits without any."""
    objective = gz.create("improved", preset="digits")
    gz.fit(objective, "digits:labels100", images=10_000, batch_size=50, precision="fp32", device="cpu")
    from ganzoo_core.data import DATASETS, open_dataset

    source = open_dataset("digits", datasets={d.name: d for d in DATASETS})
    batch = source.fetch(range(len(source)))
    D = objective.exported_networks()["D"].eval()
    with torch.no_grad():
        right = (D.logits(batch["x"]).argmax(1) == batch["label"]).double().mean()  # type: ignore[operator]
    assert right > 0.75
