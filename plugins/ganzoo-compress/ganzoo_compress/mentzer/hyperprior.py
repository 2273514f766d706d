"""The model of p(y) (Minnen et al. 2018, after Ballé et al. 2018): z, few numbers, says how y is spread."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from ganzoo_compress.codec import straight_through
from ganzoo_compress.coder import Doubles, Reader, Writer

LEAST, MOST, SCALES = 0.11, 64.0, 64  # of sigma, and how many of them there are in a file
BOUND = 255  # |round(y - mu)| and |round z| in a file
TINY = 1e-9  # no number is less likely than that


class Hyperprior(nn.Module):
    """z = HA(y), mu and sigma = HS(z^); p(y^ | z^) are normal distributions over steps of 1, p(z^) one per channel."""

    step = 4  # by what the sides of y are divided

    def __init__(self, code: int, hyper: int) -> None:
        super().__init__()
        self.HA, self.HS_mu, self.HS_scale = Analysis(code, hyper), Synthesis(code, hyper), Synthesis(code, hyper)
        self.density = Density(hyper)

    def moments(self, z: Tensor) -> tuple[Tensor, Tensor]:
        """mu and sigma of every number of y.  [N, hyper, h / 4, w / 4] -> [N, code, h, w], twice"""
        return self.HS_mu(z), LEAST + softplus(self.HS_scale(z).float())

    def rounded(self, y: Tensor) -> Tensor:
        """y^ = round(y - mu) + mu, z rounded before; to gradients it is y (straight-through).

        What no file can hold is cut off here already, so that a picture that is sampled is one that is read.
        """
        mu, _ = self.moments(self.rounded_z(y))
        whole = (y - mu).round().clamp(-BOUND, BOUND) + mu
        return straight_through(whole, y)

    def rounded_z(self, y: Tensor) -> Tensor:
        z: Tensor = self.HA(y)
        return straight_through(z.round().clamp(-BOUND, BOUND), z)

    def bits(self, y: Tensor) -> Tensor:
        """-log2 p(y~, z~) of each picture, with noise of +-1/2 in the place of rounding (Ballé et al. 2018).  [N]"""
        z = noisy(self.HA(y))
        mu, sigma = self.moments(z)
        likely = normal_step(noisy(y).float() - mu.float(), sigma)
        return sum_of_bits(likely) + sum_of_bits(self.density(z.float()))

    @torch.no_grad()
    def bits_rounded(self, y: Tensor) -> Tensor:
        """The same of what is written: how long the file will be, but for its ends.  [N]"""
        z = self.rounded_z(y)
        mu, sigma = self.moments(z)
        return sum_of_bits(normal_step((y - mu).round().float(), sigma)) + sum_of_bits(self.density(z.float()))

    def write(self, to: Writer, y: Tensor) -> None:
        """z, channel by channel, then round(y - mu).  y: [1, code, h, w]"""
        z = self.rounded_z(y)
        for symbols, table in zip(z[0].flatten(1).round().int(), self.density.tables(), strict=True):
            to.table(symbols.cpu().numpy() + np.int32(BOUND), table)
        mu, sigma = self.moments(z)
        whole = (y - mu).round().clamp(-BOUND, BOUND).int()
        to.gaussian(whole.flatten().cpu().numpy(), scales(sigma), BOUND)

    def read(self, of: Reader, height: int, width: int) -> Tensor:
        """y^ again, of these sides.  [1, code, height, width]"""
        h, w = height // self.step, width // self.step
        rows = [of.table(h * w, table) - np.int32(BOUND) for table in self.density.tables()]
        device = next(self.parameters()).device
        z = torch.from_numpy(np.stack(rows)).float().view(1, len(rows), h, w).to(device)
        mu, sigma = self.moments(z)
        whole = torch.from_numpy(of.gaussian(scales(sigma), BOUND)).to(device)
        return (whole.view(mu.shape) + mu).contiguous()


class Analysis(nn.Sequential):
    """HA: 3x3, then twice 5x5 with stride 2, mirrored borders."""

    def __init__(self, code: int, hyper: int) -> None:
        def halve() -> nn.Module:
            return nn.Conv2d(hyper, hyper, 5, 2, 2, padding_mode="reflect")

        first = nn.Conv2d(code, hyper, 3, 1, 1)
        super().__init__(first, nn.ReLU(inplace=True), halve(), nn.ReLU(inplace=True), halve())


class Synthesis(nn.Sequential):
    """HS: twice the side by 5x5, twice, then 3x3."""

    def __init__(self, code: int, hyper: int) -> None:
        def double() -> nn.Module:
            return nn.ConvTranspose2d(hyper, hyper, 5, 2, 2, output_padding=1)

        super().__init__(
            double(), nn.ReLU(inplace=True), double(), nn.ReLU(inplace=True), nn.ConvTranspose2d(hyper, code, 3, 1, 1)
        )


class Density(nn.Module):
    """p(z), a distribution of its own for each channel (Ballé et al. 2018, App. 6.1): any that has a density.

    Its cumulative is sigmoid(f_K(... f_1(z))), f_k(u) = g_k(H_k u + b_k), g_k(u) = u + a_k tanh u, where softplus keeps
    H and tanh keeps a from making it fall.
    """

    widths = (1, 3, 3, 3, 1)
    scale = 10.0  # how far z is spread at first

    def __init__(self, channels: int) -> None:
        super().__init__()
        each = self.scale ** (1 / (len(self.widths) - 1))
        self.H, self.a, self.b = nn.ParameterList(), nn.ParameterList(), nn.ParameterList()
        for r, r_next in zip(self.widths, self.widths[1:], strict=False):
            first = math.log(math.expm1(1 / each / r_next))
            self.H.append(nn.Parameter(torch.full((channels, r_next, r), first)))
            self.b.append(nn.Parameter(torch.empty(channels, r_next, 1).uniform_(-0.5, 0.5)))
        self.a.extend(nn.Parameter(torch.zeros(channels, r, 1)) for r in self.widths[1:-1])

    def logits(self, z: Tensor) -> Tensor:
        """Of the cumulative.  [channels, 1, n] -> the same"""
        for k, (H, b) in enumerate(zip(self.H, self.b, strict=True)):
            z = softplus(H) @ z + b
            if k < len(self.a):
                z = z + torch.tanh(self.a[k]) * torch.tanh(z)
        return z

    def forward(self, z: Tensor) -> Tensor:
        """The share of z +- 1/2.  [N, channels, h, w] -> the same"""
        rows = z.transpose(0, 1).flatten(1)[:, None]  # [channels, 1, N h w]
        below, above = self.logits(rows - 0.5), self.logits(rows + 0.5)
        sign = -(below + above).detach().sign()  # in the tail where sigmoid is exact
        shares = (torch.sigmoid(sign * above) - torch.sigmoid(sign * below)).abs().clamp(min=TINY)
        return shares.view(z.shape[1], len(z), *z.shape[2:]).transpose(0, 1)

    @torch.no_grad()
    def tables(self) -> Doubles:
        """The shares of -BOUND ... BOUND.  float64 [channels, 2 BOUND + 1]"""
        channels = self.H[0].shape[0]
        device = self.H[0].device
        numbers = torch.arange(-BOUND, BOUND + 1.0, device=device).expand(channels, -1)
        return self(numbers[None, :, None])[0, :, 0].double().cpu().numpy()


def noisy(x: Tensor) -> Tensor:
    return x + torch.rand_like(x) - 0.5


def normal_step(distance: Tensor, sigma: Tensor) -> Tensor:
    """Phi((d + 1/2) / sigma) - Phi((d - 1/2) / sigma): the share of a step of 1 at a distance from the middle."""
    far = distance.abs()  # where Phi is small it is exact
    share = torch.special.ndtr((0.5 - far) / sigma) - torch.special.ndtr((-0.5 - far) / sigma)
    return share.clamp(min=TINY)


def sum_of_bits(shares: Tensor) -> Tensor:
    """[N, ...] -> [N]"""
    return -shares.log2().flatten(1).sum(1)


def scales(sigma: Tensor) -> Doubles:
    """The nearest of 64 sigmas, evenly spread in their logarithm, in the order of the numbers.  float64 [n]

    Both ends of the coder must have the same: a number that two machines sum otherwise is still the same scale, unless
    it lies at the border between two.
    """
    span = math.log(MOST / LEAST) / (SCALES - 1)
    which = (torch.log(sigma.flatten() / LEAST) / span).round().clamp(0, SCALES - 1)
    found: Doubles = LEAST * np.exp(span * which.double().cpu().numpy())
    return found
