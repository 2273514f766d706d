"""medGAN's networks: an autoencoder Enc, Dec of codes, a generator of what Enc would say, and D, which sees the mean of
its batch beside each record.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar

import torch
from torch import Tensor, nn

from ganzoo_core.nn import Discriminator, Generator, Latent
from ganzoo_tables.columns import EXAMPLE, Column, unpacked
from ganzoo_tables.ctgan.networks import ColumnsArg
from ganzoo_tables.kinds import Tables, refuse_missing
from ganzoo_tables.medgan import codes


class Shortcut(nn.Module):
    """h -> act(BN(W h)) + h, W without a bias."""

    def __init__(self, width: int, act: nn.Module) -> None:
        super().__init__()
        self.fc, self.bn, self.act = nn.Linear(width, width, bias=False), nn.BatchNorm1d(width), act

    def forward(self, h: Tensor) -> Tensor:
        return self.act(self.bn(self.fc(h))) + h


class G(Generator):
    """z -> h -> Dec(h): ReLU in all layers but the last, tanh there, as in Enc; then the codes, by a sigmoid."""

    sample_batch_size: ClassVar[int] = 64

    def __init__(self, texts: tuple[str, ...], columns: Sequence[Column], width: int, depth: int) -> None:
        super().__init__()
        self.columns = tuple(columns)
        self.inputs, self.output = {"z": Latent((width,))}, Tables((len(columns),), texts)
        layers = [Shortcut(width, nn.ReLU()) for _ in range(depth - 1)]
        self.h = nn.Sequential(*layers, Shortcut(width, nn.Tanh()))
        self.dec = nn.Linear(width, sum(map(codes.width, columns)))

    def forward(self, z: Tensor) -> Tensor:
        """[N, C]"""
        return codes.decode(self.columns, self.soft(z))

    def soft(self, z: Tensor) -> Tensor:
        """Codes before they are bits.  [N, W] in [0, 1]"""
        return self.decoded(self.h(z))

    def decoded(self, h: Tensor) -> Tensor:
        """Dec(h).  [N, W] in [0, 1]"""
        return self.dec(h).sigmoid()


class D(Discriminator):
    """x and the mean of the batch -> ReLU -> a score (Choi et al. 2017, Sec. 3.3: minibatch averaging).  [N]"""

    def __init__(self, codes_width: int, widths: Sequence[int]) -> None:
        super().__init__()
        layers, h = list[nn.Module](), 2 * codes_width
        for out in widths:
            layers += [nn.Linear(h, out), nn.ReLU()]
            h = out
        self.main = nn.Sequential(*layers, nn.Linear(h, 1))

    def forward(self, x: Tensor) -> Tensor:
        """Of codes [N, W]."""
        mean = x.mean(0, keepdim=True).expand_as(x)
        return self.main(torch.cat([x, mean], 1)).flatten()


def networks(
    *,
    columns: ColumnsArg = EXAMPLE,
    width: Annotated[int, "of the latent, of the autoencoder's code and of G's layers"] = 128,
    depth: Annotated[int, "layers of G"] = 3,
    d_widths: Annotated[tuple[int, ...], "of D's layers"] = (256, 128),
) -> dict[str, nn.Module]:
    """The generator G with the decoder, the encoder Enc, and the discriminator D."""
    described = unpacked(columns)
    refuse_missing(described, "medgan")
    generator = G(columns, described, width, depth)
    bits = generator.dec.out_features
    return {"G": generator, "Enc": nn.Sequential(nn.Linear(bits, width), nn.Tanh()), "D": D(bits, d_widths)}
