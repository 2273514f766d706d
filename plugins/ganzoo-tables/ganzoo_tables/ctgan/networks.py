"""CTGAN's G and D (Xu et al. 2019, Sec. 4.4): dense; G keeps each layer's input beside its output, D judges packs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from ganzoo_core.nn import Discriminator, Generator, Latent
from ganzoo_tables.columns import EXAMPLE, Column, unpacked
from ganzoo_tables.ctgan.transform import Transform
from ganzoo_tables.kinds import Tables, condition_of

ColumnsArg = Annotated[tuple[str, ...], "of the table, one JSON object each: the data say them"]


class Residual(nn.Module):
    """h -> h + ReLU(BN(FC(h))), + joins vectors."""

    def __init__(self, width: int, out: int) -> None:
        super().__init__()
        self.fc, self.bn = nn.Linear(width, out), nn.BatchNorm1d(out)

    def forward(self, h: Tensor) -> Tensor:
        return torch.cat([self.bn(self.fc(h)).relu(), h], 1)


class G(Generator):
    """z + cond -> rows. Xu et al. 2019, the equations of Sec. 4.4 (network structure)."""

    sample_batch_size: ClassVar[int] = 64

    def __init__(self, texts: tuple[str, ...], columns: Sequence[Column], z_dim: int, widths: Sequence[int]) -> None:
        super().__init__()
        condition = condition_of(columns)
        self.inputs = {"z": Latent((z_dim,)), **condition}
        self.output = Tables((len(columns),), texts)
        self.transform = Transform(columns)
        self.conditions = condition["condition"].classes if condition else 0
        width, blocks = z_dim + self.conditions, list[nn.Module]()
        for out in widths:
            blocks.append(Residual(width, out))
            width += out
        self.h = nn.Sequential(*blocks)
        self.out = nn.Linear(width, self.transform.width)

    def forward(self, z: Tensor, *condition: Tensor) -> Tensor:
        """[N, C]"""
        return self.transform.decode(self.transform.activated(self.logits(z, *condition)))

    def logits(self, z: Tensor, *condition: Tensor) -> Tensor:
        """What tanh and softmax are taken of.  [N, W]"""
        joined = [one_hot(m, self.conditions).to(z.dtype) for m in condition if self.conditions]
        made: Tensor = self.out(self.h(torch.cat([z, *joined], 1)))
        return made


class D(Discriminator):
    """C: packs of `pac` rows + cond -> LeakyReLU_0.2, dropout -> a score each.  [N / pac]"""

    def __init__(self, width: int, pac: int, widths: Sequence[int], dropout: float) -> None:
        super().__init__()
        self.pac, layers, h = pac, list[nn.Module](), pac * width
        for out in widths:
            layers += [nn.Linear(h, out), nn.LeakyReLU(0.2), nn.Dropout(dropout)]
            h = out
        self.judge = nn.Sequential(*layers, nn.Linear(h, 1))

    def forward(self, *parts: Tensor) -> Tensor:
        """Of transformed rows [N, W] and their conditions [N, c]."""
        return self.of_packs(packed(torch.cat(parts, 1), self.pac))

    def of_packs(self, packs: Tensor) -> Tensor:
        """[N / pac]"""
        return self.judge(packs).flatten()


def packed(x: Tensor, pac: int) -> Tensor:
    """[N, w] -> [N / pac, pac w] (Lin et al. 2018); a last pack that is not full begins anew with the first rows."""
    packs = -(-len(x) // pac)
    which = torch.arange(packs * pac, device=x.device) % len(x)
    return x[which].view(packs, pac * x.shape[1])


def networks(
    *,
    columns: ColumnsArg = EXAMPLE,
    z_dim: Annotated[int, "length of the latent"] = 128,
    g_widths: Annotated[tuple[int, ...], "of G's layers"] = (256, 256),
    d_widths: Annotated[tuple[int, ...], "of D's layers"] = (256, 256),
    pac: Annotated[int, "rows that D judges together"] = 10,
    dropout: Annotated[float, "share of D's units that are left out"] = 0.5,
) -> dict[str, nn.Module]:
    """The generator G and the critic D of a table's columns."""
    described = unpacked(columns)
    generator = G(columns, described, z_dim, g_widths)
    return {"G": generator, "D": D(generator.transform.width + generator.conditions, pac, d_widths, dropout)}
