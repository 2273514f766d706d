"""Networks whose every number is known by heart, for losses in closed form."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ganzoo_core.nn import Discriminator, Generator, Image, Images


class Flat(Generator):
    """A picture four times the size of `low`, every pixel of it `shift`."""

    scale = 4

    def __init__(self, shift: float) -> None:
        super().__init__()
        self.inputs, self.output = {"low": Image((3, None, None))}, Images((3, None, None))
        self.shift = nn.Parameter(torch.tensor(shift))

    def forward(self, low: Tensor) -> Tensor:
        return self.shift.expand(len(low), 3, 4 * low.shape[2], 4 * low.shape[3])


class Mean(Discriminator):
    """The mean pixel, so many times."""

    def __init__(self, times: float = 1.0) -> None:
        super().__init__()
        self.times = times

    def forward(self, x: Tensor) -> Tensor:
        return self.times * x.mean((1, 2, 3))
