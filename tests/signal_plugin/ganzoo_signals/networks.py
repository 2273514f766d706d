"""Dense networks: a tone of the pitch that is asked for, and what else z says."""

import math
from typing import Annotated

import torch
from torch import Tensor, nn

from ganzoo_core.nn import Discriminator, Generator, Latent
from ganzoo_signals.signals import Pitch, Signals


class G(Generator):
    """(z, pitch) -> tanh(a sin + b cos + rest), a and b and the rest dense functions of z.  [N, C, L]"""

    def __init__(self, curves: int, length: int, width: int, z_dim: int) -> None:
        super().__init__()
        self.inputs = {"z": Latent((z_dim,)), "pitch": Pitch(1.0, 8.0)}
        self.output = Signals((curves, length))
        self.h = nn.Sequential(nn.Linear(z_dim, width), nn.ReLU())
        self.tone, self.rest = nn.Linear(width, 2 * curves), nn.Linear(width, curves * length)

    def forward(self, z: Tensor, pitch: Tensor) -> Tensor:
        h, (curves, length) = self.h(z), self.output.shape
        t = torch.arange(length, device=z.device) / length
        angle = 2 * math.pi * pitch[:, None] * t  # [N, L]
        waves = torch.stack([angle.sin(), angle.cos()], 1)  # [N, 2, L]
        return torch.tanh(self.tone(h).view(-1, curves, 2) @ waves + self.rest(h).view(-1, curves, length))


class D(Discriminator):
    """A curve -> h -> the score.  [N]"""

    def __init__(self, curves: int, length: int, width: int) -> None:
        super().__init__()
        self.main = nn.Sequential(nn.Linear(curves * length, width), nn.LeakyReLU(0.2), nn.Linear(width, 1))

    def forward(self, x: Tensor) -> Tensor:
        return self.main(x.flatten(1)).flatten()


def networks(
    *,
    curves: Annotated[int, "in a sample"] = 1,
    length: Annotated[int, "moments of a curve"] = 64,
    width: Annotated[int, "hidden units"] = 128,
    z_dim: Annotated[int, "length of the latent"] = 8,
) -> dict[str, nn.Module]:
    """The generator G and the discriminator D."""
    return {"G": G(curves, length, width, z_dim), "D": D(curves, length, width)}
