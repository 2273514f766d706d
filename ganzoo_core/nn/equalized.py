"""What Karras et al. 2017 brought and their later networks kept: equalised layers, pixel norm, minibatch deviation."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, linear

SQRT2 = math.sqrt(2)


class Equalized(nn.Module):
    """Equalised learning rate (Karras et al. 2017, Sec. 4.1): weights from N(0, 1), scaled when they are used.

    He's constant is gain / sqrt(fan in); `lr` is a factor on the step of both weight and bias.
    """

    bias: nn.Parameter | None

    def __init__(self, shape: tuple[int, ...], gain: float, lr: float, bias: bool) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(shape) / lr)
        self.register_parameter("bias", nn.Parameter(torch.zeros(shape[0])) if bias else None)
        self.scale, self.lr = gain / math.sqrt(math.prod(shape[1:])) * lr, lr

    def scaled(self) -> tuple[Tensor, Tensor | None]:
        """Weight and bias as they are used."""
        return self.weight * self.scale, None if self.bias is None else self.bias * self.lr


class EqualizedLinear(Equalized):
    """A dense layer from f to f_next.  [N, f] -> [N, f_next]"""

    def __init__(self, f: int, f_next: int, gain: float = SQRT2, lr: float = 1.0, *, bias: bool = True) -> None:
        super().__init__((f_next, f), gain, lr, bias)

    def forward(self, x: Tensor) -> Tensor:
        return linear(x, *self.scaled())


class EqualizedConv2d(Equalized):
    """A convolution of k x k that keeps the size unless it is told a stride or a padding.  [N, f, H, W]"""

    def __init__(
        self,
        f: int,
        f_next: int,
        kernel: int,
        gain: float = SQRT2,
        lr: float = 1.0,
        *,
        bias: bool = True,
        stride: int = 1,
        padding: int | None = None,
    ) -> None:
        super().__init__((f_next, f, kernel, kernel), gain, lr, bias)
        self.stride, self.padding = stride, kernel // 2 if padding is None else padding

    def forward(self, x: Tensor) -> Tensor:
        return conv2d(x, *self.scaled(), self.stride, self.padding)


def pixel_norm(x: Tensor) -> Tensor:
    """a / sqrt(mean of a^2 over channels + 1e-8), at every pixel (their Sec. 4.2).  [N, C, ...]"""
    return x * (x.square().mean(1, keepdim=True) + 1e-8).rsqrt()


def minibatch_std(x: Tensor, group: int = 4) -> Tensor:
    """x [N, C, H, W] and one more channel: how much the pictures of a group differ, one number for each.

    Their Sec. 3.
    """
    n, c, h, w = x.shape
    group = group if n % group == 0 else n
    y = x.float().reshape(group, -1, c, h, w)  # [G, M, C, H, W]: picture i is in group i mod M
    std = (y.var(0, unbiased=False) + 1e-8).sqrt().mean((1, 2, 3))  # [M]
    return torch.cat([x, std.repeat(group).view(n, 1, 1, 1).expand(n, 1, h, w).to(x.dtype)], 1)
