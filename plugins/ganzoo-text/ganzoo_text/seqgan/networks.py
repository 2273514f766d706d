"""SeqGAN's networks: a recurrent language G, and D, which looks at lines through windows of many lengths."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar

import torch
from torch import Tensor, nn

from ganzoo_core.errors import GanzooError
from ganzoo_core.nn import Discriminator, Generator, Latent, Space
from ganzoo_text.kinds import Lines
from ganzoo_text.language import Language


class G(Generator):
    """u ~ U[0, 1)^L -> words: word t is the one at u_t of the way through its chances, so that u alone is drawn."""

    sample_batch_size: ClassVar[int] = 64

    def __init__(self, words: int, vocabulary: tuple[str, ...], length: int, embedding: int, hidden: int) -> None:
        super().__init__()
        self.inputs, self.output = {"u": Latent((length,), (0.0, 1.0))}, Lines((length,), vocabulary)
        self.language = Language(words, embedding, hidden)
        for w in self.parameters():
            nn.init.normal_(w, 0, 0.1)

    def forward(self, u: Tensor) -> Tensor:
        """[N, L], words by their numbers."""
        return self.language.written(u).float()

    def spaces(self) -> dict[str, Space]:
        """None: no gradient goes through a word."""
        return {}


class D(Discriminator):
    """Zhang & LeCun's text CNN: windows of several lengths over embedded words, max over time, a highway.  [N]

    Its score is the difference of the two logits, real and not.
    """

    def __init__(
        self, words: int, embedding: int, windows: Sequence[int], widths: Sequence[int], dropout: float
    ) -> None:
        super().__init__()
        self.embed = nn.Embedding(words, embedding)
        self.convs = nn.ModuleList(
            nn.Conv1d(embedding, width, window) for window, width in zip(windows, widths, strict=True)
        )
        self.highway, self.dropout = nn.Linear(sum(widths), sum(widths)), nn.Dropout(dropout)
        self.out = nn.Linear(sum(widths), 2)

    def features(self, x: Tensor) -> Tensor:
        """Of words [N, L], the highway's: sigmoid(h) relu(h) + (1 - sigmoid(h)) f.  [N, F]"""
        embedded = self.embed(x).transpose(1, 2)
        f = torch.cat([conv(embedded).relu().amax(2) for conv in self.convs], 1)
        h = self.highway(f)
        return h.sigmoid() * h.relu() + (1 - h.sigmoid()) * f

    def forward(self, x: Tensor) -> Tensor:
        real, made = self.out(self.dropout(self.features(x))).unbind(1)
        return real - made


WINDOWS = (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 15, 20)
WIDTHS = (100, 200, 200, 200, 200, 100, 100, 100, 100, 100, 160, 160)


def networks(
    *,
    words: Annotated[int, "known, word 0 among them: the data say it"] = 5_000,
    vocabulary: Annotated[tuple[str, ...], "the words themselves: the data say them"] = (),
    length: Annotated[int, "words of a line: the data say it"] = 20,
    embedding: Annotated[int, "numbers of a word, to G"] = 32,
    hidden: Annotated[int, "units of G's LSTM"] = 32,
    d_embedding: Annotated[int, "numbers of a word, to D"] = 64,
    windows: Annotated[tuple[int, ...], "words that D's filters see, longer ones than a line left out"] = WINDOWS,
    widths: Annotated[tuple[int, ...], "filters of each window"] = WIDTHS,
    dropout: Annotated[float, "share of D's features that are left out"] = 0.25,
) -> dict[str, nn.Module]:
    """The generator G and the discriminator D."""
    if len(windows) != len(widths):
        raise GanzooError(f"windows {windows}: not as many as widths", "Give one width for each.")
    if vocabulary and len(vocabulary) != words:
        raise GanzooError(f"words {words}: and the vocabulary has {len(vocabulary)}", "Leave it to the data.")
    fitting = [(window, width) for window, width in zip(windows, widths, strict=True) if window <= length]
    if not fitting:
        raise GanzooError(f"windows {windows}: all longer than a line of {length}", "Give a shorter one.")
    seen, filters = zip(*fitting, strict=True)
    return {
        "G": G(words, vocabulary, length, embedding, hidden),
        "D": D(words, d_embedding, seen, filters, dropout),
    }
