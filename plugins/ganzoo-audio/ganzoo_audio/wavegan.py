"""WaveGAN (Donahue, McAuley & Puckette 2018): DCGAN along one dimension, and a D that cannot hear phases."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from ganzoo_audio.kinds import Sounds
from ganzoo_audio.stretches import anywhere
from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator, Generator, Latent
from ganzoo_core.objectives import Batch, Terms, TwoPlayerAdam, gradient_penalty, wasserstein

KERNEL, STRIDE = 25, 4  # Sec. 3.1: longer filters, and each layer four times as long as the one before


class G(Generator):
    """z ~ U(-1, 1) -> a dense layer -> transposed convolutions of stride 4 -> tanh.  [N, 1, L]"""

    def __init__(self, length: int, rate: int, widths: Sequence[int], z_dim: int) -> None:
        super().__init__()
        self.inputs = {"z": Latent((z_dim,), range=(-1.0, 1.0))}
        self.output = Sounds((1, length), rate)
        self.first = length // STRIDE ** len(widths)  # moments that the dense layer makes
        self.dense = nn.Linear(z_dim, widths[0] * self.first)
        self.layers = nn.ModuleList(
            nn.ConvTranspose1d(f, g, KERNEL, STRIDE, padding=11, output_padding=1) for f, g in pairwise([*widths, 1])
        )

    def forward(self, z: Tensor) -> Tensor:
        h = self.dense(z).unflatten(1, (-1, self.first))
        for layer in self.layers:
            h = layer(h.relu())
        return torch.tanh(h)


class D(Discriminator):
    """Convolutions of stride 4; what each passes on, but for the last, is shifted at random.  [N, 1, L] -> [N]"""

    def __init__(self, length: int, widths: Sequence[int], shuffle: int) -> None:
        super().__init__()
        self.shuffle = shuffle
        self.layers = nn.ModuleList(nn.Conv1d(f, g, KERNEL, STRIDE, padding=11) for f, g in pairwise([1, *widths]))
        self.dense = nn.Linear(widths[-1] * (length // STRIDE ** len(widths)), 1)

    def forward(self, x: Tensor) -> Tensor:
        for i, layer in enumerate(self.layers):
            x = leaky_relu(layer(x), 0.2)
            if i < len(self.layers) - 1:
                x = phase_shuffled(x, self.shuffle)
        score: Tensor = self.dense(x.flatten(1))
        return score.flatten()


def phase_shuffled(x: Tensor, n: int) -> Tensor:
    """Moved by -n ... n moments, all of a batch alike, and mirrored where it is torn (Sec. 3.3).  [N, C, T]"""
    if not n:
        return x
    last = x.shape[-1] - 1
    at = torch.arange(last + 1, device=x.device) + torch.randint(-n, n + 1, (1,), device=x.device)
    return x.index_select(-1, last - (last - at.abs()).abs())


class WaveGAN(TwoPlayerAdam):
    """Adversarial Audio Synthesis (Donahue et al. 2018, arXiv:1802.04208): WGAN-GP's game on sounds.

    d = -E D(x) + E D(G(z)) + lambda E (|grad D(x^)| - 1)^2,  g = -E D(G(z))
    """

    needs = frozenset({"audio"})
    loss, slopes = wasserstein, True

    lr: Annotated[float, "Adam's step for both players"] = 1e-4
    b1: Annotated[float, "Adam's beta_1"] = 0.5
    b2: Annotated[float, "Adam's beta_2"] = 0.9
    k: Annotated[int, "updates of D for each of G"] = 5
    lam: Annotated[float, "lambda, the weight of the gradient penalty"] = 10.0
    images: Annotated[int, "length in real sounds: 200,000 updates of G at 5 batches of 64"] = 64_000_000

    def d_loss(self, batch: Batch) -> Terms:
        return super().d_loss({"x": anywhere(batch["audio"], self.G.output.shape[-1] or 1)})

    def g_loss(self, batch: Batch) -> Terms:
        return super().g_loss({"x": batch["audio"]})

    def penalty(self, x: Tensor, fake: Tensor) -> Terms:
        return {"penalty": self.lam * gradient_penalty(self.D, x, fake)}


def networks(
    *,
    length: Annotated[int, "of a sound, in samples: a multiple of 4 for every width"] = 16384,
    rate: Annotated[int, "samples per second"] = 16000,
    widths: Annotated[tuple[int, ...], "channels of G's layers; D has them in reverse"] = (1024, 512, 256, 128, 64),
    z_dim: Annotated[int, "length of z"] = 100,
    shuffle: Annotated[int, "n of phase shuffle; 0: none"] = 2,
) -> dict[str, nn.Module]:
    """The generator G and the critic D."""
    if not widths or length < STRIDE ** len(widths) or length % STRIDE ** len(widths):
        step = STRIDE ** len(widths)
        raise GanzooError(f"-c length={length}: no multiple of {step}", "Each width makes it four times as long.")
    return {"G": G(length, rate, widths, z_dim), "D": D(length, [*reversed(widths)], shuffle)}
