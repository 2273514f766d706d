"""The five networks of TimeGAN (Yoon et al. 2019), all of gated recurrent units; series lie in [0, 1] inside."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor, nn

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator, Generator, Latent
from ganzoo_series.kinds import Series


class Recurrent(nn.Module):
    """Layers of GRU, and at each step a linear map into (0, 1).  [N, T, C] -> [N, T, outputs]"""

    def __init__(self, inputs: int, hidden: int, layers: int, outputs: int) -> None:
        super().__init__()
        self.rnn = nn.GRU(inputs, hidden, layers, batch_first=True)
        self.head = nn.Linear(hidden, outputs)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.head(self.rnn(x)[0])
        return torch.sigmoid(y)


class G(Generator):
    """The way from noise to a series: the paper's generator, `main`, then its supervisor S and its recovery R.

    The first makes hidden states one by one, S tells from each the next, R what was measured.
    """

    def __init__(self, length: int, features: int, hidden: int, layers: int) -> None:
        super().__init__()
        self.inputs = {"z": Latent((length, features), (0.0, 1.0))}
        self.output = Series((length, features))
        self.main = Recurrent(features, hidden, layers, hidden)
        self.S = Recurrent(hidden, hidden, max(1, layers - 1), hidden)
        self.R = Recurrent(hidden, hidden, layers, features)

    def forward(self, z: Tensor) -> Tensor:  # [N, T, C] -> [N, T, C] in [-1, 1]
        x: Tensor = self.R(self.S(self.main(z)))
        return 2 * x - 1


class D(Discriminator):
    """A score of each hidden state.  [N, T, hidden] -> [N, T]"""

    def __init__(self, hidden: int, layers: int) -> None:
        super().__init__()
        self.rnn = nn.GRU(hidden, hidden, layers, batch_first=True)
        self.head = nn.Linear(hidden, 1)

    def forward(self, h: Tensor) -> Tensor:
        score: Tensor = self.head(self.rnn(h)[0])
        return score.squeeze(-1)


def check_sizes(*sizes: int) -> None:
    """Errors: GanzooError for one below 1."""
    if min(sizes) < 1:
        raise GanzooError(f"sizes {', '.join(map(str, sizes))}: one is below 1", "Choose others.")


def networks(
    *,
    length: Annotated[int, "moments of a series, from 2 on"] = 24,
    features: Annotated[int, "numbers at each moment"] = 5,
    hidden: Annotated[int, "length of the hidden states, and units of each layer"] = 24,
    layers: Annotated[int, "of GRU in each network; the supervisor has one less"] = 3,
) -> dict[str, nn.Module]:
    """G, which holds generator, supervisor and recovery; the embedder E; D, which judges hidden states."""
    check_sizes(length - 1, features, hidden, layers)
    E = Recurrent(features, hidden, layers, hidden)
    return {"G": G(length, features, hidden, layers), "E": E, "D": D(hidden, layers)}
