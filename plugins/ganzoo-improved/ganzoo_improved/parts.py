"""The techniques themselves (Salimans et al. 2016, Sec. 3), each by itself; use them in games of your own."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from ganzoo_core.objectives import Terms, to_float32


def feature_matching(h: Tensor, h_fake: Tensor) -> Tensor:
    """||E f(x) - E f(G(z))||^2 / F: Sec. 3.1, divided by the number of features.  [N, F], [M, F]"""
    return (to_float32(h).mean(0) - to_float32(h_fake).mean(0)).square().mean()


class MinibatchDiscrimination(nn.Module):
    """How close is each sample of a batch to the others? Sec. 3.2: what D needs in order to see a collapse.

    M_i = f(x_i) T [B, C]; o(x_i)_b = sum over j of exp(-||M_ib - M_jb||_1), appended to f(x_i). As in the authors' code
    a sample is not compared with itself, and a bias is added: [N, F] -> [N, F + B].
    """

    def __init__(self, features: int, kernels: int = 100, dims: int = 5) -> None:
        super().__init__()
        self.T = nn.Parameter(0.05 * torch.randn(features, kernels, dims))
        self.bias = nn.Parameter(torch.full((kernels,), -1.0))

    def forward(self, f: Tensor) -> Tensor:
        M = torch.einsum("nf,fbc->nbc", f, self.T)
        distance = (M[:, None] - M[None]).abs().sum(3)  # [N, N, B]
        others = 1 - torch.eye(len(f), device=f.device)[:, :, None]
        return torch.cat([f, (torch.exp(-distance) * others).sum(1) + self.bias], 1)


class History(nn.Module):
    """||theta - (1/t) sum over i of theta[i]||^2: Sec. 3.3, historical averaging of one network's weights.

    The means are buffers, so an interrupted run goes on with them; `update` is to be called after every iteration.
    """

    t: Tensor  # how many updates there were

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.register_buffer("t", torch.zeros((), dtype=torch.int64))
        for i, theta in enumerate(net.parameters()):
            self.register_buffer(f"mean{i}", theta.detach().clone())

    def forward(self, net: nn.Module) -> Tensor:
        return torch.stack([(theta - mean).square().sum() for theta, mean in self.pairs(net)]).sum()

    @torch.no_grad()
    def update(self, net: nn.Module) -> None:
        """mean <- mean + (theta - mean) / t."""
        self.t += 1
        for theta, mean in self.pairs(net):
            mean += (theta - mean) / self.t

    def pairs(self, net: nn.Module) -> list[tuple[Tensor, Tensor]]:
        return [(theta, getattr(self, f"mean{i}")) for i, theta in enumerate(net.parameters())]


def smoothed_d(real: Tensor, fake: Tensor, alpha: float) -> Terms:
    """D's loss with the target `alpha` in place of 1 for real images, and 0 for fakes: Sec. 3.4, one-sided."""
    real, fake = to_float32(real), to_float32(fake)
    return {
        "real": (alpha * softplus(-real) + (1 - alpha) * softplus(real)).mean(),
        "fake": softplus(fake).mean(),
    }


class VirtualBatchNorm(nn.Module):
    """Batch norm by a batch that is always the same: Sec. 3.5.

    The first `reference` of [R + N, C, ...] are that batch, normalised by themselves; every other example is normalised
    by the batch and itself, R + 1 examples: so no example depends on another.
    """

    def __init__(self, channels: int, reference: int, eps: float = 1e-5) -> None:
        super().__init__()
        self.gamma, self.beta = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))
        self.reference, self.eps = reference, eps

    def forward(self, x: Tensor) -> Tensor:
        R, places = self.reference, list(range(2, x.ndim))
        h = to_float32(x)
        mean, square = (v.mean(places) if places else v for v in (h, h.square()))  # of each example  [R + N, C]
        m, s = mean[:R].mean(0), square[:R].mean(0)  # of the reference batch  [C]
        m = torch.cat([m.expand(R, -1), (R * m + mean[R:]) / (R + 1)])
        s = torch.cat([s.expand(R, -1), (R * s + square[R:]) / (R + 1)])
        m, scale, shift = (
            v.reshape(*v.shape, *[1] * len(places))
            for v in (m, self.gamma * torch.rsqrt(s - m.square() + self.eps), self.beta)
        )
        return ((h - m) * scale + shift).to(x.dtype)
