"""The shared blocks against closed forms: naive attention, batch norm class by class, singular values."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn
from torch.nn.functional import avg_pool2d, conv2d, max_pool2d, relu

from ganzoo_core.nn import (
    Attended,
    ConditionalBatchNorm,
    DBlock,
    DBlockFirst,
    DBlockSame,
    GBlock,
    Modulation,
    Projection,
    SelfAttention,
    apply_spectral_norm,
    biases_last,
    upsample,
)


@pytest.fixture(autouse=True)
def seeded():
    torch.manual_seed(0)


def conv(f, f_next, k):
    return nn.Conv2d(f, f_next, k, padding=k // 2)


def pooled(conv, x):
    """A convolution, then the mean of each 2x2: the published order."""
    return avg_pool2d(conv(x), 2)


def test_upsample_copies_each_pixel_four_times():
    x = torch.arange(4.0).reshape(1, 1, 2, 2)
    expected = [[0.0, 0, 1, 1], [0, 0, 1, 1], [2, 2, 3, 3], [2, 2, 3, 3]]
    assert upsample(x).squeeze().tolist() == expected


def test_up_is_the_published_block():
    block = GBlock(
        bn1=nn.BatchNorm2d(4), bn2=nn.BatchNorm2d(6), conv1=conv(4, 6, 3), conv2=conv(6, 6, 3), shortcut=conv(4, 6, 1)
    )
    x = torch.randn(3, 4, 5, 5)
    h = block.conv1(upsample(relu(block.bn1(x))))
    expected = block.shortcut(upsample(x)) + block.conv2(relu(block.bn2(h)))
    torch.testing.assert_close(block(x), expected)


@pytest.mark.parametrize("side", [8, 6])
def test_blocks_of_d_are_the_published_ones(side):
    x = torch.randn(3, 4, side, side)
    convs = {"conv1": conv(4, 4, 3), "conv2": conv(4, 6, 3), "shortcut": conv(4, 6, 1)}
    first, down = DBlockFirst(**convs), DBlock(**convs)
    torch.testing.assert_close(
        first(x),
        pooled(nn.Sequential(convs["conv1"], nn.ReLU(), convs["conv2"]), x) + convs["shortcut"](avg_pool2d(x, 2)),
    )
    inner = nn.Sequential(nn.ReLU(), convs["conv1"], nn.ReLU(), convs["conv2"])
    torch.testing.assert_close(down(x), pooled(inner, x) + pooled(convs["shortcut"], x))
    same = DBlockSame(**convs)
    torch.testing.assert_close(same(x), convs["shortcut"](x) + inner(x))
    same = DBlockSame(conv1=conv(4, 6, 3), conv2=conv(6, 4, 3), shortcut=nn.Identity())
    torch.testing.assert_close(same(x), x + same.conv2(relu(same.conv1(relu(x)))))


def test_no_block_changes_its_input():
    """An in-place ReLU would reach the shortcut."""
    x = torch.randn(2, 4, 4, 4)
    before = x.clone()
    for block in (
        DBlock(conv1=conv(4, 4, 3), conv2=conv(4, 4, 3), shortcut=conv(4, 4, 1)),
        DBlockSame(conv1=conv(4, 4, 3), conv2=conv(4, 4, 3), shortcut=nn.Identity()),
    ):
        block(x)
        assert torch.equal(x, before)


def test_layers_are_registered_as_they_are_named():
    convs = {"conv1": conv(1, 1, 3), "conv2": conv(1, 1, 3), "shortcut": conv(1, 1, 1)}
    norms = {"bn1": nn.BatchNorm2d(1), "bn2": nn.BatchNorm2d(1)}
    assert [name for name, _ in GBlock(**convs, **norms).named_children()] == [*convs, *norms]
    assert [name for name, _ in GBlock(**norms, **convs).named_children()] == [*norms, *convs]


def test_conditional_batch_norm_is_batch_norm_with_the_affine_part_of_each_class():
    norm = ConditionalBatchNorm(4, nn.Embedding(3, 8))
    x, y = 2 * torch.randn(6, 4, 5, 5) + 1, torch.tensor([0, 1, 2, 2, 1, 0])
    escape = nn.BatchNorm2d(4)
    for mode in (True, False):
        norm.train(mode)
        out = norm(x, y)
        for k in range(3):
            other = copy.deepcopy(escape).train(mode)
            other.weight.data, other.bias.data = norm.affine.weight.data[k, :4], norm.affine.weight.data[k, 4:]
            torch.testing.assert_close(out[y == k], other(x)[y == k])
        escape.running_mean, escape.running_var = norm.bn.running_mean.clone(), norm.bn.running_var.clone()


def test_modulation_is_one_plus_gain_and_bias():
    gain, bias = nn.Linear(5, 4), nn.Linear(5, 4)
    y = torch.randn(3, 5)
    gamma, beta = Modulation(gain, bias)(y).chunk(2, 1)
    assert torch.equal(gamma, 1 + gain(y)) and torch.equal(beta, bias(y))


def test_projection_adds_the_inner_product_with_the_class():
    head, h, y = Projection(4, 3), torch.randn(5, 4), torch.tensor([0, 2, 1, 1, 0])
    expected = [head.linear.weight[0] @ h[i] + head.linear.bias[0] + head.embed.weight[y[i]] @ h[i] for i in range(5)]
    torch.testing.assert_close(head(h, y), torch.stack(expected)[:, None])


def test_attention_against_a_loop():
    """Eqs. 1 to 3, place by place, with keys and values pooled."""
    net = SelfAttention(16)
    net.gamma.data.fill_(0.7)
    x = torch.randn(2, 16, 4, 6)
    out = net(x)
    for n in range(2):
        f = max_pool2d(conv2d(x[n : n + 1], net.f.weight), 2)[0].flatten(1)  # [2, 6]
        h = max_pool2d(conv2d(x[n : n + 1], net.h.weight), 2)[0].flatten(1)  # [8, 6]
        for row in range(4):
            for column in range(6):
                query = net.g.weight[:, :, 0, 0] @ x[n, :, row, column]
                beta = torch.softmax(torch.stack([f[:, i] @ query for i in range(6)]), 0)
                seen = sum(beta[i] * h[:, i] for i in range(6))
                expected = x[n, :, row, column] + 0.7 * net.v.weight[:, :, 0, 0] @ seen
                torch.testing.assert_close(out[n, :, row, column], expected)


def test_attention_begins_as_the_identity_and_learns():
    net, x = SelfAttention(16), torch.randn(2, 16, 4, 4)
    assert torch.equal(net(x), x)
    net(x).square().sum().backward()
    assert net.gamma.grad != 0


def test_attention_follows_its_block():
    block = DBlockSame(conv1=conv(16, 4, 3), conv2=conv(4, 16, 3), shortcut=nn.Identity())
    net = SelfAttention(16)
    net.gamma.data.fill_(1.0)
    x = torch.randn(2, 16, 4, 4)
    assert torch.equal(Attended(block, net)(x), net(block(x)))


def layers():
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.Flatten(), nn.Linear(32, 5), nn.BatchNorm1d(5))


def test_spectral_divides_each_layer_by_its_largest_singular_value():
    net = layers()
    for layer in (net[0], net[2]):
        nn.init.orthogonal_(layer.weight, 3.0)
    raw = [net[0].weight.detach().clone(), net[2].weight.detach().clone()]
    apply_spectral_norm(net, nn.Conv2d, nn.Linear)
    for layer, W in zip((net[0], net[2]), raw, strict=True):
        torch.testing.assert_close(layer.weight, W / torch.linalg.matrix_norm(W.flatten(1), 2))
    x = torch.randn(200, 3, 4, 4)
    for _ in range(50):
        net(x)  # every forward pass in training mode is one power iteration
    sizes = [torch.linalg.matrix_norm(layer.weight.flatten(1), 2).item() for layer in (net[0], net[2])]
    assert sizes == pytest.approx([1, 1], abs=1e-3)


def test_a_fresh_network_is_normalised_in_evaluation_mode():
    net = nn.Sequential(*[nn.Linear(64, 64) for _ in range(20)])
    apply_spectral_norm(net, nn.Linear)
    sizes = [torch.linalg.matrix_norm(layer.weight, 2).item() for layer in net.eval()]
    assert max(sizes) < 1.3  # 15 power iterations on random matrices: near 1, never below it


def test_spectral_takes_only_the_kinds_that_are_named():
    net = layers()
    apply_spectral_norm(net, nn.Linear)
    assert [name for name, _ in net.named_parameters()] == [
        "0.weight", "0.bias", "2.bias", "2.parametrizations.weight.original", "3.weight", "3.bias",
    ]  # fmt: skip


def test_biases_come_after_their_weights():
    net = layers()
    apply_spectral_norm(net, nn.Conv2d, nn.Linear)
    x = torch.randn(4, 3, 4, 4)
    net.eval()
    before = net(x)
    biases_last(net)
    assert torch.equal(net(x), before)
    assert [tuple(w.shape) for w in net.parameters()] == [(8, 3, 3, 3), (8,), (5, 32), (5,), (5,), (5,)]
    net(x).sum().backward()
    assert all(w.grad is not None for w in net.parameters())


def test_a_sketch_of_transposed_convolutions_has_their_tensors():
    """The norm of these is taken over their second dimension, in which outputs lie."""
    nets = []
    for device in ("cpu", "meta"):
        with torch.device(device):
            nets.append(nn.ConvTranspose2d(2, 6, 4, stride=2))
            apply_spectral_norm(nets[-1], nn.ConvTranspose2d)
    real, sketch = ([(k, v.shape) for k, v in net.state_dict().items()] for net in nets)
    assert real == sketch
    assert nets[1](torch.zeros(1, 2, 4, 4, device="meta")).shape == nets[0](torch.zeros(1, 2, 4, 4)).shape


def test_a_sketch_has_the_tensors_of_the_network():
    nets = []
    for device in ("cpu", "meta"):
        with torch.device(device):
            nets.append(layers())
            apply_spectral_norm(nets[-1], nn.Conv2d, nn.Linear)
            biases_last(nets[-1])
    real, sketch = ([(k, v.shape, v.dtype) for k, v in net.state_dict().items()] for net in nets)
    assert real == sketch
    assert all(v.is_meta for v in nets[1].state_dict().values())
    assert nets[1](torch.zeros(2, 3, 4, 4, device="meta")).shape == (2, 5)
