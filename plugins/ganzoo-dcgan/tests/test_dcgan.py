"""The DCGAN family: equality with the published networks."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from ganzoo_dcgan.networks import networks
from ganzoo_dcgan.objective import DCGAN
from ganzoo_dcgan.tricks import cross_entropy, labels
from torch import Tensor, nn
from torch.nn.functional import batch_norm, conv2d, conv_transpose2d, leaky_relu

from ganzoo_core.errors import GanzooError
from ganzoo_core.objectives import minimax_d

# Parameters and float buffers of pytorch/examples' dcgan, 64x64x3, in their order.
G_SHAPES = [
    (100, 512, 4, 4), *[(512,)] * 4,
    (512, 256, 4, 4), *[(256,)] * 4,
    (256, 128, 4, 4), *[(128,)] * 4,
    (128, 64, 4, 4), *[(64,)] * 4,
    (64, 3, 4, 4),
]  # fmt: skip
D_SHAPES = [
    (64, 3, 4, 4),
    (128, 64, 4, 4), *[(128,)] * 4,
    (256, 128, 4, 4), *[(256,)] * 4,
    (512, 256, 4, 4), *[(512,)] * 4,
    (1, 512, 4, 4),
]  # fmt: skip


def shapes(net: nn.Module) -> list[tuple[int, ...]]:
    return [tuple(t.shape) for t in net.state_dict().values() if t.is_floating_point()]


def count(net: nn.Module) -> int:
    return sum(w.numel() for w in net.parameters())


def test_paper_has_the_published_tensors() -> None:
    nets = networks()
    assert shapes(nets["G"]) == G_SHAPES
    assert shapes(nets["D"]) == D_SHAPES
    assert (count(nets["G"]), count(nets["D"])) == (3_576_704, 2_765_568)


def test_width_128_is_the_papers_own() -> None:
    nets = networks(width=128)
    assert (count(nets["G"]), count(nets["D"])) == (12_658_432, 11_036_160)


def test_names_are_those_of_pytorch_examples() -> None:
    nets = networks()
    assert [k for k in nets["G"].state_dict() if k.endswith("weight")][:3] == [f"main.{i}.weight" for i in (0, 1, 3)]
    assert [k for k in nets["D"].state_dict() if k.endswith("weight")][-1] == "main.11.weight"


def published(net: nn.Module, x: Tensor, conv: Callable[..., Tensor]) -> Tensor:
    """The published forward pass in evaluation mode, up to tanh and sigmoid, from a bare list of tensors."""
    tensors = [t for t in net.state_dict().values() if t.is_floating_point()]
    while tensors:
        end = x.shape[-1] == (1 if conv is conv_transpose2d else 4)  # where 1x1 meets 4x4
        x = conv(x, tensors.pop(0), stride=1 if end else 2, padding=0 if end else 1)
        if tensors and tensors[0].ndim == 1:
            gamma, beta, mean, var = (tensors.pop(0) for _ in range(4))
            x = batch_norm(x, mean, var, gamma, beta)
        if tensors:
            x = x.relu() if conv is conv_transpose2d else leaky_relu(x, 0.2)
    return x


@pytest.mark.parametrize("image_size", [16, 32, 64, 128])
def test_forward_is_the_published_one(image_size: int) -> None:
    torch.manual_seed(0)
    nets = networks(image_size=image_size, width=4)
    z, x = torch.randn(3, 100), torch.randn(3, 3, image_size, image_size)
    with torch.no_grad():
        nets["G"](z), nets["D"](x)  # moves the running statistics off 0 and 1
        G, D = nets["G"].eval(), nets["D"].eval()
        torch.testing.assert_close(G(z), published(G, z[:, :, None, None], conv_transpose2d).tanh())
        torch.testing.assert_close(D(x), published(D, x, conv2d).flatten())


def test_z_may_be_flat_or_1x1() -> None:
    G = networks(width=4)["G"].eval()
    z = torch.randn(2, 100)
    assert torch.equal(G(z), G(z[:, :, None, None]))
    assert G(z).shape == (2, 3, 64, 64)


def test_features_lie_before_the_score() -> None:
    D = networks(image_size=16, channels=1, width=4)["D"].eval()
    x = torch.randn(2, 1, 16, 16)
    assert torch.allclose(D.features(x) @ D.main[-1].weight.flatten(), D(x), atol=1e-6)


def test_norm_none_scores_samples_one_by_one() -> None:
    D = networks(image_size=32, channels=1, width=4, norm="none")["D"]
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in D.modules())
    x = torch.randn(4, 1, 32, 32)
    assert torch.allclose(D(x)[:1], D(x[:1]), atol=1e-6)


def test_only_the_first_layer_of_d_is_not_normalised() -> None:
    """Also where the image has as many channels as that layer."""
    D = networks(image_size=32, channels=4, width=4)["D"]
    kinds = [type(layer).__name__ for layer in D.main]
    assert kinds == ["Conv2d", "LeakyReLU", *["Conv2d", "BatchNorm2d", "LeakyReLU"] * 2, "Conv2d"]


def test_initial_weights() -> None:
    torch.manual_seed(0)
    G = networks()["G"]
    assert G.main[0].weight.std().item() == pytest.approx(0.02, rel=0.05)
    assert G.main[1].weight.mean().item() == pytest.approx(1, abs=0.01)
    assert G.main[1].weight.std().item() == pytest.approx(0.02, rel=0.2)


@pytest.mark.parametrize("image_size", [0, 8, 28, 48, 256, -16])
def test_other_sizes_are_refused_in_one_line(image_size: int) -> None:
    with pytest.raises(GanzooError) as fault:
        networks(image_size=image_size)
    assert str(image_size) in str(fault.value) and "\n" not in str(fault.value)


def test_real_and_fake_are_separate_batches() -> None:
    """D's score of real images must not depend on what G makes."""
    nets = networks(image_size=16, channels=1, width=4)
    game = DCGAN(nets["G"], nets["D"])
    x = torch.randn(8, 1, 16, 16)
    before = game.d_loss({"x": x})["real"]
    nets["G"].main[-2].weight.data.mul_(5)
    assert torch.equal(game.d_loss({"x": x})["real"], before)


# The tricks of 2016


class Told(nn.Module):
    """A discriminator whose scores are its pictures' means; it keeps what it was shown."""

    def __init__(self) -> None:
        super().__init__()
        self.w, self.seen = nn.Parameter(torch.ones(())), list[Tensor]()

    def forward(self, x: Tensor) -> Tensor:
        self.seen.append(x.detach().clone())
        return self.w * x.flatten(1).mean(1)


def game(**tricks: object) -> DCGAN:
    nets = networks(image_size=16, channels=1, width=8, z_dim=4)
    return DCGAN(nets["G"], Told(), **tricks)


X = torch.linspace(-1, 1, 8).reshape(8, 1, 1, 1).expand(8, 1, 16, 16)


def test_labels_that_are_smoothed_and_flipped() -> None:
    """-t log s(r) - (1 - t) log(1 - s(r)); flipping half of them makes both halves of the loss alike in the mean."""
    r = torch.tensor([0.3, -2.0])
    expected = -(0.9 * r.sigmoid().log() + 0.1 * (1 - r.sigmoid()).log()).mean()
    assert torch.allclose(cross_entropy(r, labels(r, 0.9, 0.0, 0.0)), expected)
    torch.manual_seed(0)
    drawn = labels(torch.zeros(10_000), 0.9, 0.0, 0.2)
    assert set(drawn.tolist()) == {0.0, torch.tensor(0.9).item()}
    assert abs((drawn == 0).float().mean() - 0.2) < 0.02


def test_without_tricks_it_is_the_plain_game() -> None:
    torch.manual_seed(0)
    ours = DCGAN(**networks(image_size=16, channels=1, width=8, z_dim=4))
    torch.manual_seed(1)
    told = ours.d_loss({"x": X})
    torch.manual_seed(1)
    r, s = ours.D(X), ours.D(ours.fake(8))
    plain = minimax_d(r, s)
    assert {name: value.item() for name, value in told.items()} == {name: value.item() for name, value in plain.items()}


def test_smoothing_is_one_sided() -> None:
    clean, smooth = game().d_loss({"x": X}), game(smooth=0.1).d_loss({"x": X})
    means = X.flatten(1).mean(1)
    assert torch.allclose(smooth["real"], cross_entropy(means, torch.full((8,), 0.9)))
    assert smooth["real"] != clean["real"]
    objective = game(smooth=0.1)
    fake = objective.d_loss({"x": X})["fake"]
    assert torch.allclose(fake, cross_entropy(objective.D.seen[1].flatten(1).mean(1), torch.zeros(8)))  # type: ignore[attr-defined]


def test_noise_fades_and_is_saved() -> None:
    objective = game(noise=0.5)
    objective.d_loss({"x": X})
    seen = objective.D.seen[0]  # type: ignore[attr-defined]
    assert abs((seen - X).std() - 0.5) < 0.05
    objective.on_step_end(0.75)
    assert objective.state_dict()["sigma"] == 0.125
    objective.on_step_end(1.0)
    objective.g_loss({"x": X})
    objective.d_loss({"x": X})
    assert torch.equal(objective.D.seen[3], X)  # type: ignore[attr-defined]


def test_old_fakes_are_shown_again() -> None:
    objective = game(replay=8)
    for _ in range(6):
        objective.d_loss({"x": X})
    shown = [fakes for fakes in objective.D.seen[1::2]]  # type: ignore[attr-defined]
    again = [any(torch.equal(one, old) for old in shown[i - 1]) for i in range(1, 6) for one in shown[i]]
    assert any(again)
    assert not all(again)


def test_a_joint_batch_has_one_norm() -> None:
    """Batch statistics of a mixture: a constant shift between real and fake survives the norm, apart it does not."""
    objective = game(batches="joint")
    objective.d_loss({"x": X})
    assert [len(x) for x in objective.D.seen] == [16]  # type: ignore[attr-defined]
    assert torch.equal(objective.D.seen[0][:8], X)  # type: ignore[attr-defined]


def test_two_time_scales_uniform_z_and_leaks() -> None:
    nets = networks(image_size=16, channels=1, width=8, z_dim=4, prior="uniform", leak=0.1, d_leak=0.0)
    objective = DCGAN(**nets, d_lr=4e-4)
    rates = {name: objective.optim(name).keywords["lr"] for name in "DG"}
    assert rates == {"D": 4e-4, "G": 2e-4}
    z = objective.G.prior(1000)
    assert z.abs().max() <= 1
    assert abs(z.std() - 3**-0.5) < 0.02
    assert {m.negative_slope for m in nets["G"].modules() if isinstance(m, nn.LeakyReLU)} == {0.1}
    assert not any(isinstance(m, nn.LeakyReLU) for m in nets["D"].modules())


@pytest.mark.parametrize("option", ["smooth", "flip"])
def test_a_share_beyond_a_half_is_refused(option: str) -> None:
    with pytest.raises(GanzooError, match=option):
        game(**{option: 0.7})
