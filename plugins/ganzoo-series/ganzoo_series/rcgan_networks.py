"""RCGAN's networks (Esteban et al. 2017): one LSTM each, and a linear map at every step; labels stand at every step."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from ganzoo_core.nn import Discriminator, Generator, Label, Latent
from ganzoo_series.kinds import Series
from ganzoo_series.timegan_networks import check_sizes


class Labelled(nn.Module):
    """An LSTM of what is given at each step, the label beside it; a linear map.  [N, T, C] -> [N, T, outputs]"""

    def __init__(self, inputs: int, hidden: int, outputs: int, classes: int) -> None:
        super().__init__()
        self.classes = classes
        self.rnn = nn.LSTM(inputs + classes, hidden, batch_first=True)
        self.head = nn.Linear(hidden, outputs)

    def forward(self, x: Tensor, *label: Tensor) -> Tensor:
        for y in label:
            beside = one_hot(y, self.classes).to(x.dtype)[:, None].expand(-1, x.shape[1], -1)
            x = torch.cat([x, beside], 2)
        made: Tensor = self.head(self.rnn(x)[0])
        return made


class G(Generator):
    """Noise at each step, and the label -> the series."""

    def __init__(self, length: int, features: int, hidden: int, z_dim: int, classes: int) -> None:
        super().__init__()
        self.inputs = {"z": Latent((length, z_dim)), **({"label": Label(classes)} if classes else {})}
        self.output = Series((length, features))
        self.main = Labelled(z_dim, hidden, features, classes)

    def forward(self, z: Tensor, *label: Tensor) -> Tensor:  # [N, T, z_dim], [N] -> [N, T, C]
        return torch.tanh(self.main(z, *label))


class D(Discriminator):
    """A score at each step: as much of the series as was seen, is it real?  [N, T, C], [N] -> [N, T]"""

    def __init__(self, features: int, hidden: int, classes: int) -> None:
        super().__init__()
        self.main = Labelled(features, hidden, 1, classes)

    def forward(self, x: Tensor, *label: Tensor) -> Tensor:
        return self.main(x, *label).squeeze(-1)


def networks(
    *,
    length: Annotated[int, "moments of a series, from 2 on"] = 30,
    features: Annotated[int, "numbers at each moment"] = 1,
    classes: Annotated[int, "labels that a series is made for; 0: none"] = 0,
    hidden: Annotated[int, "units of both LSTMs"] = 100,
    z_dim: Annotated[int, "length of the latent z ~ N(0, 1) at each step"] = 5,
) -> dict[str, nn.Module]:
    """The generator G and the discriminator D."""
    check_sizes(length - 1, features, classes + 1, hidden, z_dim)
    return {"G": G(length, features, hidden, z_dim, classes), "D": D(features, hidden, classes)}
