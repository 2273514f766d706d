"""The networks of BigGAN-deep (Brock et al. 2019, App. B): four thin convolutions a block, no shortcut's.

Two blocks make a step: the first keeps side and width, the second doubles the side and drops channels; in D the first
halves the side and adds channels. All blocks of G are told the whole z with the class.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import Annotated, Any

import torch
from ganzoo_sngan.attention import attending, check_attention
from ganzoo_sngan.networks import D, first_side
from torch import Tensor, nn
from torch.nn.functional import avg_pool2d, batch_norm, relu

from ganzoo_biggan.networks import Standing, initialise
from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import (
    Between,
    Images,
    Label,
    Latent,
    Modulation,
    apply_spectral_norm,
    biases_last,
    sample_deterministic,
    upsample,
)

THIN = 4  # the inner convolutions of a block have a quarter of the channels
FURTHEST = 2.0  # the published samplers' normal law is truncated here, and then scaled


class TruncatedNorm(nn.BatchNorm2d):
    """Batch norm with statistics for `rows` truncations, of which row i is that of i / (rows - 1); one serves all."""

    def __init__(self, f: int, rows: int, eps: float, affine: bool) -> None:
        super().__init__(f, eps, affine=affine)
        self.running_mean, self.running_var = torch.zeros(rows, f), torch.ones(rows, f)

    def forward(self, x: Tensor, truncation: float) -> Tensor:  # type: ignore[override]
        """x [N, f, H, W] normalised: by its own statistics in training, which move the last row."""
        mean, var, count = self.running_mean, self.running_var, self.num_batches_tracked
        assert mean is not None and var is not None and count is not None
        if not self.training:
            mean, var = between(mean, truncation), between(var, truncation)
            return batch_norm(x, mean, var, self.weight, self.bias, eps=self.eps)
        count += 1
        momentum = 1 / int(count) if self.momentum is None else self.momentum
        return batch_norm(x, mean[-1], var[-1], self.weight, self.bias, True, momentum, self.eps)


def between(table: Tensor, truncation: float) -> Tensor:
    """The row of a truncation in (0, 1], or what lies between two.  [rows, f] -> [f]"""
    place = truncation * (len(table) - 1)
    i = min(math.floor(place), max(0, len(table) - 2))
    return table[i] if place == i else torch.lerp(table[i], table[i + 1], place - i)


class ConditionalNorm(nn.Module):
    """(1 + gain(y)) (x - mean) / std + bias(y)."""

    def __init__(self, f: int, told: int, rows: int, eps: float) -> None:
        super().__init__()
        self.bn = TruncatedNorm(f, rows, eps, affine=False)
        self.affine = Modulation(nn.Linear(told, f, bias=False), nn.Linear(told, f, bias=False))

    def forward(self, x: Tensor, y: Tensor, truncation: float) -> Tensor:
        h = self.bn(x, truncation)
        gamma, beta = self.affine(y)[:, :, None, None].to(h.dtype).chunk(2, 1)  # [N, f, 1, 1] each
        return torch.addcmul(beta, gamma, h)


class Block(nn.Module):
    """1x1, 3x3, 3x3, 1x1, the inner ones thin, each behind what `before` makes of its input."""

    def __init__(self, f: int, inner: int, f_next: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(f, inner, 1)
        self.conv2 = nn.Conv2d(inner, inner, 3, padding=1)
        self.conv3 = nn.Conv2d(inner, inner, 3, padding=1)
        self.conv4 = nn.Conv2d(inner, f_next, 1)
        self.f_next = f_next


class GBlock(Block):
    """Norm, ReLU and convolution four times; the sum drops channels from the input."""

    def __init__(self, f: int, f_next: int, told: int, rows: int, eps: float) -> None:
        inner = f // THIN
        super().__init__(f, inner, f_next)
        self.bn1 = ConditionalNorm(f, told, rows, eps)
        self.bn2, self.bn3, self.bn4 = (ConditionalNorm(inner, told, rows, eps) for _ in range(3))

    def forward(self, x: Tensor, y: Tensor, truncation: float) -> Tensor:
        h = self.conv1(relu(self.bn1(x, y, truncation)))
        h = self.conv2(self.enlarged(relu(self.bn2(h, y, truncation))))
        h = self.conv3(relu(self.bn3(h, y, truncation)))
        out: Tensor = self.conv4(relu(self.bn4(h, y, truncation))) + self.enlarged(x[:, : self.f_next])
        return out

    def enlarged(self, x: Tensor) -> Tensor:
        return x


class GBlockUp(GBlock):
    """Twice the side, before the first 3x3."""

    def enlarged(self, x: Tensor) -> Tensor:
        return upsample(x)


class DBlock(Block):
    """ReLU and convolution four times; channels that the input has not are a 1x1 convolution of it."""

    def __init__(self, f: int, f_next: int) -> None:
        super().__init__(f, f_next // THIN, f_next)
        self.more = nn.Conv2d(f, f_next - f, 1) if f_next > f else None

    def forward(self, x: Tensor) -> Tensor:
        h = self.conv3(relu(self.conv2(relu(self.conv1(relu(x))))))
        x = self.shrunken(x)
        if self.more is not None:
            x = torch.cat([x, self.more(x)], 1)
        out: Tensor = self.conv4(self.shrunken(relu(h))) + x
        return out

    def shrunken(self, x: Tensor) -> Tensor:
        return x


class DBlockDown(DBlock):
    """Half the side, before the last 1x1."""

    def shrunken(self, x: Tensor) -> Tensor:
        return avg_pool2d(x, 2)


class G(Standing):
    """The class's embedding and z, side by side, make the smallest map and tell all norms."""

    def __init__(
        self, image_size: int, channels: int, classes: int, z_dim: int, y_dim: int, widths: Sequence[int],
        attention: int, maps: int, rows: int, eps: float,
    ) -> None:  # fmt: skip
        super().__init__()
        self.inputs = {"z": Latent((z_dim,)), "label": Label(classes)}
        self.output = Images((channels, image_size, image_size))
        self.side, told = first_side(image_size, widths), z_dim + y_dim
        self.shared = nn.Embedding(classes, y_dim)
        self.linear = nn.Linear(told, self.side**2 * widths[0])
        blocks: list[nn.Module] = []
        for i, (f, f_next) in enumerate(pairwise(widths), start=1):
            step = GBlock(f, f, told, rows, eps), GBlockUp(f, f_next, told, rows, eps)
            blocks += [step[0], attending(step[1], f_next, self.side * 2**i, attention)]
        self.blocks = nn.ModuleList(blocks)
        self.bn = TruncatedNorm(widths[-1], rows, eps, affine=True)
        self.conv = nn.Conv2d(widths[-1], max(maps, channels), 3, padding=1)

    def forward(self, z: Tensor, label: Tensor) -> Tensor:  # [N, z_dim], [N] -> [N, C, H, W]
        return self.at(1.0, z, label)

    def at(self, truncation: float, z: Tensor, label: Tensor) -> Tensor:
        """With the statistics of a truncation in (0, 1]."""
        self.note_training()
        y = torch.cat([self.shared(label), z], 1)
        h = self.linear(y).unflatten(1, (-1, self.side, self.side))
        for block in self.blocks:
            h = block(h, y, truncation)
        maps = self.conv(relu(self.bn(h, truncation)))
        return torch.tanh(maps[:, : self.output.shape[0]])

    def sample(
        self, n: int, *, seed: int, truncation: Annotated[float, Between(0.02, 1)] = 1.0, **inputs: Any
    ) -> Tensor:
        """As Generator.sample; z is a normal law cut off at 2, times `truncation` in (0, 1], as the published samplers
        draw it, with whose statistics networks of several are normalised.

        Errors: GanzooError for another truncation, besides those of a wrong label.
        """
        if not 0 < truncation <= 1:
            raise GanzooError(f"truncation {truncation}: not in (0, 1]", "1 is the most varied.")
        drawn = partial(self.scaled, truncation)
        return sample_deterministic(self, partial(self.at, truncation), n, seed, inputs, drawn)

    def scaled(self, truncation: float, n: int, rng: torch.Generator) -> dict[str, Tensor]:
        return {"z": truncation * self.truncated(FURTHEST, n, rng)["z"]}


def critic(channels: int, widths: Sequence[int], image_size: int, attention: int) -> list[nn.Module]:
    """A 3x3 convolution, then steps of two blocks, of which each halves the side."""
    blocks: list[nn.Module] = [nn.Conv2d(channels, widths[0], 3, padding=1)]
    for i, (f, f_next) in enumerate(pairwise(widths), start=1):
        step = DBlockDown(f, f_next), DBlock(f_next, f_next)
        blocks += [step[0], attending(step[1], f_next, image_size // 2**i, attention)]
    return blocks


def networks(
    *,
    image_size: Annotated[int, "side of the square image"] = 128,
    channels: Annotated[int, "1 gray, 3 colour"] = 3,
    classes: Annotated[int, "how many labels G and D are told"] = 1000,
    z_dim: Annotated[int, "length of the latent z ~ N(0, 1)"] = 128,
    y_dim: Annotated[int, "length of the classes' embedding"] = 128,
    g_widths: Annotated[tuple[int, ...], "channels of G's maps, the smallest first"] = (
        2048,
        2048,
        1024,
        512,
        256,
        128,
    ),
    d_widths: Annotated[tuple[int, ...], "channels of D's maps, the largest first"] = (128, 256, 512, 1024, 2048, 2048),
    attention: Annotated[int, "side of the map that attends to itself, in both networks; 0: none does"] = 64,
    maps: Annotated[int, "that G's last layer makes, of which the first are the picture; 0: no others"] = 0,
    rows: Annotated[int, "truncations for which G's norms have statistics of their own"] = 1,
    eps: Annotated[float, "added to the variance in G's norms"] = 1e-5,
) -> dict[str, nn.Module]:
    """The generator G and the discriminator D."""
    if classes < 1:
        raise GanzooError(f"classes {classes}: BigGAN needs labels", "Choose data with classes.")
    check_attention(attention, image_size, g_widths, len(d_widths) - 1)
    made = G(image_size, channels, classes, z_dim, y_dim, g_widths, attention, maps, rows, eps).apply(initialise)
    apply_spectral_norm(made, nn.Conv2d, nn.Linear)  # the shared embedding is not normalised
    judge = D(critic(channels, d_widths, image_size, attention), d_widths[-1], classes).apply(initialise)
    apply_spectral_norm(judge, nn.Conv2d, nn.Linear, nn.Embedding)
    for net in (made, judge):
        biases_last(net)
    return {"G": made, "D": judge}
