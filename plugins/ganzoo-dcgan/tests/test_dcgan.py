"""The DCGAN family: equality with the published networks."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from ganzoo_dcgan.networks import networks
from ganzoo_dcgan.objective import DCGAN
from torch import Tensor, nn
from torch.nn.functional import batch_norm, conv2d, conv_transpose2d, leaky_relu

from ganzoo_core.errors import GanzooError

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
