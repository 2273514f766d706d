"""C-RNN-GAN's networks (Mogren 2016): two layers of LSTM that hear what they said, and two that listen both ways."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor, nn

from ganzoo_core.nn import Discriminator, Generator, Latent
from ganzoo_series.kinds import Notes
from ganzoo_series.timegan_networks import check_sizes

NUMBERS = 4  # of a note: length, pitch, loudness, time since the last
LAYERS = 2


class G(Generator):
    """Noise and the note before, at each step -> the next note."""

    def __init__(self, length: int, hidden: int, z_dim: int) -> None:
        super().__init__()
        self.inputs = {"z": Latent((length, z_dim), (0.0, 1.0))}
        self.output = Notes((length, NUMBERS))
        self.cells = nn.ModuleList(nn.LSTMCell(z_dim + NUMBERS if i == 0 else hidden, hidden) for i in range(LAYERS))
        self.head = nn.Linear(hidden, NUMBERS)

    def forward(self, z: Tensor) -> Tensor:  # [N, T, z_dim] -> [N, T, 4]
        notes = [z.new_zeros(z.shape[0], NUMBERS)]
        states: list[tuple[Tensor, Tensor] | None] = [None] * LAYERS
        for u in z.unbind(1):
            notes.append(self.step(u, notes[-1], states))
        return torch.stack(notes[1:], 1)

    def told(self, z: Tensor, x: Tensor) -> Tensor:
        """The next note at each step, where the ones before are those of a tune x [N, T, 4]."""
        before = torch.cat([torch.zeros_like(x[:, :1]), x[:, :-1]], 1)
        states: list[tuple[Tensor, Tensor] | None] = [None] * LAYERS
        return torch.stack(
            [self.step(u, note, states) for u, note in zip(z.unbind(1), before.unbind(1), strict=True)], 1
        )

    def step(self, u: Tensor, note: Tensor, states: list[tuple[Tensor, Tensor] | None]) -> Tensor:
        """One note; `states` are moved on."""
        h = torch.cat([u, note], 1)
        for i, cell in enumerate(self.cells):
            states[i] = state = cell(h, states[i])
            h = state[0]
        made: Tensor = self.head(h)
        return torch.tanh(made)


class D(Discriminator):
    """The mean of what it thinks at each step, with the whole tune heard.  [N, T, 4] -> [N]"""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.rnn = nn.LSTM(NUMBERS, hidden, LAYERS, batch_first=True, bidirectional=True)
        self.head = nn.Linear(2 * hidden, 1)

    def forward(self, x: Tensor) -> Tensor:
        scores: Tensor = self.head(self.rnn(x)[0])
        return scores.flatten(1).mean(1)


def networks(
    *,
    length: Annotated[int, "notes of a tune, from 2 on"] = 16,
    hidden: Annotated[int, "units of each layer"] = 350,
    z_dim: Annotated[int, "length of the noise z ~ U(0, 1) at each step"] = 4,
) -> dict[str, nn.Module]:
    """The generator G and the discriminator D."""
    check_sizes(length - 1, hidden, z_dim)
    return {"G": G(length, hidden, z_dim), "D": D(hidden)}
