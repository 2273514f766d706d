"""Discriminators that listen at several scales and periods, and what generators learn from how they listen."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import l1_loss, leaky_relu, pad
from torch.nn.utils.parametrizations import spectral_norm, weight_norm

from ganzoo_core.nn import Discriminator

Heard = list[Tensor]  # what each layer of one listener makes of a sound; the last are its scores


class Listeners(Discriminator):
    """Several networks on one sound."""

    @abstractmethod
    def heard(self, x: Tensor) -> list[Heard]:
        """[N, 1, L] -> of each network what each of its layers makes of it, its scores last."""

    def forward(self, x: Tensor) -> Tensor:
        """The mean of all scores.  [N, 1, L] -> [N]"""
        return torch.stack([layers[-1].flatten(1).mean(1) for layers in self.heard(x)]).mean(0)


class Layers(nn.Module):
    """Convolutions with a leaky ReLU behind each but the last, all of whose outputs are kept."""

    def __init__(self, layers: Sequence[nn.Module], slope: float) -> None:
        super().__init__()
        self.layers, self.slope = nn.ModuleList(layers), slope

    def forward(self, x: Tensor) -> Heard:
        made = []
        for i, layer in enumerate(self.layers):
            x = layer(x)
            x = leaky_relu(x, self.slope) if i < len(self.layers) - 1 else x
            made.append(x)
        return made


class Periods(Listeners):
    """HiFi-GAN's MPD: every p-th sample side by side, for some primes p (Sec. 2.3)."""

    def __init__(self, periods: Sequence[int], widths: Sequence[int]) -> None:
        super().__init__()
        self.periods = tuple(periods)
        self.nets = nn.ModuleList(Layers(self.of_period(widths), 0.1) for _ in periods)

    @staticmethod
    def of_period(widths: Sequence[int]) -> list[nn.Module]:
        """Convolutions along time alone, (5, 1): all but one of stride 3."""
        made = [nn.Conv2d(f, g, (5, 1), (3, 1), (2, 0)) for f, g in pairwise([1, *widths])]
        made.append(nn.Conv2d(widths[-1], widths[-1], (5, 1), 1, (2, 0)))
        made.append(nn.Conv2d(widths[-1], 1, (3, 1), 1, (1, 0)))
        return [weight_norm(layer) for layer in made]

    def heard(self, x: Tensor) -> list[Heard]:
        return [net(folded(x, p)) for net, p in zip(self.nets, self.periods, strict=True)]


def folded(x: Tensor, p: int) -> Tensor:
    """[N, C, L] -> [N, C, ceil(L / p), p], mirrored at the end."""
    whole = pad(x, (0, -x.shape[-1] % p), mode="reflect")
    return whole.reshape(*x.shape[:-1], -1, p)


class Scales(Listeners):
    """HiFi-GAN's MSD: the sound itself, and twice averaged over ever longer stretches."""

    def __init__(self, widths: Sequence[int], groups: Sequence[int], scales: int = 3) -> None:
        super().__init__()
        norms: list[Callable[[nn.Module], nn.Module]] = [
            spectral_norm,
            *[weight_norm] * (scales - 1),
        ]  # on the sound itself, weights are spectrally normalised
        self.nets = nn.ModuleList(
            Layers([norm(layer) for layer in self.of_scale(widths, groups)], 0.1) for norm in norms
        )

    @staticmethod
    def of_scale(widths: Sequence[int], groups: Sequence[int]) -> list[nn.Module]:
        """As MelGAN's, deeper: the strides are 1, 2, 2, 4, 4, 1."""
        made: list[nn.Module] = [nn.Conv1d(1, widths[0], 15, 1, 7)]
        sizes = zip(pairwise(widths), (2, 2, 4, 4, 1), groups, strict=True)
        made += [nn.Conv1d(f, g, 41, stride, 20, groups=parts) for (f, g), stride, parts in sizes]
        return [*made, nn.Conv1d(widths[-1], widths[-1], 5, 1, 2), nn.Conv1d(widths[-1], 1, 3, 1, 1)]

    def heard(self, x: Tensor) -> list[Heard]:
        made = []
        for i, net in enumerate(self.nets):
            x = torch.nn.functional.avg_pool1d(x, 4, 2, 2) if i else x
            made.append(net(x))
        return made


def feature_distance(real: Sequence[Heard], fake: Sequence[Heard]) -> Tensor:
    """sum over listeners and layers, the scores among them, of the mean |difference|; to the real ones no gradient."""
    pairs = [(r, f) for there, here in zip(real, fake, strict=True) for r, f in zip(there, here, strict=True)]
    return torch.stack([l1_loss(f, r.detach()) for r, f in pairs]).sum()
