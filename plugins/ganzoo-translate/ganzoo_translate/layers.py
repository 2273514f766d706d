"""AdaLIN and attention by class activation: what U-GAT-IT has beyond CycleGAN (Kim et al. 2020, Sec. 2)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu, linear, relu

EPS = 1e-5
SLOPE = 0.2


class LIN(nn.Module):
    """gamma (rho a_I + (1 - rho) a_L) + beta (Eq. 1): a_I is h by its mean and deviation in each channel, a_L in all.

    rho [f] learns how much of each, and is kept in [0, 1] by the game. gamma and beta [N, f] are given (AdaLIN).
    """

    def __init__(self, f: int, rho: float) -> None:
        super().__init__()
        self.rho = nn.Parameter(torch.full((1, f, 1, 1), rho))

    def forward(self, h: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
        a_i, a_l = standard(h, (2, 3)), standard(h, (1, 2, 3))
        return (self.rho * a_i + (1 - self.rho) * a_l) * gamma[:, :, None, None] + beta[:, :, None, None]


class OwnLIN(LIN):
    """The same with a gamma and a beta that are learnt, whatever the picture."""

    def __init__(self, f: int) -> None:
        super().__init__(f, 0.0)
        self.gamma, self.beta = (nn.Parameter(torch.full((1, f, 1, 1), value)) for value in (1.0, 0.0))

    def forward(self, h: Tensor, *_: Tensor) -> Tensor:
        return super().forward(h, self.gamma[:, :, 0, 0], self.beta[:, :, 0, 0])


def standard(h: Tensor, over: tuple[int, ...]) -> Tensor:
    """h, less its mean and over its deviation in `over`."""
    var, mean = torch.var_mean(h.float(), over, keepdim=True)
    return (h - mean) * (var + EPS).rsqrt()


class CAM(nn.Module):
    """Which domain is a map of? Two logits, of its means and of its maxima, each by weights of channels.

    The map goes on weighted by both, so that what told the domain counts (Sec. 2.1.1).
    """

    def __init__(self, f: int, *, judge: bool) -> None:
        super().__init__()
        self.mean, self.max = nn.Linear(f, 1, bias=False), nn.Linear(f, 1, bias=False)
        self.joined = nn.Conv2d(2 * f, f, 1)
        self.slope = SLOPE if judge else 0.0
        if judge:
            for fc in (self.mean, self.max):
                nn.utils.parametrizations.spectral_norm(fc)

    def forward(self, h: Tensor) -> tuple[Tensor, Tensor]:  # [N, f, H, W] -> the same, [N, 2]
        logits = torch.cat([linear(h.mean((2, 3)), self.mean.weight), linear(h.amax((2, 3)), self.max.weight)], 1)
        weighted = [h * own(fc)[:, :, None, None] for fc in (self.mean, self.max)]
        return leaky_relu(self.joined(torch.cat(weighted, 1)), self.slope), logits


def own(fc: nn.Module) -> Tensor:
    """The weights [1, f] as they are learnt: under spectral norm the authors' code takes them before it."""
    for name, weight in fc.named_parameters():
        if name.endswith(("weight", "weight.original")):
            return weight
    raise AssertionError("a linear layer has a weight")


def mirrored(f: int, f_next: int, kernel: int, stride: int = 1, *, bias: bool = False) -> nn.Conv2d:
    """Beyond the border lies the mirror image."""
    return nn.Conv2d(f, f_next, kernel, stride, (kernel - 1) // 2, padding_mode="reflect", bias=bias)


class AdaptedBlock(nn.Module):
    """h + two 3x3 convolutions of it, each with an AdaLIN."""

    def __init__(self, f: int) -> None:
        super().__init__()
        self.first, self.second = mirrored(f, f, 3), mirrored(f, f, 3)
        self.norm_1, self.norm_2 = LIN(f, 0.9), LIN(f, 0.9)

    def forward(self, h: Tensor, gamma: Tensor, beta: Tensor) -> Tensor:
        inner = relu(self.norm_1(self.first(h), gamma, beta))
        return h + self.norm_2(self.second(inner), gamma, beta)
